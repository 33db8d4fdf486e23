//! Counters, gauges and histograms of one instance. Names are `cwts_*` with base units.

use std::sync::Arc;

use cwts_domain::Service;
use prometheus::{
    Encoder as _, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// From 10 us, where a match without a queue lies, to 2.5 s.
const LATENCY_BUCKETS: [f64; 16] =
    [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.5, 1.0, 2.5];

/// The metrics of an instance; clones share the same figures.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Families>);

/// The metric families.
#[derive(Debug)]
pub struct Families {
    registry: Registry,
    /// 1 while the service is bound. Label `service`.
    pub service_up: IntGaugeVec,
    /// Open connections. Label `service`.
    pub connections: IntGaugeVec,
    /// Connections for which there was no room. Label `service`.
    pub connections_refused: IntCounterVec,
    /// Answered HTTP requests. Labels `service`, `status`.
    pub http_requests: IntCounterVec,
    /// From the request's head to the answer's head. Label `service`.
    pub http_duration: HistogramVec,
    /// Requests that a guard refused. Labels `service`, `reason`.
    pub refused: IntCounterVec,
    /// Wrong tokens. Label `service`.
    pub login_failures: IntCounterVec,
    /// Messages of MCP WebSockets. Label `direction` (`in`, `out`).
    pub websocket_messages: IntCounterVec,
    /// Calls of MCP tools. Labels `tool`, `outcome` (`ok`, `error`).
    pub tool_calls: IntCounterVec,
    /// Orders of clients by what became of the request. Label `outcome`: `accepted`, `repeated` (the same
    /// `client_order_id` again, which places nothing), `rejected`, `overloaded`, `failed` (the journal cannot be written).
    pub orders: IntCounterVec,
    /// Orders and changes of orders that the exchange refused. Label `reason`, a word of [`Reject`](cwts_domain::Reject).
    pub order_rejects: IntCounterVec,
    /// Fills of clients. Label `role` (`maker`, `taker`).
    pub fills: IntCounterVec,
    /// Trades on the exchange, those among simulated traders included.
    pub trades: IntCounter,
    /// From handing a client's command to the exchange to its answer.
    pub order_latency: Histogram,
    /// Commands that wait for the exchange.
    pub queue_depth: IntGauge,
    /// 1 while what happens can be written to the journal.
    pub journal_up: IntGauge,
    /// How long a commit of the journal took, with its synchronisation.
    pub journal_sync: Histogram,
    /// Events of simulated traders that wait for the next commit.
    pub journal_unsaved: IntGauge,
    /// Steps of the market simulator.
    pub market_steps: IntCounter,
    /// Seconds since the market last moved, to the second.
    pub market_lag: IntGauge,
}

impl Metrics {
    /// Families at zero, with every service label present, so that a scrape of a fresh instance shows them.
    ///
    /// # Errors
    /// Two families share a name, which the unit test rules out.
    pub fn new(instance: &str) -> Result<Self, prometheus::Error> {
        let labels = [("instance_id".to_owned(), instance.to_owned())].into();
        let registry = Registry::new_custom(None, Some(labels))?;
        let build = int_gauges(&registry, "cwts_build_info", "Version of the program.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let families = Families {
            service_up: int_gauges(&registry, "cwts_service_up", "1 while the service is bound.", &["service"])?,
            connections: int_gauges(&registry, "cwts_connections", "Open connections.", &["service"])?,
            connections_refused: int_counters(
                &registry,
                "cwts_connections_refused_total",
                "Connections for which there was no room.",
                &["service"],
            )?,
            http_requests: int_counters(
                &registry,
                "cwts_http_requests_total",
                "Answered HTTP requests.",
                &["service", "status"],
            )?,
            http_duration: histograms(&registry)?,
            refused: int_counters(
                &registry,
                "cwts_requests_refused_total",
                "Requests that a guard refused.",
                &["service", "reason"],
            )?,
            login_failures: int_counters(
                &registry,
                "cwts_login_failures_total",
                "Requests with a token that is none of this instance.",
                &["service"],
            )?,
            websocket_messages: int_counters(
                &registry,
                "cwts_websocket_messages_total",
                "Messages of MCP WebSockets.",
                &["direction"],
            )?,
            tool_calls: int_counters(&registry, "cwts_tool_calls_total", "Calls of MCP tools.", &["tool", "outcome"])?,
            orders: int_counters(&registry, "cwts_orders_total", "Order requests of clients.", &["outcome"])?,
            order_rejects: int_counters(
                &registry,
                "cwts_order_rejects_total",
                "Orders and changes of orders that the exchange refused.",
                &["reason"],
            )?,
            fills: int_counters(&registry, "cwts_fills_total", "Fills of clients.", &["role"])?,
            trades: registered(&registry, IntCounter::new("cwts_trades_total", "Trades on the exchange.")?)?,
            order_latency: registered(
                &registry,
                latency(
                    "cwts_order_latency_seconds",
                    "From handing a client's command to the exchange to its durable answer.",
                )?,
            )?,
            queue_depth: registered(
                &registry,
                IntGauge::new("cwts_exchange_queue_depth", "Commands that wait for the exchange.")?,
            )?,
            journal_up: registered(
                &registry,
                IntGauge::new("cwts_journal_up", "1 while the journal can be written; 0 halts trading.")?,
            )?,
            journal_sync: registered(
                &registry,
                latency("cwts_journal_sync_seconds", "Commit of a batch of events to the disk.")?,
            )?,
            journal_unsaved: registered(
                &registry,
                IntGauge::new("cwts_journal_unsaved_events", "Events that wait for the next commit.")?,
            )?,
            market_steps: registered(
                &registry,
                IntCounter::new("cwts_market_steps_total", "Steps of the market simulator.")?,
            )?,
            market_lag: registered(
                &registry,
                IntGauge::new("cwts_market_lag_seconds", "Seconds since the market last moved, while services run.")?,
            )?,
            registry,
        };
        let metrics = Self(Arc::new(families));
        metrics.touch_labels();
        Ok(metrics)
    }

    fn touch_labels(&self) {
        for service in Service::ALL {
            self.service_up.with_label_values(&[service.id()]).set(0);
            self.connections.with_label_values(&[service.id()]).set(0);
            self.connections_refused.with_label_values(&[service.id()]);
            self.http_duration.with_label_values(&[service.id()]);
            self.login_failures.with_label_values(&[service.id()]);
        }
        for outcome in ["accepted", "repeated", "rejected", "overloaded", "failed"] {
            self.orders.with_label_values(&[outcome]);
        }
        for role in ["maker", "taker"] {
            self.fills.with_label_values(&[role]);
        }
        for direction in ["in", "out"] {
            self.websocket_messages.with_label_values(&[direction]);
        }
    }

    /// Every family in the Prometheus text format, version 0.0.4.
    ///
    /// # Errors
    /// A family cannot be encoded.
    pub fn encode(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }
}

impl std::ops::Deref for Metrics {
    type Target = Families;

    fn deref(&self) -> &Families {
        &self.0
    }
}

fn registered<M: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    metric: M,
) -> Result<M, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn int_gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    registered(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn int_counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn histograms(registry: &Registry) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new("cwts_http_request_duration_seconds", "From request head to answer head.")
        .buckets(LATENCY_BUCKETS.to_vec());
    registered(registry, HistogramVec::new(options, &["service"])?)
}

fn latency(name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_instance_shows_every_family() {
        let text = Metrics::new("default").and_then(|metrics| metrics.encode()).expect("the names are distinct");
        for family in ["cwts_build_info", "cwts_service_up", "cwts_orders_total", "cwts_order_latency_seconds_bucket"] {
            assert!(text.contains(&format!("\n{family}{{")), "a dashboard needs {family} from the first scrape");
        }
        assert!(text.contains("service=\"mcp-websocket\""), "labels use the service ids");
    }
}
