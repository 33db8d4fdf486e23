//! What the panel asks of the market: each request is one function of the instance.

use std::path::PathBuf;

use cwts_domain::{Problem, Timestamp};
use serde::Deserialize;

use crate::instance::Instance;
use crate::market::{MarketStatus, ReplayRequest, SimulatorView, Speed};

/// What a person wants of the market.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum MarketRequest {
    /// Prices move no more.
    Pause,
    /// Prices move again.
    Resume,
    /// To a moment of the file, in milliseconds since the epoch.
    Seek(#[cfg_attr(feature = "wire", ts(type = "number"))] i64),
    /// Plays the file so fast.
    Speed(#[cfg_attr(feature = "wire", ts(type = "number | \"max\""))] Speed),
    /// Whether the file begins again at its end.
    Loop(bool),
    /// Plays a file.
    Replay(ReplayRequest),
    /// Simulates all prices.
    Simulate(SimulatorView),
}

impl Instance {
    /// Does what a person wants of the market.
    ///
    /// # Errors
    /// As the function that does it: the instance is stopped, the file cannot be played, a value is out of range.
    pub async fn ask_market(&self, request: MarketRequest) -> Result<MarketStatus, Problem> {
        match request {
            MarketRequest::Pause => self.pause_market().await,
            MarketRequest::Resume => self.resume_market().await,
            MarketRequest::Seek(millis) => self.seek_market(Timestamp(millis.saturating_mul(1_000_000))).await,
            MarketRequest::Speed(speed) => self.set_market_speed(speed).await,
            MarketRequest::Loop(looping) => self.set_market_loop(looping).await,
            MarketRequest::Replay(mut request) => {
                // Pasted paths often end with a line break.
                request.file = PathBuf::from(request.file.to_string_lossy().trim());
                self.replay_market(request).await
            }
            MarketRequest::Simulate(settings) => self.simulate_market(settings).await,
        }
    }
}
