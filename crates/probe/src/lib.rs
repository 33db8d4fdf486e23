//! The connection ladder, and the pure function from its rungs and the local facts to a diagnosis.
//!
//! [`climb`] goes up the rungs of one service as a client would: resolve, TCP, TLS, handshake, authentication, protocol;
//! each is told as soon as it is known, and dropping the future ends it. [`run`] climbs several services at once, again
//! and again. [`diagnose`] turns the first rung that failed and the [`Facts`] of this computer into a [`Diagnosis`]; all
//! causes stand in one table, [`Cause`], from which `docs/troubleshooting.md` is written too.
//!
//! Looks nothing up on this computer: whoever holds the configuration and the processes fills in the facts.

mod answer;
mod cause;
mod certificate;
mod diagnose;
mod document;
mod error_queue;
mod facts;
mod fault;
mod http;
mod ladder;
mod mcp;
mod protocol;
mod report;
mod resolve;
mod rung;
mod statistics;
mod target;
mod tcp;
mod timeout;
mod tls;

pub use cause::{Cause, FixAction};
pub use diagnose::{Diagnosis, diagnose};
pub use document::troubleshooting;
pub use facts::{Facts, HolderFacts, InstanceFacts, Owned, Queue};
pub use fault::{Fault, Icmp, TlsFault};
pub use ladder::{Ladder, climb};
pub use mcp::CLIENT_NAME;
pub use report::{Progress, Tested, run};
pub use rung::{Rung, Step};
pub use statistics::Repetitions;
pub use target::{Expected, Secret, Target};
pub use timeout::{Timeout, Timeouts};
pub use tls::Trust;
