use cwts_domain::{CancelReason, Event, Lots, OrderId, OrderStatus, Side, Ticks, TimeInForce, Timestamp};

use crate::fixture::{
    ALICE, BOB, Desk, ROBOT, bracket, buy, lasting, market, oco, post_only, reduce_only, sell, stop, trades,
};

/// Bids and asks of the robot around a last price of 100.
fn market_at_100() -> Desk {
    let mut desk = Desk::rich();
    desk.trade_at(100);
    for away in 1..=5 {
        desk.accepted(buy(ROBOT, 10, 100 - away));
        desk.accepted(sell(ROBOT, 10, 100 + away));
    }
    desk
}

fn next(id: OrderId, offset: u64) -> OrderId {
    OrderId(id.0 + offset)
}

/// Order id and quantity of the exits of an order.
fn exits(desk: &Desk, entry: OrderId) -> [(OrderStatus, i64); 2] {
    [1, 2].map(|offset| {
        let exit = desk.order(next(entry, offset));
        (exit.status, exit.quantity.0)
    })
}

#[test]
fn a_stop_triggers_when_a_trade_reaches_it_and_not_before() {
    let mut desk = market_at_100();
    let id = desk.accepted(stop(market(ALICE, Side::Buy, 2), 102));
    desk.accepted(market(BOB, Side::Buy, 10));
    assert_eq!(desk.order(id).status, OrderStatus::Open, "the trade was at 101");
    let events = desk.place(market(BOB, Side::Buy, 1)).unwrap();
    assert_eq!(trades(&events), [(102, 1), (102, 2)], "the trade at 102 sets it off, and it trades next");
    assert_eq!(desk.order(id).triggered_at, Some(desk.now), "its owner learns when");
}

#[test]
fn a_stop_limit_order_works_at_its_limit() {
    let mut desk = market_at_100();
    let id = desk.accepted(stop(sell(ALICE, 20, 98), 99));
    let events = desk.place(market(BOB, Side::Sell, 1)).unwrap();
    assert_eq!(trades(&events), [(99, 1), (99, 9), (98, 10)], "it takes the bids down to 98");
    assert_eq!(desk.book()[1][0], (98, 1), "and the last lot waits at its limit");
    assert_eq!(desk.order(id).status, OrderStatus::PartiallyFilled, "in the book");
}

#[test]
fn stops_trigger_in_the_sequence_in_which_the_price_reaches_them_and_then_by_age() {
    let mut desk = market_at_100();
    let far = desk.accepted(stop(market(ALICE, Side::Sell, 1), 97));
    let near = desk.accepted(stop(market(ALICE, Side::Sell, 1), 98));
    let later = desk.accepted(stop(market(ALICE, Side::Sell, 1), 98));
    let events = desk.place(sell(BOB, 21, 97)).unwrap();
    let triggered: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Triggered { order_id, .. } => Some(*order_id),
            _ => None,
        })
        .collect();
    assert_eq!(triggered, [near, later, far], "98 came before 97, and the older order first");
}

#[test]
fn stops_set_off_each_other_and_the_cascade_ends() {
    let mut desk = market_at_100();
    let ids: Vec<_> = (0..4).map(|step| desk.accepted(stop(market(ALICE, Side::Sell, 10), 99 - step))).collect();
    let events = desk.place(market(BOB, Side::Sell, 1)).unwrap();
    let expected = [(99, 1), (99, 9), (98, 1), (98, 9), (97, 1), (97, 9), (96, 1), (96, 9), (95, 1)];
    assert_eq!(trades(&events), expected, "each takes the rest of a level and the first lot of the next");
    assert!(ids.iter().all(|id| desk.order(*id).status == OrderStatus::Filled), "all four have worked");
}

#[test]
fn a_price_that_only_spiked_has_triggered_all_the_same() {
    let mut desk = market_at_100();
    let buys = desk.accepted(stop(market(ALICE, Side::Buy, 1), 102));
    desk.accepted(lasting(buy(BOB, 11, 102), TimeInForce::Ioc));
    desk.accepted(market(BOB, Side::Sell, 1));
    assert_eq!(desk.order(buys).status, OrderStatus::Filled, "one trade at 102 is enough");
}

#[test]
fn a_post_only_stop_limit_order_that_would_trade_ends() {
    let mut desk = market_at_100();
    let id = desk.accepted(post_only(stop(sell(ALICE, 1, 90), 99)));
    desk.accepted(market(BOB, Side::Sell, 1));
    assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::PostOnly), "at 90 it would have taken a bid");
}

#[test]
fn a_fok_stop_fills_whole_or_not_at_all() {
    let mut desk = market_at_100();
    let id = desk.accepted(lasting(stop(sell(ALICE, 20, 99), 99), TimeInForce::Fok));
    let events = desk.place(market(BOB, Side::Sell, 1)).unwrap();
    assert_eq!(trades(&events), [(99, 1)], "9 at 99 are too little");
    assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::Unfilled), "so it is killed");
}

#[test]
fn a_stop_whose_day_is_over_does_not_trigger() {
    let mut desk = market_at_100();
    let id = desk.accepted(lasting(stop(market(ALICE, Side::Sell, 1), 99), TimeInForce::Day));
    desk.now = Timestamp(86_400_000_000_000);
    desk.accepted(market(BOB, Side::Sell, 1));
    assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::Expired), "yesterday's order");
}

#[test]
fn exits_are_held_until_their_order_fills_and_work_for_what_has_filled() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(buy(ALICE, 10, 98), 103, 90));
    assert_eq!(exits(&desk, entry), [(OrderStatus::Held, 10); 2], "there is nothing to exit from");
    desk.accepted(sell(BOB, 24, 98));
    assert_eq!(desk.position(ALICE).quantity(), Lots(4), "10 at 99 and 10 of the robot at 98 came first");
    assert_eq!(exits(&desk, entry), [(OrderStatus::Open, 4); 2], "they protect the 4 that are held");
    desk.accepted(sell(BOB, 6, 98));
    assert_eq!(exits(&desk, entry), [(OrderStatus::Open, 10); 2], "and then all 10");
    assert_eq!(desk.market().depth(Side::Sell, 3)[2], (Ticks(103), Lots(20)), "the profit waits in the book");
}

#[test]
fn a_market_order_brings_its_exits_to_work_at_once() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(market(ALICE, Side::Buy, 15), 120, 90));
    assert_eq!(exits(&desk, entry), [(OrderStatus::Open, 15); 2], "two trades made one position");
}

#[test]
fn one_exit_shrinks_the_other_and_ends_it_when_done() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(market(ALICE, Side::Buy, 10), 105, 90));
    desk.accepted(buy(BOB, 44, 105));
    assert_eq!(exits(&desk, entry), [(OrderStatus::PartiallyFilled, 10), (OrderStatus::Open, 6)], "4 are sold at 105");
    desk.accepted(buy(BOB, 6, 105));
    assert_eq!(desk.order(next(entry, 1)).status, OrderStatus::Filled, "the profit is taken");
    assert_eq!(desk.order(next(entry, 2)).cancel_reason, Some(CancelReason::Linked), "and nothing is left to protect");
    assert_eq!(desk.position(ALICE).quantity(), Lots(0), "flat");
}

#[test]
fn a_stop_loss_that_triggers_ends_the_other_exit_and_the_rest_of_the_order() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(buy(ALICE, 12, 101), 110, 97));
    assert_eq!(exits(&desk, entry), [(OrderStatus::Open, 10); 2], "10 filled at 101, 2 wait");
    desk.accepted(sell(BOB, 23, 97));
    let order = |offset| desk.order(next(entry, offset));
    assert_eq!(order(2).status, OrderStatus::Filled, "sold what was held");
    assert_eq!(order(1).cancel_reason, Some(CancelReason::Linked), "the profit will not come");
    assert_eq!(desk.position(ALICE).quantity(), Lots(0), "flat: both together sold 12 of 12");
    assert!(!order(0).status.is_open(), "and nothing is bought any more");
}

#[test]
fn cancelling_an_unfilled_order_ends_its_held_exits() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(buy(ALICE, 10, 90), 110, 80));
    desk.cancel(ALICE, entry).unwrap();
    for offset in [1, 2] {
        assert_eq!(desk.order(next(entry, offset)).cancel_reason, Some(CancelReason::Linked), "there is no entry");
    }
}

#[test]
fn cancelling_one_exit_leaves_the_other() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(market(ALICE, Side::Buy, 10), 105, 90));
    desk.cancel(ALICE, next(entry, 1)).unwrap();
    assert_eq!(desk.order(next(entry, 2)).status, OrderStatus::Open, "who drops the profit keeps the protection");
}

#[test]
fn exits_go_when_the_position_is_closed_by_hand() {
    let mut desk = market_at_100();
    let entry = desk.accepted(bracket(market(ALICE, Side::Buy, 10), 105, 90));
    desk.accepted(market(ALICE, Side::Sell, 10));
    for offset in [1, 2] {
        let reason = desk.order(next(entry, offset)).cancel_reason;
        assert_eq!(reason, Some(CancelReason::ReduceOnly), "an exit must never open a position");
    }
}

#[test]
fn one_order_of_an_oco_shrinks_and_ends_the_other() {
    let mut desk = market_at_100();
    let id = desk.accepted(oco(sell(ALICE, 10, 104), 90, None));
    desk.accepted(buy(BOB, 43, 104));
    assert_eq!(desk.order(id).filled_quantity, Lots(3), "30 up to 103 and 10 of the robot at 104 came first");
    assert_eq!(desk.order(next(id, 1)).quantity, Lots(7), "the stop would sell the other 7");
    desk.accepted(buy(BOB, 7, 104));
    assert_eq!(desk.order(next(id, 1)).cancel_reason, Some(CancelReason::Linked), "one cancels the other");
}

#[test]
fn the_stop_of_an_oco_cancels_the_limit_order_when_it_triggers() {
    let mut desk = market_at_100();
    let id = desk.accepted(oco(sell(ALICE, 10, 110), 98, Some(97)));
    desk.accepted(sell(BOB, 11, 98));
    assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::Linked), "before the stop trades at all");
    assert_eq!(desk.order(next(id, 1)).filled_quantity, Lots(10), "9 at 98 and 1 at 97");
    assert_eq!(desk.position(ALICE).quantity(), Lots(-10), "together they never sell more than 10");
}

#[test]
fn a_reduce_only_order_never_turns_the_position() {
    let mut desk = market_at_100();
    desk.accepted(market(ALICE, Side::Buy, 10));
    let near = desk.accepted(reduce_only(sell(ALICE, 10, 106)));
    let far = desk.accepted(reduce_only(sell(ALICE, 10, 107)));
    desk.accepted(sell(ALICE, 4, 105));
    let events = desk.place(buy(BOB, 70, 108)).unwrap();
    assert_eq!(desk.position(ALICE).quantity(), Lots(0), "all three were met in one go: {:?}", trades(&events));
    let order = |id| desk.order(id);
    assert_eq!(order(near).filled_quantity, Lots(6), "4 went at 105, so 6 were left at 106");
    assert_eq!(order(near).cancel_reason, Some(CancelReason::ReduceOnly), "and its rest must not sell short");
    assert_eq!(order(far).filled_quantity, Lots(0), "nor the next order");
}

#[test]
fn reduce_only_orders_leave_the_book_with_the_position() {
    let mut desk = market_at_100();
    desk.accepted(market(ALICE, Side::Buy, 10));
    let resting = desk.accepted(reduce_only(sell(ALICE, 5, 110)));
    let waiting = desk.accepted(reduce_only(stop(market(ALICE, Side::Sell, 5), 50)));
    desk.accepted(market(ALICE, Side::Sell, 10));
    for id in [resting, waiting] {
        assert_eq!(desk.order(id).cancel_reason, Some(CancelReason::ReduceOnly), "it could only open a position");
    }
}

#[test]
fn a_triggered_reduce_only_order_sells_at_most_what_is_held() {
    let mut desk = market_at_100();
    desk.accepted(market(ALICE, Side::Buy, 10));
    let id = desk.accepted(reduce_only(stop(market(ALICE, Side::Sell, 10), 98)));
    desk.accepted(market(ALICE, Side::Sell, 7));
    desk.accepted(sell(BOB, 4, 98));
    assert_eq!(desk.position(ALICE).quantity(), Lots(0), "3 were left");
    let order = desk.order(id);
    assert_eq!(
        (order.filled_quantity, order.cancel_reason),
        (Lots(3), Some(CancelReason::ReduceOnly)),
        "the rest ends"
    );
}
