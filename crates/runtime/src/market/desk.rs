//! Where the market is told what to do.

use std::sync::{PoisonError, RwLock};

use cwts_domain::{ErrorCode, Problem, Timestamp};
use cwts_market::SimulatorSettings;
use tokio::sync::{mpsc, oneshot, watch};

use super::player::Loaded;
use super::status::{MarketState, MarketStatus, Speed};

/// What the market may be told.
#[derive(Debug)]
pub(crate) enum MarketOrder {
    Replay(Box<Loaded>),
    Simulate(SimulatorSettings),
    Pause,
    Resume,
    Seek(Timestamp),
    SetSpeed(Speed),
    SetLoop(bool),
}

pub(crate) struct Ask {
    pub(crate) order: MarketOrder,
    pub(crate) reply: oneshot::Sender<Result<(), Problem>>,
}

/// One for an instance, for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct MarketDesk {
    /// To the market that runs.
    asks: RwLock<Option<mpsc::Sender<Ask>>>,
    status: watch::Sender<MarketStatus>,
}

impl MarketDesk {
    /// A market begins, and takes what is asked from now on.
    pub(crate) fn open(&self) -> mpsc::Receiver<Ask> {
        let (sender, receiver) = mpsc::channel(8);
        *self.asks.write().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    pub(crate) fn status(&self) -> MarketStatus {
        self.status.borrow().clone()
    }

    pub(crate) fn tell(&self, status: MarketStatus) {
        self.status.send_replace(status);
    }

    /// Returns when it is done.
    pub(crate) async fn ask(&self, order: MarketOrder) -> Result<MarketStatus, Problem> {
        let stopped = || {
            let problem =
                Problem::new(ErrorCode::WrongState, "The market does not run, since the instance is stopped.");
            problem.with_help("Start the instance first.")
        };
        if self.status.borrow().state == MarketState::Stopped {
            return Err(stopped());
        }
        let asks = self.asks.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(stopped)?;
        let (reply, answer) = oneshot::channel();
        asks.send(Ask { order, reply }).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())??;
        Ok(self.status())
    }
}
