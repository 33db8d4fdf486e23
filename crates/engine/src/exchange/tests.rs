use cwts_domain::{Lots, Ticks};

use super::*;
use crate::fixture::{ALICE, BOB, BTC, Desk, buy, sell};
use crate::{KEPT_TRADES, Session};

#[test]
fn depth_is_best_first_and_at_most_as_long_as_asked() {
    let mut desk = Desk::rich();
    for (quantity, price) in [(1, 98), (2, 99), (3, 97), (4, 99)] {
        desk.accepted(buy(ALICE, quantity, price));
        desk.accepted(sell(BOB, quantity, 200 - price));
    }
    let bids = [(Ticks(99), Lots(6)), (Ticks(98), Lots(1))];
    assert_eq!(desk.market().depth(Side::Buy, 2), bids, "the highest bid is the best");
    let asks = [(Ticks(101), Lots(6)), (Ticks(102), Lots(1)), (Ticks(103), Lots(3))];
    assert_eq!(desk.market().depth(Side::Sell, 9), asks, "the lowest ask is the best");
    let top = (desk.market().best_bid(), desk.market().best_ask());
    assert_eq!(top, (Some(Ticks(99)), Some(Ticks(101))), "the top of the depth");
}

#[test]
fn the_session_counts_trades_and_their_range() {
    let mut desk = Desk::rich();
    assert_eq!(*desk.market().session(), Session::default(), "nothing has happened");
    for price in [100, 105, 95] {
        desk.accepted(buy(ALICE, 2, price));
        desk.accepted(sell(BOB, 2, price));
    }
    let expected =
        Session { orders: 6, cancelled: 0, trades: 3, volume: Lots(6), high: Some(Ticks(105)), low: Some(Ticks(95)) };
    assert_eq!(*desk.market().session(), expected, "a lot that changes hands counts once");
    assert_eq!(desk.market().last_trade().map(|trade| trade.price), Some(Ticks(95)), "the latest");
}

#[test]
fn the_trades_of_the_market_are_bounded() {
    let mut exchange = Desk::rich().exchange;
    for count in 0..=KEPT_TRADES {
        for order in [buy(ALICE, 1, 100), sell(BOB, 1, 100)] {
            exchange.execute(&Command::Place(order), Timestamp(count as i64)).unwrap();
        }
    }
    assert_eq!(exchange.markets()[0].trades().len(), KEPT_TRADES, "memory is bounded");
    assert_eq!(
        exchange.markets()[0].trades().next().map(|trade| trade.at),
        Some(Timestamp(1)),
        "the oldest goes first"
    );
}

#[test]
fn the_mark_is_the_last_price_moved_into_the_spread() {
    let mut desk = Desk::rich();
    assert_eq!(desk.market().mark_price(), None, "nobody knows a price yet");
    desk.accepted(sell(BOB, 1, 110));
    assert_eq!(desk.market().mark_price(), Some(Ticks(110)), "the only side there is");
    desk.accepted(buy(ALICE, 5, 101));
    assert_eq!(desk.market().mark_price(), Some(Ticks(105)), "the middle, rounded down");
    desk.accepted(sell(BOB, 1, 101));
    assert_eq!(desk.market().mark_price(), Some(Ticks(101)), "the last trade is within the spread");
    desk.accepted(buy(ALICE, 1, 108));
    assert_eq!(desk.market().mark_price(), Some(Ticks(108)), "somebody pays more than the last trade");
}

#[test]
fn questions_about_unknown_accounts_have_empty_answers() {
    let exchange = Desk::rich().exchange;
    let nobody = AccountId(77);
    assert!(
        exchange.account(nobody).is_none() && exchange.available(nobody, BTC, Side::Buy).is_none(),
        "no such account"
    );
    assert_eq!(exchange.orders(nobody).count() + exchange.fills(nobody).count(), 0, "so it has nothing");
}

#[test]
fn open_orders_are_oldest_first_and_only_of_the_account() {
    let mut desk = Desk::rich();
    let ids = [desk.accepted(buy(ALICE, 1, 90)), desk.accepted(buy(ALICE, 1, 99))];
    desk.accepted(buy(BOB, 1, 95));
    let open: Vec<_> = desk.exchange.open_orders(ALICE).map(|order| order.id).collect();
    assert_eq!(open, ids, "in the sequence in which they came");
}
