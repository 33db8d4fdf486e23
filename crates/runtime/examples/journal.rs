//! What the journal of a simulated market costs: bytes an hour, a commit, a snapshot, and a start with a million events.
//! `cargo run --release -p cwts-runtime --example journal [FOLDER]`; the folder decides which disk is measured.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cwts_domain::{AccountId, Event, Instrument, InstrumentId, Timestamp};
use cwts_engine::{Exchange, OpeningAccount};
use cwts_journal::{Recovered, Replay, recover};
use cwts_market::{MakerOrder, MarketView, Simulator};

const EVENTS: u64 = 1_000_000;
/// The simulator's steps in a second, which make one commit.
const STEPS: usize = 10;

const REPLAY: Replay<Exchange> = Replay { opening, apply: cwts_engine::apply, sequence: Exchange::sequence };

fn opening() -> Exchange {
    Exchange::new(Instrument::defaults(), OpeningAccount::defaults())
}

/// The simulated markets of an instance.
struct Market {
    exchange: Exchange,
    simulators: Vec<(InstrumentId, Simulator)>,
    at: i64,
}

impl Market {
    fn new() -> Self {
        let simulated = (0..).map(InstrumentId).zip(Instrument::defaults()).filter(|(_, each)| each.standing.is_none());
        let simulator = |(id, instrument): (InstrumentId, Instrument)| {
            let start = Simulator::start_price(&instrument);
            (id, Simulator::new(1, id, instrument, start))
        };
        Self { exchange: opening(), simulators: simulated.map(simulator).collect(), at: 0 }
    }

    /// What happens in a second.
    fn second(&mut self, events: &mut Vec<Event>) {
        for _ in 0..STEPS {
            self.at += 100_000_000;
            for (id, simulator) in &mut self.simulators {
                let quotes = self.exchange.open_orders(AccountId::MAKER).filter(|order| order.instrument == *id);
                let quote = |order: &cwts_engine::Order| {
                    Some(MakerOrder { id: order.id, side: order.side, price: order.limit? })
                };
                let maker_orders: Vec<_> = quotes.filter_map(quote).collect();
                let last = self.exchange.market(*id).and_then(|market| Some(market.last_trade()?.price));
                for command in simulator.step(&MarketView { last, maker_orders: &maker_orders }) {
                    // A refusal is part of the flow.
                    self.exchange.execute_into(&command, Timestamp(self.at), events).unwrap_or_default();
                }
            }
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir_in(std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from))?;
    let path = folder.path().join("journal.db");
    let mut journal = recover(&path, &REPLAY).journal?;
    let (mut market, mut events, mut commits) = (Market::new(), Vec::new(), Vec::new());
    while journal.sequence() < EVENTS {
        events.clear();
        market.second(&mut events);
        let start = Instant::now();
        journal.append(&events)?;
        commits.push(start.elapsed());
    }
    let (seconds, count) = (commits.len() as f64, journal.sequence() as f64);
    journal.close()?;
    let bytes = path.metadata()?.len() as f64;
    let [half, most] = percentiles(&mut commits);
    println!(
        "{:.0} events a second, {:.1} bytes each: {:.1} MB an hour",
        count / seconds,
        bytes / count,
        bytes / seconds * 3.6e-3
    );
    println!(
        "commit of a second's events: p50 {:.0} us, p99 {:.0} us",
        half.as_secs_f64() * 1e6,
        most.as_secs_f64() * 1e6
    );
    let (state, took) = start(&path)?;
    println!("start with {count:.0} events and no snapshot: {:.0} ms", took.as_secs_f64() * 1e3);
    assert_eq!(state.state_hash(), market.exchange.state_hash(), "a replay gives an equal exchange");
    let mut journal = recover(&path, &REPLAY).journal?;
    let began = Instant::now();
    journal.snapshot(&state)?;
    println!("snapshot: {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    journal.close()?;
    println!("start from the snapshot: {:.1} ms", start(&path)?.1.as_secs_f64() * 1e3);
    let began = Instant::now();
    recover(&folder.path().join("new.db"), &REPLAY).journal?;
    println!("start of a new instance: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

fn start(path: &Path) -> Result<(Exchange, Duration), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let Recovered { state, journal, .. } = recover(path, &REPLAY);
    let took = began.elapsed();
    journal?.close()?;
    Ok((state, took))
}

fn percentiles(times: &mut [Duration]) -> [Duration; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| times[(times.len() - 1) * percent / 100])
}
