//! The figures, as tools and resources tell them. Formulas and their sources: [`cwts_risk`].

use cwts_domain::{Cash, InstrumentId};
use cwts_engine::{Account, Exchange};
use cwts_risk::{
    Confidence, TailLoss, TooFew, drawdown, ewma_volatility, historical, over_periods, parametric, volatility,
};
use serde::Serialize;

use super::samples::{KEPT, Samples};

/// The market never closes: 365 days of 1,440 minutes.
const MINUTES_OF_A_YEAR: f64 = 525_600.0;
const SAMPLE_SECONDS: u32 = 60;

/// What is held now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// Value of each position at its mark in US dollars, by instrument; below zero is short.
    values: Vec<f64>,
    /// In US dollars.
    equity: f64,
}

impl Holding {
    /// Of one instrument or of all.
    pub fn of(exchange: &Exchange, account: &Account, only: Option<InstrumentId>) -> Self {
        let value = |(id, position): (InstrumentId, &cwts_engine::Position)| {
            let held = only.is_none_or(|only| only == id).then(|| position.quantity());
            let mark = exchange.market(id).and_then(cwts_engine::Market::mark_price);
            held.zip(mark).map_or(Cash::ZERO, |(quantity, mark)| mark.notional(quantity)).amount()
        };
        Self { values: account.positions().map(value).collect(), equity: exchange.equity(account).amount() }
    }
}

/// What is asked of the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskQuestion {
    /// The levels of value at risk.
    pub confidences: Vec<Confidence>,
    /// How long the loss may grow, in minutes of the market.
    pub horizon_minutes: u32,
}

impl Default for RiskQuestion {
    /// 95 and 99 % over a day.
    fn default() -> Self {
        Self { confidences: vec![Confidence::USUAL, Confidence::HIGH], horizon_minutes: 1_440 }
    }
}

/// What the positions may lose, and how the account has fared, by the minutes of the market that were sampled. A figure with
/// too few samples is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RiskFigures {
    /// Losses of what is held now, one for each confidence.
    pub value_at_risk: Vec<TailFigures>,
    /// How much equity has varied.
    pub volatility: VolatilityFigures,
    /// How far equity has fallen from its highest point, since the first sample.
    pub drawdown: DrawdownFigures,
    /// What the figures rest on.
    pub samples: SampleFacts,
    /// Which figures are null because there are not enough samples, and what helps.
    pub note: Option<String>,
}

/// The loss of a bad period in US dollars. Historical: the moves of the sampled minutes, applied to what is held now.
/// Parametric: a normal distribution with their standard deviation and mean zero. Both from one minute to the horizon by the
/// square root of time. Below zero even a bad period brings a profit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TailFigures {
    /// How many of 100 periods lose at most the value at risk.
    pub confidence_percent: u32,
    /// How long a period is.
    pub horizon_minutes: u32,
    /// Value at risk, the loss that is exceeded in the other periods only.
    pub historical_var: Option<f64>,
    /// Expected shortfall, the mean loss of the other periods.
    pub historical_cvar: Option<f64>,
    /// Value at risk.
    pub parametric_var: Option<f64>,
    /// Expected shortfall.
    pub parametric_cvar: Option<f64>,
}

/// Standard deviations of the changes of equity, in per cent of equity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VolatilityFigures {
    /// In one minute.
    pub minute_percent: Option<f64>,
    /// In a year of 525,600 minutes, by the square root of time.
    pub annualized_percent: Option<f64>,
    /// The same, where each minute has 0.94 times the weight of the one after it.
    pub ewma_annualized_percent: Option<f64>,
}

/// Falls of equity from its highest point before, the present moment included.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DrawdownFigures {
    /// The deepest one, in per cent of its highest point.
    pub max_percent: f64,
    /// The deepest one in US dollars.
    pub max_amount: f64,
    /// When its highest point was, in the time of the market; null where equity never fell.
    pub peak_at: Option<String>,
    /// When its lowest point was; null where equity never fell, or where that is now.
    pub trough_at: Option<String>,
    /// The present one, in per cent of the highest point.
    pub current_percent: f64,
    /// The present one in US dollars.
    pub current_amount: f64,
}

/// What figures rest on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SampleFacts {
    /// Minutes of the market whose moves are known, of which at most a day is kept.
    pub returns: u32,
    /// How far samples are apart, in the time of the market: that of the file while one is played.
    pub interval_seconds: u32,
    /// The first sample, in the time of the market.
    pub from: Option<String>,
    /// The last one.
    pub to: Option<String>,
}

impl RiskFigures {
    pub(super) fn of(samples: &Samples, holding: &Holding, question: &RiskQuestion) -> Self {
        let (profits, returns) = (samples.profits(&holding.values), samples.equity_returns());
        let mut missing = Missing::default();
        let span = samples.span();
        Self {
            value_at_risk: question
                .confidences
                .iter()
                .map(|confidence| TailFigures::of(&profits, *confidence, question.horizon_minutes, &mut missing))
                .collect(),
            volatility: VolatilityFigures::of(&returns, &mut missing),
            drawdown: DrawdownFigures::of(samples, holding.equity),
            samples: SampleFacts {
                returns: u32::try_from(returns.len()).unwrap_or(u32::MAX),
                interval_seconds: SAMPLE_SECONDS,
                from: span.map(|[from, _]| from.to_string()),
                to: span.map(|[_, to]| to.to_string()),
            },
            note: missing.told(),
        }
    }
}

impl TailFigures {
    fn of(profits: &[f64], confidence: Confidence, horizon_minutes: u32, missing: &mut Missing) -> Self {
        let percent = confidence.as_percent();
        let over_horizon = |loss: Option<TailLoss>| {
            let scaled = |figure| cents(over_periods(figure, f64::from(horizon_minutes)));
            [loss.map(|loss| scaled(loss.value_at_risk)), loss.map(|loss| scaled(loss.expected_shortfall))]
        };
        let counted = missing.ask(&format!("historical figures at {percent} %"), historical(profits, confidence));
        let assumed = missing.ask("parametric figures", parametric(profits, confidence));
        let ([historical_var, historical_cvar], [parametric_var, parametric_cvar]) =
            (over_horizon(counted), over_horizon(assumed));
        Self {
            confidence_percent: percent,
            horizon_minutes,
            historical_var,
            historical_cvar,
            parametric_var,
            parametric_cvar,
        }
    }
}

impl VolatilityFigures {
    fn of(returns: &[f64], missing: &mut Missing) -> Self {
        let minute = missing.ask("volatility", volatility(returns));
        let weighted = missing.ask("EWMA volatility", ewma_volatility(returns));
        let of_a_year = |figure| percent(over_periods(figure, MINUTES_OF_A_YEAR));
        Self {
            minute_percent: minute.map(percent),
            annualized_percent: minute.map(of_a_year),
            ewma_annualized_percent: weighted.map(of_a_year),
        }
    }
}

impl DrawdownFigures {
    fn of(samples: &Samples, equity_now: f64) -> Self {
        let mut curve = samples.equity();
        curve.push(equity_now);
        let found = drawdown(&curve).unwrap_or_default();
        let fell = found.amount > 0.0;
        let moment = |place| samples.at(place).filter(|_| fell).map(|at| at.to_string());
        Self {
            max_percent: percent(found.share),
            max_amount: cents(found.amount),
            peak_at: moment(found.peak),
            trough_at: moment(found.trough),
            current_percent: percent(found.current_share),
            current_amount: cents(found.current),
        }
    }
}

/// The figures for which there are not enough samples.
#[derive(Default)]
struct Missing {
    found: usize,
    what: Vec<(String, usize)>,
}

impl Missing {
    fn ask<T>(&mut self, name: &str, figure: Result<T, TooFew>) -> Option<T> {
        let TooFew { found, needed } = match figure {
            Ok(figure) => return Some(figure),
            Err(too_few) => too_few,
        };
        self.found = found;
        if !self.what.iter().any(|(known, _)| known == name) {
            self.what.push((name.to_owned(), needed));
        }
        None
    }

    fn told(&self) -> Option<String> {
        let take = |(name, needed): &(String, usize)| format!("{needed} for {name}");
        let needs = self.what.iter().map(take).collect::<Vec<_>>().join(", ");
        (!needs.is_empty()).then(|| {
            format!(
                "Not enough samples: {} of at most {KEPT} minutes of the market are known; needed are {needs}. They come with time; a \
                 file that is replayed fast brings them sooner.",
                self.found
            )
        })
    }
}

/// In per cent, to the sixth place.
fn percent(share: f64) -> f64 {
    cents(100.0 * share)
}

/// To the sixth place, the smallest amount of money here.
fn cents(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6
}
