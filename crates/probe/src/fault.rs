//! What was seen where a rung did not hold. Observations only; what they mean is up to the diagnosis.

use std::net::IpAddr;

/// An ICMP message about the connection, as the kernel keeps it in the error queue of the socket (ip(7), `IP_RECVERR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Whether it is of ICMPv6.
    pub v6: bool,
    /// Type, 3 (ICMP) or 1 (ICMPv6) for "destination unreachable".
    pub kind: u8,
    /// Code (RFC 792, RFC 1812 section 5.2.7.1, RFC 4443 section 3.1).
    pub code: u8,
    /// Who sent it.
    pub sender: Option<IpAddr>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The name has no address.
    NameUnknown,
    /// The name could not be looked up, or not in time.
    NamesUnavailable,
    /// `ECONNREFUSED`, with the ICMP message behind it; without one a reset came, or nobody listens.
    Refused(Option<Icmp>),
    /// `EHOSTUNREACH`.
    HostUnreachable(Option<Icmp>),
    /// `ENETUNREACH`.
    NetworkUnreachable(Option<Icmp>),
    /// `EACCES` or `EPERM`.
    Denied(Option<Icmp>),
    /// No answer to the request for a connection.
    ConnectTimeout,
    /// This process may open no more files.
    OutOfDescriptors,
    /// The address to connect from is none of this computer.
    SourceUnavailable,
    /// Anything else that the system said.
    ConnectFailed,
    /// In TLS.
    Tls(TlsFault),
    /// Connected, but no answer came in time.
    NoAnswer,
    /// The other end closed or reset the connection instead of answering.
    Closed,
    /// The same, and a greeting of TLS was answered with TLS.
    SpeaksTls,
    /// An answer that is none of HTTP.
    NotHttp,
    /// An answer of HTTP that this server does not give, with its status.
    Foreign(u16),
    /// The server refuses the name that the client uses for it.
    HostRefused,
    /// The server refuses pages of the Origin.
    OriginRefused,
    /// The server serves its own computer only.
    RemoteRefused,
    /// The server serves other computers over TLS only.
    RemotePlainText,
    /// The server has no place for another connection.
    TooManyConnections,
    /// The server has had too many requests of this client.
    TooManyRequests,
    /// Another one of the four services answers.
    OtherService,
    /// The service was asked for a WebSocket and saw plain HTTP.
    UpgradeLost,
    /// A token is asked for, and there is none.
    TokenMissing,
    /// The token opens nothing.
    TokenWrong,
    /// Too many wrong tokens came from here; this one was not looked at.
    TokenThrottled,
    /// The token is good, but for less.
    ScopeTooSmall,
    /// Another instance answers.
    OtherInstance,
    /// Speaks the protocol, and is no CWTS instance.
    NotOurs,
    /// The service says that it is not well.
    Unhealthy,
    /// No place for another MCP session.
    TooManySessions,
    /// The answer cannot be understood, or is an error.
    Misunderstood,
}

/// What was seen in TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The answer is no TLS.
    PlainText,
    /// Nobody who is trusted vouches for the certificate.
    UnknownIssuer,
    /// The certificate has ended.
    Expired,
    /// The certificate begins later than now.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// The certificate is one of an authority.
    AuthorityAsServer,
    /// Anything else.
    Other,
}
