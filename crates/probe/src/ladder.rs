//! One climb: each rung on the one before it, timed and told as soon as it is known.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cwts_domain::Service;
use http::{Method, StatusCode};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::answer::{Taken, before_token, with_token};
use crate::http::{Answer, Link, Stream, request};
use crate::resolve::resolve;
use crate::{Fault, Rung, Secret, Step, Target, Timeouts, mcp, protocol, tcp, tls};

type Failed = (Fault, String);

/// How far a climb came.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// The service that was expected.
    pub service: Service,
    /// Its URL, without a token.
    pub url: String,
    /// The rungs that were tried, the lowest first. Those that do not apply are left out.
    pub steps: Vec<Step>,
    /// What the name resolved to.
    pub addresses: Vec<SocketAddr>,
    /// The address that was connected to.
    pub peer: Option<SocketAddr>,
}

impl Ladder {
    /// Not tried yet.
    pub(crate) fn of(target: &Target) -> Self {
        Self { service: target.service, url: target.url(), steps: Vec::new(), addresses: Vec::new(), peer: None }
    }

    /// Whether every rung held.
    pub fn is_ok(&self) -> bool {
        self.failed().is_none()
    }

    /// The first rung that did not.
    pub fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.ok)
    }

    /// The time of all rungs together.
    pub fn millis(&self) -> f64 {
        self.steps.iter().map(|step| step.millis).sum()
    }
}

/// Goes up until a rung does not hold. Sends nothing that changes anything. Ends, with its connection, when it is dropped.
pub async fn climb(target: &Target, timeouts: &Timeouts, tell: &(dyn Fn(&Step) + Sync)) -> Ladder {
    let mut climber = Climber { target, timeouts, tell, ladder: Ladder::of(target) };
    climber.climb().await;
    climber.ladder
}

struct Climber<'a> {
    target: &'a Target,
    timeouts: &'a Timeouts,
    tell: &'a (dyn Fn(&Step) + Sync),
    ladder: Ladder,
}

/// A service that has answered.
struct Reached {
    link: Link,
    answer: Answer,
    taken: Taken,
}

impl Climber<'_> {
    async fn climb(&mut self) -> Option<()> {
        let (target, timeouts) = (self.target, self.timeouts);
        let resolved = self.step(Rung::Resolve, timeouts.of(Rung::Resolve), resolve(target)).await?;
        self.ladder.addresses.clone_from(&resolved);
        // Each of the addresses has the whole time of the rung.
        let each = timeouts.of(Rung::Tcp);
        let all = each * u32::try_from(resolved.len() + 1).unwrap_or(u32::MAX);
        let stream = self.step(Rung::Tcp, all, tcp::connect(&resolved, target.from, each)).await?;
        let peer = stream.peer_addr().ok()?;
        self.ladder.peer = Some(peer);
        let stream: Box<dyn Stream> = match &target.tls {
            None => Box::new(stream),
            Some(trust) => {
                let encrypted = tls::encrypt(stream, &target.host, trust);
                Box::new(self.step(Rung::Tls, timeouts.of(Rung::Tls), encrypted).await?)
            }
        };
        let route = Route { target, peer, limit: each };
        let limit = timeouts.of(Rung::Handshake);
        let mut reached = self.step(Rung::Handshake, limit, route.shake_hands(stream)).await?;
        let mut token = None;
        if matches!(reached.taken, Taken::AsksForToken) {
            token = target.token.as_ref();
            let limit = timeouts.of(Rung::Auth);
            reached = self.step(Rung::Auth, limit, route.authenticate(reached.link, token)).await?;
        }
        let limit = timeouts.of(Rung::Protocol);
        self.step(Rung::Protocol, limit, route.work(reached, token)).await
    }

    /// Times a rung, and tells what became of it.
    async fn step<T>(
        &mut self,
        rung: Rung,
        limit: Duration,
        attempt: impl Future<Output = Result<(T, String), Failed>>,
    ) -> Option<T> {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(limit, attempt).await;
        let took = begun.elapsed();
        let late = if rung == Rung::Resolve { Fault::NamesUnavailable } else { Fault::NoAnswer };
        let outcome = outcome.unwrap_or_else(|_| Err((late, format!("no answer within {} s", limit.as_secs_f64()))));
        let (value, told) = match outcome {
            Ok((value, detail)) => (Some(value), Ok(detail)),
            Err(failed) => (None, Err(failed)),
        };
        let step = Step::new(rung, took, told);
        (self.tell)(&step);
        self.ladder.steps.push(step);
        value
    }
}

/// The way that was found, to be gone again.
struct Route<'a> {
    target: &'a Target,
    peer: SocketAddr,
    limit: Duration,
}

impl Route<'_> {
    /// Asks without a token. What is no HTTP is greeted in TLS, to see whether it speaks that instead.
    async fn shake_hands(&self, stream: Box<dyn Stream>) -> Result<(Reached, String), Failed> {
        let asked = async {
            let mut link = Link::open(stream).await?;
            let answer = self.ask(&mut link, None).await?;
            Ok((link, answer))
        };
        let (link, answer) = match asked.await {
            Ok(found) => found,
            Err((fault @ (Fault::Closed | Fault::NotHttp), detail)) if self.target.tls.is_none() => {
                let again = self.connect().await;
                let speaks_tls = match again {
                    Ok(stream) => tls::is_spoken(stream, &self.target.host).await,
                    Err(_) => false,
                };
                return Err(if speaks_tls {
                    (Fault::SpeaksTls, format!("{detail}; asked in TLS, it answers in TLS"))
                } else {
                    (fault, detail)
                });
            }
            Err(failed) => return Err(failed),
        };
        let taken = before_token(self.target.service, &answer)?;
        let detail = match taken {
            Taken::AsksForToken => format!("{:?} {}, asks for a token", http::Version::HTTP_11, answer.status.as_u16()),
            Taken::Served => self.served(&answer)?,
        };
        Ok((Reached { link, answer, taken }, detail))
    }

    async fn authenticate(&self, mut link: Link, token: Option<&Secret>) -> Result<(Reached, String), Failed> {
        let Some(token) = token else {
            return Err((Fault::TokenMissing, "a token is asked for, and there is none to present".to_owned()));
        };
        if !link.is_open().await {
            link = self.open().await?;
        }
        let answer = self.ask(&mut link, Some(token)).await?;
        with_token(self.target.service, &answer)?;
        let detail = format!("token taken, {}", self.served(&answer)?);
        Ok((Reached { link, answer, taken: Taken::Served }, detail))
    }

    async fn work(&self, reached: Reached, token: Option<&Secret>) -> Result<((), String), Failed> {
        let Reached { mut link, answer, .. } = reached;
        let expected = &self.target.expected;
        let detail = match self.target.service {
            Service::McpWebsocket => {
                let Some(upgraded) = answer.upgraded else {
                    return Err((Fault::Foreign(0), "no WebSocket".to_owned()));
                };
                let met = mcp::over_websocket(upgraded).await?;
                protocol::is_expected(met.instance.as_deref(), expected)?;
                met.detail
            }
            Service::McpHttp => {
                let status = protocol::status(&answer, expected)?;
                if !link.is_open().await {
                    link = self.open().await?;
                }
                let met = mcp::over_http(&mut link, self.target, token).await?;
                format!("{status}; {}", met.detail)
            }
            Service::Prometheus => protocol::metrics(&answer, expected)?,
            Service::Health => protocol::health(&answer, expected)?,
        };
        Ok(((), detail))
    }

    /// The first request of a client of the service.
    async fn ask(&self, link: &mut Link, token: Option<&Secret>) -> Result<Answer, Failed> {
        let path = self.target.path();
        if self.target.service != Service::McpWebsocket {
            return link.send(request(self.target, Method::GET, path, token, &[], Vec::new())?).await;
        }
        let key = generate_key();
        let upgrade = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "mcp"),
            ("sec-websocket-key", key.as_str()),
        ];
        let answer = link.send(request(self.target, Method::GET, path, token, &upgrade, Vec::new())?).await?;
        let accepted = answer.header("sec-websocket-accept") == Some(derive_accept_key(key.as_bytes()).as_str());
        if answer.status == StatusCode::SWITCHING_PROTOCOLS && !accepted {
            return Err((Fault::NotHttp, "101, but not for this WebSocket".to_owned()));
        }
        Ok(answer)
    }

    /// Says how a request was served. A WebSocket that is none is no service.
    fn served(&self, answer: &Answer) -> Result<String, Failed> {
        let status = answer.status;
        if self.target.service == Service::McpWebsocket && answer.upgraded.is_none() {
            return Err((Fault::Foreign(status.as_u16()), format!("{status} in place of a WebSocket")));
        }
        let protocol = answer.header("sec-websocket-protocol").map(|name| format!(", subprotocol {name}"));
        Ok(format!("{status}{}", protocol.unwrap_or_default()))
    }

    async fn connect(&self) -> Result<TcpStream, Failed> {
        Ok(tcp::connect(&[self.peer], self.target.from, self.limit).await?.0)
    }

    /// A new connection, where the server has ended the one before.
    async fn open(&self) -> Result<Link, Failed> {
        let stream = self.connect().await?;
        let stream: Box<dyn Stream> = match &self.target.tls {
            None => Box::new(stream),
            Some(trust) => Box::new(tls::encrypt(stream, &self.target.host, trust).await?.0),
        };
        Link::open(stream).await
    }
}
