//! The handle through which everyone asks the exchange; [`keeper`](crate::keeper) answers.
//!
//! Commands and reads pass one bounded queue, so a client that has its answer also sees its effect. A full queue answers
//! at once instead of growing.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use cwts_domain::{Actor, Clock, Command, Event, Instrument, InstrumentId, Reject, Timestamp, TradingState};
use cwts_engine::Exchange;
use cwts_journal::JournalError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::feeds::{Feeds, Topic};
use crate::keeper::{Keeper, Reply, Request};
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
    #[error("overloaded: the exchange has {QUEUE} requests waiting; try again")]
    Overloaded,
    /// Other computers are served, and no person has armed trading.
    #[error(
        "other computers can reach this server, so trading is read-only until the person arms it. Orders can be \
         cancelled and everything can be read"
    )]
    Unarmed,
    /// What happens could not be written down.
    #[error("trading is halted: {0}. Everything can be read. {help}", help = .0.help())]
    Journal(JournalError),
    /// The services of the instance do not run.
    #[error("the instance is stopped; start it first")]
    Closed,
    /// The program is ending.
    #[error("the exchange has ended")]
    Ended,
}

impl ExchangeError {
    /// The label of the metric, for orders that were refused; `None` where the exchange was not in the way to judge them.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Rejected(reject) => Some(reject.reason()),
            Self::Unarmed => Some("unarmed"),
            Self::Overloaded | Self::Journal(_) | Self::Closed | Self::Ended => None,
        }
    }
}

/// Asks the exchange; clones ask the same one.
#[derive(Clone)]
pub struct ExchangeHandle {
    queue: mpsc::Sender<Request>,
    instruments: Arc<[Instrument]>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    latencies: Arc<Latencies>,
    /// Whether clients may place and modify orders.
    open: Arc<AtomicBool>,
    fault: watch::Receiver<Option<JournalError>>,
    feeds: Feeds,
    /// Sequence number of the last event when the journal was opened.
    opened_at: Arc<AtomicU64>,
}

impl std::fmt::Debug for ExchangeHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let symbols: Vec<_> = self.instruments.iter().map(|instrument| &instrument.symbol).collect();
        f.debug_struct("ExchangeHandle").field("instruments", &symbols).finish_non_exhaustive()
    }
}

impl ExchangeHandle {
    /// Starts the thread that owns the exchange. It ends when the last handle is dropped. Nothing can be traded before
    /// [`ExchangeHandle::open_journal`]. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn spawn(clock: Arc<dyn Clock>, metrics: Metrics) -> std::io::Result<Self> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let (told, fault) = watch::channel(None);
        let instruments: Arc<[Instrument]> = Instrument::defaults().into();
        let (feeds, noter) = Feeds::start(&instruments);
        Keeper::spawn(requests, told, noter, metrics.clone())?;
        let open = Arc::new(AtomicBool::new(true));
        Ok(Self {
            queue,
            instruments,
            clock,
            metrics,
            latencies: Arc::default(),
            open,
            fault,
            feeds,
            opened_at: Arc::default(),
        })
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
        if ordering && let Some(reason) = result.as_ref().err().and_then(ExchangeError::reason) {
            self.metrics.order_rejects.with_label_values(&[reason]).inc();
        }
        if placing {
            let outcome = match &result {
                Ok((true, _)) => "repeated",
                Ok((false, _)) => "accepted",
                Err(ExchangeError::Rejected(_) | ExchangeError::Unarmed) => "rejected",
                Err(ExchangeError::Overloaded) => "overloaded",
                Err(ExchangeError::Journal(_) | ExchangeError::Closed | ExchangeError::Ended) => "failed",
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
        let executed = self.change(move |exchange, events, at| {
            let from = events.len();
            exchange.execute_into(&command, at, events).map(|()| effect(exchange, &events[from..]))
        });
        executed.await?.map_err(ExchangeError::Rejected)
    }

    /// Executes whatever `work` wants in one turn, without counting it as a client's.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Exchange, &mut Vec<Event>, Timestamp) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        let clock = Arc::clone(&self.clock);
        let (reply, answer) = oneshot::channel();
        self.enqueue(Request::Change(Box::new(move |desk| {
            let done = desk.map(|(exchange, events)| work(exchange, events, clock.now()));
            answered(reply, done)
        })))?;
        answer.await.map_err(|_| ExchangeError::Ended)?
    }

    /// Reads the state after everything that was asked before, as far as it is on the disk.
    ///
    /// # Errors
    /// The queue is full or the program is ending.
    pub async fn read<T: Send + 'static>(
        &self,
        view: impl FnOnce(&Exchange) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Request::Read(Box::new(move |exchange| {
            // The asker may be gone.
            drop(reply.send(view(exchange)));
        })))?;
        answer.await.map_err(|_| ExchangeError::Ended)
    }

    /// Tells the sequence number of every later change of a topic, the newest only; `None` for an instrument that there is
    /// not. What is read after a number was told has at least that number.
    pub fn watch(&self, topic: Topic) -> Option<watch::Receiver<u64>> {
        self.feeds.watch(topic)
    }

    /// Lets clients trade again. A journal that could not be written is tried once more.
    ///
    /// # Errors
    /// The journal still cannot be written, the queue is full or the program is ending.
    pub async fn resume<T: Send + 'static>(
        &self,
        effect: impl FnOnce(&Exchange, &[Event]) -> T + Send + 'static,
    ) -> Result<T, ExchangeError> {
        self.wait_for(|done| Request::Reopen { done }).await?;
        self.execute(Command::SetTradingState { state: TradingState::Active, by: Actor::Person }, effect).await
    }

    /// Why nothing can be traded, when the journal cannot be written.
    pub fn journal_fault(&self) -> Option<JournalError> {
        self.fault.borrow().clone()
    }

    /// Tells every change of [`ExchangeHandle::journal_fault`].
    pub(crate) fn journal_faults(&self) -> watch::Receiver<Option<JournalError>> {
        self.fault.clone()
    }

    /// Goes on from this journal. Where it cannot be used, nothing can be traded, and what it holds can be read.
    pub(crate) async fn open_journal(&self, path: PathBuf) {
        // A program that ends needs no journal.
        let opened = self.wait_for(|done| Request::Open { path, done }).await;
        self.opened_at.store(opened.unwrap_or_default(), Ordering::Relaxed);
    }

    /// Sequence number of the last event before this run.
    pub(crate) fn opened_at(&self) -> u64 {
        self.opened_at.load(Ordering::Relaxed)
    }

    /// Lets the journal go when everything is on the disk. Nothing can be traded from then on.
    pub(crate) async fn close_journal(&self) {
        self.wait_for(|done| Request::Close { done }).await.ok();
    }

    /// Waits for room in the queue too: what the host asks must not be lost. Returns the sequence number after it.
    async fn wait_for(&self, request: impl FnOnce(oneshot::Sender<u64>) -> Request) -> Result<u64, ExchangeError> {
        let (done, answer) = oneshot::channel();
        self.queue.send(request(done)).await.map_err(|_| ExchangeError::Ended)?;
        answer.await.map_err(|_| ExchangeError::Ended)
    }

    fn enqueue(&self, request: Request) -> Result<(), ExchangeError> {
        self.queue.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ExchangeError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => ExchangeError::Ended,
        })
    }

    /// Takes the order latencies since the last call: median and 99th percentile in seconds.
    pub(crate) fn take_latencies(&self) -> Option<(f64, f64)> {
        self.latencies.take()
    }
}

/// Answers as it was decided, or with the reason why that never was. The asker may be gone; what was done stands.
fn answered<T: Send + 'static>(
    reply: oneshot::Sender<Result<T, ExchangeError>>,
    decided: Result<T, ExchangeError>,
) -> Reply {
    Box::new(move |undone| drop(reply.send(undone.map_or(decided, Err))))
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
