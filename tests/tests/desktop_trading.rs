//! The screen Trading in the real window: an order by hand from the ticket to the fill, and what stops it.

use std::path::PathBuf;

use cwts_domain::Service;
use cwts_tests::desktop::{Desktop, Look, Window, keep};
use cwts_tests::{Home, Ports, get};
use serde_json::{Value, json};

async fn open(desktop: &Desktop) -> (Home, Ports, Window) {
    let ports = Ports::free();
    let home = Home::with(&ports);
    let window = Window::open(desktop, &home, &[]).await;
    window.is("run-state", "running").await;
    window.click("nav-trading").await;
    window.is("trading-state", "active").await;
    (home, ports, window)
}

/// Fills in a limit order to buy TESTUSD, which nobody moves.
async fn ticket(window: &Window, quantity: &str, price: &str) {
    window.click("symbol-TESTUSD").await;
    window.says("book", "99.99").await;
    window.fill("quantity", quantity).await;
    window.fill("price", price).await;
}

#[tokio::test]
async fn an_order_by_hand_waits_is_changed_fills_and_is_closed() {
    let Some(desktop) = Desktop::start().await else { return };
    let (_home, _ports, window) = open(&desktop).await;
    ticket(&window, "2", "99.50").await;
    window.says("verdict", "Within limits").await;
    window.says("preview", "199.00 USD").await;
    window.says("send", "Buy 2.00 TEST at 99.50").await;
    window.click("send").await;
    window.says("toast", "waits").await;
    window.says("orders-row", "99.50").await;
    let row = window.says("orders-row", "You").await;
    assert!(row.contains("TESTUSD") && row.contains("Limit, GTC"), "{row}");

    window.click_on("[data-testid^='change-']").await;
    window.fill("new-quantity", "1.5").await;
    window.fill("new-price", "99.505").await;
    window.says("new-price-hint", "Finer than 0.01.").await;
    window.fill("new-price", "100.01").await;
    window.press("Modify").await;
    window.says("toast", "is changed").await;
    window.miss("orders-row").await;

    window.click("tab-fills").await;
    window.says("fills-row", "100.01").await;
    window.click("tab-positions").await;
    window.says("positions-row", "1.50").await;
    window.says("account", "today").await;
    keep("trading", &window.picture().await);
    window.miss("toast").await;
    window.click("close-TESTUSD").await;
    window.press("Close position").await;
    window.says("toast", "is closed").await;
    window.miss("positions-row").await;
    window.click("tab-history").await;
    window.says("history-row", "Filled").await;
}

#[tokio::test]
async fn a_ticket_says_what_is_allowed_and_asks_about_large_orders() {
    let Some(desktop) = Desktop::start_with(Look::Dark).await else { return };
    let (_home, _ports, window) = open(&desktop).await;
    ticket(&window, "0.00001", "99.505").await;
    window.says("quantity-hint", "Finer than 0.0001, the lot of TESTUSD.").await;
    window.says("price-hint", "Finer than 0.01, the tick of TESTUSD.").await;
    window.fill("quantity", "5000").await;
    window.says("quantity-hint", "Use 0.0001 to 1,000.0000.").await;
    // The balance is the exchange's business: it says what is there.
    window.fill("price", "100").await;
    window.fill("quantity", "1000").await;
    window.miss("quantity-hint").await;
    window.fill("quantity", "999.9999").await;
    window.fill("price", "100.01").await;
    window.says("quantity-hint", "USD available").await;
    window.fill("quantity", "200").await;
    window.says("verdict", "Trades at once").await;
    // By the keyboard alone.
    window.chord("\u{e009}\u{e007}").await;
    window.says("dialog", "Buy 200.00 TEST at 100.01?").await;
    keep("trading-asks", &window.picture().await);
    window.press("Buy").await;
    window.says("toast", "Bought 200.00 TEST at 100.01.").await;
    window.click_on("[data-testid='level-buy']").await;
    let price = window.execute("return document.querySelector('[data-testid=price]').value", Value::Null).await;
    assert_eq!(price, "99.99", "a price of the ladder goes into the ticket");
}

#[tokio::test]
async fn a_halt_takes_one_click_and_a_resume_is_asked_about() {
    let Some(desktop) = Desktop::start().await else { return };
    let (_home, ports, window) = open(&desktop).await;
    ticket(&window, "2", "99.50").await;
    window.click("send").await;
    window.says("orders-row", "99.50").await;
    window.click("halt").await;
    window.is("trading-state", "halted").await;
    let state = async || get(ports.of(Service::McpHttp), "/api/v1/trading").await.json()["state"].clone();
    assert_eq!(state().await, "halted", "clients are halted too");
    window.says("verdict", "Trading is halted").await;
    assert!(!window.offers("send").await, "nothing can be sent");
    // What was just done is said below the screen and covers no button of it.
    window.says("toast", "Trading is halted").await;
    window.click_on("[data-testid^='cancel-'][aria-label]").await;
    window.miss("orders-row").await;
    window.says("toast", "is cancelled").await;
    // Escape, once for each message.
    window.chord("\u{e00c}").await;
    window.chord("\u{e00c}").await;
    window.miss("toast").await;
    window.click("resume").await;
    window.says("dialog", "Resume trading on default?").await;
    window.press("Resume trading").await;
    window.is("trading-state", "active").await;
    // From another screen too, without a click.
    window.click("nav-ports").await;
    window.chord("\u{e009}\u{e008}h").await;
    window.says("toast", "Trading is halted").await;
    assert_eq!(state().await, "halted", "the shortcut works on every screen");
}

#[tokio::test]
async fn the_chart_and_the_book_move_with_the_simulated_market() {
    let Some(desktop) = Desktop::start().await else { return };
    let (_home, _ports, window) = open(&desktop).await;
    window.see("chart").await;
    let book = window.says("book", "spread").await;
    let moved =
        "const book = document.querySelector('[data-testid=book]'); return book && book.textContent.trim() !== args";
    window.wait_for("another book", moved, json!(book)).await;
    window.click("symbol-ETHUSD").await;
    window.says("ticket", "ETH").await;
    window.see("chart").await;
    let label = "return document.querySelector('[data-testid=chart]')?.getAttribute('aria-label')?.includes('ETHUSD')";
    window.wait_for("a chart of the other market", label, Value::Null).await;
}

#[tokio::test]
async fn limits_are_edited_and_the_account_begins_anew() {
    let Some(desktop) = Desktop::start().await else { return };
    let (_home, _ports, window) = open(&desktop).await;
    window.click("tab-limits").await;
    window.fill("limit-leverage", "101").await;
    window.says("limit-leverage-hint", "Use 1 to 100.").await;
    assert!(!window.offers("apply-limits").await, "nothing is half-applied");
    window.fill("limit-leverage", "2").await;
    window.fill("limit-max_order_value", "150").await;
    window.click("apply-limits").await;
    window.says("toast", "hold from the next order on").await;
    ticket(&window, "2", "99.50").await;
    window.says("quantity-hint", "One order may be worth 150.00 USD.").await;
    window.fill("quantity", "1").await;
    window.fill("price", "100.01").await;
    window.click("send").await;
    window.says("toast", "Bought 1.00 TEST").await;
    window.click("tab-limits").await;
    window.miss("toast").await;
    window.click("reset").await;
    window.says("dialog", "1 position").await;
    window.press("Reset account").await;
    window.says("toast", "begins anew").await;
    window.says("equity", "100,000.00").await;
    window.click("tab-positions").await;
    window.says("trading-tables", "Nothing is held").await;
}

/// A minute of trades, one each 100 ms and each a dollar above the one before.
fn a_file_of_trades(home: &Home) -> PathBuf {
    let line = |index: i64| {
        let (price, at) = (40_000 + index, 1_610_064_000_000 + index * 100);
        format!("{index},{price}.50,0.5,1,{at},false,true\n")
    };
    let path = home.path().join("BTCUSDT-trades-2021-01-08.csv");
    let lines: String = (0..600).map(line).collect();
    std::fs::write(&path, lines).expect("room for the file");
    path
}

#[tokio::test]
async fn a_file_is_looked_at_played_paused_moved_and_left() {
    let Some(desktop) = Desktop::start().await else { return };
    let (home, _ports, window) = open(&desktop).await;
    let file = a_file_of_trades(&home);
    window.click("tab-market").await;
    window.fill("replay-file", "BTCUSDT-trades.csv").await;
    window.click("replay").await;
    window.says("replay-file-hint", "no absolute path").await;
    window.fill("replay-file", file.to_str().expect("a path of letters")).await;
    window.click("replay").await;
    let facts = window.says("file-facts", "Trades, 600 steps").await;
    assert!(facts.contains("40,000.50 to 40,599.50 USD, as BTCUSD"), "{facts}");
    assert!(facts.contains("2021-01-08 00:00:00 UTC to 2021-01-08 00:00:59 UTC"), "{facts}");
    window.is("market-state", "running").await;
    window.miss("play-pause").await;

    // Full speed: it is at its end at once, and goes on from wherever a person moves it.
    select(&window, "replay-speed", "max").await;
    window.says("replay", "Play it as BTCUSD").await;
    window.click("replay").await;
    window.is("market-state", "ended").await;
    window.says("last", "40,599.50").await;
    select(&window, "speed", "0.5").await;
    window.click("rewind").await;
    window.is("market-state", "running").await;
    window.click("play-pause").await;
    window.is("market-state", "paused").await;
    let middle = "const range = document.querySelector('[data-testid=seek]');
        range.value = (Number(range.min) + Number(range.max)) / 2;
        range.dispatchEvent(new Event('input', { bubbles: true }));
        range.dispatchEvent(new Event('change', { bubbles: true }));";
    window.execute(middle, Value::Null).await;
    window.says("market-source", "At 2021-01-08 00:00:29 UTC").await;
    keep("trading-replay", &window.picture().await);
    window.click("loop").await;
    // Half a minute is left of the file: nothing jumps while the next button is pressed.
    select(&window, "speed", "1").await;
    window.click("play-pause").await;
    window.says("market-source", "Running").await;
    window.click("simulate").await;
    window.says("toast", "All prices are simulated.").await;
    window.miss("seek").await;
    window.says("market-source", "Running").await;
}

/// Chooses an option as the list of the desktop would; that list is a window of its own.
async fn select(window: &Window, id: &str, value: &str) {
    let choose = "const list = document.querySelector(`[data-testid='${args[0]}']`);
        list.value = args[1];
        list.dispatchEvent(new Event('change', { bubbles: true }));
        return list.value === args[1];";
    let chosen = window.execute(choose, json!([id, value])).await;
    assert_eq!(chosen, true, "{id} must offer {value}");
}

#[tokio::test]
async fn the_risk_of_the_account_is_told_with_what_it_rests_on() {
    let Some(desktop) = Desktop::start().await else { return };
    let (_home, _ports, window) = open(&desktop).await;
    window.click("tab-risk").await;
    let told = window.says("risk", "Value at risk, historical").await;
    assert!(told.contains("95 %") && told.contains("99 %") && told.contains("Expected shortfall (CVaR)"), "{told}");
    window.says("risk-note", "Not enough samples").await;
}
