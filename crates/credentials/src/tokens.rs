//! The tokens of an instance: one file for each scope in `tokens/`, so that a file can be handed to a program that reads
//! its token from one (Prometheus' `credentials_file`).

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cwts_domain::Timestamp;
use zeroize::Zeroizing;

use crate::private::{self, FileStamp, StoreError};
use crate::{Scope, Secret};

/// 256 bits: as hard to guess as the keys of TLS.
const BYTES: usize = 32;

/// Where the tokens of an instance lie.
#[derive(Clone, Debug)]
pub struct TokenStore {
    folder: PathBuf,
}

/// A token as it is stored. Has no `Debug`, as its [`Secret`].
#[derive(Clone)]
pub struct Token {
    /// What its holder presents.
    pub secret: Secret,
    /// When it was made.
    pub made_at: Timestamp,
}

/// The four tokens of an instance.
#[derive(Clone)]
pub struct Tokens([Token; 4]);

/// Tells whether the files have changed, without reading them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stamp([Option<FileStamp>; 4]);

impl TokenStore {
    /// The tokens below `data`, the data folder of the instance. Touches nothing.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("tokens") }
    }

    /// The file of a scope.
    pub fn file(&self, scope: Scope) -> PathBuf {
        self.folder.join(scope.id())
    }

    /// Reads the tokens; makes those that are missing.
    ///
    /// # Errors
    /// Others can read or change a file, a file holds no token, or the system refuses.
    pub fn open_or_make(&self) -> Result<Tokens, StoreError> {
        let token = |scope| match self.read(scope)? {
            Some(token) => Ok(token),
            None => {
                private::create(&self.file(scope), &Zeroizing::new(format!("{}\n", generate(scope)?.expose())))?;
                // Another program may have been first.
                self.read(scope)?.ok_or_else(|| self.malformed(scope))
            }
        };
        let [owner, trade, read, metrics] = Scope::ALL;
        Ok(Tokens([token(owner)?, token(trade)?, token(read)?, token(metrics)?]))
    }

    /// Makes new tokens for the scopes. Whatever holds the old ones is refused from now on.
    ///
    /// # Errors
    /// The system refuses; scopes before the failed one are new already, and saying so is up to the caller.
    pub fn rotate(&self, scopes: &[Scope]) -> Result<(), StoreError> {
        for &scope in scopes {
            private::replace(&self.file(scope), &Zeroizing::new(format!("{}\n", generate(scope)?.expose())))?;
        }
        Ok(())
    }

    /// What tells one state of the files from another.
    pub fn stamp(&self) -> Stamp {
        Stamp(Scope::ALL.map(|scope| FileStamp::of(&self.file(scope))))
    }

    fn read(&self, scope: Scope) -> Result<Option<Token>, StoreError> {
        let Some((text, written)) = private::read(&self.file(scope))? else { return Ok(None) };
        let text = text.trim_end();
        let digits = text.strip_prefix(&prefix(scope)).unwrap_or_default();
        if digits.len() != BYTES * 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(self.malformed(scope));
        }
        Ok(Some(Token { secret: Secret::new(text.to_owned()), made_at: timestamp(written) }))
    }

    fn malformed(&self, scope: Scope) -> StoreError {
        StoreError::Malformed { path: self.file(scope), expected: "token" }
    }
}

impl Tokens {
    /// The token of a scope.
    pub fn get(&self, scope: Scope) -> &Token {
        let [owner, trade, read, metrics] = &self.0;
        match scope {
            Scope::Owner => owner,
            Scope::Trade => trade,
            Scope::Read => read,
            Scope::Metrics => metrics,
        }
    }

    /// The scope of a presented token; `None` when it is none of them. Compares with all of them in constant time.
    pub fn verify(&self, presented: &str) -> Option<Scope> {
        let found = Scope::ALL.map(|scope| self.get(scope).secret.matches(presented).then_some(scope));
        found.into_iter().flatten().next()
    }
}

/// How the tokens of a scope begin, so that a person, and a scanner for leaked secrets, knows one by its looks.
fn prefix(scope: Scope) -> String {
    format!("cwts_{scope}_")
}

fn generate(scope: Scope) -> Result<Secret, StoreError> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    getrandom::fill(&mut *bytes).map_err(|error| StoreError::Io {
        path: "getrandom(2)".into(),
        action: "read",
        source: std::io::Error::other(error),
    })?;
    let mut text = prefix(scope);
    text.reserve_exact(BYTES * 2);
    for byte in &*bytes {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(digit.into(), 16));
        }
    }
    Ok(Secret::new(text))
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_are_made_once_and_then_read() {
        let home = tempfile::tempdir().unwrap();
        let store = TokenStore::new(home.path());
        let first = store.open_or_make().unwrap();
        let again = TokenStore::new(home.path()).open_or_make().unwrap();
        let mut seen = HashSet::new();
        for scope in Scope::ALL {
            let secret = &first.get(scope).secret;
            let expected = format!("cwts_{scope}_").len() + 64;
            assert_eq!(secret.expose().len(), expected, "256 bits in hexadecimal after the prefix");
            assert!(again.get(scope).secret.matches(secret.expose()), "a second start keeps the {scope} token");
            assert_eq!(again.verify(secret.expose()), Some(scope), "the token opens its own scope");
            assert!(seen.insert(secret.expose().to_owned()), "every token is another");
        }
        let strangers = tempfile::tempdir().unwrap();
        let other = TokenStore::new(strangers.path()).open_or_make().unwrap();
        assert_eq!(first.verify(other.get(Scope::Owner).secret.expose()), None, "instances do not share tokens");
        assert_eq!(first.verify(""), None, "nothing is no token");
    }

    #[test]
    fn a_rotation_replaces_only_what_it_names() {
        let home = tempfile::tempdir().unwrap();
        let store = TokenStore::new(home.path());
        let (before, stamp) = (store.open_or_make().unwrap(), store.stamp());
        assert_eq!(store.stamp(), stamp, "looking changes nothing");
        store.rotate(&[Scope::Trade]).unwrap();
        assert_ne!(store.stamp(), stamp, "a running instance must notice");
        let after = store.open_or_make().unwrap();
        assert_eq!(after.verify(before.get(Scope::Trade).secret.expose()), None, "the old token is dead");
        assert_eq!(after.verify(before.get(Scope::Read).secret.expose()), Some(Scope::Read), "the others live on");
    }

    #[test]
    fn a_file_without_a_token_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        let store = TokenStore::new(home.path());
        for text in ["", "changeme", "cwts_trade_", &format!("cwts_read_{}", "0".repeat(64)), &"0".repeat(64)] {
            private::replace(&store.file(Scope::Trade), text).unwrap();
            let refused = store.open_or_make().map(drop).unwrap_err().to_string();
            assert!(refused.ends_with("tokens/trade holds no token"), "a weak token is none: {refused}");
        }
    }
}
