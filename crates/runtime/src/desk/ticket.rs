//! An order by hand, as the form sends it.

use cwts_domain::{
    AccountId, Attached, ClientOrderId, InstrumentId, Lots, ModifyOrder, OrderId, PlaceOrder, Side, StopPrice, Ticks,
    TimeInForce,
};
use serde::Deserialize;

/// An order. Whether it is a market, limit, stop or stop-limit order follows from its prices.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct OrderTicket {
    /// What to trade.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub quantity: i64,
    /// Limit price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub limit: Option<i64>,
    /// Stop price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub stop: Option<i64>,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Only ever trade as the maker.
    pub post_only: bool,
    /// Only ever make the position smaller.
    pub reduce_only: bool,
    /// Price of a limit order of the other side that takes the profit.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub take_profit: Option<i64>,
    /// Price of a stop order of the other side that stops the loss.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub stop_loss: Option<i64>,
    /// Made once for each order that the person fills in: sent twice, it is placed once.
    pub client_order_id: String,
}

impl OrderTicket {
    pub(super) fn order(&self, instrument: InstrumentId) -> PlaceOrder {
        let exits = Attached::Exits {
            take_profit: self.take_profit.map(Ticks),
            stop_loss: self.stop_loss.map(|stop| StopPrice { stop: Ticks(stop), limit: None }),
        };
        PlaceOrder {
            limit: self.limit.map(Ticks),
            stop: self.stop.map(Ticks),
            time_in_force: self.time_in_force,
            post_only: self.post_only,
            reduce_only: self.reduce_only,
            attached: (self.take_profit.is_some() || self.stop_loss.is_some()).then(|| Box::new(exits)),
            client_order_id: Some(ClientOrderId(self.client_order_id.clone())),
            ..PlaceOrder::market(AccountId::PAPER, instrument, self.side, Lots(self.quantity))
        }
    }
}

/// New terms of an open order; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct OrderChange {
    /// The order.
    pub order_id: String,
    /// The whole quantity, with what has filled.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub quantity: Option<i64>,
    /// Limit price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub limit: Option<i64>,
    /// Stop price.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub stop: Option<i64>,
}

impl OrderChange {
    pub(super) fn command(&self, order_id: OrderId) -> ModifyOrder {
        ModifyOrder {
            account: AccountId::PAPER,
            order_id,
            quantity: self.quantity.map(Lots),
            limit: self.limit.map(Ticks),
            stop: self.stop.map(Ticks),
        }
    }
}
