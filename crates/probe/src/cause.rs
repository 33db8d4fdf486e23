//! The one table of causes: code, title, cause and fix. The panel, the command line and `docs/troubleshooting.md` show
//! what stands here.

use serde::Serialize;

use crate::Rung;

/// What the panel does when the button of a fix is pressed; the command line shows the words of the fix only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FixAction {
    /// Starts the services.
    StartServices,
    /// Stops the services and starts them.
    RestartServices,
    /// Moves the service to a free port.
    UseFreePort,
    /// Lets the service listen on the address that was asked for.
    WidenAddress,
    /// Lets the service listen on this computer only.
    ListenLocally,
    /// Copies the text for a client program, as the screen Clients has it.
    CopyClientConfiguration,
    /// Makes a certificate for the addresses and names of this computer.
    MakeCertificate,
    /// Shows how clients trust the authority.
    TrustAuthority,
    /// Copies the token of this instance.
    CopyToken,
    /// Shows the rules for the firewall.
    ShowFirewallRules,
    /// Asks whether to turn on what other computers need: TLS and a token.
    ReviewAccess,
    /// Nothing that a button could do: a person has to.
    ByHand,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// The rung at which it shows.
    pub(crate) rung: Rung,
    /// The rest of the code.
    pub(crate) name: &'static str,
    /// A headline.
    pub(crate) title: &'static str,
    /// One sentence or two: what is wrong.
    pub(crate) cause: &'static str,
    /// One sentence: what to do.
    pub(crate) fix: &'static str,
    /// What does it.
    pub(crate) action: FixAction,
}

macro_rules! causes {
    ($($variant:ident: $rung:ident $name:literal, $title:literal, $cause:literal, $action:ident $fix:literal;)*) => {
        /// Why a client does not get through, or, for the last of TCP and of the handshake, what to know although it does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $(#[doc = $title] $variant,)*
        }

        impl Cause {
            /// Every cause, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        rung: Rung::$rung, name: $name, title: $title, cause: $cause, fix: $fix,
                        action: FixAction::$action,
                    },)*
                }
            }
        }
    };
}

causes! {
    NameUnknown: Resolve "name_unknown", "The name has no address",
        "No name server and no line of /etc/hosts knows the name that the client uses.",
        ByHand "Use the IP address in place of the name, or enter the name in /etc/hosts or DNS.";
    NamesUnavailable: Resolve "unavailable", "Names cannot be looked up",
        "The name server did not answer in time. Nothing is known of the service itself.",
        ByHand "Use the IP address in place of the name, or mend the network's DNS (see /etc/resolv.conf).";
    Stopped: Tcp "refused_stopped", "The services are stopped",
        "The instance does not run, so nobody listens on its ports.",
        StartServices "Start the services: cwts-ultra run.";
    OtherPort: Tcp "refused_other_port", "The service listens on another port",
        "The service runs, but on another address or port than the one that was tried: a stronger layer, such as a \
         variable of the environment, decided at its start.",
        CopyClientConfiguration "Give the client the URL that the service really has.";
    OtherAddress: Tcp "refused_other_address", "The service listens on another address",
        "The service runs and has this port, but on another address of this computer than the one that was tried.",
        CopyClientConfiguration "Give the client the URL that the service really has, or bind the service to the address that \
         was tried too.";
    AddressAway: Tcp "address_away", "The address of the service is not here",
        "The service is bound to an address that this computer does not have at this moment: a cable, a network or a VPN is \
         off, or the network gave out another address. While it is away, a service that runs listens on loopback.",
        ListenLocally "Connect to that network again, or choose another address: cwts-ultra config set mcp.bind_addr ADDRESS \
         (monitoring.bind_addr for metrics and health).";
    LoopbackOnly: Tcp "refused_loopback_only", "The service listens on loopback only",
        "The service runs, but takes connections of this computer on 127.0.0.1 or ::1 only, and another address was asked \
         for.",
        WidenAddress "Bind it to that address: cwts-ultra config set mcp.bind_addr ADDRESS (monitoring.bind_addr for \
         metrics and health).";
    NoListener: Tcp "refused_no_listener", "Nobody listens there",
        "The computer answers, and has no program on this address and port. A firewall that answers with a reset looks \
         the same from another computer.",
        ByHand "On that computer run cwts-ultra test: it sees whether the service is stopped, elsewhere, or on loopback \
         only.";
    ResetByFirewall: Tcp "refused_reset_by_firewall", "A firewall rule resets the connection",
        "A program listens there, and yet the connection was reset before it saw it: a rule of the firewall answers in \
         its place (REJECT with tcp-reset).",
        ShowFirewallRules "Let the clients in: cwts-ultra firewall shows the rule.";
    RejectedByFirewall: Tcp "refused_by_firewall", "A firewall rejects the connection",
        "An ICMP message \"port unreachable\" came back, which Linux itself never sends for TCP: it is the usual answer of \
         a REJECT rule.",
        ShowFirewallRules "Let the clients in: cwts-ultra firewall, on the computer that sent the message, shows the rule.";
    HostProhibited: Tcp "host_prohibited", "A firewall prohibits the host",
        "An ICMP message \"host prohibited\" came back: a rule rejects connections from here.",
        ShowFirewallRules "Let the clients in: cwts-ultra firewall, on the computer that sent the message, shows the rule.";
    AdminProhibited: Tcp "admin_prohibited", "A firewall prohibits the connection",
        "An ICMP message \"administratively prohibited\" came back, as firewalld sends it for what no rule lets in.",
        ShowFirewallRules "Let the clients in: cwts-ultra firewall, on the computer that sent the message, shows the rule.";
    AdminProhibitedV6: Tcp "admin_prohibited_v6", "A firewall prohibits the connection over IPv6",
        "An ICMPv6 message \"administratively prohibited\" came back, as firewalld sends it for what no rule lets in.",
        ShowFirewallRules "Let the clients in over IPv6 too: cwts-ultra firewall, on the computer that sent the message, \
         shows the rule.";
    BlockedOutgoing: Tcp "blocked_outgoing", "This computer's own firewall blocks what goes out",
        "The rejection was sent by this computer itself: a rule for outgoing connections stops them before they leave.",
        ByHand "Take back the rule of the OUTPUT chain, or allow this port in it.";
    QueueFull: Tcp "queue_full", "The service does not accept connections",
        "The service listens, but its queue of waiting connections is full, so that the kernel drops new ones: it is \
         suspended, overloaded, or out of files.",
        RestartServices "Look at its process; if it does not recover, start it again.";
    Dropped: Tcp "dropped", "No answer: a firewall drops the connection, or the computer is off",
        "Nothing came back, neither a connection nor a refusal. A DROP rule does that, on either computer or between them; \
         a computer that is switched off looks the same from another network.",
        ShowFirewallRules "Check that the computer is on, and let the clients in: cwts-ultra firewall shows the rule.";
    NoSuchHost: Tcp "no_such_host", "No computer has this address",
        "Nobody on the local network answered for the address.",
        ByHand "Check the address: ip address, on the computer that is meant, shows it.";
    NoRoute: Tcp "no_route", "No way leads to this address",
        "This computer has no route to the network of the address: it is offline, in another network, or without IPv6.",
        ByHand "Connect to the network (ip route shows the ways), or use an address of a network that this computer is in.";
    DeniedByPolicy: Tcp "denied_by_policy", "A security policy forbids the connection",
        "The system refused to connect before anything was sent: SELinux, AppArmor, Landlock or a sandbox limits the \
         program that connects.",
        ByHand "Allow the program to connect to this port in the policy of the sandbox or security module.";
    OutOfDescriptors: Tcp "out_of_descriptors", "The client has too many files open",
        "The program that connects may open no more files, so that it gets no socket.",
        ByHand "Close what it has open, or raise its limit: ulimit -n.";
    SourceUnavailable: Tcp "source_unavailable", "The address to connect from is not there",
        "The address to connect from is none of this computer, or of another family than the target.",
        ByHand "Choose one that ip address shows.";
    ConnectFailed: Tcp "failed", "The connection cannot be made",
        "The system gave a reason that this program has no better words for.",
        ByHand "See the evidence.";
    SelfTest: Tcp "self_test", "This test says nothing about the firewall",
        "It went from this computer to its own address, which never leaves it: firewalls let that through while they \
         block others.",
        ByHand "Run cwts-ultra test --host ADDRESS on another computer of the network.";
    PlainText: Tls "plain_text", "The port speaks plain text, not TLS",
        "The client began with TLS and got an answer that is none: the service was started without TLS, or the URL has \
         https:// or wss:// in place of http:// or ws://.",
        RestartServices "Start the services again so that security.tls counts, or use the URL for plain text.";
    TlsSilent: Tls "silent", "No answer to TLS",
        "The connection was made, and whoever took it says nothing to a client that begins with TLS.",
        ByHand "Check that the port is the one of the service, and that the program on it still works.";
    TlsClosed: Tls "closed", "The connection was cut during TLS",
        "The other end closed or reset the connection in place of an answer in TLS.",
        ByHand "Check that the port is the one of the service, and whether a proxy or a scanner stands between.";
    Untrusted: Tls "untrusted", "The certificate is not trusted",
        "Nobody whom this client trusts vouches for the certificate.",
        TrustAuthority "Fetch the authority's file, which cwts-ultra tls show names where the service runs, as ca.pem, and trust it.";
    AuthorityAsServer: Tls "authority_as_server", "The certificate is one of an authority",
        "The certificate has CA:TRUE. Several clients refuse such a one for a server, even when they trust it.",
        MakeCertificate "Make one for the server: cwts-ultra tls make.";
    Expired: Tls "expired", "The certificate has ended",
        "The certificate was valid until a moment that has passed on this computer's clock.",
        MakeCertificate "Make a new one: cwts-ultra tls make. If the day in the evidence is still to come, this computer's \
         clock is wrong: timedatectl shows it.";
    ClockSkew: Tls "clock_skew", "The certificate begins in the future",
        "The certificate is not valid yet on this computer's clock: one of the two clocks is wrong, as certificates begin \
         when they are made.",
        ByHand "Set the clock of the computer that is behind: timedatectl shows it.";
    WrongName: Tls "wrong_name", "The certificate is for other names",
        "The certificate does not name the host that the client connects to.",
        MakeCertificate "Make one that does: cwts-ultra tls make --name NAME.";
    TlsFailed: Tls "failed", "TLS cannot be agreed on",
        "The other end speaks TLS, but not in a way that this client accepts.",
        ByHand "See the evidence.";
    Suspended: Handshake "suspended", "The process is suspended",
        "The kernel still takes connections for it, but the process is stopped by a signal or a debugger, so that nobody \
         answers.",
        ByHand "Let it go on: kill -CONT PID, or fg in its terminal.";
    ServerOutOfDescriptors: Handshake "server_out_of_descriptors", "The server has too many files open",
        "The process has as many files open as it may have, so that it cannot accept connections.",
        RestartServices "Close connections, or start it with a higher limit: ulimit -n.";
    NoAnswer: Handshake "no_answer", "Connected, but no answer",
        "The connection was made, and no answer came in time.",
        RestartServices "See whether the program on the port still works; if not, start it again.";
    Closed: Handshake "closed", "Connected, and cut without an answer",
        "The other end closed or reset the connection in place of an answer.",
        ByHand "Check that the port is the one of the service, and that its log has no reason.";
    TlsPort: Handshake "tls_port", "The port speaks TLS",
        "The client sent plain HTTP to a port that speaks TLS.",
        CopyClientConfiguration "Use https:// or wss:// in the URL.";
    NotHttp: Handshake "not_http", "Another protocol answers",
        "Something answered, and not in HTTP.",
        ByHand "Check the port: it belongs to another program.";
    ForeignProgram: Handshake "foreign_program", "Another program answers on this port",
        "The port is held by a program that is no CWTS instance.",
        UseFreePort "Move the service to a free port (cwts-ultra check-ports --save), or end the other program \
         (cwts-ultra ports free PORT).";
    Elsewhere: Handshake "elsewhere", "The service is on another port, and another program has this one",
        "What answers on the port that was tried is not the service, which runs on another port: a stronger layer, such as a \
         variable of the environment, decided at its start.",
        CopyClientConfiguration "Give the client the URL that the service really has.";
    OtherInstanceHolds: Handshake "other_instance", "Another instance holds the port",
        "The port is held by another CWTS instance than the one that was meant, and it does not answer as this one would.",
        UseFreePort "Move this instance to a free port, or stop the other one: cwts-ultra instances list.";
    ForeignServer: Handshake "foreign_server", "Another web server answers",
        "An answer of HTTP came that CWTS Ultra does not give: the address or port belongs to something else, or a proxy \
         answers in its place.",
        ByHand "Check the address and the port: cwts-ultra run, on that computer, prints them.";
    HostRefused: Handshake "host_refused", "The server does not go by this name",
        "The service takes requests for localhost, its own address and, in TLS, the names of its certificate. Any other \
         name could be one that a web page has rebound.",
        CopyClientConfiguration "Use the address in the URL, or switch TLS on with a certificate for the name.";
    OriginRefused: Handshake "origin_refused", "The server refuses pages of this Origin",
        "The client runs in a web page of another site. Only programs, which send no Origin, and pages of this computer \
         may connect.",
        ByHand "Serve the page from localhost, or connect from a program.";
    RemoteRefused: Handshake "remote_refused", "Other computers are not served yet",
        "The service listens beyond loopback, but serves only its own computer until both TLS and a token protect it.",
        ReviewAccess "Switch on what the evidence names, on the server.";
    RemotePlainText: Handshake "remote_plain_text", "Other computers are served over TLS only",
        "The client speaks plain text from another computer.",
        CopyClientConfiguration "Use https:// or wss:// in the URL.";
    TooManyConnections: Handshake "too_many_connections", "All connections are in use",
        "The service has as many connections open as it takes, from this client or from all.",
        ByHand "Close connections, or share one among requests; the metric cwts_connections counts them.";
    TooManyRequests: Handshake "too_many_requests", "Too many requests",
        "This client sends more requests than the service takes of one.",
        ByHand "Send fewer in a second; the answer says when to come back.";
    OtherService: Handshake "other_service", "Another of the four services answers",
        "The port belongs to a CWTS instance, but to another service than the one that was expected.",
        CopyClientConfiguration "Give the client the URL of this service.";
    UpgradeLost: Handshake "upgrade_lost", "The request for a WebSocket got lost",
        "The service saw plain HTTP: the client does not ask for a WebSocket, or a proxy between them takes the request \
         for it out.",
        ByHand "Let the proxy pass Connection: Upgrade and Upgrade: websocket, or use MCP over HTTP.";
    Proxy: Handshake "proxy_variables", "Clients may go through a proxy",
        "The service answers here, but the environment names a proxy that many clients use even for this computer.",
        ByHand "Set NO_PROXY=localhost,127.0.0.1,::1 and the address of the service for the client, or unset the variable.";
    TokenMissing: Auth "token_missing", "No token was presented",
        "The service asks for a token, and the client has none.",
        CopyToken "Give the client the token: cwts-ultra token show.";
    TokenWrong: Auth "token_wrong", "The token is wrong",
        "The token is none of the instance that answers; it may have been replaced.",
        CopyToken "Give the client the token of that instance: cwts-ultra token show, where it runs.";
    TokenOfOther: Auth "token_of_other_instance", "The token is one of another instance",
        "The token opens another instance of this home, not the one that was tried.",
        CopyToken "Give the client the token of this instance: cwts-ultra token show --instance ID.";
    OtherInstanceAsks: Auth "other_instance", "Another instance answers, and refuses the token",
        "The port is held by another CWTS instance, which does not know the tokens of this one.",
        UseFreePort "Move this instance to a free port, or stop the other one: cwts-ultra instances list.";
    ScopeTooSmall: Auth "scope_too_small", "The token allows too little",
        "The token is good, but its scope does not cover what was asked for.",
        CopyToken "Use a token that allows it: cwts-ultra token show --scope trade.";
    Throttled: Auth "throttled", "Too many wrong tokens",
        "So many wrong tokens came from this address that the service makes it wait.",
        ByHand "Find the client with the wrong token, correct it, and wait as long as the evidence says.";
    OtherInstance: Protocol "other_instance", "Another instance answers",
        "The port is held by another CWTS instance or process than the one that was meant.",
        UseFreePort "Move this instance to a free port, or stop the other one: cwts-ultra instances list.";
    NotOurs: Protocol "not_ours", "Something else speaks this protocol here",
        "The answer is well formed, but not one of CWTS Ultra.",
        ByHand "Check the address and the port: cwts-ultra run, on that computer, prints them.";
    Unhealthy: Protocol "unhealthy", "The service says that it is not well",
        "The health check answers, and reports a failure or that it is ending.",
        RestartServices "See what it says; if that does not pass, start the services again.";
    ProtocolSilent: Protocol "no_answer", "The service stopped answering",
        "The connection and the token were taken, and the work was not done in time.",
        RestartServices "See whether the process is overloaded; if that does not pass, start it again.";
    TooManySessions: Protocol "too_many_sessions", "All MCP sessions are in use",
        "As many sessions of MCP over HTTP are open as the service takes, from this client or from all.",
        ByHand "End sessions that are no longer used (DELETE), or use the WebSocket, which has none.";
    Misunderstood: Protocol "failed", "The answer is an error",
        "The service was reached, and its answer is an error or cannot be understood.",
        RestartServices "See the evidence and the log of the service.";
}

impl Cause {
    /// Stable code: the rung, a dot, the name.
    pub fn code(self) -> String {
        let row = self.row();
        format!("{}.{}", row.rung, row.name)
    }

    /// Whether it is worth knowing although the ladder holds.
    pub fn is_notice(self) -> bool {
        matches!(self, Self::SelfTest | Self::Proxy)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_cause_has_its_own_code_and_words() {
        let codes: BTreeSet<String> = Cause::ALL.iter().map(|cause| cause.code()).collect();
        assert_eq!(codes.len(), Cause::ALL.len(), "a code means one thing");
        for cause in Cause::ALL {
            let row = cause.row();
            for text in [row.cause, row.fix] {
                assert!(text.ends_with('.') && !text.contains("  "), "{cause:?} is told in sentences: {text}");
            }
            assert!(!row.title.ends_with('.'), "{cause:?} has a headline: {}", row.title);
        }
    }
}
