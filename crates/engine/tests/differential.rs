//! The exchange against a naive reference, command by command, and against itself by replay of its events.

#[cfg(test)]
mod support;

use cwts_domain::{Cash, Command, Event, Instrument, Lots, OrderStatus, Reject, Side, Timestamp};
use cwts_engine::{Exchange, OpeningAccount, apply, decide};
use rand::SeedableRng;
use rand_pcg::Pcg64;
use support::{CLIENTS, Naive, OPENING_CASH, ROBOTS, random_command};

const SEEDS: u64 = 60;
const STEPS: i64 = 400;

fn opening() -> Exchange {
    let cash = Cash(OPENING_CASH);
    // The reference forgets nothing, so neither may these accounts.
    let robots = ROBOTS.map(|id| OpeningAccount { limited: false, ..OpeningAccount::client(id, cash) });
    let clients = CLIENTS.map(|id| OpeningAccount::client(id, cash));
    Exchange::new(Instrument::btcusd(), clients.into_iter().chain(robots))
}

/// A refusal for lack of money without its amounts, which the reference does not compute.
fn without_amounts(result: Result<Vec<Event>, Reject>) -> Result<Vec<Event>, Reject> {
    result.map_err(|reject| match reject {
        Reject::InsufficientBalance { .. } => {
            Reject::InsufficientBalance { required: String::new(), available: String::new() }
        }
        other => other,
    })
}

fn assert_same_orders(exchange: &Exchange, naive: &Naive, context: &str) {
    for expected in &naive.orders {
        let filled: i64 = expected.fills.iter().map(|fill| fill.1).sum();
        let value: i64 = expected.fills.iter().map(|fill| fill.0 * fill.1).sum();
        let status = match (expected.open, filled) {
            (true, 0) => OrderStatus::Open,
            (true, _) => OrderStatus::PartiallyFilled,
            (false, filled) if Lots(filled) == expected.placed.quantity => OrderStatus::Filled,
            (false, _) => OrderStatus::Cancelled,
        };
        let found =
            exchange.order(expected.id).map(|order| (order.status, order.filled_quantity, order.filled_notional));
        let expected_record = Some((status, Lots(filled), Cash(value.into())));
        assert_eq!(found, expected_record, "order {} has a wrong record, {context}", expected.id);
    }
}

#[test]
fn the_exchange_does_what_the_naive_reference_does() {
    let (mut trades, mut refusals) = (0, [0; 3]);
    for seed in 0..SEEDS {
        let mut rng = Pcg64::seed_from_u64(seed);
        let (mut exchange, mut naive) = (opening(), Naive::default());
        for step in 0..STEPS {
            let command = random_command(&mut rng, exchange.session().orders);
            let context = format!("seed {seed}, step {step}, {command:?}");
            let expected = naive.execute(&command, Timestamp(step));
            let found = without_amounts(exchange.execute(&command, Timestamp(step)));
            assert_eq!(found, expected, "the answers must agree, {context}");
            assert_eq!(exchange.audit(), Ok(()), "the state must be consistent, {context}");
            for side in [Side::Buy, Side::Sell] {
                assert_eq!(exchange.depth(side, usize::MAX), naive.depth(side), "the books must agree, {context}");
            }
            for account in exchange.accounts() {
                let holdings = (account.cash().0, account.position().0);
                assert_eq!(holdings, naive.holdings(account.id()), "the holdings must agree, {context}");
            }
            match found {
                Err(Reject::InsufficientBalance { .. }) => refusals[0] += 1,
                Err(Reject::FillOrKill { .. }) => refusals[1] += 1,
                Err(Reject::PriceOutsideBand { .. }) => refusals[2] += 1,
                _ => {}
            }
        }
        assert_same_orders(&exchange, &naive, &format!("seed {seed}"));
        trades += exchange.session().trades;
    }
    assert!(trades > 1_000 && refusals.iter().all(|count| *count > 100), "the flow must reach the rules: {refusals:?}");
}

#[test]
fn replaying_the_events_gives_an_equal_exchange() {
    for seed in 0..SEEDS {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut exchange = opening();
        let mut events = Vec::new();
        for step in 0..STEPS {
            let command = random_command(&mut rng, exchange.session().orders);
            events.extend(exchange.execute(&command, Timestamp(step)).unwrap_or_default());
        }
        let mut replayed = opening();
        for event in &events {
            apply(&mut replayed, event);
        }
        assert_eq!(replayed, exchange, "events are the only way in which the state changes, seed {seed}");
        assert_eq!(replayed.sequence(), events.len() as u64, "and each counts once, seed {seed}");
    }
}

#[test]
fn the_same_commands_give_the_same_events() {
    let run = |seed| {
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut exchange = opening();
        let mut step = |at| {
            let command = random_command(&mut rng, exchange.session().orders);
            exchange.execute(&command, Timestamp(at))
        };
        (0..STEPS).map(&mut step).collect::<Vec<_>>()
    };
    for seed in 0..5 {
        assert_eq!(run(seed), run(seed), "nothing but the commands may decide, seed {seed}");
    }
}

#[test]
fn a_refusal_changes_nothing() {
    let mut rng = Pcg64::seed_from_u64(7);
    let mut exchange = opening();
    let mut refusals = 0;
    for step in 0..STEPS {
        let command: Command = random_command(&mut rng, exchange.session().orders);
        let before = exchange.clone();
        if exchange.execute(&command, Timestamp(step)).is_err() {
            refusals += 1;
            assert_eq!(exchange, before, "a refusal is an answer, not a change: {command:?}");
            assert!(decide(&exchange, &command, Timestamp(step)).is_err(), "and asking again changes no mind");
        }
    }
    assert!(refusals > 20, "the flow must be refused now and then");
}
