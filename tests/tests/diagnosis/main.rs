//! Every cause of the connection test is produced for real and told from all others: programs, signals, firewalls, cables
//! between network namespaces, certificates.

mod causes;
mod encrypted;
mod limits;
mod local;
mod matrix;
mod network;
mod strangers;
mod traps;
mod walls;

use cwts_domain::Service;
use cwts_tests::{Embedded, Home, Ports, Server, command, finish, sandboxed, within};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use matrix::{Matrix, test};

/// All cases run in one network of their own, one after the other: several of them change its firewall.
#[tokio::test(flavor = "multi_thread")]
async fn every_cause_is_told_from_all_others() {
    if !sandboxed(every_cause_is_told_from_all_others).await {
        let mut matrix = Matrix::saved();
        walls::all(&mut matrix).await;
        matrix.print();
        matrix.assert_diagonal();
        return;
    }
    let mut matrix = Matrix::default();
    local::all(&mut matrix).await;
    network::all(&mut matrix).await;
    strangers::all(&mut matrix).await;
    encrypted::all(&mut matrix).await;
    limits::all(&mut matrix).await;
    traps::all(&mut matrix).await;
    matrix.save();
    matrix.assert_diagonal();
    matrix.assert_complete();
}

/// The words of a watch and the pipe that it writes into.
fn watch(home: &Home, words: &[&str]) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut watch = command(home);
    watch.args(["test", "health", "--watch"]).args(words);
    let mut child = watch.spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    (child, lines)
}

/// Reads until a line has the text.
async fn read_until(lines: &mut Lines<BufReader<ChildStdout>>, text: &str) {
    let found = async {
        while let Some(line) = lines.next_line().await.expect("a pipe can be read") {
            if line.contains(text) {
                return;
            }
        }
        panic!("the watch ended before it told {text:?}");
    };
    within(text, found).await;
}

#[tokio::test]
async fn a_watch_tells_each_change_until_it_is_ended_or_nobody_reads() {
    let home = Home::with(&Ports::free());
    let server = Server::start(&home).await;
    let (mut text, mut lines) = watch(&home, &[]);
    let (mut json, mut objects) = watch(&home, &["--json"]);
    read_until(&mut lines, "passed in").await;
    read_until(&mut objects, "\"ok\":true").await;
    server.stop(Signal::TERM).await;
    read_until(&mut lines, "tcp.refused_stopped").await;
    read_until(&mut objects, "\"code\":\"tcp.refused_stopped\"").await;
    let pid = text.id().and_then(|id| Pid::from_raw(id.cast_signed())).expect("it goes on");
    kill_process(pid, Signal::TERM).expect("a child of ours");
    let ended = within("the end of the watch", text.wait()).await.expect("a child");
    assert_eq!(ended.code(), Some(1), "the last look decides");
    drop(objects);
    let ended = within("the end of a watch that nobody reads", json.wait()).await.expect("a child");
    assert_eq!(ended.code(), Some(1), "it does not go on for nobody");
}

#[tokio::test]
async fn a_test_takes_no_room_among_the_activities() {
    let embedded = Embedded::start().await;
    let before = embedded.instance().activities();
    let exit = finish(test(embedded.home(), Service::McpWebsocket.id(), &["mcp-http", "--count", "3"])).await;
    assert_eq!(exit.status, Some(0), "the services are well: {exit:?}");
    assert_eq!(
        embedded.instance().activities(),
        before,
        "a test that goes on for hours must not push out what happened"
    );
}
