//! Events per second and latency of a command, of the exchange and of a textbook book on the same flow in the same run:
//! `cargo run --release -p cwts-engine --example throughput`.
//!
//! The textbook keeps a queue per price in a `BTreeMap` and a `HashMap` from an order to its price; it has no accounts, no
//! limits, no fees and no history, and gives the same events, which is checked. It is measured twice: adding its events to
//! a list that is used again, like the exchange, and returning a list for each command. All take turns in short slices of
//! the flow, and the speed is that of the slice that a quarter of all undercut: one that nothing else has interrupted.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hint::black_box;
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
/// Commands after which the next one takes its turn: less than a millisecond.
const SLICE: usize = 5_000;

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
    fn execute(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>) {
        match command {
            Command::Place(order) => self.place(order, at, events),
            Command::Cancel { account, order_id } => events.extend(self.cancel(*account, *order_id, at)),
            _ => {}
        }
    }

    fn place(&mut self, order: &PlaceOrder, at: Timestamp, events: &mut Vec<Event>) {
        let [bids, asks] = &mut self.sides;
        let (own, other, sign) = if order.side == Side::Buy { (bids, asks, -1) } else { (asks, bids, 1) };
        if order.limit.is_none() && other.is_empty() {
            return;
        }
        self.placed += 1;
        let id = OrderId(self.placed);
        events.push(Event::Accepted { order_id: id, order: order.clone(), link: Link::None, at });
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

/// What is measured: takes a command and adds its events to a list that is used again.
trait Venue {
    fn take(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>);
}

impl Venue for Exchange {
    fn take(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>) {
        // A cancel of an order that has traded is refused; that is part of the flow.
        self.execute_into(command, at, events).unwrap_or_default();
    }
}

impl Venue for Textbook {
    fn take(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>) {
        self.execute(command, at, events);
    }
}

/// The textbook as it is most often written: each command returns a list of its own.
#[derive(Default)]
struct Returning(Textbook);

impl Venue for Returning {
    fn take(&mut self, command: &Command, at: Timestamp, events: &mut Vec<Event>) {
        let mut returned = Vec::new();
        self.0.execute(command, at, &mut returned);
        *events = returned;
    }
}

/// One of the three with its figures.
struct Run<V> {
    venue: V,
    events: Vec<Event>,
    /// Nanoseconds an event, by slice.
    slices: Vec<f64>,
    /// Nanoseconds a command.
    commands: Vec<u64>,
}

impl<V: Venue> Run<V> {
    fn new(venue: V) -> Self {
        Self { venue, events: Vec::new(), slices: Vec::new(), commands: Vec::new() }
    }

    fn slice(&mut self, first: usize, commands: &[Command]) {
        let (start, mut count) = (Instant::now(), 0);
        for (at, command) in (first as i64..).zip(commands) {
            self.events.clear();
            self.venue.take(command, Timestamp(at), &mut self.events);
            count += black_box(&self.events).len();
        }
        self.slices.push(start.elapsed().as_nanos() as f64 / count as f64);
    }

    fn each(&mut self, first: usize, commands: &[Command]) {
        for (at, command) in (first as i64..).zip(commands) {
            let start = Instant::now();
            self.events.clear();
            self.venue.take(command, Timestamp(at), &mut self.events);
            black_box(&self.events);
            self.commands.push(start.elapsed().as_nanos() as u64);
        }
    }
}

type Runs = (Run<Exchange>, Run<Textbook>, Run<Returning>);

/// Runs the flow three times: to compare the events, to measure slices, and to measure each command, since reading the
/// clock for each costs as much as a command.
fn measure(commands: &[Command]) -> Runs {
    let (mut ours, mut textbook, _) = open();
    for (at, command) in (0..).zip(commands) {
        ours.events.clear();
        textbook.events.clear();
        ours.venue.take(command, Timestamp(at), &mut ours.events);
        textbook.venue.take(command, Timestamp(at), &mut textbook.events);
        assert_eq!(ours.events, textbook.events, "both must do the same work: {command:?}");
    }
    let (mut ours, mut textbook, mut returning) = open();
    for (number, slice) in commands.chunks(SLICE).enumerate() {
        ours.slice(number * SLICE, slice);
        textbook.slice(number * SLICE, slice);
        returning.slice(number * SLICE, slice);
    }
    let slices = (ours.slices, textbook.slices, returning.slices);
    let (mut ours, mut textbook, mut returning) = open();
    for (number, slice) in commands.chunks(SLICE).enumerate() {
        ours.each(number * SLICE, slice);
        textbook.each(number * SLICE, slice);
        returning.each(number * SLICE, slice);
    }
    (ours.slices, textbook.slices, returning.slices) = slices;
    (ours, textbook, returning)
}

fn open() -> Runs {
    let exchange = Exchange::new([Instrument::btcusd()], OpeningAccount::defaults());
    (Run::new(exchange), Run::new(Textbook::default()), Run::new(Returning::default()))
}

/// The value that `percent` of all are at most.
fn percentile<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>, percent: usize) -> T {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    values[values.len() * percent / 100]
}

impl<V> Run<V> {
    /// Of an event, undisturbed.
    fn nanos(&self) -> f64 {
        percentile(self.slices.iter().copied(), 25)
    }

    /// Nanoseconds of a command.
    fn latency(&self, percent: usize) -> u64 {
        percentile(self.commands.iter().copied(), percent)
    }

    fn figures(&self) -> String {
        let million = 1_000.0 / self.nanos();
        format!("{million:.1} M/s, p50 {} ns, p99 {} ns", self.latency(50), self.latency(99))
    }

    /// How many times the events a second of another one, and how many times its p99.
    fn against<O>(&self, other: &Run<O>) -> [f64; 2] {
        [other.nanos() / self.nanos(), self.latency(99) as f64 / other.latency(99) as f64]
    }
}

fn main() {
    let mut ratios: [Vec<[f64; 2]>; 2] = Default::default();
    for seed in 1..=15 {
        let (ours, textbook, returning) = measure(&flow(seed));
        let [same, own] = [ours.against(&textbook), ours.against(&returning)];
        println!(
            "seed {seed}: exchange {}; textbook {}, {:.2} times; returning lists {}, {:.2} times",
            ours.figures(),
            textbook.figures(),
            same[0],
            returning.figures(),
            own[0]
        );
        ratios[0].push(same);
        ratios[1].push(own);
    }
    for (ratios, name) in ratios.iter().zip(["textbook", "textbook that returns a list for each command"]) {
        let [speed, tail] = [0, 1].map(|of| percentile(ratios.iter().map(|ratio| ratio[of]), 50));
        println!("{speed:.2} times the events a second of the {name}, {tail:.2} times its p99 (medians of 15 seeds)");
    }
}
