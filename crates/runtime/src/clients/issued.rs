//! What was copied or shown, so that a change of a port, a token or the certificate says which programs no longer reach
//! the instance. Holds no secret: a token is known by the time that it was made.

use std::fs;
use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};

use super::{ClientFacts, ClientProgram, Place, Snippet, Transport};
use crate::json_file;

/// The file in the data folder of the instance.
const FILE: &str = "clients.json";

/// One text that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub(super) client: ClientProgram,
    pub(super) transport: Transport,
    pub(super) place: Place,
    /// The URL in it; `None` where it holds none.
    pub(super) address: Option<String>,
    /// When the token in it was made.
    pub(super) token: Option<String>,
    /// The fingerprint of the authority that it names.
    pub(super) authority: Option<String>,
}

/// A text that was given out and no longer fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StaleSnippet {
    /// The program.
    pub client: ClientProgram,
    /// Its name for people.
    pub name: String,
    /// How it connects.
    pub transport: Transport,
    /// Where it runs.
    pub place: Place,
    /// What changed since, as sentences.
    pub reason: String,
}

impl Issued {
    /// Remembers that the text of a snippet was handed to a person, in place of the one before it. Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remember(data: &Path, facts: &ClientFacts, snippet: &Snippet) -> Result<(), Problem> {
        let issued = facts.issued(snippet);
        let mut all = Self::load(data);
        all.retain(|other| !other.is_for(issued.client, issued.transport, issued.place));
        all.push(issued);
        Self::save(data, &all)
    }

    /// Forgets a text: whoever had it no longer uses it. Blocks.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn forget(data: &Path, client: ClientProgram, transport: Transport, place: Place) -> Result<(), Problem> {
        let mut all = Self::load(data);
        all.retain(|other| !other.is_for(client, transport, place));
        Self::save(data, &all)
    }

    /// The texts that no longer fit. Where none was given out, `facts` is not called. Blocks.
    pub fn stale(data: &Path, facts: impl FnOnce() -> Option<ClientFacts>) -> Vec<StaleSnippet> {
        let all = Self::load(data);
        if all.is_empty() {
            return Vec::new();
        }
        let judged = facts().map(|facts| all.iter().filter_map(|issued| issued.judged(&facts)).collect());
        judged.unwrap_or_default()
    }

    fn is_for(&self, client: ClientProgram, transport: Transport, place: Place) -> bool {
        (self.client, self.transport, self.place) == (client, transport, place)
    }

    fn judged(&self, facts: &ClientFacts) -> Option<StaleSnippet> {
        let Self { client, transport, place, .. } = *self;
        let stale = |reason| StaleSnippet { client, name: client.name().to_owned(), transport, place, reason };
        if !facts.places(client, transport).contains(&place) {
            return Some(stale("Other computers are no longer served.".to_owned()));
        }
        let now = facts.issued(&facts.snippet(client, Some(transport), Some(place), false));
        let mut reasons = Vec::new();
        if let (Some(was), Some(is)) = (&self.address, &now.address)
            && was != is
        {
            reasons.push(format!("It has {was}; now it is {is}."));
        }
        if self.token != now.token {
            reasons.push("The token was replaced.".to_owned());
        }
        if self.authority != now.authority {
            reasons.push("The certificate has another authority.".to_owned());
        }
        (!reasons.is_empty()).then(|| stale(reasons.join(" ")))
    }

    /// A file that cannot be read says nothing: at worst a text that grew old is not noticed.
    fn load(data: &Path) -> Vec<Self> {
        let text = fs::read_to_string(file(data)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn save(data: &Path, all: &[Self]) -> Result<(), Problem> {
        let path = file(data);
        json_file::replace(&path, all).map_err(|error| {
            Problem::new(ErrorCode::SaveFailed, format!("{} was not written: {error}.", path.display()))
        })
    }
}

fn file(data: &Path) -> PathBuf {
    data.join(FILE)
}
