//! Who is connected: a row for each WebSocket, each MCP session over HTTP, and each other HTTP connection.
//!
//! Bounded by what bounds these: there is no row without one of them. A row ends with its last [`ConnectedClient`].

mod info;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cwts_credentials::Scope;
use cwts_domain::{ErrorCode, Problem, Service, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::audit::Actor;
use crate::instance::Instance;

pub use self::info::{ClientError, ClientInfo, Connected, Link};

/// Rates are means over this many seconds.
const RATE_SECONDS: usize = 3;
/// Rows that are listed; those beyond are counted.
const LISTED: usize = 200;
const LONGEST_NAME: usize = 60;
const LONGEST_ERROR: usize = 200;

/// What is known of a client when it connects.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// The service that it uses.
    pub service: Service,
    /// What it is connected by.
    pub link: Link,
    /// Where it is.
    pub address: IpAddr,
    /// What its token allows.
    pub scope: Option<Scope>,
    /// Its User-Agent.
    pub user_agent: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Cancelled when a person disconnects it.
    pub end: CancellationToken,
}

/// The clients of an instance; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct ConnectedClients(Arc<Rows>);

#[derive(Debug, Default)]
struct Rows {
    next: AtomicU64,
    rows: Mutex<BTreeMap<u64, Arc<Row>>>,
}

#[derive(Debug)]
struct Row {
    new: NewClient,
    requests: AtomicU64,
    details: Mutex<Details>,
}

#[derive(Debug)]
struct Details {
    name: String,
    version: Option<String>,
    last_error: Option<ClientError>,
    /// Requests at the latest seconds, oldest first.
    counts: VecDeque<u64>,
}

/// One client, for whoever serves it. It is listed until the last clone is dropped.
#[derive(Clone)]
pub struct ConnectedClient(Arc<Listed>);

struct Listed {
    id: u64,
    row: Arc<Row>,
    rows: Arc<Rows>,
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock(&self.rows.rows).remove(&self.id);
        // Whoever waits to end the client need not wait any more.
        self.row.new.end.cancel();
    }
}

impl fmt::Debug for ConnectedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectedClient").field(&self.0.id).finish()
    }
}

impl ConnectedClients {
    /// Lists a client.
    pub fn add(&self, new: NewClient) -> ConnectedClient {
        let (name, version) = product(new.user_agent.as_deref().unwrap_or_default());
        let details = Details { name, version, last_error: None, counts: VecDeque::from([0]) };
        let row = Arc::new(Row { new, requests: AtomicU64::new(0), details: Mutex::new(details) });
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        lock(&self.0.rows).insert(id, Arc::clone(&row));
        ConnectedClient(Arc::new(Listed { id, row, rows: Arc::clone(&self.0) }))
    }

    /// Everyone at this moment.
    pub fn list(&self) -> Connected {
        let rows = lock(&self.0.rows);
        let more = u32::try_from(rows.len().saturating_sub(LISTED)).unwrap_or(u32::MAX);
        Connected { clients: rows.iter().take(LISTED).map(|(id, row)| row.info(*id)).collect(), more }
    }

    /// Ends the connection of a client. Returns what was known of it.
    ///
    /// # Errors
    /// No client of that id is connected, by now.
    pub(crate) fn disconnect(&self, id: &str) -> Result<ClientInfo, Problem> {
        let found = id.parse().ok().and_then(|id: u64| Some((id, lock(&self.0.rows).get(&id).cloned()?)));
        let (id, row) = found.ok_or_else(|| {
            let problem = Problem::new(ErrorCode::InvalidInput, format!("No client {id} is connected."));
            problem.with_help("It may have gone by itself. Look at the list again.")
        })?;
        row.new.end.cancel();
        Ok(row.info(id))
    }

    /// Called every second, for the rates.
    pub(crate) fn tick(&self) {
        for row in lock(&self.0.rows).values() {
            let mut details = lock(&row.details);
            if details.counts.len() > RATE_SECONDS {
                details.counts.pop_front();
            }
            details.counts.push_back(row.requests.load(Ordering::Relaxed));
        }
    }
}

impl ConnectedClient {
    /// The client says who it is.
    pub fn introduce(&self, name: &str, version: &str) {
        let mut details = lock(&self.0.row.details);
        details.name = named(name);
        details.version = Some(printable(version, LONGEST_NAME)).filter(|version| !version.is_empty());
    }

    /// Counts a request or a message.
    pub fn count(&self) {
        self.0.row.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// The client was refused something; `text` is what it was told.
    pub fn refused(&self, text: &str, at: Timestamp) {
        let error = ClientError { at: at.millis(), text: printable(text, LONGEST_ERROR) };
        lock(&self.0.row.details).last_error = Some(error);
    }

    /// Who it is to the audit trail.
    pub fn actor(&self) -> Actor {
        let NewClient { scope, address, .. } = &self.0.row.new;
        Actor::Mcp { scope: scope.unwrap_or(Scope::Trade), from: address.to_canonical() }
    }

    /// Resolves when a person disconnects the client.
    pub async fn disconnected(&self) {
        self.0.row.new.end.cancelled().await;
    }

    /// Cancelled when a person disconnects the client, or when it is gone.
    pub fn end(&self) -> CancellationToken {
        self.0.row.new.end.clone()
    }
}

impl Row {
    fn info(&self, id: u64) -> ClientInfo {
        let details = lock(&self.details);
        let (oldest, newest) =
            (details.counts.front().copied().unwrap_or(0), details.counts.back().copied().unwrap_or(0));
        let NewClient { service, link, address, scope, at, .. } = self.new;
        ClientInfo {
            id: id.to_string(),
            name: details.name.clone(),
            version: details.version.clone(),
            address,
            service,
            link,
            scope,
            since: at.millis(),
            rate: (newest - oldest) as f64 / (details.counts.len().max(2) - 1) as f64,
            requests: self.requests.load(Ordering::Relaxed),
            last_error: details.last_error.clone(),
        }
    }
}

impl Instance {
    /// Who is connected.
    pub fn connected(&self) -> &ConnectedClients {
        &self.shared().connected
    }

    /// Ends the connection of a client, which may connect again.
    ///
    /// # Errors
    /// No client of that id is connected.
    pub fn disconnect(&self, client: &str) -> Result<ClientInfo, Problem> {
        let ended = self.shared().connected.disconnect(client)?;
        self.record(format!("Disconnected {ended}"));
        Ok(ended)
    }
}

/// The first product of a User-Agent (RFC 9110 section 10.1.5).
fn product(user_agent: &str) -> (String, Option<String>) {
    let first = user_agent.split_whitespace().next().unwrap_or_default();
    match first.split_once('/') {
        Some((name, version)) => (named(name), Some(printable(version, LONGEST_NAME))),
        None => (named(user_agent), None),
    }
}

fn named(name: &str) -> String {
    let name = printable(name, LONGEST_NAME);
    if name.is_empty() { "A client".to_owned() } else { name }
}

/// Text of a client, fit for a log line and a list: on one line, and short.
pub fn printable(text: &str, most: usize) -> String {
    let one_line: String = text.chars().filter(|letter| !letter.is_control()).take(most).collect();
    one_line.trim().to_owned()
}

/// A thread that ended while it wrote leaves at worst a count behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
