//! Events per second and latency of a command, of the exchange and of a textbook book on the same flow in the same run:
//! `cargo run --release -p cwts-engine --example throughput`.
//!
//! The textbook keeps a queue per price in a `BTreeMap` and a `HashMap` from an order to its price; it has no accounts, no
//! limits, no fees and no history, and gives the same events, which is checked. Both take turns in slices of the flow, and
//! the median of the slices counts: what else the computer does meanwhile disturbs few of them.

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
/// Commands after which the other book takes its turn: one or two milliseconds, so that most slices run undisturbed.
const SLICE: usize = 25_000;

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

/// One of the two with its figures.
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

/// Runs the flow three times: to compare the events, to measure slices, and to measure each command, since reading the
/// clock for each costs as much as a command.
fn measure(commands: &[Command]) -> (Run<Exchange>, Run<Textbook>) {
    let open = || (Run::new(exchange()), Run::new(Textbook::default()));
    let (mut ours, mut textbook) = open();
    for (at, command) in (0..).zip(commands) {
        ours.events.clear();
        textbook.events.clear();
        ours.venue.take(command, Timestamp(at), &mut ours.events);
        textbook.venue.take(command, Timestamp(at), &mut textbook.events);
        assert_eq!(ours.events, textbook.events, "both must do the same work: {command:?}");
    }
    let (mut ours, mut textbook) = open();
    for (number, slice) in commands.chunks(SLICE).enumerate() {
        ours.slice(number * SLICE, slice);
        textbook.slice(number * SLICE, slice);
    }
    let slices = (ours.slices, textbook.slices);
    let (mut ours, mut textbook) = open();
    for (number, slice) in commands.chunks(SLICE).enumerate() {
        ours.each(number * SLICE, slice);
        textbook.each(number * SLICE, slice);
    }
    (ours.slices, textbook.slices) = slices;
    (ours, textbook)
}

fn exchange() -> Exchange {
    Exchange::new([Instrument::btcusd()], OpeningAccount::defaults())
}

/// The value that `percent` of all are at most.
fn percentile<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>, percent: usize) -> T {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    values[values.len() * percent / 100]
}

fn main() {
    let mut ratios = Vec::new();
    let mut tails = Vec::new();
    for seed in 1..=15 {
        let (ours, textbook) = measure(&flow(seed));
        let ratio = percentile(textbook.slices.iter().zip(&ours.slices).map(|(textbook, ours)| textbook / ours), 50);
        let tail = [&ours.commands, &textbook.commands].map(|nanos| percentile(nanos.iter().copied(), 99));
        println!("seed {seed}: exchange {}; textbook {}; ratio {ratio:.2}", ours.figures(), textbook.figures());
        ratios.push(ratio);
        tails.push(tail[0] as f64 / tail[1] as f64);
    }
    println!(
        "median of all seeds: {:.2} times the events a second, p99 of a command {:.2} times that of the textbook",
        percentile(ratios, 50),
        percentile(tails, 50)
    );
}

impl<V> Run<V> {
    fn figures(&self) -> String {
        let million = 1_000.0 / percentile(self.slices.iter().copied(), 50);
        let [p50, p99] = [50, 99].map(|percent| percentile(self.commands.iter().copied(), percent));
        format!("{million:.2} M/s, p50 {p50} ns, p99 {p99} ns")
    }
}
