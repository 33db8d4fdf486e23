//! Drives the simulated markets: one step every [`Simulator::STEP`] until the services stop. And tells the exchange when
//! a day of UTC has ended.

use cwts_domain::{AccountId, Command, InstrumentId, Ticks};
use cwts_engine::{Exchange, Order};
use cwts_market::{MakerOrder, MarketView, Simulator};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::exchange::ExchangeHandle;
use crate::metrics::Metrics;

/// The same flow at every start, so that a run can be repeated.
const SEED: u64 = 1;

/// Steps until `stop`. The quotes stay in the books, and the next start goes on from them and from the last prices.
pub(crate) async fn run(exchange: ExchangeHandle, metrics: Metrics, stop: CancellationToken) {
    let mut simulators = simulators(&exchange).await;
    let mut day = None;
    let mut ticks = tokio::time::interval(Simulator::STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let today = Some(exchange.clock().now().day());
        if day != today && send(&exchange, Command::EndDay).await {
            day = today;
        }
        for (id, simulator) in &mut simulators {
            step(&exchange, *id, simulator).await;
        }
        metrics.market_steps.inc();
    }
}

/// One for each instrument that has no standing quotes.
async fn simulators(exchange: &ExchangeHandle) -> Vec<(InstrumentId, Simulator)> {
    let mut simulators = Vec::new();
    for (id, instrument) in (0..).map(InstrumentId).zip(exchange.instruments()) {
        if instrument.standing.is_none() {
            let last = exchange.read(move |exchange| last(exchange, id)).await.ok().flatten();
            let start = last.unwrap_or_else(|| Simulator::start_price(instrument));
            simulators.push((id, Simulator::new(SEED + u64::from(id.0), id, instrument.clone(), start)));
        }
    }
    simulators
}

async fn step(exchange: &ExchangeHandle, id: InstrumentId, simulator: &mut Simulator) {
    let Ok((last, maker_orders)) = exchange.read(move |exchange| seen(exchange, id)).await else { return };
    for command in simulator.step(&MarketView { last, maker_orders: &maker_orders }) {
        send(exchange, command).await;
    }
}

/// Whether the exchange took the command. A refusal is an answer that the simulator sees in the next view.
async fn send(exchange: &ExchangeHandle, command: Command) -> bool {
    let answer = exchange.submit(command, |_, _| ()).await;
    answer.inspect_err(|error| tracing::trace!(%error, "the exchange refused a command of the market")).is_ok()
}

/// What the simulator is shown: the last price and the makers' quotes.
fn seen(exchange: &Exchange, id: InstrumentId) -> (Option<Ticks>, Vec<MakerOrder>) {
    let quote = |order: &Order| Some(MakerOrder { id: order.id, side: order.side, price: order.limit? });
    let makers = exchange.open_orders(AccountId::MAKER).filter(|order| order.instrument == id);
    (last(exchange, id), makers.filter_map(quote).collect())
}

fn last(exchange: &Exchange, id: InstrumentId) -> Option<Ticks> {
    exchange.market(id)?.last_trade().map(|trade| trade.price)
}
