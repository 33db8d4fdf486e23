//! Events per second of decide and apply, and of a textbook book (a sorted `Vec` without accounts, history or events) on
//! the same flow in the same run: `cargo run --release -p cwts-engine --example throughput`.

use std::time::Instant;

use cwts_domain::{AccountId, Command, Instrument, Lots, OrderId, PlaceOrder, Side, Ticks, TimeInForce, Timestamp};
use cwts_engine::{Exchange, OpeningAccount};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

const COMMANDS: u64 = 1_000_000;
/// An order is cancelled this many commands after it came, if it still waits.
const LIFETIME: u64 = 2_000;
const MIDDLE: i64 = 6_400_000;

/// Makers on both sides of a still market, one cancel per order, and a taker in every tenth command.
fn flow(seed: u64) -> Vec<Command> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut commands = Vec::new();
    let mut placed = 0;
    while (commands.len() as u64) < COMMANDS {
        let takes = rng.random_ratio(1, 10);
        let side = if rng.random_bool(0.5) { Side::Buy } else { Side::Sell };
        let away = rng.random_range(1..=200);
        let price = if side == Side::Buy { MIDDLE - away } else { MIDDLE + away };
        commands.push(Command::Place(PlaceOrder {
            account: if takes { AccountId::TAKER } else { AccountId::MAKER },
            symbol: "BTCUSD".to_owned(),
            side,
            limit: (!takes).then_some(Ticks(price)),
            quantity: Lots(rng.random_range(1..=if takes { 20_000 } else { 5_000 })),
            time_in_force: TimeInForce::Gtc,
            client_order_id: None,
        }));
        placed += 1;
        if placed > LIFETIME {
            commands.push(Command::Cancel { account: AccountId::MAKER, order_id: OrderId(placed - LIFETIME) });
        }
    }
    commands
}

/// Orders in the sequence in which they trade.
#[derive(Default)]
struct Textbook {
    sides: [Vec<(i64, u64, i64)>; 2],
    placed: u64,
}

impl Textbook {
    /// Returns what the exchange would report as events: acceptance, trades and the end or the rest of the order.
    fn execute(&mut self, command: &Command) -> u64 {
        match command {
            Command::Place(order) => self.place(order),
            Command::Cancel { order_id, .. } => self.sides.iter_mut().map(|side| remove(side, order_id.0)).sum(),
            Command::CancelAll { .. } => 0,
        }
    }

    fn place(&mut self, order: &PlaceOrder) -> u64 {
        self.placed += 1;
        let [bids, asks] = &mut self.sides;
        let (own, other, sign) = if order.side == Side::Buy { (bids, asks, -1) } else { (asks, bids, 1) };
        if order.limit.is_none() && other.is_empty() {
            self.placed -= 1;
            return 0;
        }
        let (mut left, mut events) = (order.quantity.0, 1);
        while left > 0
            && let Some(best) = other.first_mut()
            && order.limit.is_none_or(|limit| -best.0 >= limit.0 * sign)
        {
            let quantity = left.min(best.2);
            left -= quantity;
            best.2 -= quantity;
            events += 1;
            if best.2 == 0 {
                other.remove(0);
            }
        }
        if let Some(limit) = order.limit.filter(|_| left > 0) {
            let rank = limit.0 * sign;
            own.insert(own.partition_point(|waiting| waiting.0 <= rank), (rank, self.placed, left));
        }
        events + u64::from(left > 0)
    }
}

fn remove(side: &mut Vec<(i64, u64, i64)>, id: u64) -> u64 {
    let Some(place) = side.iter().position(|waiting| waiting.1 == id) else {
        return 0;
    };
    side.remove(place);
    1
}

fn main() {
    for seed in 1..=3 {
        let commands = flow(seed);
        let instrument = Instrument::btcusd();
        let mut exchange = Exchange::new(instrument.clone(), OpeningAccount::defaults(&instrument));
        let start = Instant::now();
        for (at, command) in (0..).zip(&commands) {
            // A cancel of an order that has traded is refused; that is part of the flow.
            exchange.execute(command, Timestamp(at)).ok();
        }
        let exchange_rate = exchange.sequence() as f64 / start.elapsed().as_secs_f64();

        let mut textbook = Textbook::default();
        let start = Instant::now();
        let events: u64 = commands.iter().map(|command| textbook.execute(command)).sum();
        let textbook_rate = events as f64 / start.elapsed().as_secs_f64();

        let sound = exchange.audit().is_ok() && exchange.sequence() == events;
        println!(
            "seed {seed}: {events} events, exchange {:.2} M/s, textbook {:.2} M/s, ratio {:.1}, consistent: {sound}",
            exchange_rate / 1e6,
            textbook_rate / 1e6,
            exchange_rate / textbook_rate
        );
    }
}
