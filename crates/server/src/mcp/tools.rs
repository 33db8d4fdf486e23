//! The tools. Each turns its arguments into one question or command of the exchange.

use cwts_domain::{
    Attached, ClientOrderId, Command, ConversionError, Event, Instrument, InstrumentId, OrderId, OrderType, PlaceOrder,
    Reject, Service, StopPrice,
};
use cwts_runtime::{Exchange, ExchangeError, Order};
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::CallToolResponse;
use rmcp::{ErrorData, tool, tool_router};

use crate::mcp::error;
use crate::mcp::handler::TradingServer;
use crate::mcp::wire::{
    ACCOUNT, AccountView, Count, FillList, FillsArgs, ListOrdersArgs, MarketData, MarketDataArgs, OrderArgs, OrderList,
    OrderView, PlaceOrderArgs, PositionList, PositionView, PositionsArgs, ServerInfo, ServiceInfo, StatusFilter,
    SymbolInfo,
};
use crate::problem::ProblemDetails;

const DEFAULT_PAGE: u16 = 100;
const DEFAULT_DEPTH: u16 = 10;
const TRADES: usize = 50;
const MAX_CLIENT_ORDER_ID: usize = 64;

/// Why a tool did not do what was asked; the model reads the text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    #[error("{0}")]
    Number(#[from] ConversionError),
    #[error("{0}")]
    Exchange(#[from] ExchangeError),
    #[error("{0}")]
    Rejected(#[from] Reject),
    #[error("{field} {problem}")]
    Argument { field: &'static str, problem: String },
}

impl ToolError {
    pub(crate) fn argument(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Argument { field, problem: problem.into() }
    }
}

impl IntoCallToolResult for ToolError {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        let text = self.to_string();
        let ProblemDetails { code, retry_after, .. } = self.into();
        Ok(error::of_tool(code, text, retry_after).into())
    }
}

/// The macro reads the output schema off the words `Result<Json<_>`: an alias that hides them costs every tool its schema.
type Result<T, E = ToolError> = std::result::Result<T, E>;

#[tool_router(vis = "pub(crate)")]
impl TradingServer {
    /// Places an order on the paper account and returns it as it stands after matching.
    #[tool(annotations(
        title = "Place order",
        read_only_hint = false,
        destructive_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn place_order(&self, Parameters(args): Parameters<PlaceOrderArgs>) -> Result<Json<OrderView>> {
        let order = self.order_of(args)?;
        let name = order.client_order_id.clone();
        let placed = self.instance.exchange().execute(Command::Place(order), move |exchange, events| {
            let accepted = events.iter().find_map(|event| match event {
                Event::Accepted { order_id, .. } => exchange.order(*order_id),
                _ => None,
            });
            let first = || name.as_ref().and_then(|name| exchange.order_by_client_id(ACCOUNT, name));
            accepted.or_else(first).and_then(|order| OrderView::of(exchange, order))
        });
        placed.await?.map(Json).ok_or_else(|| ToolError::argument("client_order_id", "names an order that is gone"))
    }

    /// Cancels an open order of the paper account and returns it; what was filled before stays filled.
    #[tool(annotations(
        title = "Cancel order",
        read_only_hint = false,
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    pub(crate) async fn cancel_order(&self, Parameters(args): Parameters<OrderArgs>) -> Result<Json<OrderView>> {
        let order_id = self.order_id_of(args).await?;
        let command = Command::Cancel { account: ACCOUNT, order_id };
        let cancelled = self.instance.exchange().execute(command, move |exchange, _| view(exchange, order_id));
        cancelled.await?.map(Json).ok_or_else(|| Reject::UnknownOrder { order_id }.into())
    }

    /// One order with its fills so far.
    #[tool(annotations(title = "Order status", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_order_status(&self, Parameters(args): Parameters<OrderArgs>) -> Result<Json<OrderView>> {
        let order_id = self.order_id_of(args).await?;
        let found = self.instance.exchange().read(move |exchange| view(exchange, order_id)).await?;
        found.map(Json).ok_or_else(|| Reject::UnknownOrder { order_id }.into())
    }

    /// The orders of the paper account, newest first, page by page.
    #[tool(annotations(title = "Orders", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn list_orders(&self, Parameters(args): Parameters<ListOrdersArgs>) -> Result<Json<OrderList>> {
        let only = self.instrument_of(args.symbol.as_deref())?;
        let most = usize::from(args.limit.unwrap_or(DEFAULT_PAGE));
        let before = args.cursor.map(|cursor| parse_id("cursor", &cursor)).transpose()?;
        let filter = args.status.unwrap_or_default();
        let listed = self.instance.exchange().read(move |exchange| {
            let wanted = |order: &&Order| {
                let status = match filter {
                    StatusFilter::Open => order.status.is_open(),
                    StatusFilter::Closed => !order.status.is_open(),
                    StatusFilter::All => true,
                };
                let traded_in = only.is_none_or(|only| only == order.instrument);
                status && traded_in && before.is_none_or(|before| order.id < before)
            };
            let mut page: Vec<&Order> = exchange.orders(ACCOUNT).rev().filter(wanted).take(most + 1).collect();
            let more = page.len() > most;
            page.truncate(most);
            let next_cursor = page.last().filter(|_| more).map(|last| last.id.to_string());
            let orders = page.into_iter().filter_map(|order| OrderView::of(exchange, order)).collect();
            OrderList { orders, next_cursor }
        });
        Ok(Json(listed.await?))
    }

    /// The fills of the paper account, newest first, page by page.
    #[tool(annotations(title = "Fills", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_fills(&self, Parameters(args): Parameters<FillsArgs>) -> Result<Json<FillList>> {
        let only = self.instrument_of(args.symbol.as_deref())?;
        let most = usize::from(args.limit.unwrap_or(DEFAULT_PAGE));
        let before = args.cursor.map(|cursor| parse_id("cursor", &cursor)).transpose()?.map(|OrderId(number)| number);
        let read = self.instance.exchange().read(move |exchange| FillList::page(exchange, only, before, most));
        Ok(Json(read.await?))
    }

    /// The open positions of the paper account, with profit and loss.
    #[tool(annotations(title = "Positions", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_positions(
        &self,
        Parameters(args): Parameters<PositionsArgs>,
    ) -> Result<Json<PositionList>> {
        let only = self.instrument_of(args.symbol.as_deref())?;
        let include_pnl = args.include_pnl.unwrap_or(true);
        let read = self.instance.exchange().read(move |exchange| {
            let account = exchange.account(ACCOUNT).into_iter();
            let positions =
                account.flat_map(|account| PositionView::all(exchange, account, only, include_pnl)).collect();
            PositionList { positions, sequence: Count(exchange.sequence()) }
        });
        Ok(Json(read.await?))
    }

    /// Cash, equity and profit of the paper account.
    #[tool(annotations(title = "Account", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_account(&self) -> Result<Json<AccountView>> {
        let read = self
            .instance
            .exchange()
            .read(|exchange| exchange.account(ACCOUNT).map(|account| AccountView::of(exchange, account)));
        read.await?.map(Json).ok_or_else(|| ToolError::argument("account", "does not exist"))
    }

    /// Best bid and ask, last price, volume and the order book of an instrument.
    #[tool(annotations(title = "Market data", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn get_market_data(
        &self,
        Parameters(args): Parameters<MarketDataArgs>,
    ) -> Result<Json<MarketData>> {
        let (id, _) = self.instance.exchange().instrument(&args.symbol)?;
        let depth = usize::from(args.depth.unwrap_or(DEFAULT_DEPTH));
        let trades = args.include_trades.unwrap_or(false).then_some(TRADES);
        let read = self
            .instance
            .exchange()
            .read(move |exchange| exchange.market(id).map(|market| MarketData::of(exchange, market, depth, trades)));
        read.await?.map(Json).ok_or_else(|| ToolError::argument("symbol", "is not traded here"))
    }

    /// Version, instance, symbols with their steps, and the URLs of the four services.
    #[tool(annotations(title = "Server", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn server_info(&self) -> Result<Json<ServerInfo>> {
        let symbols = self.instance.exchange().instruments().iter().map(SymbolInfo::of).collect();
        let services = self.instance.snapshot().services.into_iter();
        Ok(Json(ServerInfo {
            name: "CWTS Ultra",
            version: env!("CARGO_PKG_VERSION"),
            instance: self.instance.id().to_owned(),
            paper_trading: true,
            symbols,
            services: services.map(|entry| ServiceInfo { service: id(entry.service), url: entry.url }).collect(),
            time: self.instance.clock().now().to_string(),
        }))
    }
}

impl TradingServer {
    pub(crate) fn order_of(&self, args: PlaceOrderArgs) -> Result<PlaceOrder> {
        let (id, instrument) = self.instance.exchange().instrument(&args.symbol)?;
        let order_type = OrderType::from(args.order_type);
        let prices = [
            ("price", args.price, matches!(order_type, OrderType::Limit | OrderType::StopLimit)),
            ("stop_price", args.stop_price, matches!(order_type, OrderType::Stop | OrderType::StopLimit)),
        ];
        let [limit, stop] = prices.map(|(field, price, needed)| match (price, needed) {
            (Some(price), true) => Ok(Some(instrument.ticks(field, price)?)),
            (None, true) => Err(ToolError::argument(field, format!("is required for a {order_type} order"))),
            (None, false) => Ok(None),
            (Some(_), false) => {
                Err(ToolError::argument(field, format!("is not allowed for a {order_type} order; leave it out")))
            }
        });
        let quantity = instrument.lots("quantity", args.quantity)?;
        Ok(PlaceOrder {
            post_only: args.post_only.unwrap_or_default(),
            reduce_only: args.reduce_only.unwrap_or_default(),
            attached: attached(instrument, &args)?.map(Box::new),
            limit: limit?,
            stop: stop?,
            time_in_force: args.time_in_force.map(Into::into).unwrap_or_default(),
            client_order_id: args.client_order_id.map(client_order_id).transpose()?,
            ..PlaceOrder::market(ACCOUNT, id, args.side.into(), quantity)
        })
    }

    pub(crate) fn instrument_of(&self, symbol: Option<&str>) -> Result<Option<InstrumentId>> {
        Ok(symbol.map(|symbol| self.instance.exchange().instrument(symbol)).transpose()?.map(|(id, _)| id))
    }

    /// The order that either name means.
    pub(crate) async fn order_id_of(&self, args: OrderArgs) -> Result<OrderId> {
        match (args.order_id, args.client_order_id) {
            (Some(id), None) => parse_id("order_id", &id),
            (None, Some(name)) => {
                let name = client_order_id(name)?;
                let unknown = ToolError::argument("client_order_id", format!("{:?} names no order here", name.0));
                let found = self
                    .instance
                    .exchange()
                    .read(move |exchange| exchange.order_by_client_id(ACCOUNT, &name).map(|order| order.id));
                found.await?.ok_or(unknown)
            }
            _ => Err(ToolError::argument("order_id", "or client_order_id is required, and only one of them")),
        }
    }
}

/// The orders that the arguments add to the order.
fn attached(instrument: &Instrument, args: &PlaceOrderArgs) -> Result<Option<Attached>> {
    let price = |field, price: Option<f64>| price.map(|price| instrument.ticks(field, price)).transpose();
    let stop_price = |[field, limit_field]: [&'static str; 2], [stop, limit]: [Option<f64>; 2]| match (stop, limit) {
        (Some(stop), limit) => {
            Ok(Some(StopPrice { stop: instrument.ticks(field, stop)?, limit: price(limit_field, limit)? }))
        }
        (None, Some(_)) => Err(ToolError::argument(limit_field, format!("needs {field}"))),
        (None, None) => Ok(None),
    };
    let take_profit = price("take_profit_price", args.take_profit_price)?;
    let stop_loss = [args.stop_loss_price, args.stop_loss_limit_price];
    let stop_loss = stop_price(["stop_loss_price", "stop_loss_limit_price"], stop_loss)?;
    let oco = [args.oco_stop_price, args.oco_stop_limit_price];
    match (stop_price(["oco_stop_price", "oco_stop_limit_price"], oco)?, take_profit, stop_loss) {
        (None, None, None) => Ok(None),
        (Some(other), None, None) => Ok(Some(Attached::Oco(other))),
        (None, take_profit, stop_loss) => Ok(Some(Attached::Exits { take_profit, stop_loss })),
        _ => Err(ToolError::argument("oco_stop_price", "is not allowed with take_profit_price or stop_loss_price")),
    }
}

/// The order as clients see it; orders of the simulated traders are nobody's business.
pub(crate) fn view(exchange: &Exchange, id: OrderId) -> Option<OrderView> {
    let order = exchange.order(id).filter(|order| order.account == ACCOUNT)?;
    OrderView::of(exchange, order)
}

fn client_order_id(name: String) -> Result<ClientOrderId> {
    if name.is_empty() || name.len() > MAX_CLIENT_ORDER_ID {
        let problem = format!("must have 1 to {MAX_CLIENT_ORDER_ID} bytes");
        return Err(ToolError::argument("client_order_id", problem));
    }
    Ok(ClientOrderId(name))
}

fn parse_id(field: &'static str, text: &str) -> Result<OrderId> {
    let number = text.parse().map_err(|_| ToolError::argument(field, format!("{text:?} is no id of this exchange")));
    number.map(OrderId)
}

fn id(service: Service) -> String {
    service.id().to_owned()
}
