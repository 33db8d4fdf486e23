//! Asks a listener of this computer whether it is a CWTS instance.
//!
//! One HTTP request to the health endpoint, whose answer carries the instance's id and a nonce
//! (draft-inadarei-api-health-check-06, with `serviceId`). What answers is a claim and proves nothing: it decides which
//! words a person sees, never who is ended.

use std::net::SocketAddr;
use std::thread;

use serde::Deserialize;

use crate::loopback::{self, Answer};

/// A health answer is far shorter.
const LONGEST_ANSWER: usize = 16 * 1024;

/// A CWTS instance, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CwtsInstance {
    /// Its id, for example `default`.
    pub id: String,
    /// New at every start of its process.
    pub nonce: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    service_id: String,
    nonce: String,
}

/// The instances behind the listeners, each once, in their order. Asks all of them at the same time.
pub(crate) fn ask_all(listeners: &[SocketAddr]) -> Vec<CwtsInstance> {
    let mut found = Vec::new();
    thread::scope(|scope| {
        let asked: Vec<_> = listeners.iter().map(|&it| scope.spawn(move || ask(it))).collect();
        for answer in asked.into_iter().filter_map(|thread| thread.join().ok().flatten()) {
            if !found.contains(&answer) {
                found.push(answer);
            }
        }
    });
    found
}

/// `None` when nothing answers in time, or something else does.
fn ask(listener: SocketAddr) -> Option<CwtsInstance> {
    identified(&loopback::get(listener, "/health", None, LONGEST_ANSWER).ok()?)
}

/// Both a healthy (200) and an unhealthy instance (503) say who they are.
fn identified(answer: &Answer) -> Option<CwtsInstance> {
    let is_health = answer.content_type.as_ref()?.starts_with("application/health+json");
    if !is_health || !matches!(answer.status, 200 | 503) {
        return None;
    }
    let Health { service_id, nonce } = serde_json::from_slice(&answer.body).ok()?;
    (!service_id.is_empty() && !nonce.is_empty()).then_some(CwtsInstance { id: service_id, nonce })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::loopback::DEADLINE;

    fn parse(answer: &[u8]) -> Option<CwtsInstance> {
        identified(&loopback::parse(answer)?)
    }

    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/health+json\r\n\r\n\
        {\"status\":\"pass\",\"serviceId\":\"desk\",\"nonce\":\"00ff\"}";

    /// A server that gives each client the same answer, or none at all.
    fn answering(answer: Option<&'static str>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            // Silent clients stay connected.
            let mut open = Vec::new();
            for mut client in listener.incoming().flatten() {
                let mut request = [0; 1024];
                let length = client.read(&mut request).unwrap();
                assert!(request[..length].starts_with(b"GET /health HTTP/1.0\r\n"), "the question is a plain request");
                match answer {
                    Some(answer) => client.write_all(answer.as_bytes()).unwrap(),
                    None => open.push(client),
                }
            }
        });
        address
    }

    #[test]
    fn an_instance_says_who_it_is() {
        let desk = CwtsInstance { id: "desk".to_owned(), nonce: "00ff".to_owned() };
        let address = answering(Some(ANSWER));
        assert_eq!(ask_all(&[address, address]), [desk], "asked at two ports it is still one instance");
    }

    #[test]
    fn an_unhealthy_instance_says_who_it_is_too() {
        let found = parse(ANSWER.replace("200 OK", "503 Service Unavailable").as_bytes());
        assert_eq!(found.unwrap().id, "desk", "an orphan is rarely well");
    }

    #[test]
    fn anything_else_is_foreign() {
        let cases = [
            ("", "no answer"),
            ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n{\"serviceId\":\"a\",\"nonce\":\"b\"}", "a web page"),
            ("HTTP/1.1 404 Not Found\r\ncontent-type: application/health+json\r\n\r\n{}", "no health"),
            ("HTTP/1.1 200 OK\r\ncontent-type: application/health+json\r\n\r\n{\"status\":\"pass\"}", "no id"),
            ("HTTP/1.1 200 OK\r\ncontent-type: application/health+json\r\n\r\nnonsense", "no JSON"),
            ("\u{0}\u{1}\u{2}", "another protocol"),
        ];
        for (answer, what) in cases {
            assert_eq!(parse(answer.as_bytes()), None, "{what} is no instance of ours");
        }
    }

    #[test]
    fn a_silent_listener_is_not_waited_for() {
        let asked = Instant::now();
        assert_eq!(ask_all(&[answering(None); 4]), [], "who says nothing is foreign");
        assert!(asked.elapsed() < 3 * DEADLINE, "a person waits for the card: {:?}", asked.elapsed());
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            while client.write_all(&[b'x'; 4096]).is_ok() {}
        });
        assert_eq!(ask(address), None, "memory is not for foreign answers");
        server.join().expect("the server notices that nobody listens");
    }
}
