//! Drives the market simulator: one step every [`Simulator::STEP`] until the services stop.

use cwts_domain::{AccountId, Ticks};
use cwts_engine::{Exchange, Order};
use cwts_market::{MakerOrder, MarketView, Simulator};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::exchange::ExchangeHandle;
use crate::metrics::Metrics;

/// The same flow at every start, so that a run can be repeated.
const SEED: u64 = 1;

/// Steps until `stop`. The quotes stay in the book, and the next start goes on from them and from the last price.
pub(crate) async fn run(exchange: ExchangeHandle, metrics: Metrics, stop: CancellationToken) {
    let last = exchange.read(|exchange| exchange.last_trade().map(|trade| trade.price)).await.ok().flatten();
    let start = last.unwrap_or(Simulator::BTCUSD_START);
    let mut simulator = Simulator::new(SEED, exchange.instrument().clone(), start);
    let mut ticks = tokio::time::interval(Simulator::STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let Ok((last, maker_orders)) = exchange.read(seen).await else { continue };
        for command in simulator.step(&MarketView { last, maker_orders: &maker_orders }) {
            // A refusal is an answer that the simulator sees in the next view.
            if let Err(error) = exchange.submit(command, |_, _| ()).await {
                tracing::trace!(%error, "the exchange refused a simulated order");
            }
        }
        metrics.market_steps.inc();
    }
}

/// What the simulator is shown: the last price and the makers' quotes.
fn seen(exchange: &Exchange) -> (Option<Ticks>, Vec<MakerOrder>) {
    let quote = |order: &Order| Some(MakerOrder { id: order.id, side: order.side, price: order.limit? });
    let quotes = exchange.open_orders(AccountId::MAKER).filter_map(quote).collect();
    (exchange.last_trade().map(|trade| trade.price), quotes)
}
