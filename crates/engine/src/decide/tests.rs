use cwts_domain::{
    CancelReason, Cash, Event, InstrumentId, Lots, OrderId, OrderStatus, PlaceOrder, Reject, Side, Ticks, TimeInForce,
    Timestamp,
};

use super::*;
use crate::OpeningAccount;
use crate::fixture::{ALICE, BOB, BTC, Desk, ROBOT, buy, lasting, market, named, sell, trades};

#[test]
fn a_limit_order_without_counterparty_rests() {
    let mut desk = Desk::rich();
    let events = desk.place(buy(ALICE, 5, 100)).unwrap();
    assert!(matches!(events[..], [Event::Accepted { .. }, Event::Rested { .. }]), "it waits for a counterparty");
    assert_eq!(desk.book(), [vec![(100, 5)], vec![]], "the book must show it");
}

#[test]
fn ids_are_dense_and_ascend_from_one() {
    let mut desk = Desk::rich();
    let ids: Vec<_> = (0..3).map(|price| desk.accepted(buy(ALICE, 1, 100 + price))).collect();
    desk.place(buy(ALICE, 0, 100)).unwrap_err();
    assert_eq!(ids, [OrderId(1), OrderId(2), OrderId(3)], "clients and the slab rely on dense ids");
    assert_eq!(desk.accepted(buy(ALICE, 1, 100)), OrderId(4), "a refused order must not use up an id");
}

#[test]
fn a_trade_happens_at_the_price_of_the_resting_order() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 5, 100));
    let events = desk.place(buy(ALICE, 5, 120)).unwrap();
    assert_eq!(trades(&events), [(100, 5)], "the incoming order must get the better price that was on offer");
    assert_eq!(desk.book(), [vec![], vec![]], "both orders are done");
}

#[test]
fn the_best_price_trades_first_and_then_the_oldest_order() {
    let mut desk = Desk::rich();
    let late_price = desk.accepted(sell(BOB, 1, 101));
    let first = desk.accepted(sell(BOB, 1, 100));
    let second = desk.accepted(sell(BOB, 1, 100));
    let events = desk.place(buy(ALICE, 3, 101)).unwrap();
    let makers: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Traded { maker_order_id, .. } => Some(*maker_order_id),
            _ => None,
        })
        .collect();
    assert_eq!(makers, [first, second, late_price], "price-time priority is the promise of the book");
}

#[test]
fn a_partly_filled_order_keeps_its_place_in_the_queue() {
    let mut desk = Desk::rich();
    let first = desk.accepted(sell(BOB, 3, 100));
    desk.accepted(sell(BOB, 3, 100));
    desk.accepted(buy(ALICE, 1, 100));
    let events = desk.place(buy(ALICE, 1, 100)).unwrap();
    assert!(
        matches!(events[1], Event::Traded { maker_order_id, .. } if maker_order_id == first),
        "a partial fill must not cost the first order its turn"
    );
    assert_eq!(desk.order(first).status, OrderStatus::PartiallyFilled, "one lot of it is left");
}

#[test]
fn one_order_walks_several_levels_and_rests_with_what_is_left() {
    let mut desk = Desk::rich();
    for price in [100, 101, 102] {
        desk.accepted(sell(BOB, 2, price));
    }
    let events = desk.place(buy(ALICE, 7, 101)).unwrap();
    assert_eq!(trades(&events), [(100, 2), (101, 2)], "it must take every level up to its limit");
    assert_eq!(desk.book(), [vec![(101, 3)], vec![(102, 2)]], "the rest must wait at its limit");
}

#[test]
fn a_market_order_takes_what_there_is_and_never_rests() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 2, 100));
    desk.accepted(sell(BOB, 2, 9_000));
    let events = desk.place(market(ALICE, Side::Buy, 5)).unwrap();
    assert_eq!(trades(&events), [(100, 2), (9_000, 2)], "a market order has no limit");
    assert!(
        matches!(events.last(), Some(Event::Cancelled { reason: CancelReason::Unfilled, .. })),
        "without a price its rest cannot wait"
    );
}

#[test]
fn a_market_order_into_an_empty_side_is_refused() {
    let mut desk = Desk::rich();
    desk.accepted(buy(BOB, 2, 100));
    assert_eq!(desk.place(market(ALICE, Side::Buy, 1)), Err(Reject::NoLiquidity { side: Side::Sell }), "no seller");
    assert!(desk.place(market(ALICE, Side::Sell, 1)).is_ok(), "there is a buyer");
}

#[test]
fn an_ioc_order_never_rests() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 2, 100));
    let events = desk.place(lasting(buy(ALICE, 5, 100), TimeInForce::Ioc)).unwrap();
    assert_eq!(trades(&events), [(100, 2)], "what is there trades");
    assert_eq!(desk.book(), [vec![], vec![]], "the rest must be cancelled, not wait");
    let nothing = desk.place(lasting(buy(ALICE, 5, 100), TimeInForce::Ioc)).unwrap();
    assert!(
        matches!(nothing[..], [Event::Accepted { .. }, Event::Cancelled { reason: CancelReason::Unfilled, .. }]),
        "an IOC order without counterparty is accepted and ends at once"
    );
}

#[test]
fn a_fok_order_fills_whole_or_changes_nothing() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 2, 100));
    desk.accepted(sell(BOB, 2, 101));
    let before = desk.exchange.clone();
    let refused = desk.place(lasting(buy(ALICE, 4, 100), TimeInForce::Fok));
    assert_eq!(refused, Err(Reject::FillOrKill { available: "0.0002".to_owned() }), "only one level is in reach");
    assert_eq!(desk.exchange, before, "a refusal must leave the exchange as it was");
    let filled = desk.place(lasting(buy(ALICE, 4, 101), TimeInForce::Fok)).unwrap();
    assert_eq!(trades(&filled), [(100, 2), (101, 2)], "with both levels in reach it fills whole");
}

#[test]
fn a_fok_order_does_not_count_orders_of_its_own_account() {
    let mut desk = Desk::rich();
    let own = desk.accepted(sell(ALICE, 2, 100));
    desk.accepted(sell(BOB, 2, 100));
    let refused = desk.place(lasting(buy(ALICE, 4, 100), TimeInForce::Fok));
    assert!(matches!(refused, Err(Reject::FillOrKill { .. })), "half of it could only trade with itself");
    assert!(desk.order(own).status.is_open(), "a killed order must not cancel anything");
}

#[test]
fn an_own_order_in_the_way_is_cancelled_and_the_incoming_one_goes_on() {
    let mut desk = Desk::rich();
    let own = desk.accepted(sell(ALICE, 2, 100));
    let behind = desk.accepted(sell(ALICE, 2, 103));
    desk.accepted(sell(BOB, 2, 101));
    let events = desk.place(buy(ALICE, 2, 103)).unwrap();
    assert_eq!(trades(&events), [(101, 2)], "it must trade with the other account");
    assert_eq!(
        desk.order(own).cancel_reason,
        Some(CancelReason::SelfTradePrevention),
        "nobody may trade with themselves, and the owner must learn why the order is gone"
    );
    assert!(desk.order(behind).status.is_open(), "an own order that was not reached stays");
}

#[test]
fn only_the_owner_cancels() {
    let mut desk = Desk::rich();
    let order_id = desk.accepted(buy(ALICE, 2, 100));
    let foreign = desk.send(Command::Cancel { account: BOB, order_id });
    assert_eq!(foreign, Err(Reject::UnknownOrder { order_id }), "another account must not even learn that it exists");
    desk.send(Command::Cancel { account: ALICE, order_id }).unwrap();
    assert_eq!(desk.book(), [vec![], vec![]], "the owner's cancel takes it out of the book");
    let again = desk.send(Command::Cancel { account: ALICE, order_id });
    assert_eq!(again, Err(Reject::NotOpen { order_id, status: "cancelled" }), "an ended order stays ended");
}

#[test]
fn a_filled_order_cannot_be_cancelled() {
    let mut desk = Desk::rich();
    let order_id = desk.accepted(buy(ALICE, 2, 100));
    desk.accepted(sell(BOB, 2, 100));
    let refused = desk.send(Command::Cancel { account: ALICE, order_id });
    assert_eq!(refused, Err(Reject::NotOpen { order_id, status: "filled" }), "the client must learn that it filled");
}

#[test]
fn cancel_all_takes_every_order_of_the_account_and_no_other() {
    let mut desk = Desk::rich();
    desk.accepted(buy(ALICE, 1, 90));
    desk.accepted(buy(BOB, 1, 90));
    desk.accepted(sell(ALICE, 1, 110));
    let events = desk.send(Command::CancelAll { account: ALICE, instrument: None }).unwrap();
    assert_eq!(events.len(), 2, "both orders of the account end");
    assert_eq!(desk.book(), [vec![(90, 1)], vec![]], "the other account's order stays");
    assert_eq!(
        desk.send(Command::CancelAll { account: ALICE, instrument: None }),
        Ok(vec![]),
        "with nothing open there is nothing to do"
    );
}

#[test]
fn the_same_client_order_id_places_one_order_only() {
    let mut desk = Desk::rich();
    let id = desk.accepted(named(buy(ALICE, 1, 90), "a"));
    let before = desk.exchange.clone();
    assert_eq!(desk.place(named(buy(ALICE, 1, 90), "a")), Ok(vec![]), "a retry must not buy twice");
    let taken = Err(Reject::ClientOrderIdTaken { client_order_id: "a".to_owned(), order_id: id });
    for other in [sell(ALICE, 1, 90), buy(ALICE, 2, 90), buy(ALICE, 1, 91)] {
        assert_eq!(desk.place(named(other, "a")), taken, "an agent must not believe that it placed another order");
    }
    assert_eq!(desk.exchange, before, "neither changes anything");
    let name = cwts_domain::ClientOrderId("a".to_owned());
    assert_eq!(
        desk.exchange.order_by_client_id(ALICE, &name).map(|order| order.id),
        Some(id),
        "the retry must find its order"
    );
    assert_ne!(desk.accepted(named(buy(BOB, 1, 90), "a")), id, "names are unique per account only");
}

#[test]
fn a_client_order_id_names_its_order_also_after_the_order_ended() {
    let mut desk = Desk::rich();
    let order_id = desk.accepted(named(buy(ALICE, 1, 90), "a"));
    desk.send(Command::Cancel { account: ALICE, order_id }).unwrap();
    assert_eq!(desk.place(named(buy(ALICE, 1, 90), "a")), Ok(vec![]), "a late retry must not place a new order");
}

#[test]
fn a_refused_order_leaves_its_client_order_id_unused() {
    let mut desk = Desk::rich();
    desk.place(named(market(ALICE, Side::Buy, 1), "a")).unwrap_err();
    assert_eq!(desk.accepted(named(buy(ALICE, 1, 90), "a")), OrderId(1), "the corrected order must go through");
}

#[test]
fn what_no_order_can_be_is_refused_with_what_is_allowed() {
    let mut desk = Desk::rich();
    let quantity = Reject::QuantityOutOfRange { min: "0.0001".to_owned(), max: "1000".to_owned() };
    for lots in [0, -1, 10_000_001, i64::MIN, i64::MAX] {
        assert_eq!(desk.place(buy(ALICE, lots, 1)), Err(quantity.clone()), "{lots} lots must not be taken");
    }
    let price = Reject::PriceOutOfRange { field: "price", min: "0.01".to_owned(), max: "10000000".to_owned() };
    for ticks in [0, -1, 1_000_000_001, i64::MIN, i64::MAX] {
        assert_eq!(desk.place(buy(ALICE, 1, ticks)), Err(price.clone()), "{ticks} ticks must not be taken");
    }
    let foreign = PlaceOrder { instrument: InstrumentId(1), ..buy(ALICE, 1, 1) };
    let unknown = Reject::UnknownSymbol { symbol: "#1".to_owned(), available: "BTCUSD".to_owned() };
    assert_eq!(desk.place(foreign), Err(unknown), "the client must learn what is traded");
}

#[test]
fn an_unknown_account_is_refused() {
    let mut desk = Desk::rich();
    let account = AccountId(77);
    assert_eq!(desk.place(buy(account, 1, 1)), Err(Reject::UnknownAccount { account }), "nobody would own the order");
    let all = desk.send(Command::CancelAll { account, instrument: None });
    assert_eq!(all, Err(Reject::UnknownAccount { account }), "silence would read as success");
}

#[test]
fn the_number_of_open_orders_is_bounded() {
    let mut exchange = Desk::rich().exchange;
    for _ in 0..MAX_OPEN_ORDERS {
        exchange.execute(&Command::Place(buy(ROBOT, 1, 1)), Timestamp(0)).unwrap();
    }
    let refused = exchange.execute(&Command::Place(buy(ROBOT, 1, 1)), Timestamp(0));
    let limit = MAX_OPEN_ORDERS;
    assert_eq!(refused, Err(Reject::TooManyOpenOrders { limit }), "a client must not fill the memory with orders");
    exchange.execute(&Command::Place(sell(ALICE, 1, 1)), Timestamp(0)).unwrap();
    assert!(exchange.execute(&Command::Place(buy(ROBOT, 1, 1)), Timestamp(0)).is_ok(), "one filled, so one may come");
}

#[test]
fn deciding_reads_only() {
    let mut desk = Desk::rich();
    desk.accepted(sell(BOB, 2, 100));
    let before = desk.exchange.clone();
    let command = Command::Place(buy(ALICE, 1, 100));
    let events = decide(&desk.exchange, &command, Timestamp(9)).unwrap();
    assert_eq!(desk.exchange, before, "what is decided happens only when it is applied");
    assert_eq!(decide(&desk.exchange, &command, Timestamp(9)), Ok(events), "the same question gets the same answer");
}

#[test]
fn a_trade_names_both_sides() {
    let mut desk = Desk::rich();
    let maker_order_id = desk.accepted(buy(BOB, 2, 100));
    let events = desk.place(sell(ALICE, 1, 100)).unwrap();
    let trade = Event::Traded {
        maker_order_id,
        taker_order_id: OrderId(2),
        maker: BOB,
        taker: ALICE,
        instrument: BTC,
        taker_side: Side::Sell,
        price: Ticks(100),
        quantity: Lots(1),
        maker_fee: Cash::ZERO,
        taker_fee: Cash::ZERO,
        at: desk.now,
    };
    assert_eq!(events[1], trade, "one event must carry what both accounts need");
}

#[test]
fn the_end_of_a_day_ends_its_day_orders() {
    let mut desk = Desk::rich();
    let day = lasting(buy(ALICE, 1, 90), TimeInForce::Day);
    let (ends, stays) = (desk.accepted(day.clone()), desk.accepted(buy(ALICE, 1, 90)));
    desk.now = Timestamp(86_400_000_000_000);
    let today = desk.accepted(day);
    desk.send(Command::EndDay).unwrap();
    assert_eq!(desk.order(ends).cancel_reason, Some(CancelReason::Expired), "yesterday's DAY order");
    assert!(desk.order(stays).status.is_open() && desk.order(today).status.is_open(), "GTC, and today's, go on");
    assert_eq!(desk.send(Command::EndDay), Ok(vec![]), "a day ends once");
    assert_eq!(desk.exchange.day(), 1, "the day that has begun");
}

#[test]
fn a_reset_gives_the_opening_back_and_the_house_the_positions() {
    let mut desk =
        Desk::of([OpeningAccount::client(ALICE, Cash(1_000_000)), OpeningAccount::simulator(ROBOT, Cash::ZERO)]);
    desk.accepted(sell(ROBOT, 20, 100));
    desk.accepted(named(buy(ALICE, 10, 100), "a"));
    let open = desk.accepted(buy(ALICE, 1, 90));
    let before = desk.exchange.order(open).cloned();
    assert!(before.is_some() && desk.account(ALICE).fees_paid() > Cash::ZERO, "there is something to forget");
    desk.send(Command::Reset { account: ALICE }).unwrap();
    let alice = desk.account(ALICE);
    assert_eq!((alice.cash(), alice.realised_pnl(), alice.open_order_count()), (Cash(1_000_000), Cash::ZERO, 0), "new");
    assert_eq!(desk.exchange.orders(ALICE).count() + desk.exchange.fills(ALICE).count(), 0, "no history");
    assert_eq!(desk.exchange.order(open), None, "its orders are gone");
    assert_eq!(desk.book(), [vec![], vec![(100, 10)]], "also from the book");
    assert_eq!(desk.position(AccountId::HOUSE).quantity(), Lots(10), "somebody must hold what the robot sold");
    desk.accepted(named(buy(ALICE, 1, 90), "a"));
}

#[test]
fn only_clients_can_be_reset() {
    let mut desk = Desk::rich();
    let refused = desk.send(Command::Reset { account: AccountId::HOUSE });
    assert_eq!(refused, Err(Reject::UnknownAccount { account: AccountId::HOUSE }), "the house keeps its books");
}

#[test]
fn cancel_all_can_be_of_one_instrument() {
    let mut desk = Desk::rich();
    let order = desk.accepted(buy(ALICE, 1, 90));
    let unknown = desk.send(Command::CancelAll { account: ALICE, instrument: Some(InstrumentId(7)) });
    assert!(matches!(unknown, Err(Reject::UnknownSymbol { .. })), "silence would read as success: {unknown:?}");
    desk.send(Command::CancelAll { account: ALICE, instrument: Some(BTC) }).unwrap();
    assert!(!desk.order(order).status.is_open(), "its instrument");
}
