//! The tools around an order: changing it, trying it out, closing positions, limits and the trading state.

use cwts_domain::{
    Actor, Cash, Command, Event, InstrumentId, Lots, ModifyOrder, PlaceOrder, Reject, Side, TradingState,
};
use cwts_runtime::{ConnectedClient, Exchange, decide};
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::Extensions;
use rmcp::{tool, tool_router};

use crate::mcp::handler::TradingServer;
use crate::mcp::permission;
use crate::mcp::tools::{ToolError, view};
use crate::mcp::wire::{
    ACCOUNT, Cancelled, ClosePositionArgs, Count, Flattened, HaltArgs, InstrumentList, InstrumentView, LimitsView,
    ModifyOrderArgs, OrderArgs, OrderView, PlaceOrderArgs, Preview, ScopeArgs, TradingStateView,
};

/// The macro reads the output schema off the words `Result<Json<_>`.
type Result<T, E = ToolError> = std::result::Result<T, E>;

#[tool_router(router = trading_router, vis = "pub(crate)")]
impl TradingServer {
    /// Changes quantity or prices of an open order and returns it. A smaller quantity alone keeps its place in the queue;
    /// any other change sends it in again, so that it may trade at once.
    #[tool(annotations(
        title = "Modify order",
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn modify_order(&self, Parameters(args): Parameters<ModifyOrderArgs>) -> Result<Json<OrderView>> {
        let ModifyOrderArgs { order_id, client_order_id, new_quantity, new_price, new_stop_price } = args;
        let order_id = self.order_id_of(OrderArgs { order_id, client_order_id }).await?;
        let exchange = self.instance.exchange();
        let found = exchange.read(move |exchange| exchange.order(order_id).map(|order| order.instrument)).await?;
        let instruments = exchange.instruments();
        let instrument = found.and_then(|id| instruments.get(usize::from(id.0)));
        let instrument = instrument.ok_or(Reject::UnknownOrder { order_id })?;
        let change = ModifyOrder {
            account: ACCOUNT,
            order_id,
            quantity: new_quantity.map(|quantity| instrument.lots("new_quantity", quantity)).transpose()?,
            limit: new_price.map(|price| instrument.ticks("new_price", price)).transpose()?,
            stop: new_stop_price.map(|price| instrument.ticks("new_stop_price", price)).transpose()?,
        };
        let modified = exchange.execute(Command::Modify(change), move |exchange, _| view(exchange, order_id));
        modified.await?.map(Json).ok_or_else(|| Reject::UnknownOrder { order_id }.into())
    }

    /// What an order would do if it were placed now: whether it would be accepted, what it would trade and cost. Places
    /// nothing.
    #[tool(annotations(title = "Preview order", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn preview_order(&self, Parameters(args): Parameters<PlaceOrderArgs>) -> Result<Json<Preview>> {
        let mut order = self.order_of(args)?;
        // A name that is taken says nothing about the order.
        order.client_order_id = None;
        let at = self.instance.clock().now();
        let read = self
            .instance
            .exchange()
            .read(move |exchange| preview(exchange, &order, decide(exchange, &Command::Place(order.clone()), at)));
        Ok(Json(read.await?))
    }

    /// Cancels every open order of the paper account, or those of one instrument.
    #[tool(annotations(
        title = "Cancel all orders",
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn cancel_all_orders(&self, Parameters(args): Parameters<ScopeArgs>) -> Result<Json<Cancelled>> {
        let instrument = self.instrument_of(args.symbol.as_deref())?;
        let command = Command::CancelAll { account: ACCOUNT, instrument };
        let cancelled = self.instance.exchange().execute(command, |exchange, events| Cancelled {
            cancelled: ended(events),
            sequence: Count(exchange.sequence()),
        });
        Ok(Json(cancelled.await?))
    }

    /// Closes the position in one instrument with a reduce-only market order, and returns the order.
    #[tool(annotations(
        title = "Close position",
        read_only_hint = false,
        destructive_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn close_position(
        &self,
        Parameters(args): Parameters<ClosePositionArgs>,
    ) -> Result<Json<OrderView>> {
        let (id, _) = self.instance.exchange().instrument(&args.symbol)?;
        let held = self.positions().await?.into_iter().find(|(instrument, _)| *instrument == id);
        let (_, quantity) = held.ok_or_else(|| ToolError::argument("symbol", "has no open position"))?;
        Ok(Json(self.close(id, quantity).await?))
    }

    /// Cancels every open order and closes every position of the paper account at the market.
    #[tool(annotations(
        title = "Flatten all",
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn flatten_all(&self) -> Result<Json<Flattened>> {
        let command = Command::CancelAll { account: ACCOUNT, instrument: None };
        let cancelled = self.instance.exchange().execute(command, |_, events| ended(events)).await?;
        let (mut orders, mut problems) = (Vec::new(), Vec::new());
        for (id, quantity) in self.positions().await? {
            match self.close(id, quantity).await {
                Ok(order) => orders.push(order),
                Err(error) => problems.push(error.to_string()),
            }
        }
        Ok(Json(Flattened { cancelled, orders, problems }))
    }

    /// The limits of the paper account, its exposure and margin.
    #[tool(annotations(title = "Risk limits", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_risk_limits(&self) -> Result<Json<LimitsView>> {
        let read = self.instance.exchange().read(|exchange| {
            let account = exchange.account(ACCOUNT)?;
            Some(LimitsView::of(exchange, account, account.limits()?))
        });
        read.await?.map(Json).ok_or_else(|| ToolError::argument("account", "has no limits"))
    }

    /// Whether trading is active, reducing or halted.
    #[tool(annotations(title = "Trading state", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_trading_state(&self) -> Result<Json<TradingStateView>> {
        let fault = self.instance.exchange().journal_fault();
        let read = self.instance.exchange().read(|exchange| TradingStateView::of(exchange, Vec::new()));
        Ok(Json(read.await?.under(fault)))
    }

    /// Halts trading for all clients: orders can only be cancelled from then on. Only a person can resume it.
    #[tool(annotations(
        title = "Halt trading",
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn halt_trading(
        &self,
        Parameters(args): Parameters<HaltArgs>,
        extensions: Extensions,
    ) -> Result<Json<TradingStateView>> {
        let exchange = self.instance.exchange();
        let halt = Command::SetTradingState { state: TradingState::Halted, by: Actor::Agent };
        let told =
            exchange.execute(halt, |exchange, events| (TradingStateView::of(exchange, Vec::new()), !events.is_empty()));
        let (halted, is_new) = told.await?;
        if let Some(by) = permission::of_client::<ConnectedClient>(&extensions).filter(|_| is_new) {
            self.instance.note_halt(by.actor());
        }
        if !args.cancel_orders.unwrap_or_default() {
            return Ok(Json(halted));
        }
        let cancel = Command::CancelAll { account: ACCOUNT, instrument: None };
        let halted = exchange.execute(cancel, |exchange, events| TradingStateView::of(exchange, ended(events)));
        Ok(Json(halted.await?))
    }

    /// Everything that is traded, with tick and lot sizes and the best prices.
    #[tool(annotations(title = "Instruments", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn list_instruments(&self) -> Result<Json<InstrumentList>> {
        let read = self.instance.exchange().read(|exchange| InstrumentList {
            instruments: exchange.markets().iter().map(InstrumentView::of).collect(),
        });
        Ok(Json(read.await?))
    }
}

impl TradingServer {
    /// The open positions; below zero is short.
    async fn positions(&self) -> Result<Vec<(InstrumentId, Lots)>> {
        let read = self.instance.exchange().read(|exchange| {
            let held = exchange.account(ACCOUNT).into_iter().flat_map(|account| account.positions());
            let held = held.map(|(id, position)| (id, position.quantity()));
            held.filter(|(_, quantity)| *quantity != Lots::ZERO).collect()
        });
        Ok(read.await?)
    }

    async fn close(&self, id: InstrumentId, quantity: Lots) -> Result<OrderView> {
        let (side, lots) = if quantity > Lots::ZERO { (Side::Sell, quantity) } else { (Side::Buy, -quantity) };
        let order = PlaceOrder { reduce_only: true, ..PlaceOrder::market(ACCOUNT, id, side, lots) };
        let placed = self.instance.exchange().execute(Command::Place(order), |exchange, events| {
            events.iter().find_map(|event| match event {
                Event::Accepted { order_id, .. } => view(exchange, *order_id),
                _ => None,
            })
        });
        placed.await?.ok_or_else(|| ToolError::argument("symbol", "has no open position"))
    }
}

/// Ids of the orders that ended by a cancellation.
fn ended(events: &[Event]) -> Vec<String> {
    let cancelled = events.iter().filter_map(|event| match event {
        Event::Cancelled { order_id, .. } => Some(order_id.to_string()),
        _ => None,
    });
    cancelled.collect()
}

pub(crate) fn preview(
    exchange: &Exchange,
    order: &PlaceOrder,
    decided: std::result::Result<Vec<Event>, Reject>,
) -> Preview {
    let (events, reason) = match decided {
        Ok(events) => (events, None),
        Err(reject) => (Vec::new(), Some(reject.to_string())),
    };
    let (mut filled, mut value, mut fees, mut waits) = (Lots::ZERO, Cash::ZERO, Cash::ZERO, false);
    let placed = events.iter().find_map(|event| match event {
        Event::Accepted { order_id, .. } => Some(*order_id),
        _ => None,
    });
    for event in &events {
        match event {
            Event::Traded { price, quantity, taker_fee, .. } => {
                filled += *quantity;
                value += price.notional(*quantity);
                fees += *taker_fee;
            }
            Event::Rested { order_id } if Some(*order_id) == placed => waits = true,
            _ => {}
        }
    }
    let instrument = exchange.market(order.instrument).map(cwts_runtime::Market::instrument);
    let quantity = |lots| instrument.map_or(0.0, |instrument| instrument.quantity(lots));
    Preview {
        would_be_accepted: reason.is_none(),
        reason,
        filled_quantity: quantity(filled),
        average_price: instrument.and_then(|instrument| instrument.average_price(value, filled)),
        fees: fees.amount(),
        waiting_quantity: if waits { quantity(order.quantity - filled) } else { 0.0 },
        sequence: Count(exchange.sequence()),
    }
}
