use cwts_domain::{CancelReason, Cash, Event, OrderStatus, Reject, SelfTradePolicy, Side, TimeInForce, Timestamp};

use crate::OpeningAccount;
use crate::fixture::{
    ALICE, BOB, Desk, ROBOT, bracket, buy, client, lasting, market, named, oco, post_only, sell, stop, trades,
};

#[test]
fn a_post_only_order_rests_or_is_refused() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 5, 100));
    let met = Reject::PostOnly { side: Side::Sell, best: "1".to_owned() };
    assert_eq!(desk.place(post_only(buy(ALICE, 1, 100))), Err(met), "it must never pay the taker's fee");
    desk.accepted(post_only(buy(ALICE, 1, 99)));
    assert_eq!(desk.book(), [vec![(99, 1)], vec![(100, 5)]], "one tick lower it waits");
}

#[test]
fn post_only_needs_a_price_and_time() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 5, 100));
    for order in [market(ALICE, Side::Buy, 1), lasting(buy(ALICE, 1, 90), TimeInForce::Ioc)] {
        let refused = desk.place(post_only(order));
        assert!(matches!(refused, Err(Reject::Invalid { field: "post_only", .. })), "it could never rest: {refused:?}");
    }
}

#[test]
fn a_stop_order_waits_outside_the_book() {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    let id = desk.accepted(stop(market(ALICE, Side::Buy, 2), 105));
    assert_eq!(desk.book(), [vec![], vec![]], "nobody may see it or trade with it");
    assert_eq!(desk.order(id).status, OrderStatus::Open, "but it is open");
    desk.cancel(ALICE, id).unwrap();
    assert_eq!(desk.order(id).status, OrderStatus::Cancelled, "and can be cancelled like any other");
}

#[test]
fn a_stop_order_whose_price_is_reached_works_at_once() {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    desk.accepted(sell(BOB, 5, 101));
    let events = desk.place(stop(market(ALICE, Side::Buy, 2), 100)).unwrap();
    assert!(matches!(events[1], Event::Triggered { .. }), "the last price is at the stop already: {events:?}");
    assert_eq!(trades(&events), [(101, 2)], "so it is a market order");
}

#[test]
fn before_the_first_trade_no_stop_triggers() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 5, 101));
    let events = desk.place(stop(market(ALICE, Side::Buy, 2), 1)).unwrap();
    assert!(matches!(events[..], [Event::Accepted { .. }, Event::Rested { .. }]), "there is no last price: {events:?}");
}

#[test]
fn the_policy_of_an_account_decides_what_a_self_trade_cancels() {
    let cases = [
        (SelfTradePolicy::CancelResting, [false, true], vec![(101, 1)]),
        (SelfTradePolicy::CancelIncoming, [true, false], vec![]),
        (SelfTradePolicy::CancelBoth, [false, false], vec![]),
    ];
    for (self_trade, [resting_stays, incoming_goes_on], expected) in cases {
        let alice = OpeningAccount { self_trade, ..client(ALICE, Cash(1_000_000)) };
        let mut desk = Desk::of([alice, client(BOB, Cash(1_000_000))]);
        desk.accepted(sell(BOB, 1, 99));
        let own = desk.accepted(sell(ALICE, 2, 100));
        desk.accepted(sell(BOB, 1, 101));
        let events = desk.place(buy(ALICE, 4, 101)).unwrap();
        let expected: Vec<_> = std::iter::once((99, 1)).chain(expected).collect();
        assert_eq!(trades(&events), expected, "{self_trade:?}: what it meets before itself trades");
        assert_eq!(desk.order(own).status.is_open(), resting_stays, "{self_trade:?}");
        let last = desk.exchange.orders(ALICE).next_back().unwrap();
        assert_eq!(last.status.is_open(), incoming_goes_on, "{self_trade:?}");
        let ended = if resting_stays { last.cancel_reason } else { desk.order(own).cancel_reason };
        assert_eq!(ended, Some(CancelReason::SelfTradePrevention), "{self_trade:?}: the owner learns why");
    }
}

#[test]
fn a_repeated_order_is_told_from_another_one_by_all_its_terms() {
    let mut desk = Desk::rich();
    let first = named(bracket(buy(ALICE, 1, 90), 100, 80), "a");
    let id = desk.accepted(first.clone());
    assert_eq!(desk.place(first.clone()), Ok(vec![]), "the same again places nothing");
    for other in [bracket(buy(ALICE, 1, 90), 101, 80), post_only(buy(ALICE, 1, 90)), stop(buy(ALICE, 1, 90), 95)] {
        let taken = desk.place(named(other, "a"));
        assert_eq!(taken, Err(Reject::ClientOrderIdTaken { client_order_id: "a".to_owned(), order_id: id }), "differs");
    }
    let mut change = crate::fixture::change(ALICE, id);
    change.limit = Some(cwts_domain::Ticks(91));
    desk.modify(change).unwrap();
    assert_eq!(desk.place(first), Ok(vec![]), "a late retry is one also after the order was modified");
}

#[test]
fn exits_must_lie_on_both_sides_of_the_entry() {
    let mut desk = Desk::rich();
    let wrong = [
        ("take_profit_price", bracket(buy(ALICE, 1, 100), 100, 90)),
        ("stop_loss_price", bracket(buy(ALICE, 1, 100), 110, 100)),
        ("take_profit_price", bracket(sell(ALICE, 1, 100), 101, 110)),
        ("stop_loss_price", bracket(sell(ALICE, 1, 100), 90, 99)),
        ("stop_loss_price", bracket(market(ALICE, Side::Buy, 1), 90, 95)),
        ("oco_stop_price", oco(buy(ALICE, 1, 100), 100, None)),
        ("oco_stop_price", oco(sell(ALICE, 1, 100), 101, None)),
        ("oco_stop_price", oco(market(ALICE, Side::Sell, 1), 90, None)),
        ("oco_stop_price", oco(lasting(sell(ALICE, 1, 100), TimeInForce::Ioc), 90, None)),
    ];
    desk.accepted(sell(BOB, 9, 120));
    for (field, order) in wrong {
        let refused = desk.place(order.clone());
        assert!(
            matches!(refused, Err(Reject::Invalid { field: named, .. }) if named == field),
            "{order:?} must be refused for {field}: {refused:?}"
        );
    }
    desk.trade_at(100);
    let refused = desk.place(oco(sell(ALICE, 1, 110), 100, None));
    assert!(matches!(refused, Err(Reject::Invalid { .. })), "one of the two would be cancelled at once: {refused:?}");
}

#[test]
fn a_day_order_never_trades_after_its_day() {
    let mut desk = Desk::rich();
    let day = 86_400_000_000_000;
    let id = desk.accepted(lasting(sell(BOB, 5, 100), TimeInForce::Day));
    desk.now = Timestamp(day);
    let events = desk.place(lasting(buy(ALICE, 1, 100), TimeInForce::Ioc)).unwrap();
    assert_eq!(trades(&events), [], "also where nobody has said that the day is over");
    assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::Expired), "it ends where it is met");
}

#[test]
fn nothing_of_what_is_refused_counts_as_open() {
    let mut desk = Desk::with_cash(Cash(100));
    desk.place(bracket(buy(ALICE, 100, 100), 110, 90)).unwrap_err();
    assert_eq!(desk.account(ALICE).open_order_count(), 0, "neither the order nor its exits");
    assert_eq!(desk.accepted(buy(ROBOT, 1, 1)).0, 1, "and no id is used");
}
