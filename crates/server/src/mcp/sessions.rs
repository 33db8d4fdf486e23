//! How many MCP sessions over HTTP there are, whose they are, and when they end by themselves.
//!
//! A session is memory that outlives every connection, so it is bounded in number and ends when nobody used it for long. It
//! belongs to the token that opened it (MCP 2025-06-18, "Session Hijacking"), and ends with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cwts_domain::Source;
use cwts_runtime::{Caller, ConnectedClient};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::session::{SessionId, SessionManager as _};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::limits::SessionLimits;

/// Where all places are taken, a session that was not used for so long makes room for a new one.
const REPLACEABLE: Duration = Duration::from_secs(60);
/// How often sessions are looked at, at most and at least.
const SWEEP: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// Which limit a new session met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Source,
    Service,
}

/// The sessions of the service. All end when it is dropped.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) manager: Arc<LocalSessionManager>,
    limits: SessionLimits,
    state: Mutex<State>,
    cancelled: CancellationToken,
    _end: DropGuard,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<SessionId, Entry>,
    /// Sources of sessions that are being opened.
    opening: Vec<Source>,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    owner: Caller,
    /// Its row in the list of clients.
    client: ConnectedClient,
    /// Requests that are not answered yet, and streams of server events.
    open: usize,
    used: Instant,
}

/// A place for a session that is being opened.
#[derive(Debug)]
pub(crate) struct Place {
    sessions: Arc<Sessions>,
    source: Source,
    owner: Caller,
}

/// The session was opened with another token, or before the token was replaced.
#[derive(Debug)]
pub(crate) struct OfAnother;

/// Keeps a session in use until it is dropped.
#[derive(Debug)]
pub(crate) struct InUse {
    sessions: Arc<Sessions>,
    id: SessionId,
    pub(crate) client: ConnectedClient,
}

impl Sessions {
    /// No session yet. Must be called within a tokio runtime.
    pub(crate) fn start(limits: SessionLimits) -> Arc<Self> {
        let mut manager = LocalSessionManager::default();
        // It would end a session whose client waits on the stream of server events.
        manager.session_config.keep_alive = None;
        let cancelled = CancellationToken::new();
        let sessions = Arc::new(Self {
            manager: Arc::new(manager),
            limits,
            state: Mutex::default(),
            _end: cancelled.clone().drop_guard(),
            cancelled,
        });
        let weak = Arc::downgrade(&sessions);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval((limits.idle / 4).clamp(SWEEP.0, SWEEP.1));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(sessions) = weak.upgrade() else { return };
                sessions.end_idle(Instant::now()).await;
            }
        });
        sessions
    }

    /// Cancelled when the sessions are to end.
    pub(crate) fn cancellation_token(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    /// A place for a new session, that of one that is no longer used where there is no other.
    pub(crate) async fn reserve(self: &Arc<Self>, source: Source, owner: Caller) -> Result<Place, Full> {
        self.forget_ended().await;
        for id in self.ids(|entry| entry.owner.is_replaced()) {
            self.end(&id).await;
        }
        while let Err(full) = self.take_place(source) {
            let replaced = self.longest_idle((full == Full::Source).then_some(source), Instant::now());
            self.end(&replaced.ok_or(full)?).await;
        }
        Ok(Place { sessions: Arc::clone(self), source, owner })
    }

    /// Notes that a client uses a session. `None` for one that is not there.
    pub(crate) fn enter(self: &Arc<Self>, id: &str, caller: &Caller) -> Result<Option<InUse>, OfAnother> {
        let mut state = self.lock();
        let id = SessionId::from(id);
        let Some(entry) = state.known.get_mut(&id) else { return Ok(None) };
        if !entry.owner.is_same(caller) {
            return Err(OfAnother);
        }
        entry.open += 1;
        let client = entry.client.clone();
        Ok(Some(InUse { sessions: Arc::clone(self), id, client }))
    }

    fn take_place(&self, source: Source) -> Result<(), Full> {
        let mut state = self.lock();
        let sources = state.known.values().map(|entry| entry.source).chain(state.opening.iter().copied());
        let (mut total, mut own) = (0, 0);
        for each in sources {
            total += 1;
            own += usize::from(each == source);
        }
        if own >= self.limits.per_source {
            return Err(Full::Source);
        }
        if total >= self.limits.total {
            return Err(Full::Service);
        }
        state.opening.push(source);
        Ok(())
    }

    /// The unused session that was not used for longest, and for long enough, of one source or of all.
    fn longest_idle(&self, of: Option<Source>, now: Instant) -> Option<SessionId> {
        let replaceable = REPLACEABLE.min(self.limits.idle);
        let state = self.lock();
        let unused = state.known.iter().filter(|(_, entry)| {
            entry.open == 0 && of.is_none_or(|source| entry.source == source) && now - entry.used >= replaceable
        });
        unused.min_by_key(|(_, entry)| entry.used).map(|(id, _)| id.clone())
    }

    async fn end_idle(&self, now: Instant) {
        let idle = |entry: &Entry| entry.open == 0 && now.saturating_duration_since(entry.used) >= self.limits.idle;
        for id in self.ids(idle) {
            tracing::debug!("an MCP session over HTTP was not used for {} s and ends", self.limits.idle.as_secs());
            self.end(&id).await;
        }
    }

    fn ids(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<SessionId> {
        self.lock().known.iter().filter(|(_, entry)| wanted(entry)).map(|(id, _)| id.clone()).collect()
    }

    async fn end(&self, id: &SessionId) {
        self.lock().known.remove(id);
        if let Err(error) = self.manager.close_session(id).await {
            tracing::debug!(%error, "an MCP session had already ended");
        }
    }

    /// A client may end its session, which then is no longer there.
    pub(crate) async fn forget_ended(&self) {
        let alive = self.manager.sessions.read().await;
        self.lock().known.retain(|id, _| alive.contains_key(id));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The session was opened.
    pub(crate) fn fill(self, id: &str, client: ConnectedClient) {
        let id = SessionId::from(id);
        let (source, owner, end) = (self.source, self.owner.clone(), client.end());
        let entry = Entry { source, owner, client, open: 0, used: Instant::now() };
        self.sessions.lock().known.insert(id.clone(), entry);
        let sessions = Arc::downgrade(&self.sessions);
        tokio::spawn(async move {
            // Comes also when the session ends in another way.
            end.cancelled().await;
            if let Some(sessions) = sessions.upgrade() {
                sessions.end(&id).await;
            }
        });
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.sessions.lock();
        if let Some(at) = state.opening.iter().position(|source| *source == self.source) {
            state.opening.swap_remove(at);
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(entry) = self.sessions.lock().known.get_mut(&self.id) {
            entry.open -= 1;
            entry.used = Instant::now();
        }
    }
}
