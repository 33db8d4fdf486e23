//! Causes on one computer.

use std::fs;

use cwts_domain::Service;
use cwts_tests::{
    Home, METRICS_TOKEN, PortHolder, Ports, Server, TRADE_TOKEN, absent_address, bearer, command, finish, refuses,
    until, write_tokens,
};
use rustix::process::{Resource, Signal, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt as _;

use crate::causes::shell;
use crate::matrix::{Matrix, PASSED, by, test};

pub(crate) async fn all(matrix: &mut Matrix) {
    stopped_and_taken(matrix).await;
    elsewhere(matrix).await;
    tokens(matrix).await;
    refusals(matrix).await;
    other_instances(matrix).await;
    names(matrix).await;
    limits_of_the_client(matrix).await;
    suspended_and_ending(matrix).await;
}

async fn stopped_and_taken(matrix: &mut Matrix) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    for service in Service::ALL {
        matrix.expect("tcp.refused_stopped", "our services are stopped", test(&home, service.id(), &[])).await;
    }
    let _foreign = PortHolder::take(ports.of(Service::McpHttp)).await;
    let foreign = test(&home, "mcp-http", &[]);
    matrix.expect("handshake.foreign_program", "a web server on the port, ours stopped", foreign).await;
    let running = Ports::free();
    let home = Home::with(&running);
    let server = Server::start(&home).await;
    for service in Service::ALL {
        matrix.expect(PASSED, "a healthy service", test(&home, service.id(), &["--count", "3"])).await;
    }
    let mut proxied = test(&home, "mcp-http", &[]);
    proxied.env("HTTP_PROXY", "http://proxy.invalid:3128");
    matrix.expect("handshake.proxy_variables", "a proxy in the environment", proxied).await;
    server.stop(Signal::TERM).await;
}

/// The server was told of a port by its environment, and the client by the files.
async fn elsewhere(matrix: &mut Matrix) {
    let (known, real) = (Ports::free(), Ports::free());
    let home = Home::with(&known);
    let mut shadowed = command(&home);
    for service in Service::ALL {
        shadowed.env(service.port_variable(), real.of(service).to_string());
    }
    let server = Server::launch(shadowed).await;
    matrix
        .expect("tcp.refused_other_port", "the environment has moved the port", test(&home, "mcp-websocket", &[]))
        .await;
    let mut swapped = test(&home, "mcp-websocket", &[]);
    swapped.env("MCP_SERVER_PORT", real.of(Service::Health).to_string());
    matrix.expect("handshake.other_service", "the URL of another service", swapped).await;
    let mut encrypted = test(&home, "health", &["--tls", "on"]);
    encrypted.env("HEALTH_CHECK_PORT", real.of(Service::Health).to_string());
    matrix.expect("tls.plain_text", "TLS to a service without it", encrypted).await;
    server.stop(Signal::TERM).await;
}

async fn tokens(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    write_tokens(home.path(), "desk");
    let file = |name: &str, token: &str| {
        let path = home.path().join(name);
        fs::write(&path, token).expect("a token file");
        path.display().to_string()
    };
    let desk = format!("cwts_trade_{}", "de5c".repeat(16));
    fs::write(home.path().join("data/desk/tokens/trade"), &desk).expect("the token of another instance");
    let (desk, wrong) = (file("desk", &desk), file("wrong", &format!("cwts_trade_{}", "0".repeat(64))));
    let metrics = file("metrics", METRICS_TOKEN);
    let server = Server::start(&home).await;
    let with = |file: &str| test(&home, "mcp-websocket", &["--token-file", file]);
    matrix.expect("auth.token_wrong", "a token that nobody made", with(&wrong)).await;
    matrix.expect("auth.token_of_other_instance", "a token of the instance desk", with(&desk)).await;
    matrix.expect("auth.scope_too_small", "the token for metrics", with(&metrics)).await;
    let presented = |token: &str| test(&home, "mcp-websocket", &["--as", token]);
    matrix.expect("auth.scope_too_small", "as whoever scrapes", presented("metrics")).await;
    matrix.expect("auth.token_missing", "as whoever has no token", presented("none")).await;
    for token in ["owner", "read"] {
        matrix.expect(PASSED, "as the owner and as a reader", presented(token)).await;
    }
    for _ in 0..8 {
        finish(with(&wrong)).await;
    }
    matrix.expect("auth.throttled", "wrong tokens without end", with(&wrong)).await;
    fs::rename(home.path().join("data/default/tokens/trade"), home.path().join("kept")).expect("the token's file");
    matrix.expect("auth.token_missing", "no token to be read", test(&home, "mcp-websocket", &[])).await;
    server.stop(Signal::TERM).await;
}

async fn refusals(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    for service in Service::ALL {
        let page = test(&home, service.id(), &["--origin", "https://evil.example"]);
        matrix.expect("handshake.origin_refused", "a web page of somebody else", page).await;
    }
    let hosts = home.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost evil.example\n").expect("a file of names");
    let rebound = format!("mount --bind {} /etc/hosts && exec \"$@\"", hosts.display());
    let rebound = by(
        &["unshare", "-m", "bash", "-c", &rebound, "rebound"],
        &test(&home, "mcp-http", &["--host", "evil.example"]),
    );
    matrix.expect("handshake.host_refused", "a name that somebody has rebound", rebound).await;
    server.stop(Signal::TERM).await;
}

/// Another home holds the ports, and runs an instance of the same id.
async fn other_instances(matrix: &mut Matrix) {
    let ports = Ports::free();
    let (ours, theirs) = (Home::with(&ports), Home::untouched());
    theirs.write_toml(&ports.toml());
    let server = Server::start(&theirs).await;
    for service in ["mcp-websocket", "mcp-http"] {
        matrix.expect("auth.other_instance", "another instance on the port", test(&ours, service, &[])).await;
    }
    for service in ["prometheus", "health"] {
        matrix.expect("protocol.other_instance", "another instance on the port", test(&ours, service, &[])).await;
    }
    server.stop(Signal::TERM).await;
}

async fn names(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    let (switch, servers) = (home.path().join("nsswitch.conf"), home.path().join("resolv.conf"));
    let with = |lookup: &str, host: &str| {
        fs::write(&switch, format!("hosts: {lookup}\n")).expect("how names are looked up");
        fs::write(&servers, "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")
            .expect("a name server that is none");
        let mount = format!(
            "mount --bind {} /etc/nsswitch.conf; mount --bind {} /etc/resolv.conf; exec \"$@\"",
            switch.display(),
            servers.display()
        );
        by(&["unshare", "-m", "bash", "-c", &mount, "names"], &test(&home, "health", &["--host", host]))
    };
    matrix.expect("resolve.name_unknown", "a name that no file has", with("files", "nobody.invalid")).await;
    matrix.expect("resolve.unavailable", "a name server that does not answer", with("dns", "studio.lan")).await;
}

async fn limits_of_the_client(matrix: &mut Matrix) {
    let home = Home::with(&Ports::free());
    matrix
        .expect(
            "tcp.source_unavailable",
            "an address that is not here",
            test(&home, "health", &["--from", &absent_address().to_string()]),
        )
        .await;
    matrix.expect("tcp.failed", "an address that needs a zone", test(&home, "health", &["--host", "fe80::1"])).await;
    // All services at once need more sockets than one; the least limit with which the program starts is not known.
    let others = ["prometheus", "mcp-http", "mcp-websocket"];
    for files in 6..20 {
        let limit = format!("ulimit -n {files}; exec \"$@\"");
        let poor = || by(&["bash", "-c", &limit, "poor"], &test(&home, "health", &others));
        if finish(poor()).await.stdout.contains("Too many open files") {
            return matrix.expect("tcp.out_of_descriptors", "a client with too many open files", poor()).await;
        }
    }
    panic!("some limit below 20 lets the program start and gives no socket to all services");
}

async fn suspended_and_ending(matrix: &mut Matrix) {
    // The queue of a listener is as long as the kernel allows at its start. Older kernels let nobody in a sandbox choose:
    // there the whole queue of a server is filled.
    shell("sysctl -q -w net.core.somaxconn=2 || true").await;
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("a process may use all that it is allowed");
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    shell("sysctl -q -w net.core.somaxconn=4096 || true").await;
    server.signal(Signal::STOP);
    matrix.expect("handshake.suspended", "a process that got SIGSTOP", test(&home, "mcp-http", &[])).await;
    let port = ports.of(Service::Health);
    let mut waiting = Vec::new();
    // Each of them waits in the queue for ever, until there is no place.
    while let Ok(Ok(stream)) =
        tokio::time::timeout(std::time::Duration::from_millis(500), tokio::net::TcpStream::connect(("127.0.0.1", port)))
            .await
    {
        waiting.push(stream);
        assert!(waiting.len() < 5000, "no queue of ours is that long");
    }
    matrix.expect("tcp.queue_full", "an accept queue that is full", test(&home, "health", &[])).await;
    drop(waiting);
    server.signal(Signal::CONT);
    // A request whose body does not come holds the server up while it ends.
    let mut half = tokio::net::TcpStream::connect(ports.address(Service::McpHttp)).await.expect("a connection");
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nContent-Length: 9\r\n\r\n",
        bearer(TRADE_TOKEN)
    );
    half.write_all(head.as_bytes()).await.expect("a request");
    let ended = tokio::spawn(server.stop(Signal::TERM));
    until("the other services to drain", async || refuses(ports.of(Service::Prometheus)).then_some(())).await;
    matrix.expect("protocol.unhealthy", "a server that drains", test(&home, "health", &[])).await;
    drop(half);
    ended.await.expect("the server ends");
}
