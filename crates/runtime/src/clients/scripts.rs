//! Programs that a person writes: with the Python and TypeScript SDKs, and a strategy of FreqTrade.

use super::editors::node_authority;
use super::{Draft, Facts, Transport, literal, path_text};

/// A session of the official Python SDK.
pub(super) fn python(transport: Transport, facts: &Facts) -> Draft {
    let authority = facts.authority.as_deref().map(path_text);
    let trusted = authority.as_ref().map(|path| {
        format!("# The authority of this server's certificate.\nos.environ[\"SSL_CERT_FILE\"] = {}\n", literal(path))
    });
    let import_os = if authority.is_some() { "import os\n" } else { "" };
    let trusted = trusted.unwrap_or_default();
    let session = "ClientSession(read, write, client_info=AGENT) as session";
    let (imports, constants, connected) = match transport {
        Transport::WebSocket => (
            "from mcp.client.websocket import websocket_client\n".to_owned(),
            format!("URL = {}\n", literal(&facts.websocket_url_with_token())),
            format!("    async with websocket_client(URL) as (read, write), {session}:\n"),
        ),
        _ => (
            "from mcp.client.streamable_http import streamable_http_client\n".to_owned(),
            format!("URL = {}\nHEADERS = {}\n", literal(&facts.mcp_http_url()), headers(facts)),
            format!(
                "    async with (\n        httpx.AsyncClient(headers=HEADERS) as http,\n        streamable_http_client(URL, \
                 http_client=http) as (read, write, _),\n        {session},\n    ):\n"
            ),
        ),
    };
    let import_httpx = if transport == Transport::WebSocket { "" } else { "import httpx\n" };
    let text = format!(
        "import asyncio\n{import_os}\n{import_httpx}from mcp import ClientSession\n{imports}from mcp.types import \
         Implementation\n\n{trusted}{constants}AGENT = Implementation(name=\"my-agent\", version=\"1.0.0\")\n\n\nasync def \
         main():\n{connected}        await session.initialize()\n        result = await session.call_tool(\"get_account\", \
         {{}})\n        print(result.structuredContent)\n\n\nasyncio.run(main())"
    );
    let draft = Draft::new("agent.py", text).attention(authority.map(|_| facts.copy_authority()));
    match transport {
        Transport::WebSocket => draft
            .note("pip install 'mcp[ws]>=1.30,<2': later versions leave WebSocket out, and HTTP works with them.")
            .note("The token is in the URL, because a WebSocket of this SDK can set no header. Keep the file at mode 0600."),
        _ => draft.note("pip install 'mcp>=1.30,<2'").note("Keep the file at mode 0600: it holds the token."),
    }
}

/// The header that presents the token, as a Python or JavaScript object.
fn headers(facts: &Facts) -> String {
    let token = facts.token.as_ref();
    token.map_or("{}".to_owned(), |token| format!("{{\"Authorization\": \"Bearer {token}\"}}"))
}

/// A session of the official TypeScript SDK.
pub(super) fn typescript(transport: Transport, facts: &Facts) -> Draft {
    let (import, made) = match transport {
        Transport::WebSocket => (
            "import { WebSocketClientTransport } from \"@modelcontextprotocol/sdk/client/websocket.js\";",
            format!(
                "const url = new URL({});\nconst transport = new WebSocketClientTransport(url);",
                literal(&facts.websocket_url_with_token())
            ),
        ),
        _ => (
            "import { StreamableHTTPClientTransport } from \"@modelcontextprotocol/sdk/client/streamableHttp.js\";",
            format!(
                "const url = new URL({});\nconst headers = {};\nconst transport = new StreamableHTTPClientTransport(url, {{ \
                 requestInit: {{ headers }} }});",
                literal(&facts.mcp_http_url()),
                headers(facts)
            ),
        ),
    };
    let text = format!(
        "import {{ Client }} from \"@modelcontextprotocol/sdk/client/index.js\";\n{import}\n\n{made}\nconst client = new \
         Client({{ name: \"my-agent\", version: \"1.0.0\" }});\nawait client.connect(transport);\nconst result = await \
         client.callTool({{ name: \"get_account\", arguments: {{}} \
         }});\nconsole.log(JSON.stringify(result.structuredContent));\nawait client.close();"
    );
    let draft = Draft::new("client.ts", text).attention(node_authority(facts));
    match transport {
        Transport::WebSocket => draft
            .note("npm install @modelcontextprotocol/sdk@1. Node 22 and later have WebSocket; Node 20 has it with --experimental-websocket.")
            .note("The token is in the URL, because a WebSocket of this SDK can set no header. Keep the file at mode 0600."),
        _ => draft.note("npm install @modelcontextprotocol/sdk@1").note("Keep the file at mode 0600: it holds the token."),
    }
}

/// What a strategy takes in so that the fills of a dry run trade here too. FreqTrade calls `order_filled` after each fill
/// (FreqTrade, "Strategy Callbacks"). One request of MCP 2026-07-28 needs no session.
pub(super) fn freqtrade(facts: &Facts) -> Draft {
    let context = match &facts.authority {
        Some(path) => format!("TLS = ssl.create_default_context(cafile={})\n", literal(&path_text(path))),
        None => "TLS = None\n".to_owned(),
    };
    let import_ssl = if facts.authority.is_some() { "import ssl\n" } else { "" };
    let url = literal(&facts.mcp_http_url());
    let text = FREQTRADE
        .replace("IMPORT_SSL", import_ssl)
        .replace("SERVER_URL", &url)
        .replace("CONTEXT\n", &context)
        .replace("HEADERS_OF_TOKEN", &headers(facts));
    Draft::new("user_data/strategies/cwts_ultra.py", text)
        .attention(facts.authority.is_some().then(|| facts.copy_authority()))
        .note("In the strategy: `from cwts_ultra import CwtsUltra` and `class MyStrategy(CwtsUltra, IStrategy):`.")
        .note("FreqTrade trades on exchanges of ccxt only, so its dry run stays; each of its fills is traded here too.")
        .note("Keep the file at mode 0600: it holds the token.")
}

const FREQTRADE: &str = r#"import json
IMPORT_SSLimport urllib.request

URL = SERVER_URL
HEADERS = HEADERS_OF_TOKEN
CONTEXT
# Pairs of the bot and the symbols here; other pairs are left out.
SYMBOLS = {"BTC/USDT": "BTCUSD", "BTC/USD": "BTCUSD", "ETH/USDT": "ETHUSD", "ETH/USD": "ETHUSD"}


class CwtsUltra:
    """Trades every fill of a dry run on CWTS Ultra too."""

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        if pair in SYMBOLS:
            call_tool(
                "place_order",
                symbol=SYMBOLS[pair],
                side=order.ft_order_side,
                order_type="market",
                quantity=round(order.safe_filled, 4),
                client_order_id=f"freqtrade-{order.order_id}",
            )


def call_tool(name, **arguments):
    """Calls a tool of the server and returns what it answers. An order that is repeated is placed once."""
    version = "2026-07-28"
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": {"name": "freqtrade", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": name, "arguments": arguments, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        **HEADERS,
        "User-Agent": "freqtrade",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": version,
        "Mcp-Method": "tools/call",
        "Mcp-Name": name,
    }
    request = urllib.request.Request(URL, json.dumps(message).encode(), headers)
    with urllib.request.urlopen(request, timeout=10, context=TLS) as answer:
        lines = answer.read().decode().splitlines()
    data = next(line for line in reversed(lines) if line.startswith(("data: {", "{")))
    reply = json.loads(data.removeprefix("data: "))
    result = reply.get("result", {})
    if "error" in reply or result.get("isError"):
        raise RuntimeError(f"CWTS Ultra: {reply.get('error') or result['content'][0]['text']}")
    return result["structuredContent"]"#;
