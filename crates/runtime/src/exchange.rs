//! The one task that owns the exchange, and the handle through which everyone else asks it.
//!
//! Commands and reads pass one bounded queue, so a client that has its answer also sees its effect. A full queue answers
//! at once instead of growing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cwts_domain::{Clock, Command, Event, Instrument, InstrumentId, Reject};
use cwts_engine::{Exchange, OpeningAccount};
use tokio::sync::{mpsc, oneshot};

use crate::metrics::Metrics;

/// Commands and reads that may wait; more are answered with [`ExchangeError::Overloaded`].
const QUEUE: usize = 4096;

/// Why the exchange did not do what was asked. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The exchange said no.
    #[error(transparent)]
    Rejected(#[from] Reject),
    /// The queue is full; try again.
    #[error("the exchange has {QUEUE} requests waiting; try again")]
    Overloaded,
    /// Other computers are served, and no person has armed trading.
    #[error(
        "other computers can reach this server, so trading is read-only until the person arms it. Orders can be \
         cancelled and everything can be read"
    )]
    Unarmed,
    /// The program is ending.
    #[error("the exchange has ended")]
    Ended,
}

type Work = Box<dyn FnOnce(&mut Exchange) -> Vec<Event> + Send>;

/// Asks the exchange; clones ask the same one.
#[derive(Clone)]
pub struct ExchangeHandle {
    work: mpsc::Sender<Work>,
    instruments: Arc<[Instrument]>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    latencies: Arc<Latencies>,
    /// Whether clients may place and modify orders.
    open: Arc<AtomicBool>,
}

impl std::fmt::Debug for ExchangeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let symbols: Vec<_> = self.instruments.iter().map(|instrument| &instrument.symbol).collect();
        f.debug_struct("ExchangeHandle").field("instruments", &symbols).finish_non_exhaustive()
    }
}

impl ExchangeHandle {
    /// Starts the task that owns `exchange`. It ends when the last handle is dropped.
    pub(crate) fn spawn(exchange: Exchange, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        let (work, queue) = mpsc::channel(QUEUE);
        let instruments = exchange.markets().iter().map(|market| market.instrument().clone()).collect();
        tokio::spawn(run(exchange, queue, metrics.clone()));
        Self { work, instruments, clock, metrics, latencies: Arc::default(), open: Arc::new(AtomicBool::new(true)) }
    }

    /// What is traded, by id.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The instrument of a symbol.
    ///
    /// # Errors
    /// No instrument has this symbol; the refusal names those that there are.
    pub fn instrument(&self, symbol: &str) -> Result<(InstrumentId, &Instrument), Reject> {
        let found = (0..).map(InstrumentId).zip(self.instruments()).find(|(_, each)| each.symbol == symbol);
        found.ok_or_else(|| Reject::UnknownSymbol {
            symbol: symbol.to_owned(),
            available: self.instruments.iter().map(|each| each.symbol.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether clients may place and modify orders; cancelling is always possible.
    pub(crate) fn take_orders(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    /// Executes a client's command and reads its effect in the same turn. Counted and timed. Once sent, the command is
    /// executed even if the caller is cancelled.
    ///
    /// # Errors
    /// The exchange rejects the command, its queue is full, or the program is ending.
    pub async fn execute<T: Send + 'static>(
        &self,
        command: Command,
        effect: impl FnOnce(&Exchange, &[Event]) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        let submitted = Instant::now();
        let placing = matches!(command, Command::Place(_));
        // Placing again what was placed before has no events.
        let told = move |exchange: &Exchange, events: &[Event]| (events.is_empty(), effect(exchange, events));
        let ordering = matches!(command, Command::Place(_) | Command::Modify(_));
        let result = match ordering && !self.open.load(Ordering::Relaxed) {
            true => Err(ExchangeError::Unarmed),
            false => self.submit(command, told).await,
        };
        let seconds = submitted.elapsed().as_secs_f64();
        self.metrics.order_latency.observe(seconds);
        self.latencies.record(seconds);
        if placing {
            let outcome = match &result {
                Ok((true, _)) => "repeated",
                Ok((false, _)) => "accepted",
                Err(ExchangeError::Rejected(_) | ExchangeError::Unarmed) => "rejected",
                Err(ExchangeError::Overloaded | ExchangeError::Ended) => "overloaded",
            };
            self.metrics.orders.with_label_values(&[outcome]).inc();
        }
        result.map(|(_, told)| told)
    }

    /// Executes a command without counting it as a client's, for the market simulator.
    pub(crate) async fn submit<T: Send + 'static>(
        &self,
        command: Command,
        effect: impl FnOnce(&Exchange, &[Event]) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        let clock = Arc::clone(&self.clock);
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |exchange| match exchange.execute(&command, clock.now()) {
            Ok(events) => {
                // The asker may be gone; the command stands all the same.
                drop(reply.send(Ok(effect(exchange, &events))));
                events
            }
            Err(reject) => {
                drop(reply.send(Err(ExchangeError::Rejected(reject))));
                Vec::new()
            }
        });
        self.enqueue(work)?;
        answer.await.map_err(|_| ExchangeError::Ended)?
    }

    /// Reads the state after everything that was asked before.
    ///
    /// # Errors
    /// The queue is full or the program is ending.
    pub async fn read<T: Send + 'static>(
        &self,
        view: impl FnOnce(&Exchange) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Box::new(move |exchange| {
            drop(reply.send(view(exchange)));
            Vec::new()
        }))?;
        answer.await.map_err(|_| ExchangeError::Ended)
    }

    fn enqueue(&self, work: Work) -> Result<(), ExchangeError> {
        self.work.try_send(work).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ExchangeError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ExchangeError::Ended,
        })
    }

    /// Takes the order latencies since the last call: median and 99th percentile in seconds.
    pub(crate) fn take_latencies(&self) -> Option<(f64, f64)> {
        self.latencies.take()
    }
}

async fn run(mut exchange: Exchange, mut queue: mpsc::Receiver<Work>, metrics: Metrics) {
    while let Some(work) = queue.recv().await {
        let events = work(&mut exchange);
        metrics.queue_depth.set(queue.len() as i64);
        let trades = events.iter().filter(|event| matches!(event, Event::Traded { .. })).count();
        metrics.trades.inc_by(trades as u64);
    }
}

/// The exchange of a new instance: the default instruments, the paper account and the simulated traders.
pub(crate) fn new_exchange() -> Exchange {
    Exchange::new(Instrument::defaults(), OpeningAccount::defaults())
}

/// Order latencies of the last second, bounded: under load the newest ones stand for all.
#[derive(Debug)]
struct Latencies {
    nanos: [AtomicU64; 1024],
    recorded: AtomicU64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { nanos: [const { AtomicU64::new(0) }; 1024], recorded: AtomicU64::new(0) }
    }
}

impl Latencies {
    fn record(&self, seconds: f64) {
        let at = self.recorded.fetch_add(1, Ordering::Relaxed) as usize % self.nanos.len();
        self.nanos[at].store((seconds * 1e9) as u64, Ordering::Relaxed);
    }

    fn take(&self) -> Option<(f64, f64)> {
        let count = (self.recorded.swap(0, Ordering::Relaxed) as usize).min(self.nanos.len());
        if count == 0 {
            return None;
        }
        let mut nanos: Vec<u64> = self.nanos[..count].iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        nanos.sort_unstable();
        let percentile = |p: usize| nanos[(count - 1) * p / 100] as f64 / 1e9;
        Some((percentile(50), percentile(99)))
    }
}
