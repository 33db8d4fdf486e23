//! Tells whoever watches which parts of the exchange have changed, by the sequence number of the change.
//!
//! A watcher is told the newest number and never a list of changes: one that is slow misses numbers, not the state, which
//! it reads when it comes to it. What changes many times within [`PACE`] is told once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cwts_domain::{AccountId, Event, Instrument, InstrumentId, OrderId};
use cwts_engine::Exchange;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::keeper::concerns_a_client;

/// The shortest time between two tellings of one topic. The first change after a pause is told at once.
const PACE: Duration = Duration::from_millis(20);

/// What can be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Anything at all.
    Exchange,
    /// The paper account: orders, positions, money, limits, the trading state, and what its positions are worth.
    Account,
    /// The book, the trades and the prices of an instrument.
    Market(InstrumentId),
}

impl Topic {
    fn index(self) -> usize {
        match self {
            Self::Exchange => 0,
            Self::Account => 1,
            Self::Market(id) => 2 + usize::from(id.0),
        }
    }
}

/// A topic as it is told: the sequence number of its last change.
struct Feed {
    changed_at: AtomicU64,
    told: watch::Sender<u64>,
}

/// All topics of an exchange; clones tell the same ones.
#[derive(Clone)]
pub(crate) struct Feeds(Arc<[Feed]>);

impl Feeds {
    /// The topics, and who notes their changes. Must be called within a tokio runtime, which tells until the noter ends.
    pub(crate) fn start(instruments: &[Instrument]) -> (Self, Noter) {
        let feed = || Feed { changed_at: AtomicU64::default(), told: watch::Sender::new(0) };
        let feeds = Self(std::iter::repeat_with(feed).take(2 + instruments.len()).collect());
        let (wake, woken) = watch::channel(());
        tokio::spawn(feeds.clone().tell(woken));
        let noter = Noter { feeds: feeds.clone(), changed: vec![false; 2 + instruments.len()], wake };
        (feeds, noter)
    }

    /// Tells every later change of a topic; `None` for an instrument that there is not.
    pub(crate) fn watch(&self, topic: Topic) -> Option<watch::Receiver<u64>> {
        self.0.get(topic.index()).map(|feed| feed.told.subscribe())
    }

    async fn tell(self, mut woken: watch::Receiver<()>) {
        let mut ticks = tokio::time::interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while woken.changed().await.is_ok() {
            ticks.tick().await;
            for feed in self.0.iter() {
                let now = feed.changed_at.load(Ordering::Acquire);
                feed.told.send_if_modified(|told| std::mem::replace(told, now) != now);
            }
        }
    }
}

/// Held by the thread of the exchange: collects the topics that a turn changed.
pub(crate) struct Noter {
    feeds: Feeds,
    changed: Vec<bool>,
    wake: watch::Sender<()>,
}

impl Noter {
    /// Events that the exchange has just applied.
    pub(crate) fn note(&mut self, exchange: &Exchange, events: &[Event]) {
        for event in events {
            self.mark(Topic::Exchange);
            if concerns_a_client(event) {
                self.mark(Topic::Account);
            }
            match instrument(exchange, event) {
                Touched::One(id) => self.mark_market(exchange, id),
                Touched::Any => self.note_all(),
                Touched::None => {}
            }
        }
    }

    /// The whole exchange may be another one.
    pub(crate) fn note_all(&mut self) {
        self.changed.fill(true);
    }

    /// What was noted can be read from now on.
    pub(crate) fn publish(&mut self, sequence: u64) {
        let mut any = false;
        for (changed, feed) in self.changed.iter_mut().zip(self.feeds.0.iter()) {
            if std::mem::take(changed) {
                feed.changed_at.store(sequence, Ordering::Release);
                any = true;
            }
        }
        if any {
            self.wake.send_replace(());
        }
    }

    fn mark_market(&mut self, exchange: &Exchange, id: InstrumentId) {
        self.mark(Topic::Market(id));
        let paper = exchange.account(AccountId::PAPER);
        if paper.and_then(|account| account.position(id)).is_some_and(|held| held.quantity().0 != 0) {
            self.mark(Topic::Account);
        }
    }

    fn mark(&mut self, topic: Topic) {
        if let Some(changed) = self.changed.get_mut(topic.index()) {
            *changed = true;
        }
    }
}

/// Whose book an event touches.
enum Touched {
    None,
    One(InstrumentId),
    Any,
}

fn instrument(exchange: &Exchange, event: &Event) -> Touched {
    // An order that is no longer kept may have been in any book.
    let of = |id: OrderId| exchange.order(id).map_or(Touched::Any, |order| Touched::One(order.instrument));
    match event {
        Event::Traded { instrument, .. } => Touched::One(*instrument),
        Event::Printed { print, .. } => Touched::One(print.instrument),
        // What an order does to the book follows as events of their own.
        Event::Accepted { .. } | Event::DayStarted { .. } | Event::TradingStateSet { .. } | Event::LimitsSet { .. } => {
            Touched::None
        }
        Event::Rested { order_id }
        | Event::Modified { order_id, .. }
        | Event::Triggered { order_id, .. }
        | Event::Released { order_id, .. }
        | Event::Cancelled { order_id, .. } => of(*order_id),
        Event::Reset { .. } => Touched::Any,
    }
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Command, Lots, PlaceOrder, Side, Ticks, Timestamp};

    use super::*;
    use crate::keeper::new_exchange;

    const BITCOIN: Topic = Topic::Market(InstrumentId(0));
    const ETHER: Topic = Topic::Market(InstrumentId(1));

    /// Whether each topic is told something after a command.
    async fn told(account: AccountId, topics: &[Topic]) -> Vec<bool> {
        let mut exchange = new_exchange();
        let (feeds, mut noter) = Feeds::start(&Instrument::defaults());
        let watched: Vec<_> = topics.iter().map(|topic| feeds.watch(*topic).expect("a topic")).collect();
        let mut any = feeds.watch(Topic::Exchange).expect("a topic");
        let order = PlaceOrder::limit(account, InstrumentId(0), Side::Buy, Lots(1), Ticks(6_000_000));
        let events = exchange.execute(&Command::Place(order), Timestamp(1)).expect("allowed");
        noter.note(&exchange, &events);
        noter.publish(exchange.sequence());
        any.changed().await.expect("the feeds live");
        assert_eq!(*any.borrow(), exchange.sequence(), "the number of the last event");
        watched.iter().map(|topic| topic.has_changed().expect("the feeds live")).collect()
    }

    #[tokio::test]
    async fn only_those_who_watch_what_changed_are_told() {
        let topics = [Topic::Account, BITCOIN, ETHER];
        assert_eq!(told(AccountId::PAPER, &topics).await, [true, true, false], "an order of the paper account");
        assert_eq!(told(AccountId::MAKER, &topics).await, [false, true, false], "a quote of a simulated maker");
    }

    #[tokio::test]
    async fn who_is_slow_is_told_the_newest_number_once() {
        let (feeds, mut noter) = Feeds::start(&Instrument::defaults());
        let mut slow = feeds.watch(Topic::Account).expect("a topic");
        for sequence in 1..=1000 {
            noter.note_all();
            noter.publish(sequence);
        }
        slow.wait_for(|told| *told == 1000).await.expect("the feeds live");
        assert!(!slow.has_changed().expect("the feeds live"), "a thousand changes are no backlog");
        assert!(feeds.watch(Topic::Market(InstrumentId(99))).is_none(), "there is no such instrument");
    }
}
