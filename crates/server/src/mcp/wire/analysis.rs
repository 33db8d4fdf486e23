//! Arguments and results of the tools that judge what the account holds; amounts in US dollars.

use cwts_domain::{InstrumentId, RiskLimits, Ticks};
use cwts_runtime::{Account, Confidence, Exchange, RiskFigures, RiskQuestion, exposure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Count, LimitsView, PositionView};

/// Moves of all prices that [`RiskAnalysis`] works out, in per cent.
const MOVES: [i32; 6] = [-20, -10, -5, 5, 10, 20];

/// Arguments of `analyze_risk`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RiskArgs {
    /// Only what is held in this instrument; all when left out.
    #[serde(default)]
    pub(crate) symbol: Option<String>,
    /// Confidence of value at risk in per cent; 95 and 99 when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 80, max = 99))]
    pub(crate) confidence_percent: Option<u32>,
    /// Minutes of the market over which the loss is looked at; 1440, a day, when left out.
    #[serde(default)]
    #[schemars(with = "Option<i32>", range(min = 1, max = 43_200))]
    pub(crate) horizon_minutes: Option<u32>,
}

impl RiskArgs {
    /// What they ask; the name of the argument that is outside its range is the error.
    pub(crate) fn question(&self) -> Result<RiskQuestion, &'static str> {
        let mut question = RiskQuestion::default();
        if let Some(percent) = self.confidence_percent {
            question.confidences = vec![Confidence::percent(percent).ok_or("confidence_percent")?];
        }
        question.horizon_minutes = self.horizon_minutes.unwrap_or(question.horizon_minutes);
        Ok(question)
    }
}

/// Arguments of `calculate_profit_loss`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfitLossArgs {
    /// Only this instrument; all when left out.
    #[serde(default)]
    pub(crate) symbol: Option<String>,
    /// Value the position at this price instead of the mark price; needs symbol.
    #[serde(default)]
    pub(crate) exit_price: Option<f64>,
}

/// Profit and loss of the paper account.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProfitLoss {
    pub(crate) positions: Vec<PositionProfit>,
    /// Of the positions listed, fees included.
    pub(crate) realized_pnl: f64,
    pub(crate) unrealized_pnl: f64,
    /// Realised and unrealised.
    pub(crate) total_pnl: f64,
    /// Fees paid, less rebates; part of realized_pnl.
    pub(crate) fees_paid: f64,
    /// Profit of the whole account in per cent of its opening cash.
    pub(crate) account_return_percent: f64,
    pub(crate) sequence: Count,
}

/// Profit and loss in one instrument, also where the position is flat by now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PositionProfit {
    pub(crate) symbol: String,
    /// Below zero is short.
    pub(crate) quantity: f64,
    pub(crate) entry_price: Option<f64>,
    /// What the position is valued at: exit_price, or the mark price.
    pub(crate) price: Option<f64>,
    pub(crate) realized_pnl: f64,
    pub(crate) unrealized_pnl: f64,
    pub(crate) fees_paid: f64,
    /// Unrealised profit in per cent of what the position cost; null when it is flat.
    pub(crate) return_percent: Option<f64>,
}

impl ProfitLoss {
    pub(crate) fn of(exchange: &Exchange, account: &Account, only: Option<InstrumentId>, exit: Option<Ticks>) -> Self {
        let traded = account.positions().filter(|(id, _)| only.is_none_or(|only| only == *id));
        let positions: Vec<_> = traded
            .filter_map(|(id, position)| {
                let market = exchange.market(id)?;
                let (instrument, price) = (market.instrument(), exit.or(market.mark_price()));
                let unrealised = price.map_or(0.0, |price| position.unrealised_pnl(price).amount());
                let cost = position.cost_basis().amount().abs();
                let untouched = position.quantity().0 == 0 && position.realised_pnl().amount() == 0.0;
                (!untouched || only.is_some()).then(|| PositionProfit {
                    symbol: instrument.symbol.clone(),
                    quantity: instrument.quantity(position.quantity()),
                    entry_price: instrument.average_price(position.cost_basis(), position.quantity()),
                    price: price.map(|price| instrument.price(price)),
                    realized_pnl: position.realised_pnl().amount(),
                    unrealized_pnl: unrealised,
                    fees_paid: position.fees().amount(),
                    return_percent: (cost > 0.0).then(|| 100.0 * unrealised / cost),
                })
            })
            .collect();
        let sum = |part: fn(&PositionProfit) -> f64| positions.iter().map(part).sum::<f64>();
        let (realized_pnl, unrealized_pnl) = (sum(|each| each.realized_pnl), sum(|each| each.unrealized_pnl));
        let opening = account.opening_cash().amount();
        Self {
            realized_pnl,
            unrealized_pnl,
            total_pnl: realized_pnl + unrealized_pnl,
            fees_paid: sum(|each| each.fees_paid),
            account_return_percent: 100.0 * (exchange.equity(account).amount() - opening) / opening,
            sequence: Count(exchange.sequence()),
            positions,
        }
    }
}

/// The risk of the paper account: what is held, and what that may lose.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RiskAnalysis {
    #[serde(flatten)]
    pub(crate) held: HeldRisk,
    #[serde(flatten)]
    pub(crate) figures: RiskFigures,
}

/// What `trading://risk/metrics` holds: the limits, and the figures of `analyze_risk` for the whole account.
#[derive(Debug, Serialize)]
pub(crate) struct RiskMetrics {
    #[serde(flatten)]
    pub(crate) limits: LimitsView,
    pub(crate) gross_exposure: f64,
    pub(crate) net_exposure: f64,
    pub(crate) concentration: f64,
    #[serde(flatten)]
    pub(crate) figures: RiskFigures,
}

impl RiskMetrics {
    pub(crate) fn of(held: HeldRisk, figures: RiskFigures) -> Self {
        let HeldRisk { limits, gross_exposure, net_exposure, concentration, .. } = held;
        Self { limits, gross_exposure, net_exposure, concentration, figures }
    }
}

/// Exposure and concentration at this moment.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HeldRisk {
    /// Exposure, margin and loss with their limits, of the whole account.
    pub(crate) limits: LimitsView,
    /// Of all positions at their marks, without a sign.
    pub(crate) gross_exposure: f64,
    /// Long less short.
    pub(crate) net_exposure: f64,
    /// Sum of the squared shares of the positions in the gross exposure: 1 for a single one, 0 without any.
    pub(crate) concentration: f64,
    /// Gross exposure over equity.
    pub(crate) leverage_used: f64,
    pub(crate) positions: Vec<PositionRisk>,
    /// What the account gains or loses when all prices move at once.
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) sequence: Count,
}

/// The risk in one instrument.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PositionRisk {
    #[serde(flatten)]
    pub(crate) position: PositionView,
    /// At the mark, without a sign.
    pub(crate) value: f64,
    /// Share of the gross exposure, in per cent.
    pub(crate) share_percent: f64,
    /// Share of the largest value that a position may have, in per cent.
    pub(crate) of_limit_percent: f64,
}

/// A move of all prices and what it does to equity.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Scenario {
    pub(crate) move_percent: i32,
    pub(crate) change: f64,
    pub(crate) equity: f64,
}

impl HeldRisk {
    /// Positions and scenarios of one instrument or of all; limits of the account.
    pub(crate) fn of(exchange: &Exchange, account: &Account, limits: &RiskLimits, only: Option<InstrumentId>) -> Self {
        let equity = exchange.equity(account).amount();
        let value = |position: &PositionView| position.quantity * position.mark_price.unwrap_or_default();
        let signed = |position: &PositionView| match position.side {
            super::enums::WireSide::Buy => value(position),
            super::enums::WireSide::Sell => -value(position),
        };
        let held = PositionView::all(exchange, account, only, true);
        let exposed = exposure(&held.iter().map(signed).collect::<Vec<_>>());
        let (gross, net) = (exposed.gross(), exposed.net());
        let most = limits.max_position_notional.amount();
        let share = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
        let scenario = |move_percent: i32| {
            // Without a position there is no sign to show.
            let change = net * f64::from(move_percent) / 100.0 + 0.0;
            Scenario { move_percent, change, equity: equity + change }
        };
        let risk = |position: PositionView| {
            let value = value(&position);
            PositionRisk { value, share_percent: share(value, gross), of_limit_percent: share(value, most), position }
        };
        Self {
            limits: LimitsView::of(exchange, account, limits),
            gross_exposure: gross,
            net_exposure: net,
            concentration: exposed.concentration,
            leverage_used: if equity > 0.0 { gross / equity } else { 0.0 },
            scenarios: MOVES.into_iter().map(scenario).collect(),
            positions: held.into_iter().map(risk).collect(),
            sequence: Count(exchange.sequence()),
        }
    }
}
