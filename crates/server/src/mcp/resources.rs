//! The resources: what there is to read, under which URI, and which changes concern it.

use cwts_domain::InstrumentId;
use cwts_runtime::{ExchangeError, Holding, Instance, RiskQuestion, Topic};
use rmcp::model::{Annotations, Resource, ResourceTemplate, Role};
use serde::Serialize;
use serde_json::Value;

use crate::mcp::wire::{
    ACCOUNT, AccountView, Count, EngineStats, FillList, HeldRisk, MarketData, OrderBook, PositionList, PositionView,
    RiskMetrics,
};

/// Price levels per side of a book.
const BOOK_DEPTH: usize = 50;
const MARKET_DEPTH: usize = 10;
const FILLS: usize = 100;
pub(crate) const MIME_TYPE: &str = "application/json";

/// One of the resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TradingResource {
    OrderBook(InstrumentId),
    MarketData(InstrumentId),
    Positions,
    TradesHistory,
    AccountSummary,
    EngineStats,
    RiskMetrics,
}

/// A resource of which there is one, as it is listed.
struct Single {
    resource: TradingResource,
    uri: &'static str,
    title: &'static str,
    description: &'static str,
}

/// Resources of which there is one for each instrument.
struct PerSymbol {
    of: fn(InstrumentId) -> TradingResource,
    /// What comes before the symbol.
    prefix: &'static str,
    title: &'static str,
    description: &'static str,
}

const SINGLES: [Single; 5] = [
    Single {
        resource: TradingResource::Positions,
        uri: "trading://positions",
        title: "Positions",
        description: "The open positions of the paper account, with profit and loss.",
    },
    Single {
        resource: TradingResource::TradesHistory,
        uri: "trading://trades/history",
        title: "Fills",
        description: "The latest 100 fills of the paper account, newest first; get_fills has older ones. Cannot be \
                      subscribed to.",
    },
    Single {
        resource: TradingResource::AccountSummary,
        uri: "trading://account/summary",
        title: "Account",
        description: "Cash, equity and profit of the paper account.",
    },
    Single {
        resource: TradingResource::EngineStats,
        uri: "trading://engine/stats",
        title: "Engine",
        description: "What the exchange has done since it opened, and what waits for it.",
    },
    Single {
        resource: TradingResource::RiskMetrics,
        uri: "trading://risk/metrics",
        title: "Risk",
        description: "Exposure, margin and loss of the paper account with its limits, value at risk, expected shortfall, \
                      volatility and drawdown.",
    },
];

const PER_SYMBOL: [PerSymbol; 2] = [
    PerSymbol {
        of: TradingResource::OrderBook,
        prefix: "trading://order_book/",
        title: "Order book",
        description: "Up to 50 price levels of each side.",
    },
    PerSymbol {
        of: TradingResource::MarketData,
        prefix: "trading://market_data/",
        title: "Market data",
        description: "Best prices, last price, volume and the top of the book.",
    },
];

impl TradingResource {
    /// The resource of a URI; `None` where there is none.
    pub(crate) fn of(instance: &Instance, uri: &str) -> Option<Self> {
        let single = SINGLES.iter().find(|single| single.uri == uri).map(|single| single.resource);
        let per_symbol = || {
            let (kind, symbol) = PER_SYMBOL.iter().find_map(|kind| Some((kind, uri.strip_prefix(kind.prefix)?)))?;
            instance.exchange().instrument(symbol).ok().map(|(id, _)| (kind.of)(id))
        };
        single.or_else(per_symbol)
    }

    /// What changes it; `None` for the history, which only grows.
    pub(crate) fn topic(self) -> Option<Topic> {
        match self {
            Self::OrderBook(id) | Self::MarketData(id) => Some(Topic::Market(id)),
            Self::Positions | Self::AccountSummary | Self::RiskMetrics => Some(Topic::Account),
            Self::EngineStats => Some(Topic::Exchange),
            Self::TradesHistory => None,
        }
    }

    /// The resource as it is now.
    ///
    /// # Errors
    /// The exchange has too much to do, or the program is ending.
    pub(crate) async fn read(self, instance: &Instance) -> Result<Value, ExchangeError> {
        if self == Self::RiskMetrics {
            return risk_metrics(instance).await;
        }
        let (exchange, metrics) = (instance.exchange(), instance.metrics().clone());
        let read = exchange.read(move |exchange| {
            let account = exchange.account(ACCOUNT);
            match self {
                Self::OrderBook(id) => json(exchange.market(id).map(|it| OrderBook::of(exchange, it, BOOK_DEPTH))),
                Self::MarketData(id) => {
                    json(exchange.market(id).map(|it| MarketData::of(exchange, it, MARKET_DEPTH, None)))
                }
                Self::Positions => json(account.map(|account| PositionList {
                    positions: PositionView::all(exchange, account, None, true),
                    sequence: Count(exchange.sequence()),
                })),
                Self::TradesHistory => json(FillList::page(exchange, None, None, FILLS)),
                Self::AccountSummary => json(account.map(|account| AccountView::of(exchange, account))),
                Self::EngineStats => json(EngineStats::of(exchange, &metrics)),
                // Worked out beside the exchange, see above.
                Self::RiskMetrics => Value::Null,
            }
        });
        read.await
    }
}

/// The exchange says what is held; what that may lose is worked out without keeping it waiting.
async fn risk_metrics(instance: &Instance) -> Result<Value, ExchangeError> {
    let read = instance.exchange().read(|exchange| {
        let account = exchange.account(ACCOUNT)?;
        let held = HeldRisk::of(exchange, account, account.limits()?, None);
        Some((held, Holding::of(exchange, account, None)))
    });
    let metrics = read
        .await?
        .map(|(held, holding)| RiskMetrics::of(held, instance.risk_figures(&holding, &RiskQuestion::default())));
    Ok(json(metrics))
}

/// Our views are all JSON.
fn json(view: impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}

/// All resources, those of each instrument included.
pub(crate) fn resources(instance: &Instance) -> Vec<Resource> {
    let singles = SINGLES.iter().map(|single| {
        let name = single.uri.trim_start_matches("trading://").replace('/', "_");
        let resource = Resource::new(single.uri, name).with_title(single.title);
        resource.with_description(single.description).with_mime_type(MIME_TYPE).with_annotations(for_both())
    });
    let per_symbol = PER_SYMBOL.iter().flat_map(|kind| {
        instance.exchange().instruments().iter().map(move |instrument| {
            let uri = format!("{}{}", kind.prefix, instrument.symbol);
            let name = format!("{}_{}", name(kind), instrument.symbol);
            let resource = Resource::new(uri, name).with_title(format!("{} of {}", kind.title, instrument.symbol));
            resource.with_description(kind.description).with_mime_type(MIME_TYPE).with_annotations(for_both())
        })
    });
    singles.chain(per_symbol).collect()
}

/// The resources that a symbol makes whole.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let templates = PER_SYMBOL.iter().map(|kind| {
        let template = ResourceTemplate::new(format!("{}{{symbol}}", kind.prefix), name(kind)).with_title(kind.title);
        template.with_description(kind.description).with_mime_type(MIME_TYPE).with_annotations(for_both())
    });
    templates.collect()
}

/// Whether there is such a template.
pub(crate) fn is_template(uri: &str) -> bool {
    PER_SYMBOL.iter().any(|kind| uri.strip_prefix(kind.prefix) == Some("{symbol}"))
}

fn name(kind: &PerSymbol) -> &'static str {
    kind.prefix.trim_start_matches("trading://").trim_end_matches('/')
}

fn for_both() -> Annotations {
    Annotations::default().with_audience(vec![Role::User, Role::Assistant])
}
