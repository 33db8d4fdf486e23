//! What the paper account may lose: samples of each minute of the market, and the figures that follow from them.

mod figures;
mod samples;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cwts_domain::{AccountId, Problem};

pub use self::figures::{
    DrawdownFigures, Holding, RiskFigures, RiskQuestion, SampleFacts, TailFigures, VolatilityFigures,
};
pub(crate) use self::samples::Samples;
use crate::change::blocking;
use crate::instance::Instance;

/// The samples of an instance, which whoever moves the market takes and whoever asks reads.
#[derive(Debug, Default)]
pub(crate) struct RiskSamples(Mutex<Samples>);

impl RiskSamples {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Samples> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    /// Writes the samples down, so that a crash does not bring back those of before.
    pub(crate) async fn save_risk_samples(&self) {
        let (data, samples) = (self.shared().sources.data(), self.shared().risk.lock().clone());
        if let Ok(Err(error)) = blocking(move || samples.save(&data)).await {
            tracing::warn!(%error, "The samples of risk are not kept for the next start");
        }
    }

    /// What the paper account may lose over a day, with all that it holds now.
    ///
    /// # Errors
    /// The exchange has too much to do, or the program is ending.
    pub async fn account_risk(&self) -> Result<RiskFigures, Problem> {
        let held = self.exchange().read(|exchange| {
            let account = exchange.account(AccountId::PAPER)?;
            Some(Holding::of(exchange, account, None))
        });
        let holding = held.await?.unwrap_or_default();
        Ok(self.risk_figures(&holding, &RiskQuestion::default()))
    }

    /// What `holding` may lose and how the account has fared, by the minutes of the market that were sampled.
    pub fn risk_figures(&self, holding: &Holding, question: &RiskQuestion) -> RiskFigures {
        let samples = self.shared().risk.lock().clone();
        RiskFigures::of(&samples, holding, question)
    }
}
