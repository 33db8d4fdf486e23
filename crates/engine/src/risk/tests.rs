use cwts_domain::{Cash, Command, Reject, Side};

use crate::OpeningAccount;
use crate::fixture::{ALICE, BOB, BTC, Desk, ROBOT, buy, client, market, sell};

/// Alice owns 1,000; the others are not limited. The market is 99 to 101, last trade 100.
fn market_at_100() -> Desk {
    let mut desk = Desk::of([
        client(ALICE, Cash(1_000)),
        OpeningAccount::simulator(BOB, Cash(0)),
        OpeningAccount::simulator(ROBOT, Cash(0)),
    ]);
    desk.accepted(sell(BOB, 1, 100));
    desk.accepted(buy(ROBOT, 1, 100));
    desk.accepted(buy(BOB, 1_000, 99));
    desk.accepted(sell(BOB, 1_000, 101));
    desk
}

fn refused(result: Result<Vec<cwts_domain::Event>, Reject>) -> bool {
    matches!(result, Err(Reject::InsufficientBalance { .. }))
}

#[test]
fn an_order_may_cost_all_the_equity_and_not_a_tick_more() {
    let mut desk = market_at_100();
    assert!(refused(desk.place(buy(ALICE, 11, 91))), "11 lots at 91 are worth 1,001");
    desk.accepted(buy(ALICE, 10, 90));
    assert!(refused(desk.place(buy(ALICE, 1, 101))), "open orders count: 900 are bound, 100 are left");
    desk.accepted(buy(ALICE, 1, 100));
}

#[test]
fn the_refusal_says_what_is_needed_and_what_there_is() {
    let mut desk = Desk::with_cash(Cash::dollars(100_000));
    desk.accepted(sell(ROBOT, 100_000, 6_400_000));
    let refused = desk.place(buy(ALICE, 20_000, 6_400_000));
    let (required, available) = ("128000.00".to_owned(), "100000.00".to_owned());
    assert_eq!(refused, Err(Reject::InsufficientBalance { required, available }), "2 BTC at 64,000 USD");
    desk.accepted(buy(ALICE, 15_000, 6_400_000));
    let refused = desk.place(buy(ALICE, 10_000, 6_400_000));
    let (required, available) = ("64000.00".to_owned(), "4000.00".to_owned());
    assert_eq!(refused, Err(Reject::InsufficientBalance { required, available }), "96,000 USD are in the position");
    let refused = desk.place(buy(ALICE, 626, 6_400_000));
    let (required, available) = ("4006.40".to_owned(), "4000.00".to_owned());
    assert_eq!(refused, Err(Reject::InsufficientBalance { required, available }), "one step above the limit");
    desk.accepted(buy(ALICE, 625, 6_400_000));
}

#[test]
fn a_market_order_counts_at_the_prices_that_it_gets() {
    let mut desk = market_at_100();
    assert!(refused(desk.place(market(ALICE, Side::Buy, 10))), "10 lots at 101 are worth 1,010");
    desk.accepted(market(ALICE, Side::Buy, 9));
}

#[test]
fn a_marketable_limit_order_counts_at_the_prices_that_it_gets() {
    let mut desk = market_at_100();
    assert!(refused(desk.place(sell(ALICE, 11, 90))), "a sale at 99 is not worth 90 because its limit is 90");
    desk.accepted(sell(BOB, 10, 100));
    assert!(desk.place(buy(ALICE, 10, 110)).is_ok(), "nor does a purchase at 100 cost 110");
}

#[test]
fn going_short_is_limited_like_going_long() {
    let mut desk = market_at_100();
    assert!(refused(desk.place(market(ALICE, Side::Sell, 11))), "11 lots at 99 are worth 1,089");
    desk.accepted(market(ALICE, Side::Sell, 10));
    assert_eq!(desk.position(ALICE).quantity().0, -10, "paper accounts may go short");
    assert!(refused(desk.place(market(ALICE, Side::Sell, 1))), "selling on would go beyond the equity");
}

#[test]
fn an_order_that_only_reduces_is_always_allowed() {
    let mut desk = market_at_100();
    desk.accepted(market(ALICE, Side::Sell, 10));
    desk.send(Command::CancelAll { account: BOB, instrument: None }).unwrap();
    desk.accepted(sell(BOB, 100, 300));
    desk.accepted(buy(ROBOT, 1, 300));
    assert!(desk.exchange.equity(desk.account(ALICE)) < Cash::ZERO, "the account has lost more than it had");
    assert_eq!(desk.exchange.available(ALICE, BTC, Side::Buy), Some(Cash::ZERO), "there is nothing left to spend");
    assert!(refused(desk.place(buy(ALICE, 11, 300))), "11 lots would turn the position around");
    desk.accepted(buy(ALICE, 4, 270));
    assert!(refused(desk.place(market(ALICE, Side::Buy, 7))), "with 4 lots waiting, 7 more could turn it around");
    desk.accepted(market(ALICE, Side::Buy, 6));
}

#[test]
fn only_the_part_beyond_the_position_counts() {
    let mut desk = market_at_100();
    desk.accepted(market(ALICE, Side::Buy, 9));
    assert!(refused(desk.place(sell(ALICE, 20, 110))), "11 lots short at 110 are worth 1,210");
    desk.accepted(sell(ALICE, 17, 110));
    assert!(desk.place(buy(ALICE, 1, 91)).is_ok(), "waiting sales do not bind what purchases may use");
}

#[test]
fn accounts_of_the_simulator_are_exempt() {
    let mut desk = market_at_100();
    desk.accepted(buy(ROBOT, 1_000, 101));
    assert!(desk.account(ROBOT).cash() < Cash::ZERO, "makers must be able to quote whatever happens");
    assert_eq!(desk.exchange.available(ROBOT, BTC, Side::Buy), None, "there is no limit to report");
}

#[test]
fn what_is_available_is_what_an_order_may_cost() {
    let mut desk = market_at_100();
    assert_eq!(desk.exchange.available(ALICE, BTC, Side::Buy), Some(Cash(1_000)), "all of the equity");
    desk.accepted(buy(ALICE, 4, 100));
    assert_eq!(desk.exchange.available(ALICE, BTC, Side::Buy), Some(Cash(600)), "less what waits");
    assert_eq!(desk.exchange.available(ALICE, BTC, Side::Sell), Some(Cash(1_000)), "the other side is not bound");
    assert!(refused(desk.place(buy(ALICE, 6, 101))), "six more than available");
    desk.accepted(buy(ALICE, 6, 100));
}
