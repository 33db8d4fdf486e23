//! The limits of the paper account, as a person sees and changes them.

use cwts_domain::{AccountId, Cash, Command, ErrorCode, Problem, Reject, RiskLimits};
use serde::{Deserialize, Serialize};

use crate::audit::{Actor, AuditEntry};
use crate::exchange::ExchangeError;
use crate::instance::Instance;

/// More money than any limit needs, in US dollars.
const MOST_DOLLARS: f64 = 1e12;

/// The limits of the paper account; amounts in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountLimits {
    /// Largest exposure as a multiple of equity, 1 to 100.
    pub leverage: u32,
    /// Largest value of one order.
    pub max_order_value: f64,
    /// Largest value of the position in one instrument, with what waits.
    pub max_position_value: f64,
    /// Largest distance of a limit price from the last price, 1 to 100.
    pub price_band_percent: u32,
    /// Largest number of orders in one second.
    pub max_orders_per_second: u32,
    /// From this loss since 00:00 UTC on, only orders that make a position smaller are taken.
    pub max_daily_loss: f64,
}

/// New limits. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct LimitsChange {
    /// As in [`AccountLimits`], like all of these.
    pub leverage: Option<u32>,
    /// Largest value of one order.
    pub max_order_value: Option<f64>,
    /// Largest value of a position.
    pub max_position_value: Option<f64>,
    /// Largest distance of a limit price.
    pub price_band_percent: Option<u32>,
    /// Largest number of orders in one second.
    pub max_orders_per_second: Option<u32>,
    /// Largest loss of a day.
    pub max_daily_loss: Option<f64>,
}

impl From<&RiskLimits> for AccountLimits {
    fn from(limits: &RiskLimits) -> Self {
        Self {
            leverage: limits.leverage,
            max_order_value: limits.max_order_notional.amount(),
            max_position_value: limits.max_position_notional.amount(),
            price_band_percent: limits.price_band_percent,
            max_orders_per_second: limits.max_orders_per_second,
            max_daily_loss: limits.max_daily_loss.amount(),
        }
    }
}

impl AccountLimits {
    /// Names with values, for the audit trail.
    fn named(&self) -> [(&'static str, String); 6] {
        [
            ("leverage", self.leverage.to_string()),
            ("max_order_value", self.max_order_value.to_string()),
            ("max_position_value", self.max_position_value.to_string()),
            ("price_band_percent", self.price_band_percent.to_string()),
            ("max_orders_per_second", self.max_orders_per_second.to_string()),
            ("max_daily_loss", self.max_daily_loss.to_string()),
        ]
    }
}

impl LimitsChange {
    /// # Errors
    /// A value is outside its range.
    fn check(&self) -> Result<(), Problem> {
        let wrong = |field: &str, must: &str| {
            Err(Problem::new(ErrorCode::InvalidInput, format!("{field} must be {must}.")).at(field))
        };
        let percents = [("leverage", self.leverage), ("price_band_percent", self.price_band_percent)];
        let beyond = |value: u32| !(1..=100).contains(&value);
        if let Some((field, _)) = percents.into_iter().find(|(_, value)| value.is_some_and(beyond)) {
            return wrong(field, "from 1 to 100");
        }
        if self.max_orders_per_second == Some(0) {
            return wrong("max_orders_per_second", "at least 1");
        }
        let amounts = [
            ("max_order_value", self.max_order_value),
            ("max_position_value", self.max_position_value),
            ("max_daily_loss", self.max_daily_loss),
        ];
        let outside = |value: f64| !(0.01..=MOST_DOLLARS).contains(&value);
        match amounts.into_iter().find(|(_, value)| value.is_some_and(outside)) {
            Some((field, _)) => wrong(field, "an amount of US dollars from 0.01 to 1,000,000,000,000"),
            None => Ok(()),
        }
    }

    fn over(&self, limits: &RiskLimits) -> RiskLimits {
        let cash = |dollars: Option<f64>, before: Cash| {
            dollars.map_or(before, |dollars| Cash((dollars * 10_f64.powi(Cash::DECIMALS as i32)).round() as i128))
        };
        RiskLimits {
            leverage: self.leverage.unwrap_or(limits.leverage),
            max_order_notional: cash(self.max_order_value, limits.max_order_notional),
            max_position_notional: cash(self.max_position_value, limits.max_position_notional),
            price_band_percent: self.price_band_percent.unwrap_or(limits.price_band_percent),
            max_orders_per_second: self.max_orders_per_second.unwrap_or(limits.max_orders_per_second),
            max_daily_loss: cash(self.max_daily_loss, limits.max_daily_loss),
        }
    }
}

impl Instance {
    /// The limits of the paper account.
    ///
    /// # Errors
    /// The exchange has too much to do, or the program is ending.
    pub async fn account_limits(&self) -> Result<AccountLimits, Problem> {
        Ok(self.exchange().read(|exchange| AccountLimits::from(&limits_of(exchange))).await?)
    }

    /// Changes limits of the paper account, all that are named or none. They hold from the next order on, and after a
    /// restart.
    ///
    /// # Errors
    /// A value is outside its range; it could not be written down; the instance is stopped.
    pub async fn set_limits(&self, change: LimitsChange, by: Actor) -> Result<AccountLimits, Problem> {
        change.check()?;
        let set = self.exchange().change(move |exchange, events, at| -> Result<_, Reject> {
            let before = limits_of(exchange);
            let after = change.over(&before);
            if after != before {
                let command = Command::SetLimits { account: AccountId::PAPER, limits: after.clone() };
                exchange.execute_into(&command, at, events)?;
            }
            Ok((AccountLimits::from(&before), AccountLimits::from(&after)))
        });
        let (before, after) = set.await?.map_err(ExchangeError::Rejected)?;
        for ((name, before), (_, after)) in before.named().into_iter().zip(after.named()) {
            if before != after {
                self.record(format!("Limit {name} changed from {before} to {after}"));
                self.audit(AuditEntry::limit(by, name, before, after));
            }
        }
        Ok(after)
    }
}

fn limits_of(exchange: &cwts_engine::Exchange) -> RiskLimits {
    exchange.account(AccountId::PAPER).and_then(|account| account.limits()).cloned().unwrap_or_default()
}
