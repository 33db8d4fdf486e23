//! Pages in a real browser: one of somebody else can open nothing and read nothing, whatever it knows.

use cwts_domain::Service;
use cwts_tests::{Embedded, OWNER_TOKEN, TRADE_TOKEN, bearer, in_browser, send_exactly};
use serde_json::{Value, json};

/// Tries everything that a page can try, also with tokens that it should not have.
fn attempts(embedded: &Embedded) -> String {
    let port = |service| embedded.port(service);
    let (websocket, http) = (port(Service::McpWebsocket), port(Service::McpHttp));
    let (metrics, health) = (port(Service::Prometheus), port(Service::Health));
    format!(
        "
        const found = {{}};
        const open = (name, url) => new Promise((done) => {{
            const socket = new WebSocket(url, 'mcp');
            socket.onopen = () => {{ found[name] = 'open'; socket.close(); done(); }};
            socket.onerror = () => {{ found[name] = 'refused'; done(); }};
        }});
        const read = async (name, url, options) => {{
            try {{
                const answer = await fetch(url, options);
                found[name] = answer.type === 'opaque' ? 'opaque' : 'read ' + answer.status;
            }} catch {{ found[name] = 'refused'; }}
        }};
        const authorization = 'Bearer {OWNER_TOKEN}';
        const body = JSON.stringify({{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {{}} }});
        await open('websocket', 'ws://127.0.0.1:{websocket}/mcp?token={TRADE_TOKEN}');
        await open('websocket by name', 'ws://localhost:{websocket}/?token={TRADE_TOKEN}');
        await read('rest', 'http://127.0.0.1:{http}/api/v1/status', {{ headers: {{ authorization }} }});
        await read('rest with cookies', 'http://127.0.0.1:{http}/api/v1/status', {{ credentials: 'include' }});
        await read('arm', 'http://127.0.0.1:{http}/api/v1/trading/arm', {{ method: 'POST', headers: {{ authorization }} }});
        await read('mcp', 'http://127.0.0.1:{http}/mcp', {{ method: 'POST', headers: {{ authorization, 'content-type': 'application/json' }}, body }});
        await read('mcp, simple', 'http://127.0.0.1:{http}/mcp', {{ method: 'POST', mode: 'no-cors', body }});
        await read('metrics', 'http://127.0.0.1:{metrics}/metrics');
        await read('health', 'http://127.0.0.1:{health}/health');
        await tell(found);"
    )
}

fn refused(embedded: &Embedded, service: Service, reason: &str) -> u64 {
    embedded.instance().metrics().refused.with_label_values(&[service.id(), reason]).get()
}

#[tokio::test]
async fn a_page_of_somebody_else_opens_no_websocket_and_reads_nothing() {
    let embedded = Embedded::start().await;
    let Some(found) = in_browser("evil.example", &attempts(&embedded)).await else { return };
    let expected = json!({
        "websocket": "refused",
        "websocket by name": "refused",
        "rest": "refused",
        "rest with cookies": "refused",
        "arm": "refused",
        "mcp": "refused",
        // The request leaves, the answer is 403, and not even that is to be read.
        "mcp, simple": "opaque",
        "metrics": "refused",
        "health": "refused",
    });
    assert_eq!(found, expected, "with valid tokens at that");
    for service in Service::ALL {
        assert!(refused(&embedded, service, "origin") > 0, "it was {service} that refused, not the browser alone");
    }
}

#[tokio::test]
async fn a_page_of_this_computer_may_open_the_websocket_and_reads_nothing_without_cors() {
    let embedded = Embedded::start().await;
    let Some(found) = in_browser("localhost", &attempts(&embedded)).await else { return };
    assert_eq!(found["websocket"], "open", "else the refusals of the foreign page would prove nothing: {found}");
    for name in ["rest", "metrics", "health", "arm"] {
        assert_eq!(found[name], "refused", "no CORS header lets {name} be read: {found}");
    }
}

#[tokio::test]
async fn a_rebound_name_reads_nothing() {
    let embedded = Embedded::start().await;
    let http = embedded.port(Service::McpHttp);
    // The page's own name is made to lead to the services: the browser takes them for the page's own server.
    let script = format!(
        "const found = {{}};
        for (const [name, port] of Object.entries({})) {{
            const socket = new WebSocket(`ws://rebound.example:${{port}}/mcp?token={TRADE_TOKEN}`);
            await new Promise((done) => {{ socket.onopen = () => done(found[name] = 'open'); socket.onerror = () => done(found[name] = 'refused'); }});
        }}
        const frame = await fetch('http://rebound.example:{http}/api/v1/status', {{ mode: 'no-cors', headers: {{}} }}).catch(() => null);
        found.status = frame?.type ?? 'refused';
        await tell(found);",
        json!({ "websocket": embedded.port(Service::McpWebsocket), "http": http })
    );
    let Some(found) = in_browser("rebound.example", &script).await else { return };
    assert_eq!((&found["websocket"], &found["http"]), (&Value::from("refused"), &Value::from("refused")), "{found}");
    assert!(refused(&embedded, Service::McpHttp, "host") > 0, "by its Host");
    let host = format!("rebound.example:{http}");
    let headers = [("Host", &*host), ("Authorization", &bearer(OWNER_TOKEN))];
    let reply = send_exactly(http, "GET", "/api/v1/status", &headers, "").await;
    assert_eq!(reply.problem(403), "host_refused", "whatever token comes with it");
}
