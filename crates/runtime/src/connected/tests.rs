use super::*;

fn new(user_agent: &str) -> NewClient {
    NewClient {
        service: Service::Prometheus,
        link: Link::Connection,
        address: "192.168.1.40".parse().unwrap(),
        scope: None,
        user_agent: Some(user_agent.to_owned()),
        at: Timestamp(5_000_000),
        end: CancellationToken::new(),
    }
}

#[test]
fn a_client_is_known_by_what_it_calls_itself() {
    let clients = ConnectedClients::default();
    let scraper = clients.add(new("Prometheus/3.1.0 (linux)"));
    let nameless = clients.add(new(" \n"));
    let listed = clients.list().clients;
    assert_eq!((listed[0].name.as_str(), listed[0].version.as_deref()), ("Prometheus", Some("3.1.0")), "its product");
    assert_eq!((listed[1].name.as_str(), listed[1].since), ("A client", 5), "a nameless client is still somebody");
    nameless.introduce("my\nagent\u{1b}[31m", &"1".repeat(500));
    let listed = clients.list().clients;
    assert_eq!(listed[1].name, "myagent[31m", "a name must stay on its line");
    assert_eq!(listed[1].version.as_deref().map(str::len), Some(60), "and be short");
    drop(scraper.clone());
    assert_eq!(clients.list().clients.len(), 2, "served by somebody still");
    drop(scraper);
    assert_eq!(clients.list().clients.len(), 1, "gone with the last who served it");
}

#[test]
fn a_rate_is_that_of_the_last_seconds() {
    let clients = ConnectedClients::default();
    let client = clients.add(new("curl/8"));
    for _ in 0..6 {
        client.count();
    }
    clients.tick();
    assert!((clients.list().clients[0].rate - 6.0).abs() < 1e-9, "six in its first second");
    for _ in 0..4 {
        clients.tick();
    }
    let idle = &clients.list().clients[0];
    assert!(idle.rate.abs() < 1e-9 && idle.requests == 6, "it has said nothing for long: {idle:?}");
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let clients = ConnectedClients::default();
    let all: Vec<_> = (0..250).map(|_| clients.add(new("bot/1"))).collect();
    let listed = clients.list();
    assert_eq!((listed.clients.len(), listed.more), (200, 50), "a window shows no thousand rows");
    let last = all.last().map(|client| client.0.id.to_string()).unwrap();
    assert!(clients.disconnect(&last).is_ok(), "those that are not listed can be ended all the same");
    assert!(clients.disconnect("0").is_err() && clients.disconnect("x").is_err(), "nobody has that id");
}
