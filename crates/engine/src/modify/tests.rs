use cwts_domain::{CancelReason, Event, Lots, ModifyOrder, OrderId, OrderStatus, Reject, Side, Ticks};

use crate::fixture::{ALICE, BOB, Desk, ROBOT, bracket, buy, change, market, post_only, sell, stop, trades};

fn quantity(id: OrderId, lots: i64) -> ModifyOrder {
    ModifyOrder { quantity: Some(Lots(lots)), ..change(ALICE, id) }
}

fn price(id: OrderId, ticks: i64) -> ModifyOrder {
    ModifyOrder { limit: Some(Ticks(ticks)), ..change(ALICE, id) }
}

fn stop_price(id: OrderId, ticks: i64) -> ModifyOrder {
    ModifyOrder { stop: Some(Ticks(ticks)), ..change(ALICE, id) }
}

type Change = fn(OrderId, i64) -> ModifyOrder;

/// The order that trades first of those at 100: Alice's, or Bob's that came after it.
fn first_maker(desk: &mut Desk) -> OrderId {
    let events = desk.place(market(ROBOT, Side::Buy, 1)).unwrap();
    match events[1] {
        Event::Traded { maker_order_id, .. } => maker_order_id,
        ref other => panic!("a trade must come first, not {other:?}"),
    }
}

#[test]
fn a_smaller_quantity_keeps_the_place_in_the_queue() {
    let mut desk = Desk::rich();
    let id = desk.accepted(sell(ALICE, 5, 100));
    desk.accepted(sell(BOB, 5, 100));
    let events = desk.modify(quantity(id, 3)).unwrap();
    assert!(matches!(events[..], [Event::Modified { .. }]), "nothing else happens: {events:?}");
    assert_eq!(desk.book(), [vec![], vec![(100, 8)]], "the book shows what is left");
    assert_eq!(first_maker(&mut desk), id, "who asks for less must not lose their turn");
}

#[test]
fn any_other_change_costs_the_place_in_the_queue() {
    for changes in [vec![quantity as Change], vec![|id, _| price(id, 101), |id, _| price(id, 100)]] {
        let mut desk = Desk::rich();
        let id = desk.accepted(sell(ALICE, 5, 100));
        let other = desk.accepted(sell(BOB, 5, 100));
        for change in changes {
            desk.modify(change(id, 6)).unwrap();
        }
        assert_eq!(first_maker(&mut desk), other, "more quantity, or another price, goes to the end");
    }
}

#[test]
fn a_new_price_may_trade_at_once() {
    let mut desk = Desk::rich();
    desk.accepted(buy(BOB, 2, 99));
    let id = desk.accepted(sell(ALICE, 5, 101));
    let events = desk.modify(price(id, 99)).unwrap();
    assert_eq!(trades(&events), [(99, 2)], "it meets the bid like a new order");
    assert_eq!(desk.book(), [vec![], vec![(99, 3)]], "and the rest waits at the new price");
}

#[test]
fn a_modified_order_does_not_trade_with_its_own_account() {
    let mut desk = Desk::rich();
    let own = desk.accepted(buy(ALICE, 2, 99));
    desk.accepted(buy(BOB, 2, 98));
    let id = desk.accepted(sell(ALICE, 3, 101));
    let events = desk.modify(price(id, 98)).unwrap();
    assert_eq!(trades(&events), [(98, 2)], "it trades with the other account only");
    assert_eq!(desk.order(own).cancel_reason, Some(CancelReason::SelfTradePrevention), "self-trade after a modify");
}

#[test]
fn the_trade_of_a_modified_order_triggers_stops() {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    let waiting = desk.accepted(stop(market(BOB, Side::Sell, 1), 95));
    desk.accepted(buy(ROBOT, 1, 95));
    desk.accepted(buy(ROBOT, 5, 90));
    let id = desk.accepted(sell(ALICE, 1, 101));
    let events = desk.modify(price(id, 95)).unwrap();
    assert_eq!(trades(&events), [(95, 1), (90, 1)], "the second trade is the stop order's");
    assert_eq!(desk.order(waiting).status, OrderStatus::Filled, "a stop triggers whichever way the trade came about");
}

#[test]
fn a_stop_order_moved_to_the_last_price_triggers() {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    desk.accepted(buy(BOB, 5, 99));
    let id = desk.accepted(stop(market(ALICE, Side::Sell, 2), 90));
    let events = desk.modify(stop_price(id, 95)).unwrap();
    assert!(matches!(events[..], [Event::Modified { .. }, Event::Rested { .. }]), "95 is not reached: {events:?}");
    let events = desk.modify(stop_price(id, 100)).unwrap();
    assert_eq!(trades(&events), [(99, 2)], "100 is");
}

#[test]
fn a_quantity_counts_what_has_filled() {
    let mut desk = Desk::rich();
    let id = desk.accepted(sell(ALICE, 5, 100));
    desk.accepted(buy(BOB, 2, 100));
    let refused = desk.modify(quantity(id, 2));
    assert_eq!(refused, Err(Reject::NotAboveFilled { filled: "0.0002".to_owned() }), "nothing would be left");
    desk.modify(quantity(id, 4)).unwrap();
    assert_eq!(desk.book(), [vec![], vec![(100, 2)]], "4 less the 2 that filled");
    assert_eq!(desk.order(id).status, OrderStatus::PartiallyFilled, "its fills stay");
}

#[test]
fn what_does_not_fit_the_order_is_refused() {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    let limit = desk.accepted(sell(ALICE, 5, 110));
    let stop_order = desk.accepted(stop(market(ALICE, Side::Sell, 5), 90));
    let cases = [
        ("new_quantity", change(ALICE, limit)),
        ("new_stop_price", stop_price(limit, 90)),
        ("new_price", price(stop_order, 90)),
    ];
    for (field, change) in cases {
        let refused = desk.modify(change);
        assert!(matches!(refused, Err(Reject::Invalid { field: named, .. }) if named == field), "{refused:?}");
    }
    let missing = desk.modify(ModifyOrder { limit: Some(Ticks(1)), ..change(BOB, limit) });
    assert_eq!(missing, Err(Reject::UnknownOrder { order_id: limit }), "another account must not learn of it");
    assert_eq!(desk.modify(price(limit, 110)), Ok(vec![]), "no change is nothing to do");
    desk.cancel(ALICE, limit).unwrap();
    let ended = desk.modify(price(limit, 111));
    assert_eq!(ended, Err(Reject::NotOpen { order_id: limit, status: "cancelled" }), "it has ended");
}

#[test]
fn a_post_only_order_is_not_moved_into_the_market() {
    let mut desk = Desk::rich();
    desk.accepted(buy(BOB, 5, 99));
    let id = desk.accepted(post_only(sell(ALICE, 5, 110)));
    let refused = desk.modify(price(id, 99));
    assert!(matches!(refused, Err(Reject::PostOnly { .. })), "it asked never to take: {refused:?}");
    assert_eq!(desk.order(id).limit, Some(Ticks(110)), "and stays as it was");
}

#[test]
fn the_quantity_of_a_bracket_is_fixed() {
    let mut desk = Desk::rich();
    let entry = desk.accepted(bracket(buy(ALICE, 5, 100), 110, 90));
    let refused = desk.modify(quantity(entry, 3));
    assert!(matches!(refused, Err(Reject::Invalid { field: "new_quantity", .. })), "its exits follow its fills");
    desk.modify(price(OrderId(entry.0 + 1), 120)).unwrap();
    assert_eq!(desk.order(OrderId(entry.0 + 1)).limit, Some(Ticks(120)), "a held exit may still move");
}
