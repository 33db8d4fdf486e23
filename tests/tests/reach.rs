//! A person decides who may reach an instance: in one step with what protects it, or not at all.

use std::path::PathBuf;
use std::sync::Arc;

use cwts_config::{Environment, Key};
use cwts_domain::{ErrorCode, Problem, Service, Step};
use cwts_runtime::{
    Actor, Exposure, Instance, PemSource, ReachEdit, SaveTarget, Scope, SettingChange, Snapshot, Surroundings,
};
use cwts_tests::{
    Embedded, Faults, Home, McpClient, PortHolder, Ports, THIS_END, TRADE_TOKEN, absent_address, answers, bearer, get,
    lay_cable, remote, sandboxed, shell, shown_fingerprint, until,
};
use serde_json::json;

/// A change as a person makes it who looks at the present state.
fn edit(instance: &Instance, mcp: Option<&str>, protect: bool) -> ReachEdit {
    let mcp = mcp.map(|address| address.parse().expect("an address"));
    let expected_revision = instance.snapshot().revision;
    ReachEdit {
        expected_revision,
        mcp,
        monitoring: None,
        allowed_hosts: None,
        protect,
        names: vec!["studio.lan".to_owned()],
    }
}

async fn reach(instance: &Instance, mcp: &str, protect: bool) -> Result<Snapshot, Problem> {
    instance.set_reach(edit(instance, Some(mcp), protect)).await
}

fn certificate(home: &Home) -> PathBuf {
    home.path().join("data/default/tls/server.pem")
}

#[tokio::test]
async fn one_step_makes_what_protects_and_lets_others_in() {
    if !sandboxed(one_step_makes_what_protects_and_lets_others_in).await {
        return;
    }
    lay_cable().await;
    let embedded = Embedded::start().await;
    let (instance, http) = (embedded.instance(), embedded.port(Service::McpHttp));
    let exposed = reach(instance, THIS_END, true).await.expect("certificate, TLS, token and address in one step");
    assert_eq!(exposed.security.mcp, Exposure::ReadOnly, "others are served, and trading waits");
    assert_eq!(exposed.security.monitoring, Exposure::Local, "nobody asked for the other ports");
    let view = instance.security().await.expect("a look");
    let made = view.certificate.expect("a certificate was made");
    assert!(made.missing.is_empty(), "it names the address: {made:?}");
    assert!(made.info.names.contains(&"studio.lan".to_owned()), "and the name that clients use: {made:?}");
    let address = format!("{THIS_END}:{http}");
    assert_eq!(shown_fingerprint(&address).await, made.info.fingerprint, "what the panel shows is what clients see");
    let authority = made.authority.expect("it was issued here").file.display().to_string();
    let (token, url) = (format!("Authorization: {}", bearer(TRADE_TOKEN)), format!("https://{address}/api/v1/status"));
    let (status, seen) = remote(&["--cacert", &authority, "-H", &token, &url]).await;
    assert_eq!((status, &seen["security"]["mcp"]["state"]), (200, &json!("read_only")), "the other computer: {seen}");

    let websocket = format!("ws://{THIS_END}:{}/mcp", embedded.port(Service::McpWebsocket));
    let mut client = McpClient::connect(&websocket).await;
    let order = json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": 1 });
    let refused = client.call("place_order", order.clone()).await.error();
    assert!(refused.contains("read-only until the person arms it"), "{refused}");
    assert_eq!(instance.arm_trading(true, Actor::Panel).await.expect("a person arms").security.mcp, Exposure::Armed);
    client.call("place_order", order.clone()).await.ok();
    assert_eq!(instance.arm_trading(false, Actor::Panel).await.expect("and disarms").security.mcp, Exposure::ReadOnly);
    client.call("place_order", order).await.error();

    instance.rotate_tokens(vec![Scope::Trade]).await.expect("a new token");
    assert_eq!(client.socket().close_code().await, 1008, "what the old token opened is closed");
    assert_eq!(remote(&["--cacert", &authority, "-H", &token, &url]).await.0, 401, "and the old token is refused");
    let token = instance.reveal_token(Scope::Trade).await.expect("the new one");
    let header = format!("Authorization: {}", bearer(&token));
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 200, "the new one opens");

    let told = instance.audit_page(None, 50).await.expect("the trail").records;
    let told: Vec<_> = told.iter().rev().map(|record| json!(record)["action"].clone()).collect();
    let place = |action: &str| told.iter().position(|it| it == action);
    let (made, widened) = (place("certificate_made"), place("reach_widened"));
    assert!(
        made.is_some() && made < widened,
        "the trail has what was done in the order in which it was done: {told:?}"
    );

    let local = reach(instance, "127.0.0.1", false).await.expect("back");
    assert_eq!(local.security.mcp, Exposure::Local, "this computer only");
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 0, "nobody answers there any more");
    let failed = instance.arm_trading(true, Actor::Panel).await.expect_err("there is nothing to arm");
    assert_eq!(failed.code, ErrorCode::WrongState, "{failed}");
}

#[tokio::test]
async fn what_cannot_be_bound_exposes_and_turns_on_nothing() {
    let embedded = Embedded::start().await;
    let instance = embedded.instance();
    let (before, toml) = (instance.snapshot(), embedded.home().toml());
    let failed =
        reach(instance, &absent_address().to_string(), true).await.expect_err("it is no address of this computer");
    assert_eq!(failed.code, ErrorCode::AddressUnavailable, "{failed}");
    let after = instance.snapshot();
    assert_eq!((after.security, embedded.home().toml()), (before.security, toml), "neither TLS nor the address");
    assert!(!certificate(embedded.home()).exists(), "nor a certificate: nothing has changed");
    let authority = embedded.home().path().join("data/default/tls/ca.pem");
    assert!(!authority.exists(), "nor an authority that clients might be told to trust");

    let outdated = ReachEdit { expected_revision: 0, ..edit(instance, Some("127.0.0.2"), false) };
    let failed = instance.set_reach(outdated).await.expect_err("somebody else changed the settings");
    assert_eq!(failed.code, ErrorCode::RevisionConflict, "{failed}");
}

#[tokio::test]
async fn an_outdated_look_makes_no_certificate() {
    let embedded = Embedded::start().await;
    let outdated = ReachEdit { expected_revision: 0, ..edit(embedded.instance(), Some("127.0.0.2"), true) };
    embedded.instance().set_reach(outdated).await.expect_err("the person has not seen the latest change");
    assert!(!certificate(embedded.home()).exists(), "what was refused has left nothing behind");
}

#[tokio::test]
async fn each_address_is_saved_where_it_is_decided() {
    let home = Home::with(&Ports::free());
    home.write_env("export MONITORING_BIND_ADDR=127.0.0.1\n");
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let instance = embedded.instance();
    let both = ReachEdit { monitoring: "127.0.0.3".parse().ok(), ..edit(instance, Some("127.0.0.2"), false) };
    let moved = instance.set_reach(both).await.expect("both move");
    let addresses: Vec<String> = moved.services.iter().map(|service| service.address.value.to_string()).collect();
    assert_eq!(addresses, ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.3"], "as chosen");
    assert!(embedded.home().env().contains("MONITORING_BIND_ADDR=127.0.0.3"), "the line that wins was changed");
    assert!(embedded.home().toml().contains("bind_addr = \"127.0.0.2\""), "the other one is in production.toml");
}

#[tokio::test]
async fn when_the_second_file_cannot_be_saved_nothing_is_exposed() {
    let home = Home::with(&Ports::free());
    home.write_env("export MONITORING_BIND_ADDR=127.0.0.1\n");
    let faults = Arc::new(Faults::default());
    let surroundings = Surroundings { checkpoints: faults.clone(), ..Surroundings::default() };
    let embedded = Embedded::open_in(surroundings, home, Environment::empty());
    embedded.instance().start().await.expect("the instance starts");
    let instance = embedded.instance();
    let both = || ReachEdit { monitoring: "127.0.0.3".parse().ok(), ..edit(instance, Some("127.0.0.2"), true) };
    let (before, toml, env) = (instance.snapshot(), embedded.home().toml(), embedded.home().env());
    // A step of the second file, then the steps after both were saved.
    for (passes, step) in [(1, Step::Save), (1, Step::SaveWritten), (1, Step::SaveRenamed), (0, Step::Switch)] {
        faults.refuse_after(passes, step);
        instance.set_reach(both()).await.expect_err("the system refused");
        let after = instance.snapshot();
        assert_eq!((&after.services, &after.security), (&before.services, &before.security), "{step:?}: as before");
        assert_eq!(
            (embedded.home().toml(), embedded.home().env()),
            (toml.clone(), env.clone()),
            "{step:?}: both files"
        );
        assert!(!certificate(embedded.home()).exists(), "{step:?}: the certificate is taken back too");
    }
    faults.end();
    let moved = instance.set_reach(both()).await.expect("nothing is left in the way");
    assert_eq!(moved.services[2].address.value.to_string(), "127.0.0.3", "{moved:?}");
    let told = instance.audit_page(None, 50).await.expect("the trail").records;
    let made = told.iter().filter(|it| it.entry.subject == "certificate").count();
    assert_eq!(made, 1, "what was taken back was never made: {told:?}");
}

#[tokio::test]
async fn what_the_environment_decides_is_refused_with_the_variable() {
    let environment = Environment::from_iter([("MCP_BIND_ADDR", "127.0.0.2")]);
    let embedded = Embedded::start_in(Home::with(&Ports::free()), environment).await;
    let failed = reach(embedded.instance(), "127.0.0.1", false).await.expect_err("a file would have no effect");
    assert_eq!(failed.code, ErrorCode::Shadowed, "{failed}");
    assert!(failed.to_string().contains("Unset MCP_BIND_ADDR"), "the way out: {failed}");
}

#[tokio::test]
async fn switching_the_token_off_ends_with_the_exposure_and_protection_switches_it_on() {
    let embedded = Embedded::start().await;
    let instance = embedded.instance();
    embedded.change([SettingChange::set(Key::Auth, "none")], SaveTarget::Toml).await.expect("on loopback only");
    let notice = instance.snapshot().findings.iter().any(|finding| finding.title == "No token is asked for");
    assert!(notice, "a standing notice: {:?}", instance.snapshot().findings);
    let failed = reach(instance, "0.0.0.0", false).await.expect_err("no token beyond loopback");
    assert_eq!(failed.field.as_deref(), Some("mcp.bind_addr"), "{failed}");
    let exposed = reach(instance, "0.0.0.0", true).await.expect("with the token it can be");
    assert_eq!(exposed.security.mcp, Exposure::ReadOnly, "the token is asked for again: {:?}", exposed.security);
}

#[tokio::test]
async fn an_imported_certificate_is_kept_until_a_person_lets_it_go() {
    let embedded = Embedded::start().await;
    let (instance, home) = (embedded.instance(), embedded.home().path().display().to_string());
    let make = |name: &str| {
        format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN={name} \
             -addext subjectAltName=DNS:{name} -keyout {home}/{name}.key -out {home}/{name}.pem 2>/dev/null"
        )
    };
    for name in ["studio.lan", "other.lan"] {
        assert_eq!(shell(&make(name)).await.status, Some(0), "openssl makes {name}");
    }
    let file = |name: &str| PemSource::File { path: format!("{home}/{name}").into() };
    let text = |name: &str| PemSource::Text {
        text: std::fs::read_to_string(format!("{home}/{name}")).expect("a file of this test"),
    };
    let failed = instance.import_certificate(text("studio.lan.pem"), text("other.lan.key")).await;
    let failed = failed.expect_err("the key is of another certificate").to_string();
    assert!(failed.contains("does not belong to the certificate of studio.lan"), "what is wrong: {failed}");
    assert!(failed.contains("openssl pkey -pubout"), "and how to see it: {failed}");
    instance.import_certificate(file("studio.lan.pem"), text("studio.lan.key")).await.expect("they fit");

    let failed = instance.make_certificate(Vec::new(), false).await.expect_err("a key would be lost");
    assert_eq!(failed.code, ErrorCode::WrongState, "{failed}");
    reach(instance, "127.0.0.2", true).await.expect("TLS with the imported one");
    let address = format!("127.0.0.2:{}", embedded.port(Service::McpHttp));
    let view = instance.security().await.expect("a look");
    let shown = view.certificate.expect("a certificate");
    assert_eq!((shown.info.subject.as_str(), shown.authority), ("studio.lan", None), "the one that was imported");
    assert_eq!(shown_fingerprint(&address).await, shown.info.fingerprint, "is what clients see");
    let failed = instance.remove_certificate().await.expect_err("TLS needs it");
    assert!(failed.to_string().contains("Turn TLS off first"), "{failed}");
    instance.make_certificate(Vec::new(), true).await.expect("when a person asks for it");
    assert_ne!(shown_fingerprint(&address).await, shown.info.fingerprint, "new connections see the new one at once");
}

#[tokio::test]
async fn an_address_that_leaves_is_said_waited_for_and_bound_again() {
    if !sandboxed(an_address_that_leaves_is_said_waited_for_and_bound_again).await {
        return;
    }
    lay_cable().await;
    let embedded = Embedded::start().await;
    let (instance, http) = (embedded.instance(), embedded.port(Service::McpHttp));
    reach(instance, THIS_END, true).await.expect("exposed");
    instance.arm_trading(true, Actor::Panel).await.expect("armed");
    let toml = embedded.home().toml();

    assert_eq!(shell("ip addr del 192.168.50.1/24 dev server").await.status, Some(0), "the network is left");
    let away = THIS_END.parse().ok();
    until("loopback instead", async || (instance.snapshot().security.mcp_away == away).then_some(())).await;
    let here = ([127, 0, 0, 1], http).into();
    until("a socket on loopback", async || answers(Service::McpHttp, here).await.then_some(())).await;
    let left = instance.snapshot();
    assert_eq!(left.security.mcp, Exposure::Local, "nobody else is served");
    let said = left.findings.iter().find(|it| it.title == format!("{THIS_END} is not on this computer"));
    let said = said.unwrap_or_else(|| panic!("a person is told: {:?}", left.findings));
    assert_eq!(said.detail, "MCP listens on 127.0.0.1 until it is there.", "with what holds meanwhile");
    assert_eq!(embedded.home().toml(), toml, "what a person chose stays chosen");

    // A start without it does the same.
    instance.stop().await.expect("it stops");
    let started = instance.start().await.expect("what is bound elsewhere is no reason not to serve this computer");
    assert_eq!((started.security.mcp_away, started.security.mcp), (away, Exposure::Local), "on loopback, as before");
    assert!(answers(Service::McpHttp, here).await, "and served there");
    let health = get(embedded.port(Service::Health), "/health").await.json();
    let (status, check) = (&health["status"], &health["checks"]["services:running"][0]["output"]);
    let words = format!("{THIS_END} is not on this computer: MCP listens on 127.0.0.1 until it is.");
    assert_eq!((status, check), (&json!("warn"), &json!(words)), "a monitor is told too: {health}");

    let back = "ip addr add 192.168.50.1/24 dev server";
    assert_eq!(shell(back).await.status, Some(0), "the network is joined again");
    until("the address again", async || instance.snapshot().security.mcp_away.is_none().then_some(())).await;
    let again = instance.snapshot();
    assert_eq!(again.security.mcp, Exposure::ReadOnly, "exposed as before, and trading waits for a person again");
    let authority = embedded.home().path().join("data/default/tls/ca.pem").display().to_string();
    let (header, url) =
        (format!("Authorization: {}", bearer(TRADE_TOKEN)), format!("https://{THIS_END}:{http}/api/v1/status"));
    assert_eq!(remote(&["--cacert", &authority, "-H", &header, &url]).await.0, 200, "the other computer is served");

    assert_eq!(shell("ip addr del 192.168.50.1/24 dev server").await.status, Some(0), "the network is left again");
    until("loopback again", async || (instance.snapshot().security.mcp_away == away).then_some(())).await;
    reach(instance, "127.0.0.1", false).await.expect("a person stays local");
    until("nothing to wait for", async || instance.snapshot().security.mcp_away.is_none().then_some(())).await;
    assert!(embedded.home().toml().contains("bind_addr = \"127.0.0.1\""), "kept: {}", embedded.home().toml());
}

#[tokio::test]
async fn an_address_that_is_corrected_in_the_file_is_bound_without_a_start() {
    let (home, absent) = (Home::with(&Ports::free()), absent_address());
    home.write_env(&format!("export MCP_BIND_ADDR={absent}\n"));
    let embedded = Embedded::start_in(home, Environment::empty()).await;
    let (instance, http) = (embedded.instance(), embedded.port(Service::McpHttp));
    assert_eq!(instance.snapshot().security.mcp_away, Some(absent), "said");
    assert!(answers(Service::McpHttp, ([127, 0, 0, 1], http).into()).await, "and served on loopback");
    // In one step, as editors do: a file that is empty for a moment would choose loopback.
    let next = embedded.home().path().join("next.env");
    // Documentation addresses of IPv6 (RFC 3849).
    std::fs::write(&next, "export MCP_BIND_ADDR=2001:db8::7\n").expect("writable");
    std::fs::rename(&next, embedded.home().env_file()).expect("the same file system");
    let other = "2001:db8::7".parse().ok();
    until("the other address", async || (instance.snapshot().security.mcp_away == other).then_some(())).await;
    embedded.home().write_env("export MCP_BIND_ADDR=127.0.0.2\n");
    until("nothing to wait for", async || instance.snapshot().security.mcp_away.is_none().then_some(())).await;
    let right = ([127, 0, 0, 2], http).into();
    until("the right address", async || answers(Service::McpHttp, right).await.then_some(())).await;
}

#[tokio::test]
async fn a_start_that_fails_on_loopback_too_says_so_and_keeps_what_was_chosen() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let absent = absent_address();
    home.write_env(&format!("export MCP_BIND_ADDR={absent}\n"));
    let _holder = PortHolder::take(ports.of(Service::McpHttp)).await;
    let embedded = Embedded::open(home, Environment::empty());
    let failed = embedded.instance().start().await.expect_err("somebody else has the port");
    assert_eq!(failed.code, ErrorCode::PortTaken, "never on an address further out: {failed}");
    let snapshot = embedded.instance().snapshot();
    assert_eq!(snapshot.services[0].address.value, absent, "what was chosen stays chosen");
    assert_eq!(snapshot.security.mcp_away, None, "nothing is served, so nothing waits");
}
