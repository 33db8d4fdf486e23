use cwts_domain::{AccountId, InstrumentId, Link, Lots, PlaceOrder, Side, Timestamp};

use super::*;
use crate::order::Order;

fn add(orders: &mut Orders) -> Slot {
    let (id, placed) = (orders.next_id(), PlaceOrder::market(AccountId(1), InstrumentId(0), Side::Buy, Lots(1)));
    orders.insert(id, || Record::new(Order::new(id, &placed, Link::None, Timestamp(0)), 0))
}

#[test]
fn memory_grows_with_the_orders_that_are_kept() {
    let mut orders = Orders::default();
    let old = add(&mut orders);
    for _ in 0..100_000 {
        let slot = add(&mut orders);
        orders.remove(slot);
    }
    assert_eq!(orders.records.len(), 2, "a slot is used again");
    assert!(orders.pages.len() <= 2, "only pages with orders are there, not {}", orders.pages.len());
    orders.remove(old);
    add(&mut orders);
    assert_eq!(orders.pages.len(), 1, "and without the old order its page goes too");
}

#[test]
fn what_is_written_comes_back_equal() {
    let mut orders = Orders::default();
    for at in 0..5_000 {
        let slot = add(&mut orders);
        if at % 1_700 != 3 {
            orders.remove(slot);
        }
    }
    let text = serde_json::to_string(&orders).expect("text");
    let back: Orders = serde_json::from_str(&text).expect("orders");
    assert!(back == orders, "a snapshot and a replay from the first event must have one state hash");
    let kept: Vec<_> = (0..5_010).filter(|id| back.get(OrderId(*id)).is_some()).collect();
    assert_eq!(kept, [4, 1_704, 3_404], "over pages that are not there");
}

#[test]
fn an_id_finds_its_order_and_no_other() {
    let mut orders = Orders::default();
    let slots: Vec<_> = (0..1_000).map(|_| add(&mut orders)).collect();
    for slot in slots.iter().step_by(2) {
        orders.remove(*slot);
    }
    for id in 0..1_100 {
        let found = orders.get(OrderId(id)).map(|record| record.order.id);
        let kept = (1..=1_000).contains(&id) && id % 2 == 0;
        assert_eq!(found, kept.then_some(OrderId(id)), "id {id}");
    }
    assert_eq!(orders.get(OrderId(u64::MAX)).map(|record| record.order.id), None, "no id is out of range");
}

#[test]
fn a_list_keeps_its_sequence_from_both_ends() {
    let mut orders = Orders::default();
    let mut list = List::default();
    let slots: Vec<_> = (0..5).map(|_| add(&mut orders)).collect();
    for slot in &slots {
        list.push(&mut orders, Thread::Open, *slot);
    }
    let ids = |list: &List, orders: &Orders| -> Vec<u64> {
        let forward: Vec<_> = list.iter(orders, Thread::Open).map(|record| record.order.id.0).collect();
        let mut backward: Vec<_> = list.iter(orders, Thread::Open).rev().map(|record| record.order.id.0).collect();
        backward.reverse();
        assert_eq!(forward, backward, "both directions tell the same");
        forward
    };
    for (removed, left) in [(2, vec![1, 2, 4, 5]), (0, vec![2, 4, 5]), (4, vec![2, 4]), (1, vec![4]), (3, vec![])] {
        list.remove(&mut orders, Thread::Open, slots[removed]);
        assert_eq!(ids(&list, &orders), left, "after order {} left", removed + 1);
        assert_eq!(list.len(), left.len(), "the list knows its length");
    }
}
