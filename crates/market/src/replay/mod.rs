//! What a file makes of a market in which clients trade too: who quotes what, and which orders of clients trade.
//!
//! [`Replay::step`] sees the book and one step of the file, and says what is sent to the exchange. The rules are in
//! docs/trading.md, "Replayed markets": where the file leaves open whether an order would have traded, it has not.
//! Integers only, no clock, no I/O: the same steps and the same views give the same commands.

mod queue;
mod quotes;

use cwts_domain::{
    AccountId, Command, Instrument, InstrumentId, Lots, OrderId, PlaceOrder, Print, Side, Ticks, TimeInForce,
};

use self::queue::Queue;
use self::quotes::Quotes;
use crate::tape::{Happening, Step};

/// The orders in the book of the instrument, as the exchange has them before a step.
#[derive(Clone, Copy, Debug)]
pub struct ReplayView<'a> {
    /// Those of [`AccountId::MAKER`], oldest first.
    pub makers: &'a [BookOrder],
    /// Those of clients that wait in the book, oldest first.
    pub clients: &'a [BookOrder],
}

/// An order that waits in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookOrder {
    /// Its id.
    pub id: OrderId,
    /// Bid or ask.
    pub side: Side,
    /// Its limit price.
    pub price: Ticks,
    /// The whole quantity, with what has filled.
    pub quantity: Lots,
    /// What has not filled.
    pub remaining: Lots,
}

/// A market that follows a file.
#[derive(Debug)]
pub struct Replay {
    id: InstrumentId,
    max_quantity: Lots,
    quotes: Quotes,
    queue: Queue,
    /// The middle of the last best bid and ask that the file named.
    middle: Option<Ticks>,
    /// Whether there are trades and quotes.
    both: bool,
}

impl Replay {
    /// A market whose book is empty.
    pub fn new(id: InstrumentId, instrument: &Instrument) -> Self {
        let max_quantity = instrument.max_quantity;
        Self {
            id,
            max_quantity,
            quotes: Quotes::new(id, instrument),
            queue: Queue::default(),
            middle: None,
            both: false,
        }
    }

    /// Trades come with the quotes of the same market: from the first quote on, only quotes say what is bid and offered, and
    /// only trades what was traded.
    #[must_use]
    pub fn with_trades_and_quotes(self, both: bool) -> Self {
        Self { both, ..self }
    }

    /// What is sent to the exchange, in this sequence. Refused commands do no harm: the next step sees what is really in
    /// the book.
    pub fn step(&mut self, step: &Step, view: ReplayView<'_>) -> Vec<Command> {
        let mut commands = Vec::new();
        self.queue.look(view.clients, |side| self.quotes.shown(side));
        match step.what {
            Happening::Quote { bid, ask } => self.quote(bid, ask, view, &mut commands),
            Happening::Trade { price, quantity, taker_side, exact } => {
                let print = Print { instrument: self.id, price, quantity, taker_side };
                self.trade(print, exact, view, &mut commands);
            }
        }
        commands
    }

    fn quote(&mut self, bid: (Ticks, Lots), ask: (Ticks, Lots), view: ReplayView<'_>, commands: &mut Vec<Command>) {
        self.quotes.follow(bid, ask, view, commands);
        self.queue.shown_again(|side| self.quotes.shown(side));
        // A file of quotes names no trades. One lot at the middle tells the last price, so that stop orders see it move.
        let middle = Ticks(bid.0.0 + (ask.0.0 - bid.0.0) / 2);
        let before = self.middle.replace(middle);
        if before != Some(middle) && !self.both {
            let taker_side = if before.is_none_or(|before| middle > before) { Side::Buy } else { Side::Sell };
            commands.push(Command::Print(Print { instrument: self.id, price: middle, quantity: Lots(1), taker_side }));
        }
    }

    fn trade(&mut self, print: Print, exact: bool, view: ReplayView<'_>, commands: &mut Vec<Command>) {
        let Print { price, quantity, taker_side, .. } = print;
        if !self.both || self.middle.is_none() {
            self.quotes.infer(price, taker_side, view, commands);
        }
        self.queue.shown_again(|side| self.quotes.shown(side));
        let waited = taker_side.opposite();
        let mut left = quantity;
        // Who bids more than what was paid would have been served first, whoever came in; who bids as much, if the seller
        // had waited.
        for side in [waited, taker_side] {
            let through = |order: &&BookOrder| {
                order.side == side && (better(side, order.price, price) || (side == taker_side && order.price == price))
            };
            let asked: Lots = view.clients.iter().filter(through).map(|order| order.remaining).sum();
            self.take(side, price, asked, &mut left, commands);
        }
        if exact {
            let reached = self.queue.reached(view.clients, waited, price, left);
            if reached > Lots::ZERO {
                // Those who were ahead have traded.
                self.quotes.step_behind(waited, view, commands);
            }
            self.take(waited, price, reached, &mut left, commands);
        }
        if left > Lots::ZERO {
            commands.push(Command::Print(Print { quantity: left, ..print }));
        }
    }

    /// Somebody trades with the orders of clients on `side`, as far as `price`.
    fn take(&self, side: Side, price: Ticks, asked: Lots, left: &mut Lots, commands: &mut Vec<Command>) {
        let quantity = asked.min(*left).min(self.max_quantity);
        if quantity > Lots::ZERO {
            *left -= quantity;
            let order = PlaceOrder::limit(AccountId::TAKER, self.id, side.opposite(), quantity, price);
            commands.push(Command::Place(PlaceOrder { time_in_force: TimeInForce::Ioc, ..order }));
        }
    }
}

/// Whether `price` is a better one than `other` for whoever meets an order of `side`.
fn better(side: Side, price: Ticks, other: Ticks) -> bool {
    match side {
        Side::Buy => price > other,
        Side::Sell => price < other,
    }
}
