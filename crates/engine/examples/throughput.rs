//! Events per second and latency of a command, of the exchange and of a textbook book on the same flow in the same run:
//! `cargo run --release -p cwts-engine --example throughput`.
//!
//! The textbook keeps a queue per price in a `BTreeMap` and a `HashMap` from an order to its price; it has no accounts, no
//! limits, no fees and no history, and gives the same events.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

use cwts_domain::{
    AccountId, CancelReason, Cash, Command, Event, Instrument, InstrumentId, Link, Lots, OrderId, PlaceOrder, Side,
    Ticks, Timestamp,
};
use cwts_engine::{Exchange, OpeningAccount};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const COMMANDS: u64 = 1_000_000;
/// An order is cancelled this many commands after it came, if it still waits.
const LIFETIME: u64 = 2_000;
const MIDDLE: i64 = 6_400_000;
const BTCUSD: InstrumentId = InstrumentId(0);

/// Makers on both sides of a still market, one cancel per order, and a taker in every tenth command.
fn flow(seed: u64) -> Vec<Command> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut commands = Vec::new();
    let mut placed = 0;
    while (commands.len() as u64) < COMMANDS {
        let takes = rng.random_ratio(1, 10);
        let side = if rng.random_bool(0.5) { Side::Buy } else { Side::Sell };
        let away = rng.random_range(1..=200);
        let price = Ticks(if side == Side::Buy { MIDDLE - away } else { MIDDLE + away });
        let quantity = Lots(rng.random_range(1..=if takes { 20_000 } else { 5_000 }));
        commands.push(Command::Place(if takes {
            PlaceOrder::market(AccountId::TAKER, BTCUSD, side, quantity)
        } else {
            PlaceOrder::limit(AccountId::MAKER, BTCUSD, side, quantity, price)
        }));
        placed += 1;
        if placed > LIFETIME {
            commands.push(Command::Cancel { account: AccountId::MAKER, order_id: OrderId(placed - LIFETIME) });
        }
    }
    commands
}

struct Waiting {
    id: OrderId,
    left: Lots,
}

/// By price, the best of either side first: the price for asks, its negative for bids.
type Levels = BTreeMap<i64, VecDeque<Waiting>>;

#[derive(Default)]
struct Textbook {
    sides: [Levels; 2],
    places: HashMap<OrderId, (Side, i64)>,
    placed: u64,
}

impl Textbook {
    fn execute(&mut self, command: &Command, at: Timestamp) -> Vec<Event> {
        match command {
            Command::Place(order) => self.place(order, at),
            Command::Cancel { account, order_id } => self.cancel(*account, *order_id, at).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn place(&mut self, order: &PlaceOrder, at: Timestamp) -> Vec<Event> {
        let [bids, asks] = &mut self.sides;
        let (own, other, sign) = if order.side == Side::Buy { (bids, asks, -1) } else { (asks, bids, 1) };
        if order.limit.is_none() && other.is_empty() {
            return Vec::new();
        }
        self.placed += 1;
        let id = OrderId(self.placed);
        let mut events = vec![Event::Accepted { order_id: id, order: order.clone(), link: Link::None, at }];
        let mut left = order.quantity;
        while left > Lots::ZERO
            && let Some(mut best) = other.first_entry()
            && order.limit.is_none_or(|limit| -best.key() >= limit.0 * sign)
        {
            let price = Ticks(-best.key() * sign);
            let queue = best.get_mut();
            while left > Lots::ZERO
                && let Some(maker) = queue.front_mut()
            {
                let quantity = left.min(maker.left);
                left -= quantity;
                maker.left -= quantity;
                events.push(traded(order, id, maker.id, price, quantity, at));
                if maker.left == Lots::ZERO {
                    self.places.remove(&maker.id);
                    queue.pop_front();
                }
            }
            if queue.is_empty() {
                best.remove();
            }
        }
        match order.limit {
            Some(limit) if left > Lots::ZERO => {
                own.entry(limit.0 * sign).or_default().push_back(Waiting { id, left });
                self.places.insert(id, (order.side, limit.0 * sign));
                events.push(Event::Rested { order_id: id });
            }
            None if left > Lots::ZERO => {
                let reason = CancelReason::Unfilled;
                events.push(Event::Cancelled { order_id: id, account: order.account, reason, at });
            }
            _ => {}
        }
        events
    }

    fn cancel(&mut self, account: AccountId, order_id: OrderId, at: Timestamp) -> Option<Event> {
        let (side, rank) = self.places.remove(&order_id)?;
        let levels = &mut self.sides[usize::from(side == Side::Sell)];
        let queue = levels.get_mut(&rank)?;
        queue.retain(|waiting| waiting.id != order_id);
        if queue.is_empty() {
            levels.remove(&rank);
        }
        Some(Event::Cancelled { order_id, account, reason: CancelReason::Requested, at })
    }
}

fn traded(order: &PlaceOrder, id: OrderId, maker: OrderId, price: Ticks, quantity: Lots, at: Timestamp) -> Event {
    Event::Traded {
        maker_order_id: maker,
        taker_order_id: id,
        maker: AccountId::MAKER,
        taker: order.account,
        instrument: BTCUSD,
        taker_side: order.side,
        price,
        quantity,
        maker_fee: Cash::ZERO,
        taker_fee: Cash::ZERO,
        at,
    }
}

struct Measured {
    events: u64,
    per_second: f64,
    /// Nanoseconds.
    p50: u64,
    p99: u64,
}

/// Runs the flow twice, since reading the clock for each command costs as much as a command.
fn measure<T>(
    commands: &[Command],
    new: impl Fn() -> T,
    execute: impl Fn(&mut T, &Command, Timestamp) -> usize,
) -> Measured {
    let mut book = new();
    let start = Instant::now();
    let events: usize = (0..).zip(commands).map(|(at, command)| execute(&mut book, command, Timestamp(at))).sum();
    let per_second = events as f64 / start.elapsed().as_secs_f64();
    let mut book = new();
    let mut nanos: Vec<_> = (0..)
        .zip(commands)
        .map(|(at, command)| {
            let start = Instant::now();
            execute(&mut book, command, Timestamp(at));
            start.elapsed().as_nanos() as u64
        })
        .collect();
    nanos.sort_unstable();
    Measured { events: events as u64, per_second, p50: nanos[nanos.len() / 2], p99: nanos[nanos.len() * 99 / 100] }
}

fn main() {
    let opening = || (Exchange::new([Instrument::btcusd()], OpeningAccount::defaults()), Vec::new());
    for seed in 1..=15 {
        let commands = flow(seed);
        let ours = measure(&commands, opening, |(exchange, events), command, at| {
            events.clear();
            // A cancel of an order that has traded is refused; that is part of the flow.
            exchange.execute_into(command, at, events).map_or(0, |()| events.len())
        });
        let textbook = measure(&commands, Textbook::default, |book, command, at| book.execute(command, at).len());
        let ratio = ours.per_second / textbook.per_second;
        println!(
            "seed {seed}: {} events; exchange {:.2} M/s, p50 {} ns, p99 {} ns; textbook {:.2} M/s, p50 {} ns, p99 {} ns; \
             ratio {ratio:.2}; {}",
            ours.events,
            ours.per_second / 1e6,
            ours.p50,
            ours.p99,
            textbook.per_second / 1e6,
            textbook.p50,
            textbook.p99,
            if ours.events == textbook.events { "same number of events" } else { "EVENTS DIFFER" }
        );
    }
}
