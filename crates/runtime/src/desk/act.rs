//! What a person does by hand.

use cwts_domain::{
    AccountId, Command, ErrorCode, Event, InstrumentId, Lots, OrderId, PlaceOrder, Problem, Reject, Side,
};
use cwts_engine::{Exchange, Preview, preview};
use serde::Serialize;

use super::refusal::problem;
use super::ticket::{OrderChange, OrderTicket};
use super::view::DeskOrder;
use crate::audit::AuditEntry;
use crate::exchange::ExchangeError;
use crate::instance::Instance;

/// What an order would do if it were placed now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct TicketPreview {
    /// Why it would be refused; `None` when it would be taken.
    pub problem: Option<Problem>,
    /// What would trade at once, in lots.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub filled: i64,
    /// Average price of that, in quote currency.
    pub average_price: Option<f64>,
    /// What would wait in the book or for its trigger, in lots.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub waits: i64,
    /// Value of all of it, in US dollars.
    pub value: f64,
    /// Fees of what would trade at once, in US dollars.
    pub fees: f64,
    /// Margin in use if it were taken, in US dollars.
    pub margin_after: f64,
}

impl Instance {
    /// What an order by hand would do; nothing is placed.
    ///
    /// # Errors
    /// The symbol is not traded; the exchange has too much to do, or the program is ending.
    pub async fn preview_ticket(&self, ticket: OrderTicket) -> Result<TicketPreview, Problem> {
        let (order, at) = (self.order_by_hand(&ticket)?, self.clock().now());
        let read =
            self.exchange().read(move |exchange| ticket_preview(exchange, &order, preview(exchange, &order, at)));
        read.await?.map_err(problem)
    }

    /// Places an order by hand and returns it as it stands after matching. The same ticket again places nothing.
    ///
    /// # Errors
    /// The exchange refuses, at its field; it could not be written down; the exchange has too much to do.
    pub async fn place_ticket(&self, ticket: OrderTicket) -> Result<DeskOrder, Problem> {
        let order = self.order_by_hand(&ticket)?;
        let name = order.client_order_id.clone();
        let placed = self.exchange().execute(Command::Place(order), move |exchange, events| {
            let first = || exchange.order_by_client_id(AccountId::PAPER, name.as_ref()?);
            DeskOrder::of(exchange, exchange.order(accepted(events)?).or_else(first)?)
        });
        self.done_by_hand("placed", placed.await)
    }

    /// Gives an open order new terms.
    ///
    /// # Errors
    /// As for [`Instance::place_ticket`].
    pub async fn change_order(&self, change: OrderChange) -> Result<DeskOrder, Problem> {
        let id = order_id(&change.order_id)?;
        let changed = self.exchange().execute(Command::Modify(change.command(id)), move |exchange, _| {
            exchange.order(id).and_then(|order| DeskOrder::of(exchange, order))
        });
        self.done_by_hand("changed", changed.await)
    }

    /// Cancels an open order of the paper account.
    ///
    /// # Errors
    /// It is not open; it could not be written down; the exchange has too much to do.
    pub async fn cancel_order(&self, order: &str) -> Result<DeskOrder, Problem> {
        let order_id = order_id(order)?;
        let command = Command::Cancel { account: AccountId::PAPER, order_id };
        let cancelled = self.exchange().execute(command, move |exchange, _| {
            exchange.order(order_id).and_then(|order| DeskOrder::of(exchange, order))
        });
        self.done_by_hand("cancelled", cancelled.await)
    }

    /// Closes the position in one instrument with a reduce-only market order, and returns the order.
    ///
    /// # Errors
    /// Nothing is held of it; the exchange refuses; it could not be written down; the exchange has too much to do.
    pub async fn close_position(&self, symbol: &str) -> Result<DeskOrder, Problem> {
        let (id, _) = self.exchange().instrument(symbol).map_err(|reject| problem(reject.into()))?;
        let held = self.exchange().read(move |exchange| held(exchange, id)).await?;
        let (side, quantity) = match held {
            Lots(0) => return Err(Problem::new(ErrorCode::WrongState, format!("Nothing is held of {symbol}."))),
            long if long > Lots::ZERO => (Side::Sell, long),
            short => (Side::Buy, -short),
        };
        let order = PlaceOrder { reduce_only: true, ..PlaceOrder::market(AccountId::PAPER, id, side, quantity) };
        let placed = self.exchange().execute(Command::Place(order), |exchange, events| {
            accepted(events).and_then(|id| exchange.order(id)).and_then(|order| DeskOrder::of(exchange, order))
        });
        self.done_by_hand("placed to close the position", placed.await)
    }

    /// Tells the audit trail what became of an order.
    fn done_by_hand(&self, done: &str, answer: Result<Option<DeskOrder>, ExchangeError>) -> Result<DeskOrder, Problem> {
        let order = answer.map_err(problem)?.ok_or_else(gone)?;
        let DeskOrder { id, symbol, side, .. } = &order;
        self.audit(AuditEntry::by_hand(format!("Order {id} to {side} {symbol} was {done} in the panel.")));
        Ok(order)
    }

    fn order_by_hand(&self, ticket: &OrderTicket) -> Result<PlaceOrder, Problem> {
        let found = self.exchange().instrument(&ticket.symbol);
        found.map(|(id, _)| ticket.order(id)).map_err(|reject| problem(reject.into()))
    }
}

fn held(exchange: &Exchange, id: InstrumentId) -> Lots {
    let position = exchange.account(AccountId::PAPER).and_then(|account| account.position(id));
    position.map_or(Lots::ZERO, |position| position.quantity())
}

fn accepted(events: &[Event]) -> Option<OrderId> {
    events.iter().find_map(|event| match event {
        Event::Accepted { order_id, .. } => Some(*order_id),
        _ => None,
    })
}

fn ticket_preview(
    exchange: &Exchange,
    order: &PlaceOrder,
    preview: Result<Preview, Reject>,
) -> Result<TicketPreview, ExchangeError> {
    let market = exchange.market(order.instrument);
    let leverage =
        exchange.account(order.account).and_then(|account| account.limits()).map_or(1, |it| it.leverage.max(1));
    let preview = match preview {
        Ok(preview) => preview,
        Err(reject) => Preview { refused: Some(reject), ..Preview::default() },
    };
    Ok(TicketPreview {
        filled: preview.filled.0,
        average_price: market.and_then(|market| market.instrument().average_price(preview.traded, preview.filled)),
        waits: preview.waits.0,
        value: preview.value.amount(),
        fees: preview.fees.amount(),
        margin_after: preview.exposure_after.amount() / f64::from(leverage),
        problem: preview.refused.map(|reject| problem(reject.into())),
    })
}

fn order_id(text: &str) -> Result<OrderId, Problem> {
    let unknown =
        |_| Problem::new(ErrorCode::InvalidInput, format!("{text:?} is no order of this exchange.")).at("order_id");
    text.parse().map(OrderId).map_err(unknown)
}

fn gone() -> Problem {
    Problem::new(ErrorCode::WrongState, "The order has ended and is no longer kept.")
}
