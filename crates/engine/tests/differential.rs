//! The exchange against a naive reference, command by command, and against itself by replay of its events.
//!
//! 40 seeds of a tenth of the steps; `CWTS_SOAK=1` runs them all.

#[cfg(test)]
mod support;

use std::collections::BTreeMap;

use cwts_domain::{Cash, Event, Lots, OrderStatus, Side, Timestamp};
use cwts_engine::{Exchange, apply, decide};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;
use support::{INSTRUMENTS, Naive, NaiveOrder, State, kind, opening, random_command};

const SEEDS: u64 = 40;
const STEPS: u32 = 10_000;

fn steps() -> u32 {
    if std::env::var_os("CWTS_SOAK").is_some() { STEPS } else { STEPS / 10 }
}

/// A clock that often stands still and crosses midnight now and then.
struct Clock(i64);

impl Clock {
    fn tick(&mut self, rng: &mut impl Rng) -> Timestamp {
        if rng.random_bool(0.5) {
            self.0 += rng.random_range(0..=1_200_000_000_000);
        }
        Timestamp(self.0)
    }
}

/// What kinds of events and refusals came up, so that a silent flow is noticed.
#[derive(Default)]
struct Seen(BTreeMap<String, u32>);

impl Seen {
    fn note(&mut self, name: impl Into<String>) {
        *self.0.entry(name.into()).or_default() += 1;
    }

    fn event(&mut self, event: &Event) {
        let text = format!("{event:?}");
        let name = text.split([' ', '{']).next().unwrap_or_default();
        match event {
            Event::Cancelled { reason, .. } => self.note(format!("{name} {}", reason.id())),
            _ => self.note(name),
        }
    }
}

fn assert_same_order(exchange: &Exchange, expected: &NaiveOrder, context: &str) {
    let filled = expected.filled();
    let value: i64 = expected.fills.iter().map(|fill| fill.0 * fill.1).sum();
    let fees: i128 = expected.fills.iter().map(|fill| fill.2).sum();
    let status = match expected.state {
        State::Held => OrderStatus::Held,
        State::Filled => OrderStatus::Filled,
        State::Cancelled => OrderStatus::Cancelled,
        _ if filled > 0 => OrderStatus::PartiallyFilled,
        _ => OrderStatus::Open,
    };
    let found = exchange.order(expected.id).map(|order| {
        (order.status, order.filled_quantity, order.filled_notional, order.fees, (order.limit, order.stop))
    });
    let prices = (expected.terms.limit, expected.terms.stop);
    let record = Some((status, Lots(filled), Cash(value.into()), Cash(fees), prices));
    assert_eq!(found, record, "order {} has a wrong record, {context}", expected.id);
}

fn assert_same_state(exchange: &Exchange, naive: &Naive, context: &str) {
    for (market, instrument) in exchange.markets().iter().zip(INSTRUMENTS) {
        for side in [Side::Buy, Side::Sell] {
            let expected = naive.live.depth(instrument, side);
            assert_eq!(market.depth(side, usize::MAX), expected, "the books must agree, {context}");
        }
    }
    for account in exchange.accounts() {
        let positions = account.positions().map(|(_, position)| position.quantity()).collect();
        let expected = naive.live.holdings(account.id());
        assert_eq!((account.cash(), positions), expected, "the holdings must agree, {context}");
    }
}

#[test]
fn the_exchange_does_what_the_naive_reference_does() {
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut exchange, mut naive, mut clock) = (opening(), Naive::new(), Clock(0));
        for step in 0..steps() {
            let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
            let context = format!("seed {seed}, step {step}, {command:?}");
            let expected = naive.execute(&command, at);
            let found = exchange.execute(&command, at);
            match (&found, &expected) {
                (Err(found), Err(expected)) => {
                    assert_eq!(kind(found), kind(expected), "the refusals must agree, {context}");
                    seen.note(format!("{found:?}").split([' ', '{']).next().unwrap_or_default());
                }
                _ => assert_eq!(found, expected, "the answers must agree, {context}"),
            }
            assert_same_state(&exchange, &naive, &context);
            // The audit walks every order ever, since these accounts forget none.
            if step < STEPS / 10 || step % 100 == 0 {
                assert_eq!(exchange.audit(), Ok(()), "the state must be consistent, {context}");
            }
            found.iter().flatten().for_each(|event| seen.event(event));
        }
        for order in naive.ended.iter().chain(&naive.live.open).filter(|order| !order.standing) {
            assert_same_order(&exchange, order, &format!("seed {seed}"));
        }
    }
    println!("{SEEDS} seeds of {} steps each; what came up: {:#?}", steps(), seen.0);
    let rare: Vec<_> = ALL.into_iter().filter(|name| seen.0.get(*name).is_none_or(|count| *count < 10)).collect();
    assert!(rare.is_empty(), "the flow must reach every rule; it hardly reached {rare:?}");
}

/// Every kind of event and refusal that this flow can bring about.
const ALL: [&str; 36] = [
    "Accepted",
    "Traded",
    "Rested",
    "Modified",
    "Triggered",
    "Released",
    "DayStarted",
    "TradingStateSet",
    "LimitsSet",
    "Reset",
    "Printed",
    "Cancelled requested",
    "Cancelled unfilled",
    "Cancelled self_trade_prevention",
    "Cancelled expired",
    "Cancelled linked",
    "Cancelled reduce_only",
    "Cancelled post_only",
    "Cancelled reset",
    "UnknownOrder",
    "NotOpen",
    "ClientOrderIdTaken",
    "Invalid",
    "QuantityOutOfRange",
    "NotAboveFilled",
    "FillOrKill",
    "PostOnly",
    "ReduceOnly",
    "Halted",
    "OnlyReducing",
    "NeedsPerson",
    "PriceOutsideBand",
    "OrderNotional",
    "PositionLimit",
    "DailyLoss",
    "InsufficientBalance",
];

#[test]
fn replaying_the_events_gives_an_equal_exchange() {
    for seed in 0..SEEDS {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut exchange, mut clock) = (opening(), Clock(0));
        let mut events = Vec::new();
        for _ in 0..steps() {
            let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
            events.extend(exchange.execute(&command, at).unwrap_or_default());
        }
        let mut replayed = opening();
        for event in &events {
            apply(&mut replayed, event);
        }
        assert!(replayed == exchange, "events are the only way in which the state changes, seed {seed}");
        assert_eq!(replayed.state_hash(), exchange.state_hash(), "and equal states have equal hashes, seed {seed}");
        assert_eq!(replayed.sequence(), events.len() as u64, "and each counts once, seed {seed}");
    }
}

#[test]
fn the_same_commands_give_the_same_bytes() {
    let run = |seed| {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut exchange, mut clock) = (opening(), Clock(0));
        let mut bytes = Vec::new();
        for _ in 0..steps() {
            let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
            let answer = exchange.execute(&command, at).unwrap_or_default();
            bytes.extend(serde_json::to_vec(&answer).unwrap());
        }
        (bytes, exchange.state_hash())
    };
    for seed in 0..5 {
        assert!(run(seed) == run(seed), "nothing but the commands may decide, seed {seed}");
        assert!(run(seed) != run(seed + 1), "other commands give other bytes, seed {seed}");
    }
}

#[test]
fn a_state_that_was_written_and_read_goes_on_alike() {
    let mut rng = Pcg64::seed_from_u64(3);
    let (mut exchange, mut clock) = (opening(), Clock(0));
    for _ in 0..steps() {
        let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
        exchange.execute(&command, at).ok();
    }
    let bytes = serde_json::to_vec(&exchange).unwrap();
    let mut read: Exchange = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.state_hash(), exchange.state_hash(), "a snapshot is the state");
    for _ in 0..steps() {
        let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
        assert_eq!(read.execute(&command, at), exchange.execute(&command, at), "{command:?}");
    }
    assert!(read == exchange, "snapshot and tail give the state of a replay from the start");
}

#[test]
fn a_refusal_changes_nothing() {
    let mut rng = Pcg64::seed_from_u64(7);
    let (mut exchange, mut clock) = (opening(), Clock(0));
    let mut refusals = 0;
    for _ in 0..steps().min(1_000) {
        let (at, command) = (clock.tick(&mut rng), random_command(&mut rng, &exchange));
        let before = exchange.clone();
        if exchange.execute(&command, at).is_err() {
            refusals += 1;
            assert!(exchange == before, "a refusal is an answer, not a change: {command:?}");
            assert!(decide(&exchange, &command, at).is_err(), "and asking again changes no mind");
        }
    }
    assert!(refusals > 100, "the flow must be refused now and then");
}
