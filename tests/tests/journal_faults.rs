//! A disk that is full and a byte that is flipped halt trading. Everything can be read, and nothing is lost.

use std::fs;
use std::path::PathBuf;

use cwts_domain::Service;
use cwts_tests::{
    Exit, Home, McpClient, Ports, Server, Socket, bearer, command, finish, get, send_exactly, skip_also_in_ci,
};
use rustix::process::{Signal, geteuid};
use serde_json::{Value, json};
use tokio::process::Command;

fn order(name: &str) -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 1, "price": 95, "client_order_id": name })
}

async fn cli(home: &Home, words: &[&str]) -> Exit {
    let mut command = command(home);
    command.args(words);
    finish(command).await
}

async fn ready(ports: &Ports) -> (u16, Value) {
    let reply = get(ports.of(Service::Health), "/health/ready").await;
    (reply.status, reply.json()["checks"]["journal:writable"][0].clone())
}

#[tokio::test]
async fn a_flipped_byte_halts_trading_until_the_file_is_sound_again() {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::start(&home).await;
    let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
    for name in ["first-of-three", "second-of-three", "third-of-three"] {
        client.call("place_order", order(name)).await.ok();
    }
    drop(server.stop(Signal::TERM).await);

    let path: PathBuf = home.path().join("data/default/journal.db");
    let sound = fs::read(&path).expect("a journal");
    let at = sound.windows(15).position(|found| found == b"second-of-three").expect("the name is in the file");
    let mut damaged = sound.clone();
    damaged[at] ^= 1;
    fs::write(&path, &damaged).expect("writable");

    let server = Server::start(&home).await;
    let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
    let refused = client.call("place_order", order("fourth")).await.error();
    assert!(
        refused.contains("journal.db is damaged after event") && refused.contains("backup"),
        "what and how: {refused}"
    );
    let state = client.call("get_trading_state", json!({})).await.ok();
    assert_eq!(state["state"], "halted", "whoever asks is told: {state}");
    let kept = client.call("get_order_status", json!({ "client_order_id": "first-of-three" })).await.ok();
    assert_eq!(kept["status"], "open", "what came before the damage can be read: {kept}");
    let (status, check) = ready(&ports).await;
    assert_eq!((status, &check["status"]), (503, &json!("fail")), "a monitor must see it: {check}");
    assert!(check["output"].as_str().is_some_and(|text| text.contains("damaged")), "with the reason: {check}");
    let resumed = cli(&home, &["resume"]).await;
    assert_eq!(resumed.status, Some(1), "a person cannot talk it away: {resumed:?}");
    drop(server.stop(Signal::TERM).await);
    assert!(fs::read(&path).expect("a journal") == damaged, "the file is left for a rescue as it was found");
    let checked = cli(&home, &["journal", "check"]).await;
    assert_eq!(checked.status, Some(1), "a look from outside sees it too: {checked:?}");
    assert!(checked.stderr.contains("has another checksum"), "and says what: {}", checked.stderr);

    fs::write(&path, &sound).expect("writable");
    let server = Server::start(&home).await;
    let mut client = McpClient::connect(server.url(Service::McpWebsocket)).await;
    let open = client.call("list_orders", json!({ "status": "open" })).await.ok();
    assert_eq!(open["orders"].as_array().map(Vec::len), Some(3), "all three are there: {open}");
    client.call("place_order", order("fourth")).await.ok();
    drop(server.stop(Signal::TERM).await);
}

/// The program with a disk of `size` as its data folder, in a mount namespace of its own.
fn on_small_disk(home: &Home, size: &str) -> Command {
    let inner = command(home);
    let program = inner.as_std().get_program().to_owned();
    let mut outer = Command::new("unshare");
    let data = home.path().join("data");
    let mount = format!("mount -t tmpfs -o size={size},mode=700 tmpfs \"$1\" && shift && exec \"$@\" run");
    outer.args(["--mount", "--", "sh", "-c", &mount, "small-disk"]).arg(data).arg(program);
    outer.env_clear().envs(inner.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    outer.kill_on_drop(true);
    outer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_halts_trading_until_there_is_room() {
    if !geteuid().is_root() {
        return skip_also_in_ci("only root mounts a small disk in a namespace of its own");
    }
    let ports = Ports::free();
    let home = Home::with(&ports);
    let server = Server::launch(on_small_disk(&home, "768k")).await;
    // The tokens are on the small disk too.
    let inside = |words: &[&str]| {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &server.pid().to_string(), "--"]).args(words).kill_on_drop(true);
        finish(command)
    };
    let data = home.path().join("data/default");
    let token = |scope: &str| data.join("tokens").join(scope).display().to_string();
    let trade = inside(&["cat", &token("trade")]).await.stdout.trim().to_owned();
    let owner = inside(&["cat", &token("owner")]).await.stdout.trim().to_owned();
    let url = format!("{}?token={trade}", server.url(Service::McpWebsocket));
    let (socket, _) = Socket::open_exactly(&url, &[]).await.expect("the token of the small disk is right");
    let mut client = McpClient::initialize(socket).await;
    let mut acknowledged = Vec::new();
    let refused = loop {
        let name = format!("n{}", acknowledged.len());
        let answer = client.call("place_order", order(&name)).await;
        if answer.0["isError"] == true {
            break answer.error();
        }
        acknowledged.push((name, answer.ok()["order_id"].clone()));
        assert!(acknowledged.len() < 9_000, "768 KiB are soon full");
        client.call("cancel_all_orders", json!({})).await;
    };
    assert!(refused.contains("trading is halted: the disk of") && refused.contains("is full"), "what: {refused}");
    assert!(refused.contains("Free some space") && refused.contains("resume"), "and what to do: {refused}");
    let (status, check) = ready(&ports).await;
    assert_eq!((status, &check["status"]), (503, &json!("fail")), "a monitor must see it: {check}");
    let (last, id) = acknowledged.last().expect("some orders fit");
    let kept = client.call("get_order_status", json!({ "client_order_id": last })).await.ok();
    assert_eq!(&kept["order_id"], id, "everything can be read");
    let taken_back = format!("n{}", acknowledged.len());
    client.call("get_order_status", json!({ "client_order_id": taken_back })).await.error();
    let bearer = bearer(&owner);
    let resume = async || {
        let owner = [("Authorization", &*bearer), ("Host", "localhost")];
        send_exactly(ports.of(Service::McpHttp), "POST", "/api/v1/trading/resume", &owner, "").await
    };
    assert_eq!(resume().await.problem(503), "journal_failed", "there is no room yet");

    let data = home.path().join("data").display().to_string();
    let remounted = inside(&["mount", "-o", "remount,size=64m", &data]).await;
    assert_eq!(remounted.status, Some(0), "{}", remounted.stderr);
    let resumed = resume().await;
    assert_eq!(resumed.status, 200, "there is room: {}", resumed.body);
    let (status, _) = ready(&ports).await;
    assert_eq!(status, 200, "and a monitor is at ease again");
    let next = client.call("place_order", order("after")).await.ok();
    assert_eq!(next["status"], "open", "trading goes on");
    for (name, id) in acknowledged.iter().rev().take(500) {
        let kept = client.call("get_order_status", json!({ "client_order_id": name })).await.ok();
        assert_eq!(&kept["order_id"], id, "what was acknowledged is there");
    }
    drop(server.stop(Signal::TERM).await);
}
