//! Who a request is from: the tokens in force, their rotation while connections live, and the sources of wrong ones.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use cwts_credentials::{Scope, Stamp, TokenStore, Tokens, Verdict};
use cwts_domain::{Problem, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::audit::Tally;
use crate::logins::{FailedLogins, Logins};

/// The tokens of an instance and who used them.
pub struct Access {
    store: TokenStore,
    /// Held by whoever reads the files: what was read earlier must not take the place of what was read later.
    reading: Mutex<()>,
    keys: RwLock<Option<Keys>>,
    logins: Mutex<Logins>,
    /// Wrong tokens that the audit trail does not tell of yet.
    pub(crate) untold: Tally,
}

/// What was found when the tokens were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenNews {
    /// Tokens that were missing, with when they were made.
    pub(crate) made: Vec<(Scope, Timestamp)>,
    /// Tokens that are other ones than before, with when both were made.
    pub(crate) replaced: Vec<(Scope, Timestamp, Timestamp)>,
}

/// The tokens that were read, with what hangs on them.
struct Keys {
    tokens: Tokens,
    stamp: Stamp,
    held: [Arc<Held>; 4],
    /// Why the files as they are now cannot be used; the tokens read before stay in force.
    problem: Option<Problem>,
}

/// One token in the hands of its clients.
#[derive(Debug)]
struct Held {
    scope: Scope,
    replaced: CancellationToken,
    last: Mutex<Option<LastUse>>,
}

/// When and from where a token was last presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub source: IpAddr,
}

/// Who a request is from. In the extensions of every request that needs a token.
#[derive(Clone, Debug)]
pub struct Caller(Option<Arc<Held>>);

/// Why a presented token does not open anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It is no token of this instance.
    Wrong,
    /// The source presented too many wrong ones and has to wait.
    Wait(Duration),
}

impl Caller {
    /// Somebody on this computer where no token is asked for.
    pub fn local() -> Self {
        Self(None)
    }

    /// What the caller may do. Without a token everyone may trade, as agents do, and nobody resumes or arms.
    pub fn scope(&self) -> Scope {
        self.0.as_ref().map_or(Scope::Trade, |held| held.scope)
    }

    /// What the presented token allows; `None` where none was asked for.
    pub fn presented(&self) -> Option<Scope> {
        self.0.as_ref().map(|held| held.scope)
    }

    /// Resolves when the token is replaced by another one: what it opened has to end.
    pub async fn replaced(&self) {
        match &self.0 {
            Some(held) => held.replaced.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Whether the token has been replaced by another one.
    pub fn is_replaced(&self) -> bool {
        self.0.as_ref().is_some_and(|held| held.replaced.is_cancelled())
    }

    /// Whether both presented the same token.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Access {
    /// The tokens below the instance's data folder. Reads nothing yet.
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            store: TokenStore::new(data),
            reading: Mutex::default(),
            keys: RwLock::default(),
            logins: Mutex::default(),
            untold: Tally::default(),
        }
    }

    /// Where the tokens lie.
    pub fn store(&self) -> &TokenStore {
        &self.store
    }

    /// Reads the tokens, making those that are missing. Says which these are and which were replaced since they were last
    /// read; their connections are told.
    ///
    /// # Errors
    /// A file cannot be used; tokens that were read before stay in force.
    pub(crate) fn read(&self) -> Result<TokenNews, Problem> {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.store.stamp();
        let missing: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| !self.store.file(*scope).exists()).collect();
        // Makes what is missing first: the stamp must not be older than what is read under it.
        let read = self.store.open_or_make().and_then(|_| {
            let stamp = self.store.stamp();
            Ok((stamp, self.store.open_or_make()?))
        });
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok((stamp, tokens)) => {
                let (held, replaced) = carry_over(keys.as_ref(), &tokens);
                let made_at = |scope: Scope, tokens: &Tokens| tokens.get(scope).made_at;
                let news = TokenNews {
                    made: missing.into_iter().map(|scope| (scope, made_at(scope, &tokens))).collect(),
                    replaced: (replaced.into_iter())
                        .filter_map(|scope| {
                            Some((scope, made_at(scope, &keys.as_ref()?.tokens), made_at(scope, &tokens)))
                        })
                        .collect(),
                };
                *keys = Some(Keys { tokens, stamp, held, problem: None });
                Ok(news)
            }
            Err(error) => {
                let problem = Problem::from(error);
                if let Some(keys) = keys.as_mut() {
                    // A file that was mended meanwhile is read again.
                    keys.stamp = found;
                    keys.problem = Some(problem.clone());
                }
                Err(problem)
            }
        }
    }

    /// Whether the files differ from what was read. Cheap: four `stat` calls.
    pub(crate) fn is_stale(&self) -> bool {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().is_some_and(|keys| keys.stamp != self.store.stamp())
    }

    /// Why the files as they are now cannot be used.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.as_ref().and_then(|keys| keys.problem.clone())
    }

    /// Who presents a token.
    ///
    /// # Errors
    /// It is no token of this instance. The failure is counted against `source`.
    pub fn authenticate(&self, presented: &str, source: IpAddr, now: Timestamp) -> Result<Caller, Denied> {
        if let Some(caller) = self.identify(presented, source, now) {
            return Ok(caller);
        }
        self.untold.add(source);
        match self.logins().failed(source, now, Instant::now()) {
            Verdict::Wrong => Err(Denied::Wrong),
            Verdict::Wait(wait) => Err(Denied::Wait(wait)),
        }
    }

    /// Who presents a token, where none is asked for: another text is no failure then.
    pub fn identify(&self, presented: &str, source: IpAddr, now: Timestamp) -> Option<Caller> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.as_ref()?;
        let scope = keys.tokens.verify(presented)?;
        let held = keys.held.iter().find(|held| held.scope == scope)?;
        *held.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastUse { at: now, source });
        Some(Caller(Some(Arc::clone(held))))
    }

    /// The wrong tokens since the program started.
    pub fn failed_logins(&self) -> FailedLogins {
        self.logins().so_far()
    }

    /// Whether somebody goes on presenting wrong tokens although slowed down.
    pub(crate) fn is_tried(&self) -> bool {
        self.logins().go_on(Instant::now())
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When and from where the token of a scope was last presented.
    pub fn last_use(&self, scope: Scope) -> Option<LastUse> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let held = keys.as_ref()?.held.iter().find(|held| held.scope == scope)?;
        *held.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what hangs on tokens that are still the same, and tells those that hold another one.
fn carry_over(before: Option<&Keys>, tokens: &Tokens) -> ([Arc<Held>; 4], Vec<Scope>) {
    let mut replaced = Vec::new();
    let held = Scope::ALL.map(|scope| {
        let fresh = || Arc::new(Held { scope, replaced: CancellationToken::new(), last: Mutex::default() });
        let Some(before) = before else { return fresh() };
        let Some(held) = before.held.iter().find(|held| held.scope == scope) else { return fresh() };
        if tokens.get(scope).secret.matches(before.tokens.get(scope).secret.expose()) {
            return Arc::clone(held);
        }
        held.replaced.cancel();
        replaced.push(scope);
        fresh()
    });
    (held, replaced)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use futures_util::FutureExt as _;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn token(access: &Access, scope: Scope) -> String {
        access.store().open_or_make().unwrap().get(scope).secret.expose().to_owned()
    }

    #[test]
    fn a_replaced_token_ends_its_callers_and_no_others() {
        let home = tempfile::tempdir().unwrap();
        let access = Access::new(home.path());
        assert_eq!(access.read().unwrap().replaced, [], "at the start nothing was replaced");
        let (trade, read) = (token(&access, Scope::Trade), token(&access, Scope::Read));
        let trader = access.authenticate(&trade, HERE, Timestamp(5)).unwrap();
        let reader = access.authenticate(&read, HERE, Timestamp(6)).unwrap();
        assert!(!access.is_stale(), "nothing has changed");
        access.store().rotate(&[Scope::Trade]).unwrap();
        assert!(access.is_stale(), "another program may have replaced a token");
        let news = access.read().unwrap();
        assert_eq!(
            news.replaced.iter().map(|it| it.0).collect::<Vec<_>>(),
            [Scope::Trade],
            "the one that was replaced"
        );
        assert_eq!(news.made, [], "none was missing");
        assert!(trader.replaced().now_or_never().is_some(), "its connections are told");
        assert!(reader.replaced().now_or_never().is_none(), "the others live on");
        assert_eq!(
            access.authenticate(&trade, HERE, Timestamp(8)).unwrap_err(),
            Denied::Wrong,
            "the old token is dead"
        );
        let again = access.authenticate(&token(&access, Scope::Trade), HERE, Timestamp(9)).unwrap();
        assert!(!again.is_same(&trader), "a session of the old token is not the new one's");
        let expected = Some(LastUse { at: Timestamp(6), source: HERE });
        assert_eq!(access.last_use(Scope::Read), expected, "a person sees who uses a token");
    }

    #[test]
    fn a_spoilt_file_leaves_the_tokens_in_force() {
        let home = tempfile::tempdir().unwrap();
        let access = Access::new(home.path());
        access.read().unwrap();
        let trade = token(&access, Scope::Trade);
        let file = access.store().file(Scope::Read);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(access.is_stale(), "a change of the mode is a change");
        access.read().unwrap_err();
        assert!(access.authenticate(&trade, HERE, Timestamp(3)).is_ok(), "whoever trades is not thrown out for it");
        assert!(access.problem().is_some() && !access.is_stale(), "said once, and shown until it is mended");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(access.read().unwrap(), TokenNews::default(), "mended, and nothing was replaced");
        assert_eq!(access.problem(), None, "and no longer shown");
    }

    #[test]
    fn of_reads_at_once_the_latest_counts() {
        let home = tempfile::tempdir().unwrap();
        let access = Access::new(home.path());
        access.read().unwrap();
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..25 {
                        access.store().rotate(&[Scope::Trade]).unwrap();
                        access.read().unwrap();
                    }
                });
            }
        });
        assert!(!access.is_stale(), "everybody who replaced a token has read the files after it");
        let trade = token(&access, Scope::Trade);
        assert!(
            access.authenticate(&trade, HERE, Timestamp(3)).is_ok(),
            "or clients with the new token are locked out"
        );
    }

    #[test]
    fn without_a_token_everyone_may_trade_and_nobody_resumes() {
        let local = Caller::local();
        assert!(local.scope().allows(Scope::Trade) && !local.scope().allows(Scope::Owner), "as an agent");
        assert!(local.replaced().now_or_never().is_none(), "nothing can be replaced");
    }
}
