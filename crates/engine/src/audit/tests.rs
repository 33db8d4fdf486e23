use cwts_domain::{OrderStatus, Ticks};

use super::*;
use crate::fixture::{ALICE, BOB, BTC, Desk, buy, sell};

/// What the audit says after `damage` to a sound exchange with a trade, two bids at 99 and an ask at 101.
fn audited(damage: impl FnOnce(&mut Exchange)) -> Result<(), AuditError> {
    let mut desk = Desk::rich();
    desk.accepted(buy(ALICE, 5, 99));
    desk.accepted(buy(BOB, 5, 99));
    desk.accepted(sell(BOB, 6, 101));
    desk.accepted(buy(ALICE, 1, 101));
    damage(&mut desk.exchange);
    desk.exchange.audit()
}

#[test]
fn a_sound_exchange_passes() {
    assert_eq!(audited(|_| ()), Ok(()), "the other tests rest on it");
}

#[test]
fn money_from_nowhere_is_found() {
    let found = audited(|exchange| {
        let alice = &mut exchange.accounts[1];
        alice.cash += alice.positions[0].settle(Side::Buy, Ticks(1), Lots(1));
    });
    assert!(matches!(found, Err(AuditError::CashSum { .. })), "one side of a trade alone: {found:?}");
}

#[test]
fn quantity_from_nowhere_is_found() {
    let found = audited(|exchange| {
        exchange.accounts[1].positions[0].settle(Side::Buy, Ticks(0), Lots(1));
    });
    assert_eq!(found, Err(AuditError::PositionSum { instrument: BTC, found: Lots(1) }), "somebody must be short of it");
}

#[test]
fn a_crossed_book_is_found() {
    let found = audited(|exchange| {
        let mut crossed = exchange.markets[0].book.queue(Side::Buy).next().unwrap().to_owned();
        crossed.price = Ticks(102);
        exchange.markets[0].book.insert(crossed);
    });
    let (bid, ask) = (Ticks(102), Ticks(101));
    assert_eq!(found, Err(AuditError::CrossedBook { bid, ask }), "these two should have traded");
}

#[test]
fn an_order_that_is_in_the_book_twice_is_found() {
    let found = audited(|exchange| {
        let twin = exchange.markets[0].book.queue(Side::Buy).next().unwrap().to_owned();
        exchange.markets[0].book.insert(twin);
    });
    assert_eq!(found, Err(AuditError::Mismatch { order_id: OrderId(1) }), "it would trade twice");
}

#[test]
fn an_open_order_outside_the_book_is_found() {
    let found = audited(|exchange| exchange.markets[0].book.remove(0));
    assert_eq!(found, Err(AuditError::OrderCount { listed: 2, waiting: 3, in_slab: 2 }), "it could never trade");
}

#[test]
fn an_ended_order_in_the_book_is_found() {
    let found = audited(|exchange| {
        let slot = exchange.orders.slot(OrderId(1)).unwrap();
        exchange.orders.at_mut(slot).unwrap().order.status = OrderStatus::Cancelled;
    });
    assert_eq!(found, Err(AuditError::Mismatch { order_id: OrderId(1) }), "it must not trade any more");
}

#[test]
fn a_total_of_an_account_that_is_wrong_is_found() {
    let found = audited(|exchange| {
        exchange.accounts[2].positions[0].open_total_mut(Side::Buy).add(Ticks(99), Lots(1));
    });
    assert_eq!(found, Err(AuditError::OpenOrders { account: BOB }), "the exposure limit relies on it");
}
