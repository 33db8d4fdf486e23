use cwts_domain::{AccountId, ClientOrderId, Command, OrderStatus, Side, TimeInForce};

use super::*;
use crate::OpeningAccount;
use crate::fixture::{ALICE, BOB, Desk, ROBOT, buy, client, lasting, named, sell};

#[test]
fn an_order_record_follows_the_life_of_the_order() {
    let mut desk = Desk::rich();
    let id = desk.accepted(buy(ALICE, 5, 100));
    assert_eq!(desk.order(id).status, OrderStatus::Open, "it waits");
    desk.accepted(sell(BOB, 2, 100));
    let order = desk.order(id);
    assert_eq!((order.status, order.filled_quantity), (OrderStatus::PartiallyFilled, Lots(2)), "partly filled");
    desk.accepted(sell(BOB, 3, 100));
    let order = desk.order(id);
    assert_eq!((order.status, order.filled_notional), (OrderStatus::Filled, Cash(500)), "all of it at 100");
    assert_eq!((order.accepted_at, order.updated_at), (Timestamp(1), Timestamp(3)), "first and last event");
}

#[test]
fn a_cancelled_order_says_how_much_had_filled() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 2, 100));
    let id = desk.accepted(lasting(buy(ALICE, 5, 100), TimeInForce::Ioc));
    let order = desk.order(id);
    assert_eq!((order.status, order.filled_quantity), (OrderStatus::Cancelled, Lots(2)), "the client owns 2 lots");
    assert_eq!(order.cancel_reason, Some(CancelReason::Unfilled), "and must learn why the rest is gone");
}

#[test]
fn both_sides_of_a_trade_get_a_fill_with_its_sequence() {
    let mut desk = Desk::rich();
    desk.accepted(buy(ALICE, 5, 100));
    desk.accepted(sell(BOB, 2, 90));
    let fill = |account| desk.exchange.fills(account).next().unwrap().clone();
    let (maker, taker) = (fill(ALICE), fill(BOB));
    assert_eq!((maker.role, maker.side), (Role::Maker, Side::Buy), "the resting order made the market");
    assert_eq!((taker.role, taker.side), (Role::Taker, Side::Sell), "the incoming one took it");
    assert_eq!((maker.sequence, taker.sequence), (4, 4), "accepted, rested, accepted, traded");
}

#[test]
fn ended_orders_beyond_the_limit_are_forgotten_oldest_first() {
    let few = |id| OpeningAccount { history: 2, ..client(id, Cash(1_000_000)) };
    let mut desk = Desk::of([few(ALICE), few(BOB)]);
    let open = desk.accepted(named(buy(ALICE, 1, 10), "open"));
    let mut ended = Vec::new();
    for name in ["a", "b", "c"] {
        let order_id = desk.accepted(named(buy(ALICE, 1, 10), name));
        desk.send(Command::Cancel { account: ALICE, order_id }).unwrap();
        ended.push(order_id);
    }
    let kept: Vec<_> = desk.exchange.orders(ALICE).map(|order| order.id).collect();
    assert_eq!(kept, [open, ended[1], ended[2]], "memory is bounded, and an open order is never forgotten");
    let lookup = |name: &str| desk.exchange.order_by_client_id(ALICE, &ClientOrderId(name.to_owned()));
    assert_eq!(lookup("a"), None, "a forgotten order's name is forgotten with it");
    assert!(lookup("b").is_some() && lookup("open").is_some(), "the others are still known by name");
    assert!(!desk.place(named(buy(ALICE, 1, 10), "a")).unwrap().is_empty(), "so the name may be used again");
}

#[test]
fn fills_beyond_the_limit_are_forgotten_oldest_first() {
    let few = |id| OpeningAccount { history: 2, ..client(id, Cash(1_000_000)) };
    let mut desk = Desk::of([few(ALICE), few(BOB)]);
    for price in [10, 11, 12] {
        desk.accepted(buy(ALICE, 1, price));
        desk.accepted(sell(BOB, 1, price));
    }
    let prices: Vec<_> = desk.exchange.fills(ALICE).map(|fill| fill.price.0).collect();
    assert_eq!(prices, [11, 12], "memory is bounded");
}

#[test]
fn nothing_is_kept_of_what_ended_on_a_simulator_account() {
    let mut desk = Desk::rich();
    let maker = desk.accepted(buy(ROBOT, 1, 10));
    desk.accepted(sell(ALICE, 1, 10));
    assert_eq!(desk.exchange.order(maker), None, "the simulator trades for days");
    assert_eq!(desk.exchange.fills(ROBOT).count(), 0, "and nobody asks for its fills");
    assert_eq!(desk.position(ROBOT).quantity(), Lots(1), "its position counts all the same");
}

#[test]
fn an_event_about_strangers_changes_nothing_but_the_sequence() {
    let mut desk = Desk::rich();
    desk.accepted(buy(ALICE, 1, 10));
    let mut changed = desk.exchange.clone();
    let (order_id, at) = (OrderId(99), Timestamp(9));
    let cancelled = Event::Cancelled { order_id, account: AccountId(9), reason: CancelReason::Requested, at };
    for event in [Event::Rested { order_id }, cancelled] {
        apply(&mut changed, &event);
    }
    assert_eq!(changed.sequence(), desk.exchange.sequence() + 2, "every event counts");
    changed.sequence = desk.exchange.sequence;
    assert_eq!(changed, desk.exchange, "and nothing else has changed");
}

#[test]
fn fees_go_to_the_house_and_lower_the_profit() {
    let fees = cwts_domain::Fees { maker_ppm: -100_000, taker_ppm: 250_000 };
    let charged = |id| OpeningAccount { fees, ..client(id, Cash(1_000_000)) };
    let mut desk = Desk::of([charged(ALICE), charged(BOB)]);
    let maker = desk.accepted(buy(ALICE, 5, 10));
    let taker = desk.accepted(sell(BOB, 5, 10));
    assert_eq!(
        (desk.order(maker).fees, desk.order(taker).fees),
        (Cash(-5), Cash(13)),
        "a tenth of 50 back, a quarter paid"
    );
    assert_eq!(desk.account(ALICE).cash(), Cash(1_000_000 - 50 + 5), "the rebate is cash");
    assert_eq!(desk.position(BOB).realised_pnl(), Cash(-13), "a fee is a loss at once");
    assert_eq!(desk.account(AccountId::HOUSE).cash(), Cash(8), "what one pays the other gets");
    assert_eq!(desk.exchange.fills(BOB).next().map(|fill| fill.fee), Some(Cash(13)), "the fill says what it cost");
}

#[test]
fn a_standing_quote_is_as_large_after_a_trade_as_before() {
    let instruments = [cwts_domain::Instrument::testusd()];
    let mut exchange = Exchange::new(instruments, [OpeningAccount::client(ALICE, Cash::dollars(100_000))]);
    let mut trade = |side, quantity| {
        let order = crate::fixture::market(ALICE, side, quantity);
        let events = exchange.execute(&cwts_domain::Command::Place(order), Timestamp(1)).unwrap();
        assert_eq!(exchange.audit(), Ok(()), "the books balance");
        crate::fixture::trades(&events)
    };
    for _ in 0..3 {
        assert_eq!(trade(Side::Buy, 3_000_000), [(10_001, 3_000_000)], "300 at 100.01, however often");
        assert_eq!(trade(Side::Sell, 3_000_000), [(9_999, 3_000_000)], "and back at 99.99");
    }
    let depth = |side| exchange.markets()[0].depth(side, 9);
    assert_eq!(depth(Side::Buy), [(cwts_domain::Ticks(9_999), Lots(10_000_000))], "1,000 stay bid");
    assert_eq!(depth(Side::Sell), [(cwts_domain::Ticks(10_001), Lots(10_000_000))], "1,000 stay offered");
}
