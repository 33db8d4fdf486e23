//! The task that moves the prices.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use cwts_domain::{AccountId, Command, ErrorCode, InstrumentId, Problem, Ticks};
use cwts_engine::{Exchange, Order};
use cwts_market::{MakerOrder, MarketView, Simulator, SimulatorSettings, TapeError};
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::desk::{Ask, MarketDesk, MarketOrder};
use super::player::{Loaded, Played, Player};
use super::status::{MarketState, MarketStatus, Speed};
use crate::exchange::ExchangeHandle;
use crate::instance::Shared;
use crate::metrics::Metrics;
use crate::risk::RiskSamples;

/// How often a file is looked at for what is due.
const PACE: Duration = Duration::from_millis(20);

/// Where the prices of an instance are made.
pub(crate) struct Floor {
    pub(super) exchange: ExchangeHandle,
    metrics: Metrics,
    desk: Arc<MarketDesk>,
    pub(super) risk: Arc<RiskSamples>,
    /// For what people are told.
    pub(super) shared: Weak<Shared>,
    /// Where the next start finds what was told here.
    pub(super) data: PathBuf,
    /// When that was written.
    pub(super) saved: Instant,
    pub(super) settings: SimulatorSettings,
    simulators: Vec<(InstrumentId, Simulator)>,
    pub(super) player: Option<Player>,
    pub(super) state: MarketState,
    /// Why the file cannot be played on.
    problem: Option<String>,
    /// The day of UTC that the exchange knows of.
    day: Option<i64>,
}

impl Floor {
    pub(crate) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            exchange: shared.exchange.clone(),
            metrics: shared.metrics.clone(),
            desk: Arc::clone(&shared.market),
            risk: Arc::clone(&shared.risk),
            shared: Arc::downgrade(shared),
            data: shared.sources.data(),
            saved: Instant::now(),
            settings: SimulatorSettings::default(),
            simulators: Vec::new(),
            player: None,
            state: MarketState::Running,
            problem: None,
            day: None,
        }
    }

    /// Moves prices until `stop`. The quotes stay in the books, and the next start goes on from here.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut asks = self.desk.open();
        self.tell();
        tokio::select! {
            biased;
            // A file may take a while to look at.
            () = stop.cancelled() => return self.desk.tell(MarketStatus::default()),
            () = self.resume_last() => {}
        }
        self.tell();
        let ticks = |period| {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let (mut steps, mut pace) = (ticks(Simulator::STEP), ticks(PACE));
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(Ask { order, reply }) = asks.recv() => self.answer(order, reply).await,
                _ = steps.tick() => self.step().await,
                _ = pace.tick(), if self.plays(false) => self.play().await,
                () = std::future::ready(()), if self.plays(true) => {
                    self.play().await;
                    tokio::task::yield_now().await;
                }
            }
        }
        self.remember().await;
        self.desk.tell(MarketStatus::default());
    }

    /// Whether a file is played, as fast as possible or at a pace.
    fn plays(&self, at_most_speed: bool) -> bool {
        let speed = self.player.as_ref().map(|player| player.loaded.speed == Speed::Max);
        self.state == MarketState::Running && speed == Some(at_most_speed)
    }

    fn tell(&self) {
        let replay = self.player.as_ref().map(|player| player.status(self.problem.clone()));
        self.desk.tell(MarketStatus { state: self.state, replay, simulator: self.settings.into() });
    }

    async fn answer(&mut self, order: MarketOrder, reply: oneshot::Sender<Result<(), Problem>>) {
        let done = self.execute(order).await;
        self.tell();
        self.remember().await;
        // Who asked may have given up; it is done all the same.
        drop(reply.send(done));
    }

    async fn execute(&mut self, order: MarketOrder) -> Result<(), Problem> {
        match order {
            MarketOrder::Replay(loaded) => return self.load(*loaded).await,
            MarketOrder::Simulate(settings) => {
                if let Some(player) = self.player.take() {
                    cancel_makers(&self.exchange, player.loaded.id).await;
                }
                self.risk.lock().jump();
                (self.settings, self.state, self.problem) = (settings, MarketState::Running, None);
                self.simulate(None).await;
            }
            MarketOrder::Pause => match self.state {
                MarketState::Ended | MarketState::Failed => return Err(self.at_its_end()),
                _ => self.state = MarketState::Paused,
            },
            MarketOrder::Resume => match self.state {
                MarketState::Ended | MarketState::Failed => return Err(self.at_its_end()),
                _ => {
                    match &mut self.player {
                        Some(player) => player.go_on(),
                        // The simulated market has stood still while time went on.
                        None => self.risk.lock().jump(),
                    }
                    self.state = MarketState::Running;
                }
            },
            MarketOrder::Seek(to) => {
                let player = self.player.as_mut().ok_or_else(no_file)?;
                let (from, end) = (player.loaded.facts.from, player.loaded.facts.to);
                if to < from || to > end {
                    let message = format!("{to} is not in the file, which goes from {from} to {end}.");
                    return Err(Problem::new(ErrorCode::InvalidInput, message).at("to"));
                }
                player.clear_book(&self.exchange).await?;
                player.seek(to).map_err(|error| problem(&error))?;
                if self.state != MarketState::Paused {
                    self.state = MarketState::Running;
                }
                self.problem = None;
            }
            MarketOrder::SetSpeed(speed) => self.player.as_mut().ok_or_else(no_file)?.set_speed(speed),
            MarketOrder::SetLoop(looping) => self.player.as_mut().ok_or_else(no_file)?.loaded.looping = looping,
        }
        Ok(())
    }

    async fn load(&mut self, loaded: Loaded) -> Result<(), Problem> {
        let mut player = Player::new(loaded, &self.exchange, Arc::clone(&self.risk));
        player.clear_book(&self.exchange).await?;
        self.risk.lock().jump();
        self.take_over(player).await;
        (self.state, self.problem) = (MarketState::Running, None);
        Ok(())
    }

    /// A file makes the prices of its symbol from here on.
    pub(super) async fn take_over(&mut self, player: Player) {
        let id = player.loaded.id;
        if let Some(before) = self.player.replace(player).filter(|before| before.loaded.id != id) {
            cancel_makers(&self.exchange, before.loaded.id).await;
        }
        self.simulate(Some(id)).await;
        self.player.iter_mut().for_each(Player::go_on);
    }

    fn at_its_end(&self) -> Problem {
        let why = self.problem.clone().unwrap_or_else(|| "The file is at its end.".to_owned());
        Problem::new(ErrorCode::WrongState, why).with_help("Go to another moment, play a file, or simulate the market.")
    }

    /// One simulator for each instrument that has no standing quotes and is not played from a file.
    pub(super) async fn simulate(&mut self, but: Option<InstrumentId>) {
        self.simulators.clear();
        for (id, instrument) in (0..).map(InstrumentId).zip(self.exchange.instruments()) {
            if instrument.standing.is_none() && Some(id) != but {
                let last = self.exchange.read(move |exchange| last(exchange, id)).await.ok().flatten();
                let start = last.unwrap_or_else(|| Simulator::start_price(instrument));
                let seed = self.settings.seed.wrapping_add(u64::from(id.0));
                let simulator = Simulator::new(seed, id, instrument.clone(), start).with(&self.settings);
                self.simulators.push((id, simulator));
            }
        }
    }

    /// A step of what is simulated.
    async fn step(&mut self) {
        let today = Some(self.exchange.clock().now().day());
        if self.day != today && send(&self.exchange, Command::EndDay).await {
            self.day = today;
        }
        self.remember_now_and_then().await;
        if self.state == MarketState::Paused {
            return;
        }
        self.sample().await;
        for (id, simulator) in &mut self.simulators {
            let id = *id;
            let Ok((last, maker_orders)) = self.exchange.read(move |exchange| seen(exchange, id)).await else {
                continue;
            };
            for command in simulator.step(&MarketView { last, maker_orders: &maker_orders }) {
                send(&self.exchange, command).await;
            }
        }
        self.metrics.market_steps.inc();
    }

    /// The simulated market has the time of this computer.
    async fn sample(&self) {
        let (now, risk) = (self.exchange.clock().now(), Arc::clone(&self.risk));
        if self.player.is_none() && risk.lock().is_due(now) {
            // An exchange that has too much to do is looked at again in a moment.
            drop(self.exchange.read(move |exchange| risk.lock().look(exchange, now)).await);
        }
    }

    /// Plays what is due of the file.
    async fn play(&mut self) {
        let Some(player) = &mut self.player else { return };
        let played = match player.play(&self.exchange).await {
            Ok(Played::Ended) if player.loaded.looping => match player.clear_book(&self.exchange).await {
                Ok(()) => player.rewind().map(|()| Played::On),
                Err(_) => Ok(Played::Later),
            },
            played => played,
        };
        match played {
            Ok(Played::On) => {}
            Ok(Played::Later) => {
                // The exchange says when it can be written again; nothing is lost by looking.
                tokio::time::interval_at(tokio::time::Instant::now() + PACE, PACE).tick().await;
            }
            Ok(Played::Ended) => self.state = MarketState::Ended,
            Err(error) => {
                tracing::warn!(%error, "A file cannot be played on");
                (self.state, self.problem) = (MarketState::Failed, Some(format!("{error}.")));
            }
        }
        self.tell();
    }
}

fn no_file() -> Problem {
    Problem::new(ErrorCode::WrongState, "No file is played; the market is simulated.")
}

pub(super) fn problem(error: &TapeError) -> Problem {
    let code = match error {
        TapeError::Open { error, .. } if error.kind() == std::io::ErrorKind::PermissionDenied => {
            ErrorCode::NotPermitted
        }
        _ => ErrorCode::InvalidInput,
    };
    Problem::new(code, format!("{error}.")).at("file")
}

pub(super) async fn cancel_makers(exchange: &ExchangeHandle, id: InstrumentId) {
    send(exchange, Command::CancelAll { account: AccountId::MAKER, instrument: Some(id) }).await;
}

/// Whether the exchange took the command. A refusal is an answer that the simulator sees in the next view.
async fn send(exchange: &ExchangeHandle, command: Command) -> bool {
    let answer = exchange.submit(command, |_, _| ()).await;
    answer.inspect_err(|error| tracing::trace!(%error, "the exchange refused a command of the market")).is_ok()
}

/// What the simulator is shown: the last price and the makers' quotes.
fn seen(exchange: &Exchange, id: InstrumentId) -> (Option<Ticks>, Vec<MakerOrder>) {
    let quote = |order: &Order| Some(MakerOrder { id: order.id, side: order.side, price: order.limit? });
    let makers = exchange.open_orders(AccountId::MAKER).filter(|order| order.instrument == id);
    (last(exchange, id), makers.filter_map(quote).collect())
}

fn last(exchange: &Exchange, id: InstrumentId) -> Option<Ticks> {
    exchange.market(id)?.last_trade().map(|trade| trade.price)
}
