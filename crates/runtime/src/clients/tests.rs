use cwts_config::{Environment, InstanceId, Settings, Sources};
use cwts_credentials::{Imported, Scope, TlsStore, TokenStore};
use cwts_domain::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::names::server_names;

/// A home with its settings, on this computer alone.
struct Home {
    folder: TempDir,
    sources: Sources,
    settings: Settings,
}

impl Home {
    fn new(instance: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let id: InstanceId = instance.parse().unwrap();
        let sources = Sources::new(folder.path(), id, None, Environment::empty()).unwrap();
        Self { folder, sources, settings: Settings::default() }
    }

    /// Bound to an address of a network, with TLS.
    fn exposed() -> Self {
        let mut home = Self::new("desk");
        home.settings.mcp_bind_addr.value = "192.168.1.20".parse().unwrap();
        home.settings.monitoring_bind_addr.value = "192.168.1.20".parse().unwrap();
        home.settings.tls.value = cwts_config::TlsMode::On;
        let names = server_names(&home.settings, &[]).unwrap();
        TlsStore::new(&home.sources.data()).make("desk", &names, SystemClock.now(), Imported::Keep).unwrap();
        home
    }

    fn facts(&self) -> ClientFacts {
        ClientFacts::gather(&self.sources, &self.settings, |service| self.settings.socket_addr(service)).unwrap()
    }

    fn token(&self, scope: Scope) -> String {
        TokenStore::new(&self.sources.data()).open_or_make().unwrap().get(scope).secret.expose().to_owned()
    }

    fn authority(&self) -> String {
        path_text(&TlsStore::new(&self.sources.data()).authority_file())
    }
}

/// Every client with each of its transports.
fn all() -> impl Iterator<Item = (ClientProgram, Transport)> {
    ClientProgram::ALL
        .into_iter()
        .flat_map(|client| client.transports().iter().map(move |transport| (client, *transport)))
}

#[test]
fn json_is_what_the_programs_read() {
    let home = Home::new("default");
    let (facts, token) = (home.facts(), home.token(Scope::Trade));
    let read = |client, transport| {
        let text = facts.snippet(client, Some(transport), None, true).text;
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{client:?}: {error} in {text}"))
    };
    let desktop = read(ClientProgram::ClaudeDesktop, Transport::Stdio)["mcpServers"]["cwts-ultra"].take();
    let words: Vec<&str> = desktop["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        words,
        ["--home", home.folder.path().to_str().unwrap(), "mcp-stdio"],
        "the command needs no environment"
    );
    assert!(
        desktop["command"].as_str().unwrap().starts_with('/'),
        "a desktop program has no PATH of a shell: {desktop}"
    );
    let cursor = read(ClientProgram::Cursor, Transport::Http)["mcpServers"]["cwts-ultra"].take();
    assert_eq!(cursor["url"], "http://127.0.0.1:3001/mcp", "Cursor takes a url");
    assert_eq!(cursor["headers"]["Authorization"], format!("Bearer {token}"), "and headers");
    let code = read(ClientProgram::VsCode, Transport::Http)["servers"]["cwts-ultra"].take();
    assert_eq!((&code["type"], &code["url"]), (&"http".into(), &cursor["url"]), "VS Code names the type");
    let stdio = read(ClientProgram::VsCode, Transport::Stdio)["servers"]["cwts-ultra"].take();
    assert_eq!((&stdio["type"], &stdio["args"]), (&"stdio".into(), &desktop["args"]), "and starts the same command");
    assert_eq!(read(ClientProgram::Cursor, Transport::Stdio)["mcpServers"]["cwts-ultra"], desktop, "as Cursor does");
}

#[test]
fn a_token_shows_only_where_the_whole_text_is_asked_for() {
    let home = Home::new("default");
    let facts = home.facts();
    for (client, transport) in all() {
        let (hidden, whole) =
            (facts.snippet(client, Some(transport), None, false), facts.snippet(client, Some(transport), None, true));
        for scope in Scope::ALL {
            assert!(!format!("{hidden:?}").contains(&home.token(scope)), "{client} over {transport} shows a token");
        }
        let needs = transport != Transport::Stdio && client != ClientProgram::Prometheus;
        assert_eq!(whole.text.contains(&home.token(Scope::Trade)), needs, "{client} over {transport}: {}", whole.text);
        assert!(!whole.text.contains(&home.token(Scope::Owner)), "no client is the owner");
        assert_eq!(hidden.text.contains("••••"), needs, "what is hidden is seen to be");
        assert!(hidden.marks.iter().all(|mark| hidden.text.contains(mark)), "marks are parts of the text");
    }
}

#[test]
fn another_computer_is_given_its_address_tls_and_the_authority() {
    let home = Home::exposed();
    let facts = home.facts();
    for (client, transport) in all() {
        let snippet = facts.snippet(client, Some(transport), None, true);
        if transport == Transport::Stdio {
            assert_eq!(snippet.place, Place::Here, "{client} starts a program of this computer");
            assert!(snippet.text.contains("--instance") && snippet.text.contains("desk"), "of the right instance");
            continue;
        }
        assert_eq!(snippet.place, Place::Network, "what is exposed is meant for others");
        let scheme = match transport {
            Transport::WebSocket => "wss://192.168.1.20:3000/mcp",
            Transport::Scrape => "scheme: https",
            _ => "https://192.168.1.20:3001/",
        };
        assert!(snippet.text.contains(scheme), "{client} over {transport}: {}", snippet.text);
        let notes = snippet.notes.iter().filter(|note| note.attention).map(|note| note.text.as_str());
        let told = format!("{}{}", snippet.text, notes.collect::<String>());
        assert!(told.contains(&home.authority()), "{client} has to trust the authority: {told}");
        let here = facts.snippet(client, Some(transport), Some(Place::Here), true);
        assert!(!here.text.contains("wss:") && !here.text.contains("https:"), "plain text stays for this computer");
        assert!(!here.text.contains("ca.pem"), "which needs no authority: {}", here.text);
    }
    let scrape = facts.snippet(ClientProgram::Prometheus, None, None, true);
    assert!(scrape.text.contains(&home.token(Scope::Metrics)), "a scrape from elsewhere presents its token");
}

#[test]
fn without_tls_only_this_computer_gets_a_text() {
    let mut home = Home::new("default");
    home.settings.mcp_bind_addr.value = "0.0.0.0".parse().unwrap();
    let snippet = home.facts().snippet(ClientProgram::Python, None, Some(Place::Network), true);
    assert_eq!(snippet.place, Place::Here, "other computers would be refused");
    assert!(snippet.text.contains("ws://127.0.0.1:3000/mcp?token="), "nobody connects to 0.0.0.0: {}", snippet.text);
}

#[test]
fn without_tokens_no_text_has_one() {
    let mut home = Home::new("default");
    home.settings.auth.value = cwts_config::AuthMode::None;
    let facts = home.facts();
    for (client, transport) in all() {
        let text = facts.snippet(client, Some(transport), None, true).text;
        assert!(!text.contains("cwts_") || text.contains("cwts_ultra"), "{client} over {transport}: {text}");
        assert!(!text.contains("Authorization"), "an empty header would be refused: {text}");
    }
}

#[test]
fn a_change_says_what_was_given_out_and_no_longer_fits() {
    let mut home = Home::exposed();
    std::fs::create_dir_all(home.sources.data()).unwrap();
    let data = home.sources.data();
    let give = |home: &Home, client| {
        let facts = home.facts();
        Issued::remember(&data, &facts, &facts.snippet(client, None, None, true)).unwrap();
    };
    for client in [ClientProgram::ClaudeDesktop, ClientProgram::Python, ClientProgram::Prometheus] {
        give(&home, client);
    }
    assert_eq!(Issued::stale(&data, || Some(home.facts())), [], "nothing has changed");

    home.settings.mcp_port.value = 5010;
    let stale = Issued::stale(&data, || Some(home.facts()));
    assert_eq!(stale.len(), 1, "only Python asks that port, and Claude Desktop asks none: {stale:?}");
    let told = "It has wss://192.168.1.20:3000/mcp; now it is wss://192.168.1.20:5010/mcp.";
    assert_eq!((stale[0].name.as_str(), stale[0].reason.as_str()), ("Python SDK", told), "what changed");
    give(&home, ClientProgram::Python);
    assert_eq!(Issued::stale(&data, || Some(home.facts())), [], "a new copy takes the place of the old one");

    TokenStore::new(&data).rotate(&[Scope::Metrics]).unwrap();
    let stale = Issued::stale(&data, || Some(home.facts()));
    assert_eq!(stale.len(), 1, "one token, one client: {stale:?}");
    assert_eq!((stale[0].client, stale[0].reason.as_str()), (ClientProgram::Prometheus, "The token was replaced."));

    home.settings.tls.value = cwts_config::TlsMode::Off;
    let stale = Issued::stale(&data, || Some(home.facts()));
    assert!(
        stale.iter().all(|one| one.reason == "Other computers are no longer served.") && stale.len() == 2,
        "{stale:?}"
    );
    Issued::forget(&data, ClientProgram::Prometheus, Transport::Scrape, Place::Network).unwrap();
    assert_eq!(Issued::stale(&data, || Some(home.facts())).len(), 1, "what is no longer used can be forgotten");
    let file = std::fs::read_to_string(data.join("clients.json")).unwrap();
    assert!(!file.contains("cwts_"), "the file holds no token: {file}");
}

#[test]
fn a_wrong_name_is_answered_with_the_names() {
    for client in ClientProgram::ALL {
        assert_eq!(client.id().parse(), Ok(client), "what is listed can be typed");
        assert_eq!(serde_json::to_value(client).unwrap(), client.id(), "the wire has the same word");
    }
    for transport in [Transport::Stdio, Transport::Http, Transport::WebSocket, Transport::Rest, Transport::Scrape] {
        assert_eq!(serde_json::to_value(transport).unwrap(), transport.id(), "the wire has the same word");
    }
    let refused = "emacs".parse::<ClientProgram>().unwrap_err().to_string();
    assert!(refused.contains("claude-desktop") && refused.contains("curl"), "{refused}");
}

#[test]
fn other_computers_get_the_address_as_a_code_without_the_token() {
    let facts = Home::exposed().facts();
    let snippet = |place| facts.snippet(ClientProgram::Python, None, Some(place), true);
    let code = snippet(Place::Network).address.expect("other computers are served");
    assert_eq!(code.text, "wss://192.168.1.20:3000/mcp", "who reads it from the screen gets no token");
    // 27 bytes at level M take version 3, which has 29 modules on a side; each of the three corners is a square of 7.
    assert_eq!(code.side, 29, "no larger than the address needs");
    assert!(code.path.starts_with("M0 0h7v1h-7z") && code.path.contains("M22 0h7v1h-7z"), "{}", code.path);
    assert_eq!(snippet(Place::Here).address, None, "nobody carries an address of loopback elsewhere");
}
