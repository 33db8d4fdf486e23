//! The REST API as a client meets it: orders, pages, repeated requests, scopes and refusals.

use cwts_domain::Service;
use cwts_tests::{Embedded, OWNER_TOKEN, READ_TOKEN, Reply, TRADE_TOKEN, bearer, get, send, send_exactly};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const HOST: (&str, &str) = ("Host", "localhost");

async fn ask(embedded: &Embedded, method: &str, path: &str, body: &Value) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(embedded.port(Service::McpHttp), method, &format!("/api/v1{path}"), &[HOST, JSON], &body).await
}

async fn with_key(embedded: &Embedded, key: &str, body: &Value) -> Reply {
    let headers = [HOST, JSON, ("Idempotency-Key", key)];
    send(embedded.port(Service::McpHttp), "POST", "/api/v1/orders", &headers, &body.to_string()).await
}

async fn by(embedded: &Embedded, token: &str, method: &str, path: &str) -> Reply {
    let bearer = bearer(token);
    let headers = [HOST, ("Authorization", &*bearer)];
    send_exactly(embedded.port(Service::McpHttp), method, &format!("/api/v1{path}"), &headers, "").await
}

fn buy(quantity: f64) -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "market", "quantity": quantity })
}

fn resting() -> Value {
    json!({ "symbol": "TESTUSD", "side": "buy", "order_type": "limit", "quantity": 2, "price": 95 })
}

#[tokio::test]
async fn an_order_is_placed_changed_and_cancelled() {
    let embedded = Embedded::start().await;
    let placed = ask(&embedded, "POST", "/orders", &resting()).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let id = placed.json()["order_id"].as_str().expect("an id").to_owned();
    let path = format!("/orders/{id}");
    assert_eq!(placed.header("location"), Some(&*format!("/api/v1{path}")), "RFC 9110 section 10.2.2");
    let changed = ask(&embedded, "PATCH", &path, &json!({ "new_quantity": 1 })).await.json();
    assert_eq!((&changed["quantity"], &changed["status"]), (&json!(1.0), &json!("open")), "{changed}");
    assert_eq!(ask(&embedded, "GET", &path, &Value::Null).await.json()["quantity"], json!(1.0), "it stays so");
    let cancelled = ask(&embedded, "DELETE", &path, &Value::Null).await.json();
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    assert_eq!(ask(&embedded, "DELETE", &path, &Value::Null).await.problem(409), "not_open", "it has ended");
    assert_eq!(ask(&embedded, "GET", "/orders/99999999", &Value::Null).await.problem(404), "unknown_order");
    let unread = send(embedded.port(Service::McpHttp), "PATCH", &format!("/api/v1{path}"), &[HOST, JSON], "{").await;
    assert_eq!(unread.problem(400), "invalid_json", "half an object");
}

#[tokio::test]
async fn lists_are_read_page_by_page_without_a_gap() {
    let embedded = Embedded::start().await;
    for _ in 0..5 {
        assert_eq!(ask(&embedded, "POST", "/orders", &buy(1.0)).await.status, 201, "room for five");
    }
    for (path, list, name) in [("/orders?status=all&", "orders", "order_id"), ("/fills?", "fills", "sequence")] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ask(&embedded, "GET", &format!("{path}limit=2{cursor}"), &Value::Null).await.json();
            seen.extend(page[list].as_array().expect("a list").iter().map(|row| row[name].to_string()));
            let next = page["next_cursor"].to_string().replace('"', "");
            if next == "null" {
                break;
            }
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen.len(), 5, "every one of {list}, and the last page says that it is: {seen:?}");
        seen.dedup();
        assert_eq!(seen.len(), 5, "none twice: {seen:?}");
    }
}

#[tokio::test]
async fn a_repeated_key_is_answered_once_more_and_places_nothing() {
    let embedded = Embedded::start().await;
    let first = with_key(&embedded, "\"8e03978e\"", &buy(1.0)).await;
    let again = with_key(&embedded, "8e03978e", &buy(1.0)).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body), "the same answer, with quotes or without");
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "and it says that it is one of before");
    let orders = ask(&embedded, "GET", "/orders?status=all", &Value::Null).await.json();
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "one order: {orders}");
    assert_eq!(with_key(&embedded, "8e03978e", &buy(2.0)).await.problem(422), "idempotency_key_reused");
    let refused = with_key(&embedded, "k2", &buy(1e9)).await;
    let same = with_key(&embedded, "k2", &buy(1e9)).await;
    assert_eq!((refused.status, &refused.body), (422, &same.body), "a refusal of the exchange is one answer too");
    assert_eq!(with_key(&embedded, "no spaces", &buy(1.0)).await.problem(400), "invalid_idempotency_key");
    let order = buy(1.0);
    let together = tokio::join!(with_key(&embedded, "k3", &order), with_key(&embedded, "k3", &order));
    let [one, other] = [together.0, together.1].map(|reply| reply.status);
    assert!(matches!((one, other), (201, 201 | 409) | (409, 201)), "two at once place one order: {one}, {other}");
    let orders = ask(&embedded, "GET", "/orders?status=all", &Value::Null).await.json();
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(2), "the second pair placed one: {orders}");
}

#[tokio::test]
async fn each_route_says_which_token_it_needs() {
    let embedded = Embedded::start().await;
    for (method, path) in [("POST", "/orders"), ("DELETE", "/orders"), ("POST", "/trading/halt")] {
        let refused = by(&embedded, READ_TOKEN, method, path).await;
        assert_eq!(refused.problem(403), "scope_too_small", "reading is not trading: {method} {path}");
    }
    for (method, path) in
        [("POST", "/trading/resume"), ("POST", "/trading/arm"), ("GET", "/audit"), ("PATCH", "/config")]
    {
        let refused = by(&embedded, TRADE_TOKEN, method, path).await;
        assert_eq!(refused.problem(403), "scope_too_small", "{method} {path}");
        assert!(refused.body.contains("--scope owner"), "it says where the right one is: {}", refused.body);
    }
    assert_eq!(by(&embedded, READ_TOKEN, "GET", "/account").await.status, 200, "reading is reading");
    let halted = by(&embedded, TRADE_TOKEN, "POST", "/trading/halt").await;
    assert_eq!(halted.json()["state"], "halted", "whoever may trade may stop it");
    assert_eq!(by(&embedded, TRADE_TOKEN, "POST", "/trading/reduce").await.problem(409), "wrong_state", "not back");
    assert_eq!(ask(&embedded, "POST", "/orders", &buy(1.0)).await.problem(409), "halted", "nobody trades");
    assert_eq!(by(&embedded, OWNER_TOKEN, "POST", "/trading/reduce").await.json()["state"], "reducing");
    assert_eq!(ask(&embedded, "POST", "/orders", &buy(1.0)).await.problem(409), "only_reducing");
    assert_eq!(by(&embedded, OWNER_TOKEN, "POST", "/trading/resume").await.json()["state"], "active");
    assert_eq!(ask(&embedded, "POST", "/orders", &buy(1.0)).await.status, 201, "trading goes on");
}

#[tokio::test]
async fn what_cannot_be_read_says_which_part_and_what_is_allowed() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let cases = [
        ("GET", "/orders?limit=0", Value::Null, 400, "1 to 500"),
        ("GET", "/orders?limit=ten", Value::Null, 400, "whole number"),
        ("GET", "/orders?limit=1&limit=2", Value::Null, 400, "twice"),
        ("GET", "/orders?size=1", Value::Null, 400, "size is not known"),
        ("GET", "/book/EURUSD", Value::Null, 404, "BTCUSD, ETHUSD, TESTUSD"),
        ("GET", "/ports/check?service=web&port=80", Value::Null, 400, "mcp-websocket"),
        ("POST", "/orders", Value::Null, 422, "symbol is missing"),
        ("POST", "/orders", json!([]), 422, "an object"),
        ("POST", "/orders", json!({ "symbol": "TESTUSD" }), 422, "side is missing"),
        ("POST", "/orders", json!({ "symbol": "TESTUSD", "qty": 1 }), 422, "qty is not known"),
        ("POST", "/positions/TESTUSD/close", Value::Null, 422, "no open position"),
    ];
    for (method, path, body, status, says) in cases {
        let reply = ask(&embedded, method, path, &body).await;
        reply.problem(status);
        assert!(reply.body.contains(says), "{method} {path} must say {says}: {}", reply.body);
    }
    let text = [HOST, ("Content-Type", "text/plain")];
    assert_eq!(send(port, "POST", "/api/v1/orders", &text, "{}").await.problem(415), "not_json");
    let large = format!("{{\"symbol\":\"{}\"}}", "x".repeat(70_000));
    assert_eq!(send(port, "POST", "/api/v1/orders", &[HOST, JSON], &large).await.problem(413), "body_too_large");
    let wrong = send(port, "PUT", "/api/v1/orders", &[HOST, JSON], "{}").await;
    assert_eq!(wrong.problem(405), "method_not_allowed");
    assert!(wrong.header("allow").is_some_and(|it| it.contains("POST")), "RFC 9110 section 15.5.6: {wrong:?}");
}

#[tokio::test]
async fn settings_change_with_the_revision_that_was_seen() {
    let embedded = Embedded::start().await;
    let port = embedded.port(Service::McpHttp);
    let owner = bearer(OWNER_TOKEN);
    let change = async |revision: u64, value: &str| {
        let changes = json!([{ "key": "log.level", "value": value }]);
        let body = json!({ "expected_revision": revision, "changes": changes, "save": "toml" }).to_string();
        send_exactly(port, "PATCH", "/api/v1/config", &[HOST, JSON, ("Authorization", &owner)], &body).await
    };
    let revision = get(port, "/api/v1/config").await.json()["revision"].as_u64().expect("a revision");
    assert_eq!(change(revision + 7, "debug").await.problem(409), "revision_conflict", "somebody else was first");
    let wrong = change(revision, "loud").await;
    assert_eq!(wrong.problem(422), "invalid_value", "{}", wrong.body);
    assert_eq!(wrong.json()["field"], "log.level", "a program marks the field: {}", wrong.body);
    let changed = change(revision, "debug").await.json();
    assert_eq!(changed["settings"]["log.level"]["value"], "debug", "{changed}");
    assert!(embedded.home().toml().contains("debug"), "it stands in the file");
    let audit = by(&embedded, OWNER_TOKEN, "GET", "/audit?limit=1").await.json();
    assert_eq!(audit["records"][0]["by"], "rest", "the trail says who it was: {audit}");
}

#[tokio::test]
async fn a_name_that_a_route_does_not_know_is_told_on_every_route() {
    let embedded = Embedded::start().await;
    let document = ask(&embedded, "GET", "/openapi.json", &Value::Null).await.json();
    let mut without = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path.strip_prefix("/api/v1").expect("below").replace("{symbol}", "TESTUSD").replace(['{', '}'], "");
        for method in ["get", "post", "patch", "delete"].into_iter().filter(|method| item.get(*method).is_some()) {
            let parameters = item[method]["parameters"].as_array().into_iter().flatten();
            without += u32::from(parameters.filter(|parameter| parameter["in"] == "query").count() == 0);
            let headers = [HOST, JSON, ("Authorization", &*bearer(OWNER_TOKEN))];
            let path = format!("/api/v1{path}?colour=red");
            let refused =
                send_exactly(embedded.port(Service::McpHttp), &method.to_uppercase(), &path, &headers, "").await;
            assert_eq!(refused.problem(400), "invalid_query", "{method} {path}");
            assert!(refused.body.contains("In the query, colour is not known; "), "{method} {path}: {}", refused.body);
        }
    }
    assert!(without > 10, "most routes take no query: {without}");
    assert_eq!(ask(&embedded, "GET", "/account?", &Value::Null).await.status, 200, "an empty query names nothing");
}
