//! Once a second: figures for the charts, the load of each service, the fills of the paper account as activities.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cwts_domain::{AccountId, Instrument, Service};
use cwts_engine::Fill;
use tokio::time::MissedTickBehavior;

use crate::desk::TradingSummary;
use crate::instance::{Instance, Shared};
use crate::snapshot::{InstanceEvent, MarketSummary, Sample, ServiceLoad};

const PERIOD: Duration = Duration::from_secs(1);
/// Rates are means over this many periods, so that a burst does not flicker.
const RATE_PERIODS: usize = 3;

/// Samples until the instance is dropped.
pub(crate) async fn run(shared: Weak<Shared>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sampler = Sampler::default();
    loop {
        ticks.tick().await;
        let Some(shared) = shared.upgrade() else { return };
        Instance::of(Arc::clone(&shared)).renew_certificate();
        if shared.access.is_stale() {
            Instance::of(Arc::clone(&shared)).refresh_tokens();
        }
        shared.audit_strangers(false);
        let alarms = [shared.access.is_tried(), shared.audit.problem().is_some()];
        if std::mem::replace(&mut sampler.alarms, alarms) != alarms {
            Instance::of(Arc::clone(&shared)).publish_again();
        }
        sampler.sample(&shared).await;
    }
}

#[derive(Default)]
struct Sampler {
    /// Request counts of the four services at the latest ticks, oldest first.
    counts: VecDeque<[u64; 4]>,
    /// Whether the picture says that somebody tries tokens, and that the audit trail is not written.
    alarms: [bool; 2],
    /// Sequence number of the newest fill that was told.
    told: u64,
    /// Steps of the market at the last tick.
    market_steps: u64,
}

/// What one turn of the exchange tells.
struct MarketView {
    summary: Option<MarketSummary>,
    trading: Option<TradingSummary>,
    fills: Vec<Fill>,
}

impl Sampler {
    async fn sample(&mut self, shared: &Arc<Shared>) {
        self.remember_counts(shared);
        shared.connected.tick();
        let services: Vec<ServiceLoad> =
            Service::ALL.into_iter().enumerate().map(|(at, service)| self.load(shared, service, at)).collect();
        for load in &services {
            let gauge = shared.metrics.connections.with_label_values(&[load.service.id()]);
            gauge.set(i64::from(load.clients));
            let refused = shared.metrics.connections_refused.with_label_values(&[load.service.id()]);
            refused.inc_by(shared.meters.of(load.service).take_refused());
        }
        self.time_market(shared);
        let latencies = shared.exchange.take_latencies();
        let mcp = |load: &&ServiceLoad| matches!(load.service, Service::McpWebsocket | Service::McpHttp);
        let sample = Sample {
            at: shared.surroundings.clock.now().millis(),
            requests: services.iter().map(|load| load.rate).sum(),
            latency_p50: latencies.map(|(p50, _)| p50 * 1e3),
            latency_p99: latencies.map(|(_, p99)| p99 * 1e3),
            clients: services.iter().filter(mcp).map(|load| load.clients).sum(),
        };
        let market = self.read_market(shared).await;
        if !shared.is_running() {
            shared.telemetry.set_trading(None);
            return;
        }
        shared.telemetry.push_sample(sample);
        if let Some(text) = market.as_ref().and_then(|view| told_as(&view.fills, shared.exchange.instruments())) {
            shared.record(text);
        }
        let (summary, trading) = market.map_or((None, None), |view| (view.summary, view.trading));
        let trading = trading.map(|trading| trading.under(shared.exchange.journal_fault()));
        shared.telemetry.set_trading(trading.clone());
        shared.send(InstanceEvent::Sample {
            sample,
            services,
            market: summary.map(Box::new),
            trading: trading.map(Box::new),
            failed_logins: shared.access.failed_logins(),
            connected: shared.connected.list(),
        });
    }

    /// Counts the seconds for which the market has stood still.
    fn time_market(&mut self, shared: &Shared) {
        let steps = shared.metrics.market_steps.get();
        match std::mem::replace(&mut self.market_steps, steps) == steps && shared.is_running() {
            true => shared.metrics.market_lag.add(PERIOD.as_secs() as i64),
            false => shared.metrics.market_lag.set(0),
        }
    }

    fn remember_counts(&mut self, shared: &Shared) {
        if self.counts.len() > RATE_PERIODS {
            self.counts.pop_front();
        }
        self.counts.push_back(Service::ALL.map(|service| shared.meters.of(service).requests()));
    }

    fn load(&self, shared: &Shared, service: Service, at: usize) -> ServiceLoad {
        let meter = shared.meters.of(service);
        let newest = self.counts.back().map_or(0, |counts| counts[at]);
        let oldest = self.counts.front().map_or(0, |counts| counts[at]);
        let seconds = PERIOD.as_secs_f64() * (self.counts.len().max(2) - 1) as f64;
        ServiceLoad {
            service,
            clients: u32::try_from(meter.connections()).unwrap_or(u32::MAX),
            rate: (newest - oldest) as f64 / seconds,
            requests: newest,
            idle_seconds: meter.idle_seconds(shared.surroundings.clock.now()),
        }
    }

    /// The market and the paper account's new fills; `None` while the exchange is overloaded.
    async fn read_market(&mut self, shared: &Shared) -> Option<MarketView> {
        // Those of earlier runs are no news.
        let told = self.told.max(shared.exchange.opened_at());
        let view = shared.exchange.read(move |exchange| MarketView {
            summary: MarketSummary::of(exchange),
            trading: TradingSummary::of(exchange),
            fills: exchange.fills(AccountId::PAPER).rev().take_while(|fill| fill.sequence > told).cloned().collect(),
        });
        let view = view.await.ok()?;
        self.told = view.fills.first().map_or(told, |newest| newest.sequence);
        Some(view)
    }
}

/// One sentence about the fills, newest first; under load one sentence stands for all of them.
fn told_as(fills: &[Fill], instruments: &[Instrument]) -> Option<String> {
    let newest = fills.first()?;
    let instrument = instruments.get(usize::from(newest.instrument.0))?;
    let (quantity, price) = (instrument.quantity(newest.quantity), instrument.price(newest.price));
    let trade = format!("order {} {} {quantity} {} at {price:.2}", newest.order_id, newest.side, instrument.symbol);
    Some(match fills.len() {
        1 => format!("Filled: {trade}"),
        count => format!("{count} fills, the latest: {trade}"),
    })
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Cash, InstrumentId, Lots, OrderId, Side, Ticks, Timestamp};
    use cwts_engine::Role;

    use super::*;

    fn fill(sequence: u64) -> Fill {
        Fill {
            sequence,
            order_id: OrderId(7),
            instrument: InstrumentId(0),
            fee: Cash::ZERO,
            side: Side::Buy,
            price: Ticks(6_418_250),
            quantity: Lots(500),
            role: Role::Taker,
            at: Timestamp(0),
        }
    }

    #[test]
    fn a_burst_of_fills_is_told_in_one_sentence() {
        let instruments = [Instrument::btcusd()];
        assert_eq!(told_as(&[], &instruments), None, "silence stays silent");
        let one = told_as(&[fill(1)], &instruments);
        assert_eq!(one.as_deref(), Some("Filled: order 7 buy 0.05 BTCUSD at 64182.50"), "a person reads what traded");
        let two = told_as(&[fill(2), fill(1)], &instruments);
        assert_eq!(
            two.as_deref(),
            Some("2 fills, the latest: order 7 buy 0.05 BTCUSD at 64182.50"),
            "the list is not flooded"
        );
    }
}
