//! A reference exchange that is slow and obvious, and random commands for it and for the exchange under test.
//!
//! The reference is lists, searched from end to end at every step: no index, no totals, no queue. It shares no code with
//! the exchange under test, only the vocabulary.

mod flow;
mod follow;
mod limits;
mod naive;
mod orders;

pub(crate) use flow::random_command;
pub(crate) use limits::kind;
pub(crate) use naive::Naive;
pub(crate) use orders::{NaiveOrder, State};

use cwts_domain::{
    AccountId, Cash, Fees, Instrument, InstrumentId, Lots, RiskLimits, SelfTradePolicy, StandingQuote, Ticks,
};
use cwts_engine::{Exchange, OpeningAccount};

/// Clients, who have limits and meet them now and then.
pub(crate) const CLIENTS: [AccountId; 3] = [AccountId(1), AccountId(2), AccountId(3)];
/// An account without limits.
pub(crate) const ROBOT: AccountId = AccountId(4);
/// Opening cash of every account in units of one tick times one lot.
pub(crate) const OPENING_CASH: i128 = 20_000;
/// The last one has standing quotes.
pub(crate) const INSTRUMENTS: [InstrumentId; 3] = [InstrumentId(0), InstrumentId(1), InstrumentId(2)];
pub(crate) const BID: i64 = 97;
pub(crate) const ASK: i64 = 103;
pub(crate) const STANDING: i64 = 1_000;

/// How an account trades; the three clients differ in all of it.
pub(crate) fn account(id: AccountId) -> OpeningAccount {
    let policies = [SelfTradePolicy::CancelResting, SelfTradePolicy::CancelIncoming, SelfTradePolicy::CancelBoth];
    let fees = [Fees { maker_ppm: -300, taker_ppm: 700 }, Fees::NONE, Fees { maker_ppm: 50_000, taker_ppm: 90_000 }];
    let cash = Cash(OPENING_CASH);
    match CLIENTS.iter().position(|client| *client == id) {
        Some(at) => OpeningAccount {
            limits: Some(limits(at as u32 + 1)),
            fees: fees[at],
            self_trade: policies[at],
            history: usize::MAX,
            ..OpeningAccount::client(id, cash)
        },
        // The reference forgets nothing, so neither may this account.
        None => OpeningAccount { history: usize::MAX, ..OpeningAccount::simulator(id, cash) },
    }
}

pub(crate) fn limits(leverage: u32) -> RiskLimits {
    RiskLimits {
        leverage,
        max_order_notional: Cash(3_800),
        max_position_notional: Cash(12_000),
        price_band_percent: 10,
        max_orders_per_second: 4,
        max_daily_loss: Cash(4_000),
    }
}

pub(crate) fn opening() -> Exchange {
    let quote = StandingQuote { bid: Ticks(BID), ask: Ticks(ASK), quantity: Lots(STANDING) };
    let standing = Instrument { standing: Some(quote), ..Instrument::testusd() };
    let accounts = CLIENTS.into_iter().chain([ROBOT]).map(account);
    Exchange::new([Instrument::btcusd(), Instrument::ethusd(), standing], accounts)
}
