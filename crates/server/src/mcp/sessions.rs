//! Sessions over HTTP belong to the token that opened them (MCP 2025-06-18, "Session Hijacking"), and end with it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cwts_runtime::{Caller, Connection};
use futures_util::StreamExt as _;
use rmcp::transport::streamable_http_server::SessionManager as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use crate::problem::ProblemDetails;

const SESSION: &str = "mcp-session-id";

/// Who opened which session.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    owners: Arc<Mutex<HashMap<String, Caller>>>,
    manager: Arc<LocalSessionManager>,
}

impl Sessions {
    pub(crate) fn manager(&self) -> Arc<LocalSessionManager> {
        Arc::clone(&self.manager)
    }

    fn is_of_another(&self, id: &str, caller: &Caller) -> bool {
        let owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.get(id).is_some_and(|owner| !owner.is_same(caller))
    }

    /// Remembers the owner of a new session. Forgets those that are gone and ends those whose token was replaced.
    async fn opened(&self, id: String, caller: Caller) {
        let live: HashSet<String> = self.manager.sessions.read().await.keys().map(|id| id.to_string()).collect();
        let ended: Vec<String> = {
            let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
            owners.insert(id, caller);
            owners.retain(|id, _| live.contains(id));
            owners.extract_if(|_, owner| owner.is_replaced()).map(|(id, _)| id).collect()
        };
        for id in ended {
            if let Err(error) = self.manager.close_session(&id.into()).await {
                tracing::debug!(%error, "a session had ended before");
            }
        }
    }
}

/// Hands a request to its session if the session is the caller's. Ends the stream of server events, which would outlive
/// every deadline, when the socket drains or the token is replaced; the client connects anew.
pub(crate) async fn guard(State(sessions): State<Sessions>, request: Request, next: Next) -> Response {
    let listening = request.method() == Method::GET;
    let connection = request.extensions().get::<Connection>().cloned();
    let caller = request.extensions().get::<Caller>().cloned();
    let Some((connection, caller)) = connection.zip(caller) else { return next.run(request).await };
    let named = session_id(request.headers());
    if named.as_deref().is_some_and(|id| sessions.is_of_another(id, &caller)) {
        let detail = "The session was opened with another token, or before the token was replaced. Initialize anew.";
        return ProblemDetails::new(StatusCode::NOT_FOUND, "session_unknown", detail).into_response();
    }
    let response = next.run(request).await;
    if named.is_none()
        && let Some(id) = session_id(response.headers())
    {
        sessions.opened(id, caller.clone()).await;
    }
    if !listening {
        return response;
    }
    response.map(|body| {
        let over = Box::pin(async move {
            tokio::select! {
                () = connection.draining() => {}
                () = caller.replaced() => {}
            }
        });
        Body::from_stream(body.into_data_stream().take_until(over))
    })
}

fn session_id(headers: &HeaderMap) -> Option<String> {
    headers.get(SESSION)?.to_str().ok().map(str::to_owned)
}
