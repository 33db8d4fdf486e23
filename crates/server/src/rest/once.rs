//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): a request that is repeated, because its answer was
//! lost, is answered as it was the first time and does nothing more.
//!
//! Kept in memory, for as long as the program runs. What has to survive a restart too is the `client_order_id` of an order,
//! which stands in the journal.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use cwts_runtime::{Caller, Scope};
use serde_json::json;

use super::api::Wrapped;
use super::input::body_of;
use crate::problem::ProblemDetails;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one of before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 255;
/// Answers that are kept; the oldest make room.
const KEPT: usize = 10_000;
/// For how long.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// An answer to an order has less than a kilobyte.
const LARGEST_ANSWER: usize = 256 << 10;

/// The answers that were given; clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Once(Arc<Mutex<Answers>>);

#[derive(Debug, Default)]
struct Answers {
    by_key: BTreeMap<Key, Entry>,
    /// Oldest first.
    order: VecDeque<(Instant, Key)>,
}

/// Whoever holds another token has other keys.
type Key = (Scope, String);

#[derive(Debug)]
struct Entry {
    /// Of method, path and body.
    fingerprint: u64,
    /// `None` while the request is under way.
    answer: Option<Kept>,
}

#[derive(Clone, Debug)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What to do with a request.
enum Begun {
    New,
    UnderWay,
    Another,
    Answered(Kept),
}

impl Once {
    /// Puts the header around a route, and into its description.
    pub(crate) fn guard(&self, wrapped: Wrapped) -> Wrapped {
        let Wrapped { route, mut operation } = wrapped;
        let text = "Makes a retry safe: a request with the same key and the same body is answered as the first one was. With \
            another body it is refused with 422, and with 409 while the first one is under way.";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$", "description": text });
        operation.takes("header", "Idempotency-Key", false, schema);
        operation.may_refuse(&[409, 413, 422]);
        Wrapped { route: route.layer(from_fn_with_state(self.clone(), once)), operation }
    }

    fn begin(&self, key: &Key, fingerprint: u64) -> Begun {
        let mut answers = self.lock();
        answers.forget_old();
        match answers.by_key.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => Begun::Another,
            Some(Entry { answer: Some(answer), .. }) => Begun::Answered(answer.clone()),
            Some(_) => Begun::UnderWay,
            None => {
                answers.by_key.insert(key.clone(), Entry { fingerprint, answer: None });
                answers.order.push_back((Instant::now(), key.clone()));
                Begun::New
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers {
    fn forget_old(&mut self) {
        while let Some((begun, key)) = self.order.front() {
            let is_old = begun.elapsed() >= KEPT_FOR || self.order.len() > KEPT;
            if !is_old {
                return;
            }
            self.by_key.remove(key);
            self.order.pop_front();
        }
    }
}

/// A request that is under way. One that ends without an answer to keep may be tried again.
struct UnderWay {
    once: Once,
    key: Key,
    answer: Option<Kept>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut answers = self.once.lock();
        match (self.answer.take(), answers.by_key.get_mut(&self.key)) {
            (Some(answer), Some(entry)) => entry.answer = Some(answer),
            (Some(_), None) => {}
            (None, _) => {
                answers.by_key.remove(&self.key);
                answers.order.retain(|(_, key)| *key != self.key);
            }
        }
    }
}

async fn once(State(once): State<Once>, request: Request, next: Next) -> Response {
    let key = match key_of(request.headers()) {
        Ok(None) => return next.run(request).await,
        Ok(Some(key)) => key,
        Err(problem) => return problem.into_response(),
    };
    let scope = request.extensions().get::<Caller>().map_or(Scope::Metrics, Caller::scope);
    let (parts, body) = request.into_parts();
    let body = match body_of(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let mut hasher = DefaultHasher::new();
    (parts.method.as_str(), parts.uri.to_string(), &*body).hash(&mut hasher);
    let key = (scope, key);
    match once.begin(&key, hasher.finish()) {
        Begun::New => {}
        Begun::UnderWay => {
            let detail = "The first request with this Idempotency-Key is still under way; ask again for its answer.";
            return ProblemDetails::new(StatusCode::CONFLICT, "idempotency_key_in_use", detail).into_response();
        }
        Begun::Another => {
            let detail = "Another request had this Idempotency-Key before; choose a new key for a new request.";
            return ProblemDetails::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail)
                .into_response();
        }
        Begun::Answered(kept) => return kept.into_response(true),
    }
    let request = Request::from_parts(parts, Body::from(body));
    // In a task of its own: an order that is sent is executed although its client has gone, and its answer must be there when
    // the client comes back.
    let answering = tokio::spawn(async move {
        let mut under_way = UnderWay { once, key, answer: None };
        let (parts, body) = next.run(request).await.into_parts();
        let body = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
        let kept = Kept { status: parts.status, headers: parts.headers, body };
        under_way.answer = is_final(kept.status).then(|| kept.clone());
        kept
    });
    match answering.await {
        Ok(kept) => kept.into_response(false),
        Err(error) => {
            let detail = format!("The request ended without an answer: {error}.");
            ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}

/// Whether asking again would not help: the exchange has decided. What never reached it is not kept, so that the same key can
/// be used when the token, the body or the load is right.
fn is_final(status: StatusCode) -> bool {
    status.is_success()
        || [StatusCode::NOT_FOUND, StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY].contains(&status)
}

impl Kept {
    fn into_response(self, replayed: bool) -> Response {
        let Self { status, mut headers, body } = self;
        headers.remove(header::CONTENT_LENGTH);
        if replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        (status, headers, body).into_response()
    }
}

/// The key, with or without the quotes of a structured string (RFC 8941 section 3.3.3).
fn key_of(headers: &HeaderMap) -> Result<Option<String>, ProblemDetails> {
    let mut given = headers.get_all(HEADER).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let is_sound = (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if is_sound && given.next().is_none() {
        return Ok(Some(key.to_owned()));
    }
    let detail = format!(
        "Idempotency-Key must be there once, with 1 to {LONGEST_KEY} visible ASCII characters; a UUID is a good one."
    );
    Err(ProblemDetails::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        (Scope::Trade, number.to_string())
    }

    #[test]
    fn answers_are_bounded_and_the_oldest_make_room() {
        let once = Once::default();
        for number in 0..KEPT + 50 {
            assert!(matches!(once.begin(&key(number), 1), Begun::New), "each key is new: {number}");
        }
        assert!(once.lock().by_key.len() <= KEPT + 1, "a client that never repeats a key must not fill the memory");
        assert!(matches!(once.begin(&key(0), 1), Begun::New), "the oldest is forgotten");
        assert!(matches!(once.begin(&key(KEPT + 49), 1), Begun::UnderWay), "the newest is not");
    }

    #[test]
    fn a_request_that_decided_nothing_may_be_repeated_with_its_key() {
        let once = Once::default();
        assert!(matches!(once.begin(&key(1), 1), Begun::New), "new");
        assert!(matches!(once.begin(&key(1), 2), Begun::Another), "the key belongs to the first body");
        drop(UnderWay { once: once.clone(), key: key(1), answer: None });
        assert!(matches!(once.begin(&key(1), 2), Begun::New), "it did nothing");
        assert!(!is_final(StatusCode::SERVICE_UNAVAILABLE), "an exchange that was too busy is asked again");
    }
}
