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
use cwts_tests::{Embedded, finish, sandboxed};

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
