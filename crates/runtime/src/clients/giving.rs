//! What the panel asks of an instance about client programs.

use cwts_domain::Problem;
use serde::Serialize;

use super::trial::{self, Trial};
use super::{ClientFacts, ClientProgram, Issued, Place, Snippet, Transport};
use crate::instance::Instance;
use crate::snapshot::Snapshot;

/// A program that there is a text for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct ProgramInfo {
    /// The program.
    pub client: ClientProgram,
    /// Its name for people.
    pub name: String,
    /// How it can connect, the usual way first.
    pub transports: Vec<Transport>,
    /// Those of them that can be tried from here.
    pub tried: Vec<Transport>,
}

impl ProgramInfo {
    /// All programs, in the order of the screen.
    pub fn all() -> Vec<Self> {
        let info = |client: ClientProgram| Self {
            client,
            name: client.name().to_owned(),
            transports: client.transports().to_vec(),
            tried: client.transports().iter().copied().filter(|by| trial::can_try(client, *by)).collect(),
        };
        ClientProgram::ALL.map(info).into()
    }
}

impl Instance {
    /// The text for a client as [`ClientFacts::snippet`] gives it. One that is asked for whole is remembered as given out.
    ///
    /// # Errors
    /// The configuration is invalid; a token or the certificate cannot be read.
    pub async fn client_snippet(
        &self,
        client: ClientProgram,
        transport: Option<Transport>,
        place: Option<Place>,
        whole: bool,
    ) -> Result<Snippet, Problem> {
        let (data, facts) = (self.shared().sources.data(), self.client_facts());
        let snippet = self.blocking(move || {
            let facts = facts()?;
            let snippet = facts.snippet(client, transport, place, whole);
            if whole {
                Issued::remember(&data, &facts, &snippet)?;
            }
            Ok(snippet)
        });
        let snippet = snippet.await?;
        if whole {
            self.judge_again(snippet.client).await;
        }
        Ok(snippet)
    }

    /// Whoever had the text no longer uses it.
    ///
    /// # Errors
    /// The list of what was given out cannot be written.
    pub async fn forget_snippet(
        &self,
        client: ClientProgram,
        transport: Transport,
        place: Place,
    ) -> Result<Snapshot, Problem> {
        let data = self.shared().sources.data();
        self.blocking(move || Issued::forget(&data, client, transport, place)).await?;
        self.judge_again(client).await;
        Ok(self.snapshot())
    }

    /// Runs a client with its text, where it is on this computer.
    ///
    /// # Errors
    /// As for [`Instance::client_snippet`]; the client is not here, or is none that can be run from here.
    pub async fn try_client(
        &self,
        client: ClientProgram,
        transport: Option<Transport>,
        place: Option<Place>,
    ) -> Result<Trial, Problem> {
        let facts = self.client_facts();
        let tried = self.blocking(move || facts()?.try_out(client, transport, place)).await?;
        let outcome = if tried.ok { "it works" } else { "it failed" };
        self.record(format!("Tried {}: {outcome}", client.name()));
        Ok(tried)
    }

    /// Reads what the texts are made of when it is called.
    fn client_facts(&self) -> impl FnOnce() -> Result<ClientFacts, Problem> + Send + 'static {
        let (sources, snapshot) = (self.shared().sources.clone(), self.snapshot());
        move || {
            let loaded = cwts_config::load(&sources).map_err(Problem::from)?;
            ClientFacts::gather(&sources, &loaded.settings, |service| {
                let served = snapshot.services.iter().find(|entry| entry.service == service);
                let configured = || loaded.settings.socket_addr(service);
                served.map_or_else(configured, |entry| (entry.address.value, entry.port.value).into())
            })
        }
    }

    /// Shows at once that a text no longer is old.
    async fn judge_again(&self, client: ClientProgram) {
        if self.snapshot().stale_clients.iter().any(|stale| stale.client == client) {
            self.show_again().await;
        }
    }
}
