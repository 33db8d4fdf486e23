//! What the reference refuses. Amounts of limits are left empty; the exchange's are not compared.

use cwts_domain::{
    AccountId, Attached, InstrumentId, ModifyOrder, PlaceOrder, Reject, Side, TimeInForce, Timestamp, TradingState,
};

use super::INSTRUMENTS;
use super::naive::meets;
use super::orders::{Live, NaiveOrder, sign};

/// What a refusal is compared by: its kind and its field.
pub(crate) fn kind(reject: &Reject) -> String {
    match reject {
        Reject::Invalid { field, .. } | Reject::PriceOutOfRange { field, .. } => format!("invalid {field}"),
        Reject::UnknownOrder { .. } | Reject::NotOpen { .. } | Reject::ClientOrderIdTaken { .. } => reject.to_string(),
        Reject::NotAboveFilled { .. } | Reject::FillOrKill { .. } | Reject::PostOnly { .. } => reject.to_string(),
        Reject::ReduceOnly { .. } | Reject::NoLiquidity { .. } | Reject::QuantityOutOfRange { .. } => {
            reject.to_string()
        }
        other => format!("{:?}", std::mem::discriminant(other)),
    }
}

fn invalid(field: &'static str) -> Result<(), Reject> {
    Err(Reject::Invalid { field, problem: "" })
}

impl Live {
    /// Whether the order makes sense at all.
    pub(crate) fn check_terms(&self, order: &PlaceOrder) -> Result<(), Reject> {
        if order.quantity.0 < 1 {
            return Err(Reject::QuantityOutOfRange { min: "0.0001".to_owned(), max: "1000".to_owned() });
        }
        let waits = matches!(order.time_in_force, TimeInForce::Gtc | TimeInForce::Day);
        if order.post_only && !(waits && order.limit.is_some()) {
            return invalid("post_only");
        }
        // Seen as a buy: prices of a sell are mirrored.
        let seen = |price: i64| price * sign(order.side);
        let entry = order.limit.or(order.stop).map(|price| seen(price.0));
        match order.attached.as_deref() {
            Some(Attached::Exits { take_profit, stop_loss }) => {
                let profit = take_profit.map(|price| seen(price.0));
                let loss = stop_loss.map(|loss| seen(loss.stop.0));
                if order.reduce_only {
                    return invalid("reduce_only");
                }
                if entry.zip(loss).is_some_and(|(entry, loss)| loss >= entry) {
                    return invalid("stop_loss_price");
                }
                if entry.zip(profit).is_some_and(|(entry, profit)| profit <= entry) {
                    return invalid("take_profit_price");
                }
                if profit.zip(loss).is_some_and(|(profit, loss)| loss >= profit) {
                    return invalid("stop_loss_price");
                }
                Ok(())
            }
            Some(Attached::Oco(other)) => {
                let stop = seen(other.stop.0);
                let passed = |last: &i64| seen(*last) >= stop;
                let plain = order.limit.is_some() && order.stop.is_none() && waits;
                if !plain || entry.unwrap() >= stop || self.last.get(&order.instrument).is_some_and(passed) {
                    return invalid("oco_stop_price");
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(crate) fn check_change(&self, order: &NaiveOrder, change: &ModifyOrder) -> Result<(), Reject> {
        if change.quantity.is_none() && change.limit.is_none() && change.stop.is_none() {
            return invalid("new_quantity");
        }
        if change.limit.is_some() && order.terms.limit.is_none() {
            return invalid("new_price");
        }
        if change.stop.is_some() && !order.awaits_trigger() {
            return invalid("new_stop_price");
        }
        let other = change.quantity.is_some_and(|quantity| quantity != order.terms.quantity);
        if other && order.is_linked() { invalid("new_quantity") } else { Ok(()) }
    }

    pub(crate) fn check_halt(&self, account: AccountId) -> Result<(), Reject> {
        let halted = self.trading == TradingState::Halted && self.limits.contains_key(&account);
        if halted { Err(Reject::Halted) } else { Ok(()) }
    }

    /// `self` is the state before the order; `traded` are the fills that it would get.
    pub(crate) fn check_limits(
        &self,
        order: &PlaceOrder,
        replaces: Option<&NaiveOrder>,
        traded: &[(i64, i64, i128)],
        at: Timestamp,
    ) -> Result<(), Reject> {
        let (account, instrument, side) = (order.account, order.instrument, order.side);
        let filled: i64 = traded.iter().map(|fill| fill.1).sum();
        let stopped = self.meets_itself(order, filled, at);
        let waits = matches!(order.time_in_force, TimeInForce::Gtc | TimeInForce::Day);
        let left = if order.stop.is_some() || (waits && !stopped) { order.quantity.0 - filled } else { 0 };
        let price = order.limit.or(order.stop).map(|price| price.0);
        let mut own: Vec<(i64, i64)> = traded.iter().map(|fill| (fill.0, fill.1)).collect();
        own.extend(price.map(|price| (price, left)));
        let without = replaces.map(|order| order.id);
        let open = |side: Side, instrument: InstrumentId| self.counted(account, instrument, side, without);
        let mut all = open(side, instrument);
        all.extend(&own);
        let quantity: i64 = all.iter().map(|lot| lot.1).sum();
        let reduces = order.reduce_only || self.position(account, instrument) * sign(side) + quantity <= 0;

        if self.limits.contains_key(&account) {
            self.check_halt(account)?;
            if self.trading == TradingState::Reducing && !reduces {
                return Err(Reject::OnlyReducing);
            }
        }
        self.check_market(order, filled)?;
        let none = String::new;
        let Some(limits) = self.limits.get(&account) else { return Ok(()) };
        let market = order.stop.map(|stop| stop.0).or(self.last.get(&instrument).copied());
        if let (Some(limit), Some(market)) = (order.limit, market)
            && !(9 * market <= 10 * limit.0 && 10 * limit.0 <= 11 * market)
        {
            return Err(Reject::PriceOutsideBand { percent: 0, min: none(), max: none(), anchor: "", at: none() });
        }
        let rate = self.rate.get(&account).filter(|rate| rate.0 == at.second()).map_or(0, |rate| rate.1);
        if replaces.is_none() && rate >= limits.max_orders_per_second {
            return Err(Reject::OrderRate { limit: 0 });
        }
        if reduces {
            return Ok(());
        }
        let value: i64 = own.iter().map(|lot| lot.0 * lot.1).sum();
        if i128::from(value) > limits.max_order_notional.0 {
            return Err(Reject::OrderNotional { value: none(), limit: none() });
        }
        let after = self.exposure(account, instrument, side, &all);
        if after > limits.max_position_notional.0 {
            return Err(Reject::PositionLimit { value: none(), limit: none() });
        }
        if self.day_equity[&account] - self.equity(account) >= limits.max_daily_loss.0 {
            return Err(Reject::DailyLoss { loss: none(), limit: none() });
        }
        let larger = |instrument: InstrumentId| {
            let of = |side| self.exposure(account, instrument, side, &self.counted(account, instrument, side, None));
            of(Side::Buy).max(of(Side::Sell))
        };
        let others: i128 = INSTRUMENTS.into_iter().filter(|other| *other != instrument).map(larger).sum();
        if others + after > (self.equity(account) * i128::from(limits.leverage)).max(0) {
            return Err(Reject::InsufficientBalance { required: none(), available: none() });
        }
        Ok(())
    }

    /// What the market itself asks of everyone.
    fn check_market(&self, order: &PlaceOrder, filled: i64) -> Result<(), Reject> {
        let (side, opposite) = (order.side, order.side.opposite());
        let reducible = self.reducible(order.account, order.instrument, side);
        if order.reduce_only && order.quantity.0 > reducible {
            return Err(Reject::ReduceOnly { side, most: (reducible as f64 / 1e4).to_string() });
        }
        if order.stop.is_some() {
            return Ok(());
        }
        if let Some(best) = meets(self, order).filter(|_| order.post_only) {
            return Err(Reject::PostOnly { side: opposite, best: (best as f64 / 1e2).to_string() });
        }
        if order.limit.is_none() && self.best(order.instrument, opposite).is_none() {
            return Err(Reject::NoLiquidity { side: opposite });
        }
        if order.time_in_force == TimeInForce::Fok && filled < order.quantity.0 {
            return Err(Reject::FillOrKill { available: (filled as f64 / 1e4).to_string() });
        }
        Ok(())
    }

    /// Price and quantity of what waits of an account on a side and could make its position larger.
    fn counted(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        side: Side,
        without: Option<cwts_domain::OrderId>,
    ) -> Vec<(i64, i64)> {
        let mine = |order: &&NaiveOrder| {
            (order.terms.account, order.terms.instrument, order.terms.side) == (account, instrument, side)
                && matches!(order.state, super::orders::State::Waits(_))
                && !order.terms.reduce_only
                && Some(order.id) != without
        };
        let price = |order: &NaiveOrder| order.terms.limit.or(order.terms.stop).map_or(0, |price| price.0);
        self.open.iter().filter(mine).map(|order| (price(order), order.remaining())).collect()
    }

    /// Value of the position that results if all of these trade.
    fn exposure(&self, account: AccountId, instrument: InstrumentId, side: Side, lots: &[(i64, i64)]) -> i128 {
        let held = self.position(account, instrument) * sign(side);
        let quantity: i64 = lots.iter().map(|lot| lot.1).sum();
        let value: i128 = lots.iter().map(|lot| i128::from(lot.0 * lot.1)).sum();
        match held {
            _ if held + quantity <= 0 => 0,
            0.. => i128::from(held * self.mark(instrument).unwrap_or_default()) + value,
            _ => value * i128::from(held + quantity) / i128::from(quantity),
        }
    }

    /// Whether the next order that a limit order would meet is its own, and ends it.
    fn meets_itself(&self, order: &PlaceOrder, filled: i64, at: Timestamp) -> bool {
        let policy = super::account(order.account).self_trade;
        if policy == cwts_domain::SelfTradePolicy::CancelResting || filled == order.quantity.0 || order.stop.is_some() {
            return false;
        }
        let within = |other: &&NaiveOrder| {
            let price = other.terms.limit.unwrap().0 * sign(order.side);
            order.limit.is_none_or(|limit| price <= limit.0 * sign(order.side))
        };
        let met = self.waiting(order.instrument, order.side.opposite());
        met.into_iter().filter(within).any(|other| other.terms.account == order.account && !other.is_over(at))
    }
}
