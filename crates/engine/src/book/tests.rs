use super::*;

fn resting(order_id: u64, price: i64) -> Resting {
    Resting {
        order_id: OrderId(order_id),
        owner: 1,
        side: Side::Sell,
        price: Ticks(price),
        remaining: Lots(10),
        reduce_only: false,
        last_day: None,
    }
}

fn queue(book: &Book) -> Vec<u64> {
    book.queue(Side::Sell).map(|resting| resting.order_id.0).collect()
}

#[test]
fn removing_from_any_place_keeps_the_queue_in_sequence() {
    for (removed, left) in [(0, [2, 3]), (1, [1, 3]), (2, [1, 2])] {
        let mut book = Book::default();
        let slots = [1, 2, 3].map(|id| book.insert(resting(id, 100)));
        book.remove(slots[removed]);
        assert_eq!(queue(&book), left, "nobody may lose or gain a place because another order left");
        book.insert(resting(4, 100));
        assert_eq!(queue(&book), [left[0], left[1], 4], "a new order comes last, also in a used slot");
    }
}

#[test]
fn an_empty_level_is_gone() {
    let mut book = Book::default();
    let slot = book.insert(resting(1, 100));
    book.insert(resting(2, 101));
    book.reduce(slot, Lots(10));
    assert_eq!(book.best(Side::Sell), Some(Ticks(101)), "a price without orders must not be quoted");
    assert_eq!(book.slots_in_use(), 1, "its slot is free again");
}

#[test]
fn prices_that_share_a_hint_stay_apart() {
    let mut book = Book::default();
    let prices = [100, 100 + 1024, 100 + 2 * 1024, i64::MAX, 100];
    let slots: Vec<_> = (1..).zip(prices).map(|(id, price)| book.insert(resting(id, price))).collect();
    assert_eq!(queue(&book), [1, 5, 2, 3, 4], "best price first, then oldest first");
    book.remove(slots[0]);
    book.remove(slots[4]);
    assert_eq!(book.best(Side::Sell), Some(Ticks(1_124)), "the level of 100 has gone");
    book.insert(resting(6, 100));
    book.insert(resting(7, 1_124));
    assert_eq!(queue(&book), [6, 2, 7, 3, 4], "and comes again as a new one");
    let copy: Book = serde_json::from_str(&serde_json::to_string(&book).expect("JSON")).expect("a book");
    assert_eq!(copy, book, "a snapshot has no hints and is the same book");
}

#[test]
fn slots_are_used_again() {
    let mut book = Book::default();
    for id in 0..1_000 {
        let slot = book.insert(resting(id, 100));
        book.remove(slot);
    }
    assert_eq!(book.nodes.len(), 1, "the slab must grow with the open orders, not with all orders ever");
}

#[test]
fn a_broken_link_is_found_by_the_audit() {
    let mut desk = crate::fixture::Desk::rich();
    for _ in 0..3 {
        desk.accepted(crate::fixture::sell(crate::fixture::BOB, 1, 100));
    }
    let slot = 1;
    let good = desk.exchange.markets[0].book.nodes[slot];
    for damaged in [Node { previous: None, ..good }, Node { next: None, ..good }, Node { next: Some(0), ..good }] {
        desk.exchange.markets[0].book.nodes[slot] = damaged;
        assert!(desk.exchange.audit().is_err(), "an order would lose its place, or the walk would never end");
    }
}
