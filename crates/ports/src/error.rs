//! Why the system's sockets could not be listed.

use std::io;

use cwts_domain::{ErrorCode, Problem};

/// The kernel's list of sockets is not available.
#[derive(Debug, thiserror::Error)]
pub enum PortsError {
    /// The kernel refuses to list sockets, as some sandboxes have it.
    #[error("the system's sockets cannot be listed: {source}")]
    Unavailable {
        /// The reason.
        source: io::Error,
    },
    /// The kernel's answer is not understood.
    #[error("the kernel's list of sockets is not understood: {detail}")]
    Malformed {
        /// What was found instead.
        detail: String,
    },
}

impl From<PortsError> for Problem {
    fn from(error: PortsError) -> Self {
        Self::new(ErrorCode::Internal, error.to_string())
    }
}
