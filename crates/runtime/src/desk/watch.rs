//! What a screen that shows a market has not been told yet.

use cwts_domain::{AccountId, InstrumentId, Problem};
use cwts_engine::Exchange;
use serde::Serialize;

use super::view::{DeskAccount, DeskFill, DeskInstrument, DeskMarket, DeskOrder, DeskTrading};
use crate::candles::Candle;
use crate::instance::Instance;
use crate::market::MarketStatus;

/// Open orders that are listed, the newest; the account says how many there are.
const OPEN: usize = 500;
/// Ended orders and fills that are listed, the newest.
const PAST: usize = 200;
/// Lists are looked at once in so many looks: they are long, and nobody reads them as fast as a price.
const LIST_LOOKS: u32 = 4;

/// What is new. Everything is there the first time; later what is `None` is as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct DeskNews {
    /// What can be traded.
    pub instruments: Option<Vec<DeskInstrument>>,
    /// Whether orders are taken.
    pub trading: Option<DeskTrading>,
    /// The paper account.
    pub account: Option<DeskAccount>,
    /// The market that is watched.
    pub market: Option<DeskMarket>,
    /// Where the prices come from.
    pub source: Option<MarketStatus>,
    /// Its candles of one minute that changed, oldest first; all of them the first time.
    pub candles: Option<Vec<Candle>>,
    /// The newest open orders, newest first.
    pub open: Option<Vec<DeskOrder>>,
    /// The newest orders that ended, newest first.
    pub ended: Option<Vec<DeskOrder>>,
    /// The newest fills, newest first.
    pub fills: Option<Vec<DeskFill>>,
}

/// What a page that shows the desk is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum DeskMessage {
    /// What has changed.
    News(Box<DeskNews>),
    /// The exchange could not be read; it is tried again.
    Problem(Problem),
}

/// Follows one market and the paper account from one look to the next.
#[derive(Debug)]
pub struct DeskWatch {
    instance: Instance,
    market: InstrumentId,
    told: DeskNews,
    looks: u32,
    /// The candles that were told: of all, when the last of them begins, and how much had been traded in all.
    candles: Option<(u64, i64, u64)>,
}

impl DeskWatch {
    /// A watch that has not looked yet.
    ///
    /// # Errors
    /// The symbol is not traded.
    pub fn new(instance: Instance, symbol: &str) -> Result<Self, Problem> {
        let found = instance.exchange().instrument(symbol).map(|(id, _)| id);
        let market = found.map_err(|reject| super::refusal::problem(reject.into()))?;
        Ok(Self { instance, market, told: DeskNews::default(), looks: 0, candles: None })
    }

    /// What has changed since the last look; everything at the first one. `None` without news.
    ///
    /// # Errors
    /// The exchange has too much to do, or the program is ending.
    pub async fn look(&mut self) -> Result<Option<DeskNews>, Problem> {
        let (id, lists) = (self.market, self.looks.is_multiple_of(LIST_LOOKS));
        self.looks = self.looks.wrapping_add(1);
        let exchange = self.instance.exchange();
        let mut now = exchange.read(move |exchange| picture(exchange, id, lists)).await?;
        if let (Some(trading), Some(fault)) = (&mut now.trading, exchange.journal_fault()) {
            trading.problem = Some(format!("{fault}. {}", fault.help()));
        }
        let mut news = DeskNews {
            instruments: fresh(&mut self.told.instruments, now.instruments),
            trading: fresh(&mut self.told.trading, now.trading),
            account: fresh(&mut self.told.account, now.account),
            market: fresh(&mut self.told.market, now.market),
            source: fresh(&mut self.told.source, Some(self.instance.market_status())),
            candles: None,
            open: fresh(&mut self.told.open, now.open),
            ended: fresh(&mut self.told.ended, now.ended),
            fills: fresh(&mut self.told.fills, now.fills),
        };
        news.candles = self.candles();
        Ok((news != DeskNews::default()).then_some(news))
    }

    fn candles(&mut self) -> Option<Vec<Candle>> {
        let series = self.instance.shared().candles.of(self.market);
        let (era, since, traded) = self.candles.unwrap_or((series.era(), i64::MIN, u64::MAX));
        if (era, traded) == (series.era(), series.traded()) {
            return None;
        }
        let since = if era == series.era() { since } else { i64::MIN };
        let changed: Vec<Candle> = series.since(since).collect();
        self.candles = Some((series.era(), changed.last().map_or(since, |last| last.at), series.traded()));
        Some(changed)
    }
}

/// What differs from what was told.
fn fresh<T: Clone + PartialEq>(told: &mut Option<T>, now: Option<T>) -> Option<T> {
    let news = now.filter(|now| told.as_ref() != Some(now))?;
    *told = Some(news.clone());
    Some(news)
}

fn picture(exchange: &Exchange, id: InstrumentId, lists: bool) -> DeskNews {
    let account = exchange.account(AccountId::PAPER);
    let mut picture = DeskNews {
        instruments: Some(exchange.markets().iter().map(|market| DeskInstrument::of(market.instrument())).collect()),
        trading: Some(DeskTrading { state: exchange.trading_state(), problem: None }),
        account: account.and_then(|account| DeskAccount::of(exchange, account)),
        market: exchange.market(id).map(DeskMarket::of),
        ..DeskNews::default()
    };
    if lists {
        let view = |order| DeskOrder::of(exchange, order);
        let orders = exchange.open_orders(AccountId::PAPER).rev();
        picture.open = Some(orders.take(OPEN).filter_map(view).collect());
        let ended = exchange.orders(AccountId::PAPER).rev().filter(|order| !order.status.is_open());
        picture.ended = Some(ended.take(PAST).filter_map(view).collect());
        let fills = exchange.fills(AccountId::PAPER).rev().take(PAST);
        picture.fills = Some(fills.filter_map(|fill| DeskFill::of(exchange, fill)).collect());
    }
    picture
}
