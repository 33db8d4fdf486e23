//! The thread that owns the exchange and its journal.
//!
//! It takes whatever waits, decides it, brings it to the disk in one commit, and answers only then: what anybody has been
//! told is durable, and while one commit is under way the next one fills. What simulated traders do among themselves is
//! told to nobody who could miss it: it goes into the next commit, at the latest after a second.
//! When the journal cannot be written, nothing more is taken. What was not acknowledged is taken back, and everything can
//! still be read.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cwts_domain::{AccountId, Event, Instrument};
use cwts_engine::{Exchange, OpeningAccount};
use cwts_journal::{Journal, JournalError, Recovered, Replay, recover};
use tokio::sync::{mpsc, oneshot, watch};

use crate::exchange::ExchangeError;
use crate::feeds::Noter;
use crate::metrics::Metrics;

/// Requests that go into one commit.
const TURN: usize = 1024;
/// How long events that nobody waits for may stay off the disk.
const PATIENCE: Duration = Duration::from_secs(1);
/// And how many of them, so that a market which is played fast fills no memory.
const MOST_UNSAVED: usize = 20_000;
/// After so many events an idle moment is used for a snapshot: reading them back takes less than half a second.
const SNAPSHOT_EVENTS: u64 = 250_000;

/// Sends the answer: as it was decided, or the reason why that will never be.
pub(crate) type Reply = Box<dyn FnOnce(Option<ExchangeError>) + Send>;
/// Changes the exchange and adds what happened. Given an error it changes nothing and answers with it.
pub(crate) type Change = Box<dyn FnOnce(Result<(&mut Exchange, &mut Vec<Event>), ExchangeError>) -> Reply + Send>;

/// Looks at the exchange and answers.
pub(crate) type View = Box<dyn FnOnce(&Exchange) + Send>;

pub(crate) enum Request {
    Change(Change),
    Read(View),
    /// Goes on from this journal; a new one where there is none.
    Open {
        path: PathBuf,
        done: oneshot::Sender<u64>,
    },
    /// Looks whether a journal that could not be written can be by now.
    Reopen {
        done: oneshot::Sender<u64>,
    },
    /// Lets the journal go, for whoever opens it next.
    Close {
        done: oneshot::Sender<u64>,
    },
}

enum Ledger {
    /// The services do not run.
    Closed,
    Open(Journal),
    Faulty {
        path: PathBuf,
        error: JournalError,
    },
}

pub(crate) struct Keeper {
    exchange: Exchange,
    ledger: Ledger,
    /// Events that are not on the disk yet.
    unsaved: Vec<Event>,
    /// Since when.
    unsaved_since: Instant,
    replies: Vec<Reply>,
    /// Reads of this turn. They come after the commit, so that they never show what a failed one takes back.
    views: Vec<View>,
    /// Why the journal cannot be written, for everyone who shows it.
    fault: watch::Sender<Option<JournalError>>,
    /// What this turn changed, for whoever watches.
    noter: Noter,
    metrics: Metrics,
}

impl Keeper {
    /// Starts the thread. It ends when nobody can ask it any more.
    pub(crate) fn spawn(
        queue: mpsc::Receiver<Request>,
        fault: watch::Sender<Option<JournalError>>,
        noter: Noter,
        metrics: Metrics,
    ) -> std::io::Result<()> {
        let keeper = Self {
            exchange: new_exchange(),
            ledger: Ledger::Closed,
            unsaved: Vec::new(),
            unsaved_since: Instant::now(),
            replies: Vec::new(),
            views: Vec::new(),
            fault,
            noter,
            metrics,
        };
        std::thread::Builder::new().name("cwts-exchange".to_owned()).spawn(move || keeper.run(queue)).map(drop)
    }

    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        while let Some(request) = queue.blocking_recv() {
            let mut urgent = self.take(request);
            let mut taken = 1;
            while taken < TURN
                && let Ok(request) = queue.try_recv()
            {
                urgent |= self.take(request);
                taken += 1;
            }
            self.metrics.queue_depth.set(queue.len() as i64);
            let many = self.unsaved.len() >= MOST_UNSAVED;
            if urgent || many || (!self.unsaved.is_empty() && self.unsaved_since.elapsed() >= PATIENCE) {
                self.save();
            }
            self.metrics.journal_unsaved.set(self.unsaved.len() as i64);
            self.noter.publish(self.exchange.sequence());
            self.replies.drain(..).for_each(|reply| reply(None));
            self.views.drain(..).for_each(|view| view(&self.exchange));
            self.keep_short(queue.is_empty());
        }
        self.close();
    }

    /// Returns whether somebody waits until what happened is on the disk.
    fn take(&mut self, request: Request) -> bool {
        match request {
            Request::Change(change) => return self.change(change),
            Request::Read(view) => self.views.push(view),
            Request::Open { path, done } => {
                self.open(path);
                self.replies.push(told(done, self.exchange.sequence()));
            }
            Request::Reopen { done } => {
                if let Ledger::Faulty { path, .. } = &self.ledger {
                    self.open(path.clone());
                    // Proves that there is room before anybody relies on it.
                    self.snapshot();
                }
                self.replies.push(told(done, self.exchange.sequence()));
            }
            Request::Close { done } => {
                self.close();
                self.replies.push(told(done, self.exchange.sequence()));
            }
        }
        false
    }

    fn change(&mut self, change: Change) -> bool {
        match &self.ledger {
            Ledger::Open(_) => {}
            Ledger::Closed => return self.refuse(change, ExchangeError::Closed),
            Ledger::Faulty { error, .. } => {
                let error = ExchangeError::Journal(error.clone());
                return self.refuse(change, error);
            }
        }
        let from = self.unsaved.len();
        if from == 0 {
            self.unsaved_since = Instant::now();
        }
        let reply = change(Ok((&mut self.exchange, &mut self.unsaved)));
        self.replies.push(reply);
        let events = &self.unsaved[from..];
        let trades = events.iter().filter(|event| matches!(event, Event::Traded { .. })).count();
        self.metrics.trades.inc_by(trades as u64);
        for (role, account) in events.iter().filter_map(roles).flatten() {
            if !is_simulated(account) {
                self.metrics.fills.with_label_values(&[role]).inc();
            }
        }
        self.noter.note(&self.exchange, events);
        events.iter().any(concerns_a_client)
    }

    fn refuse(&mut self, change: Change, error: ExchangeError) -> bool {
        self.replies.push(change(Err(error)));
        false
    }

    /// Brings all that happened to the disk, or takes it back.
    fn save(&mut self) {
        let Ledger::Open(journal) = &mut self.ledger else { return };
        let began = Instant::now();
        let saved = journal.append(&self.unsaved);
        self.metrics.journal_sync.observe(began.elapsed().as_secs_f64());
        match saved {
            Ok(()) => self.unsaved.clear(),
            Err(error) => {
                let path = journal.path().to_owned();
                self.fail(path, error);
            }
        }
    }

    fn fail(&mut self, path: PathBuf, error: JournalError) {
        tracing::error!(%error, "trading is halted");
        self.unsaved.clear();
        // The file that could not be written is let go before it is read.
        self.ledger = Ledger::Closed;
        self.replies.drain(..).for_each(|reply| reply(Some(ExchangeError::Journal(error.clone()))));
        match recover(&path, &REPLAY) {
            Recovered { state, journal: Ok(_), .. } => {
                self.exchange = state;
                self.noter.note_all();
            }
            Recovered { journal: Err(error), .. } => tracing::error!(%error, "what is shown was not all acknowledged"),
        }
        self.set_ledger(Ledger::Faulty { path, error });
    }

    fn open(&mut self, path: PathBuf) {
        self.close();
        let Recovered { state, journal, repaired } = recover(&path, &REPLAY);
        self.exchange = state;
        self.noter.note_all();
        if repaired {
            tracing::warn!(path = %path.display(), "A damaged snapshot was passed over; nothing is lost");
        }
        self.set_ledger(match journal {
            Ok(journal) => Ledger::Open(journal),
            Err(error) => Ledger::Faulty { path, error },
        });
    }

    fn close(&mut self) {
        self.save();
        if let Ledger::Open(journal) = std::mem::replace(&mut self.ledger, Ledger::Closed)
            && let Err(error) = journal.close()
        {
            tracing::warn!(%error, "the journal is left as after a crash; the next start reads it all the same");
        }
        self.set_ledger(Ledger::Closed);
    }

    fn set_ledger(&mut self, ledger: Ledger) {
        self.metrics.journal_up.set(i64::from(matches!(ledger, Ledger::Open(_))));
        let fault = match &ledger {
            Ledger::Faulty { error, .. } => Some(error.clone()),
            Ledger::Open(_) | Ledger::Closed => None,
        };
        self.ledger = ledger;
        self.fault.send_if_modified(|shown| std::mem::replace(shown, fault.clone()) != fault);
    }

    /// Replaces the events of a while by a snapshot, best while nobody waits.
    fn keep_short(&mut self, idle: bool) {
        let Ledger::Open(journal) = &self.ledger else { return };
        let enough = if idle { SNAPSHOT_EVENTS } else { 4 * SNAPSHOT_EVENTS };
        if journal.since_snapshot() >= enough && self.unsaved.is_empty() {
            self.snapshot();
        }
    }

    fn snapshot(&mut self) {
        let Ledger::Open(journal) = &mut self.ledger else { return };
        if let Err(error) = journal.snapshot(&self.exchange) {
            let path = journal.path().to_owned();
            self.fail(path, error);
        }
    }
}

fn told(done: oneshot::Sender<u64>, sequence: u64) -> Reply {
    // Who asked may have given up; it is done all the same.
    Box::new(move |_| done.send(sequence).unwrap_or_default())
}

/// Whether an event is more than what simulated traders do among themselves.
pub(crate) fn concerns_a_client(event: &Event) -> bool {
    match event {
        Event::Accepted { order, .. } => !is_simulated(order.account),
        Event::Traded { .. } => roles(event).into_iter().flatten().any(|(_, account)| !is_simulated(account)),
        Event::Cancelled { account, .. } => !is_simulated(*account),
        // Follows on an event that says whose order it is.
        Event::Rested { .. } | Event::DayStarted { .. } | Event::Printed { .. } => false,
        Event::Modified { .. }
        | Event::Triggered { .. }
        | Event::Released { .. }
        | Event::TradingStateSet { .. }
        | Event::LimitsSet { .. }
        | Event::Reset { .. } => true,
    }
}

fn is_simulated(account: AccountId) -> bool {
    matches!(account, AccountId::HOUSE | AccountId::MAKER | AccountId::TAKER)
}

/// Who traded, and as what.
fn roles(event: &Event) -> Option<[(&'static str, AccountId); 2]> {
    match event {
        Event::Traded { maker, taker, .. } => Some([("maker", *maker), ("taker", *taker)]),
        _ => None,
    }
}

/// How a journal becomes an exchange.
pub(crate) const REPLAY: Replay<Exchange> =
    Replay { opening: new_exchange, apply: cwts_engine::apply, sequence: Exchange::sequence };

/// The exchange of a new instance: the default instruments, the paper account and the simulated traders.
pub(crate) fn new_exchange() -> Exchange {
    Exchange::new(Instrument::defaults(), OpeningAccount::defaults())
}

/// The journal in the data folder of an instance.
pub(crate) fn journal_file(data: &Path) -> PathBuf {
    data.join("journal.db")
}

#[cfg(test)]
mod tests {
    use cwts_domain::{
        Attached, ClientOrderId, Command, InstrumentId, Lots, PlaceOrder, RiskLimits, Side, StopPrice, Ticks, Timestamp,
    };

    use super::*;

    /// A bracket, a trade, new limits and a name: most of what an exchange can hold.
    fn traded() -> (Exchange, Vec<Event>) {
        let (mut exchange, mut events) = (new_exchange(), Vec::new());
        let test = |side, quantity| PlaceOrder::market(AccountId::PAPER, InstrumentId(2), side, Lots(quantity));
        let exits = Attached::Exits {
            take_profit: Some(Ticks(11_000)),
            stop_loss: Some(StopPrice { stop: Ticks(9_500), limit: Some(Ticks(9_400)) }),
        };
        let bracket = PlaceOrder {
            attached: Some(Box::new(exits)),
            client_order_id: Some(ClientOrderId("bracket".to_owned())),
            ..test(Side::Buy, 20_000)
        };
        let commands = [
            Command::EndDay,
            Command::Place(bracket),
            Command::Place(test(Side::Sell, 5_000)),
            Command::SetLimits { account: AccountId::PAPER, limits: RiskLimits::default() },
            Command::CancelAll { account: AccountId::PAPER, instrument: None },
        ];
        for (at, command) in (1..).zip(&commands) {
            exchange.execute_into(command, Timestamp(at * 86_400_000_000_000), &mut events).expect("allowed");
        }
        (exchange, events)
    }

    #[test]
    fn what_is_on_disks_can_be_read_by_this_version() {
        let (exchange, events) = traded();
        let layout = cwts_journal::layout(&exchange, &events);
        let message = "Event or Exchange is written differently than before: journals of released versions could not be \
                       read. Let cwts_journal::FORMAT grow, and then change this number.";
        assert_eq!((cwts_journal::FORMAT, layout), (1, Some(0xfad6_3a30_68bf_c06e)), "{message}");
    }

    #[test]
    fn the_journal_of_an_exchange_becomes_an_equal_exchange() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = journal_file(folder.path());
        let (exchange, events) = traded();
        let mut journal = recover(&path, &REPLAY).journal.expect("a new journal");
        journal.append(&events[..4]).expect("room");
        journal.append(&events[4..]).expect("room");
        drop(journal);
        let Recovered { state, journal, .. } = recover(&path, &REPLAY);
        assert_eq!(state.state_hash(), exchange.state_hash(), "from the first event");
        journal.expect("sound").snapshot(&state).expect("room");
        let Recovered { state, .. } = recover(&path, &REPLAY);
        assert!(state == exchange, "from a snapshot");
        assert_eq!(state.audit(), Ok(()), "nothing but what the money says");
    }

    #[test]
    fn only_what_simulated_traders_do_among_themselves_may_wait() {
        let (_, events) = traded();
        let waits: Vec<_> = events.iter().filter(|event| !concerns_a_client(event)).collect();
        let day = |event: &&&Event| matches!(event, Event::DayStarted { .. } | Event::Rested { .. });
        assert_eq!(waits.iter().filter(day).count(), waits.len(), "a client's own events never wait: {waits:?}");
        let order = PlaceOrder::limit(AccountId::MAKER, InstrumentId(0), Side::Buy, Lots(1), Ticks(6_000_000));
        let quoted = new_exchange().execute(&Command::Place(order), Timestamp(1)).expect("allowed");
        assert!(!quoted.iter().any(concerns_a_client), "makers quote many times a second: {quoted:?}");
    }
}
