//! A file on its way into the exchange.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cwts_domain::{AccountId, Command, Event, InstrumentId, OrderStatus, Timestamp};
use cwts_engine::Exchange;
use cwts_market::{BookOrder, Recording, RecordingFiles, Replay, ReplayView, Step, TapeError, TapeFacts};

use super::status::{ReplayStatus, Speed};
use crate::exchange::{ExchangeError, ExchangeHandle};
use crate::risk::RiskSamples;

/// Steps that go to the exchange together: clients never wait longer than for these.
const BATCH: usize = 256;

/// A file that was looked at and can be played.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) files: RecordingFiles,
    pub(crate) recording: Recording,
    pub(crate) facts: TapeFacts,
    pub(crate) id: InstrumentId,
    pub(crate) symbol: String,
    pub(crate) speed: Speed,
    pub(crate) looping: bool,
}

/// What became of a turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Played {
    /// It can go on.
    On,
    /// The exchange takes nothing now.
    Later,
    /// The file is at its end.
    Ended,
}

pub(crate) struct Player {
    pub(crate) loaded: Loaded,
    replay: Arc<Mutex<Replay>>,
    risk: Arc<RiskSamples>,
    /// Read and not yet played.
    waiting: Vec<Step>,
    /// A step that is not due.
    next: Option<Step>,
    /// The moment of the file that is played.
    position: Timestamp,
    /// When the position was that, on the clock of this computer.
    since: Instant,
    played: u64,
    rounds: u32,
    cancelled: u64,
}

impl Player {
    /// The exchange has no orders in the instrument.
    pub(crate) fn new(loaded: Loaded, exchange: &ExchangeHandle, risk: Arc<RiskSamples>) -> Self {
        Self {
            replay: Arc::new(Mutex::new(new_replay(&loaded, exchange))),
            risk,
            waiting: Vec::new(),
            next: None,
            position: loaded.facts.from,
            since: Instant::now(),
            played: 0,
            rounds: 0,
            cancelled: 0,
            loaded,
        }
    }

    /// Time that passes from now on is played, not what has passed.
    pub(crate) fn go_on(&mut self) {
        self.since = Instant::now();
    }

    pub(crate) fn set_speed(&mut self, speed: Speed) {
        self.loaded.speed = speed;
        self.go_on();
    }

    pub(crate) fn seek(&mut self, to: Timestamp) -> Result<(), TapeError> {
        self.loaded.recording.seek(to)?;
        self.jumped(to);
        Ok(())
    }

    /// Begins again.
    pub(crate) fn rewind(&mut self) -> Result<(), TapeError> {
        self.loaded.recording.rewind()?;
        self.rounds += 1;
        self.jumped(self.loaded.facts.from);
        Ok(())
    }

    /// The moment of the file that is played.
    pub(crate) fn position(&self) -> Timestamp {
        self.position
    }

    /// It has been played up to this moment.
    pub(crate) fn stand_at(&mut self, position: Timestamp) {
        self.position = position;
    }

    fn jumped(&mut self, to: Timestamp) {
        self.risk.lock().jump();
        (self.position, self.next) = (to, None);
        self.waiting.clear();
        self.go_on();
    }

    /// Takes the orders out of the book that belong to other prices.
    pub(crate) async fn clear_book(&mut self, exchange: &ExchangeHandle) -> Result<(), ExchangeError> {
        *self.replay.lock().unwrap_or_else(PoisonError::into_inner) = new_replay(&self.loaded, exchange);
        self.cancelled += clear(exchange, self.loaded.id).await?;
        Ok(())
    }

    /// Plays what is due, at most [`BATCH`] steps.
    pub(crate) async fn play(&mut self, exchange: &ExchangeHandle) -> Result<Played, TapeError> {
        let due = match self.loaded.speed {
            Speed::Max => None,
            Speed::Times(times) => {
                let passed = self.since.elapsed().min(Duration::from_secs(60));
                Some(Timestamp(self.position.0 + (passed.as_nanos() as f64 * times) as i64))
            }
        };
        let mut ended = false;
        while self.waiting.len() < BATCH {
            let step = match self.next.take() {
                Some(step) => step,
                None => match self.loaded.recording.next_step()? {
                    Some(step) => step,
                    None => {
                        ended = true;
                        break;
                    }
                },
            };
            if due.is_some_and(|due| step.at > due) {
                self.next = Some(step);
                break;
            }
            self.waiting.push(step);
        }
        if !self.waiting.is_empty() && !self.send(exchange).await {
            return Ok(Played::Later);
        }
        // A full batch may have left more that is due.
        if let Some(due) = due.filter(|_| self.next.is_some() || ended) {
            (self.position, self.since) = (due.min(self.loaded.facts.to.max(self.position)), Instant::now());
        }
        Ok(if ended { Played::Ended } else { Played::On })
    }

    /// Brings what waits to the exchange. `false` where that takes nothing now.
    async fn send(&mut self, exchange: &ExchangeHandle) -> bool {
        let (steps, replay, risk) = (self.waiting.clone(), Arc::clone(&self.replay), Arc::clone(&self.risk));
        let id = self.loaded.id;
        let played = exchange.change(move |exchange, events, at| {
            let mut replay = replay.lock().unwrap_or_else(PoisonError::into_inner);
            let mut samples = risk.lock();
            for step in &steps {
                samples.look(exchange, step.at);
                play(&mut replay, step, id, exchange, events, at);
            }
        });
        if let Err(error) = played.await {
            tracing::debug!(%error, "the exchange takes nothing of a replay");
            return false;
        }
        self.played += self.waiting.len() as u64;
        if let Some(last) = self.waiting.last().filter(|last| last.at > self.position) {
            // What is due is counted from the clock, so that rounding never adds up.
            if self.loaded.speed == Speed::Max {
                self.position = last.at;
            }
        }
        self.waiting.clear();
        true
    }

    pub(crate) fn status(&self, problem: Option<String>) -> ReplayStatus {
        let Loaded { files, facts, symbol, speed, looping, .. } = &self.loaded;
        let share = |moment: Timestamp| (moment.0 - facts.from.0) as f64;
        let length = share(facts.to);
        ReplayStatus {
            file: files.main.display().to_string(),
            quotes: files.quotes.as_ref().map(|path| path.display().to_string()),
            format: facts.format.id().to_owned(),
            symbol: symbol.clone(),
            from: facts.from.to_string(),
            to: facts.to.to_string(),
            position: self.position.to_string(),
            progress: if length > 0.0 { (share(self.position) / length).clamp(0.0, 1.0) } else { 1.0 },
            steps: facts.steps,
            played: self.played,
            speed: *speed,
            looping: *looping,
            rounds: self.rounds,
            cancelled_orders: self.cancelled,
            problem,
        }
    }
}

fn new_replay(loaded: &Loaded, exchange: &ExchangeHandle) -> Replay {
    let instrument = &exchange.instruments()[usize::from(loaded.id.0)];
    Replay::new(loaded.id, instrument).with_trades_and_quotes(loaded.recording.has_both())
}

/// Cancels all orders in an instrument, and returns how many were of clients.
pub(crate) async fn clear(exchange: &ExchangeHandle, id: InstrumentId) -> Result<u64, ExchangeError> {
    exchange
        .change(move |exchange, events, at| {
            let from = events.len();
            for account in [AccountId::MAKER, AccountId::PAPER] {
                let cancel = Command::CancelAll { account, instrument: Some(id) };
                // Both accounts and the instrument exist.
                exchange.execute_into(&cancel, at, events).unwrap_or_default();
            }
            let of_client = |event: &&Event| matches!(event, Event::Cancelled { account: AccountId::PAPER, .. });
            events[from..].iter().filter(of_client).count() as u64
        })
        .await
}

fn play(
    replay: &mut Replay,
    step: &Step,
    id: InstrumentId,
    exchange: &mut Exchange,
    events: &mut Vec<Event>,
    at: Timestamp,
) {
    let (makers, clients) = (book(exchange, AccountId::MAKER, id), book(exchange, AccountId::PAPER, id));
    for command in replay.step(step, ReplayView { makers: &makers, clients: &clients }) {
        if let Err(reject) = exchange.execute_into(&command, at, events) {
            tracing::trace!(%reject, "the exchange refused a command of a replay");
        }
    }
}

/// The orders of an account that wait in the book of an instrument.
fn book(exchange: &Exchange, account: AccountId, id: InstrumentId) -> Vec<BookOrder> {
    let orders = exchange.open_orders(account).filter(|order| order.instrument == id);
    let waiting = orders.filter(|order| order.status != OrderStatus::Held && !order.awaits_trigger());
    let order = waiting.filter_map(|order| {
        let (id, side, quantity) = (order.id, order.side, order.quantity);
        Some(BookOrder { id, side, price: order.limit?, quantity, remaining: order.remaining() })
    });
    order.collect()
}
