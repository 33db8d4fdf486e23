//! Clients that break the handshake of TLS, or never end it: their connections end, and the others are served.

use std::time::Duration;

use cwts_domain::Service;
use cwts_runtime::ConnectionLimits;
use cwts_server::Limits;
use cwts_tests::{Embedded, Home, Ports, Raw, command, finish, get, shell, until, within};

/// How long the tests let a handshake take.
const HEAD: Duration = Duration::from_millis(500);
/// A record of a handshake with a length, and nothing of what it promises (RFC 8446 section 5.1).
const BEGUN: [u8; 5] = [0x16, 3, 1, 2, 0];

/// An instance on loopback that speaks TLS and waits for nobody for long.
async fn encrypted() -> Embedded {
    let (ports, home) = (Ports::free(), Home::empty());
    home.write_toml(&format!("{}\n[security]\ntls = \"on\"\n", ports.toml()));
    let mut make = command(&home);
    make.args(["tls", "make"]);
    assert_eq!(finish(make).await.status, Some(0), "a certificate");
    let connections = ConnectionLimits { head: HEAD, ..ConnectionLimits::default() };
    let embedded = Embedded::open_limited(home, Limits { connections, ..Limits::default() });
    embedded.instance().start().await.expect("the instance starts");
    embedded
}

async fn empty(embedded: &Embedded, service: Service) {
    let meter = embedded.instance().meter(service);
    until(&format!("{service} to be rid of them"), async || (meter.connections() == 0).then_some(())).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for_on_any_port() {
    let embedded = encrypted().await;
    for service in Service::ALL {
        let port = embedded.port(service);
        let mut begun = Raw::connect(port).await;
        begun.send(&BEGUN).await.expect("an open connection");
        let mut dripping = Raw::connect(port).await;
        let drip = async {
            let mut ticks = tokio::time::interval(HEAD / 10);
            for byte in BEGUN.iter().chain(std::iter::repeat(&1)) {
                ticks.tick().await;
                if dripping.send(&[*byte]).await.is_err() {
                    return;
                }
            }
        };
        let started = std::time::Instant::now();
        let both = async { tokio::join!(drip, begun.read_to_end()) };
        within(&format!("{service} to give up, also where bytes drip"), both).await;
        assert!(started.elapsed() >= HEAD / 2, "{service} waits for a slow client for a while");
        empty(&embedded, service).await;
    }
}

#[tokio::test]
async fn garbage_ends_its_own_connection_and_no_other() {
    let embedded = encrypted().await;
    let authority = embedded.home().path().join("data/default/tls/ca.pem").display().to_string();
    let endless = [&BEGUN[..3], &[0xff, 0xff]].concat();
    let cases = [
        ("no handshake in the record", [&BEGUN[..], &[0x77; 512]].concat()),
        ("a record that is too long", [&endless[..], &[0; 65_535]].concat()),
        ("an alert first", vec![0x16, 3, 1, 0, 2, 2, 40]),
        ("SSL 2", vec![0x16, 0x80, 0x2e, 1, 0, 2]),
        ("nothing but zeros", [&[0x16][..], &[0; 600]].concat()),
    ];
    for service in Service::ALL {
        let port = embedded.port(service);
        for (what, bytes) in &cases {
            let mut raw = Raw::connect(port).await;
            // The server may close before it has taken all.
            drop(raw.send(bytes).await);
            let answer = raw.read_to_end().await;
            assert!(!answer.starts_with(b"HTTP"), "{what} on {service} is no request: {answer:?}");
        }
        empty(&embedded, service).await;
    }
    let health = embedded.port(Service::Health);
    let served = shell(&format!("curl -sf --cacert '{authority}' https://localhost:{health}/health")).await;
    assert_eq!(served.status, Some(0), "others are served over TLS: {served:?}");
    assert_eq!(get(health, "/health").await.status, 200, "and in plain text");
}
