//! A restart goes on where the market was: with its settings, its file, and the samples of its risk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cwts_domain::{Problem, Timestamp};

use super::floor::{Floor, cancel_makers, problem};
use super::instance::load;
use super::memory::{Memory, Remembered};
use super::player::{Loaded, Player};
use super::status::{MarketState, ReplayRequest};
use crate::change::blocking;
use crate::risk::Samples;

/// How much of a file may be played again after a crash, by the clock of this computer.
const SAVE_PERIOD: Duration = Duration::from_secs(10);
/// How much of the samples of a simulated market a crash may take.
const SAMPLES_PERIOD: Duration = Duration::from_mins(10);

impl Floor {
    /// Goes on from what the last run left, before anything moves. What cannot be used is told, and prices are simulated.
    pub(super) async fn resume_last(&mut self) {
        let (data, samples_of) = (self.data.clone(), self.data.clone());
        let memory = blocking(move || Memory::load(&data)).await;
        let samples = blocking(move || Samples::load(&samples_of).unwrap_or_default()).await.unwrap_or_default();
        *self.risk.lock() = samples;
        let memory = memory.and_then(|read| {
            read.map_err(|error| {
                let path = super::memory::path(&self.data);
                Problem::new(cwts_domain::ErrorCode::Internal, format!("{} cannot be used: {error}.", path.display()))
            })
        });
        let Memory { simulator, paused, replay } = memory.unwrap_or_else(|problem| {
            self.record(format!("{problem} The market is simulated as usual."));
            Memory::default()
        });
        // A factor outside its range is nothing that this program has written.
        self.settings = simulator.settings().unwrap_or_default();
        if paused {
            self.state = MarketState::Paused;
        }
        match replay {
            None => self.simulate(None).await,
            Some(remembered) => {
                let file = remembered.request.file.display().to_string();
                if let Err(problem) = self.play_on(remembered).await {
                    self.record(format!("{file} is not played on: {problem} Its prices are simulated."));
                    self.simulate(None).await;
                }
            }
        }
    }

    /// Goes on with a file. Orders of clients stay: its prices have not jumped.
    async fn play_on(&mut self, Remembered { request, position, ended }: Remembered) -> Result<(), Problem> {
        let instruments = self.exchange.instruments().to_vec();
        let loaded = blocking(move || load(request, &instruments)).await??;
        let position = position.clamp(loaded.facts.from, loaded.facts.to);
        let mut player = Player::new(loaded, &self.exchange, Arc::clone(&self.risk));
        // What happened at that very moment has been played.
        let from = if position > player.loaded.facts.from { Timestamp(position.0 + 1) } else { position };
        player.seek(from).map_err(|error| problem(&error))?;
        player.stand_at(position);
        cancel_makers(&self.exchange, player.loaded.id).await;
        self.take_over(player).await;
        if ended {
            self.state = MarketState::Ended;
        }
        Ok(())
    }

    /// A crash must not lose all of the way.
    pub(super) async fn remember_now_and_then(&mut self) {
        let plays = self.player.is_some() && self.state == MarketState::Running;
        if self.saved.elapsed() >= if plays { SAVE_PERIOD } else { SAMPLES_PERIOD } {
            self.remember().await;
        }
    }

    /// Writes down what the next start needs.
    pub(super) async fn remember(&mut self) {
        self.saved = Instant::now();
        let replay = self.player.as_ref().map(|player| {
            let Loaded { files, symbol, speed, looping, .. } = &player.loaded;
            let request = ReplayRequest {
                file: files.main.clone(),
                quotes: files.quotes.clone(),
                symbol: Some(symbol.clone()),
                speed: *speed,
                looping: *looping,
            };
            Remembered { request, position: player.position(), ended: self.state == MarketState::Ended }
        });
        let paused = self.state == MarketState::Paused;
        let memory = Memory { simulator: self.settings.into(), paused, replay };
        let (data, samples) = (self.data.clone(), self.risk.lock().clone());
        let saved = blocking(move || memory.save(&data).and_then(|()| samples.save(&data))).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "What the market plays is not kept for the next start");
        }
    }

    fn record(&self, text: String) {
        if let Some(shared) = self.shared.upgrade() {
            shared.record(text);
        }
    }
}
