//! What an instance is asked about its market, by the panel, over REST and from the command line.

use std::path::{Path, PathBuf};

use cwts_domain::{ErrorCode, Instrument, InstrumentId, Problem, Timestamp};
use cwts_market::{Recording, RecordingFiles, TapeFacts, symbol_of, traded_as};

use super::desk::MarketOrder;
use super::floor::problem;
use super::player::Loaded;
use super::status::{MarketFile, MarketStatus, ReplayRequest, SimulatorView, Speed};
use crate::change::blocking;
use crate::instance::Instance;

impl Instance {
    /// Where prices come from, and how far a file has been played.
    pub fn market_status(&self) -> MarketStatus {
        self.shared().market.status()
    }

    /// Looks at a file without playing it: at every line, up to 256 MB.
    ///
    /// # Errors
    /// Its path is not absolute, or it cannot be played; the problem names the line and what is wrong.
    pub async fn look_at_market_file(&self, file: PathBuf, symbol: Option<String>) -> Result<MarketFile, Problem> {
        absolute("file", &file)?;
        let instruments = self.exchange().instruments().to_vec();
        self.on_runtime(async move { blocking(move || market_file(&file, symbol.as_deref(), &instruments)).await? })
            .await
    }

    /// Plays a file in place of the simulated prices of its symbol, whose open orders are cancelled: they belong to other
    /// prices.
    ///
    /// # Errors
    /// The instance is stopped, or the file cannot be played; the problem names the line. The market is as before.
    pub async fn replay_market(&self, request: ReplayRequest) -> Result<MarketStatus, Problem> {
        let instruments = self.exchange().instruments().to_vec();
        let loaded = self.on_runtime(async move { blocking(move || load(request, &instruments)).await? }).await?;
        let with = loaded.files.quotes.as_ref().map_or(String::new(), |quotes| format!(" with {}", quotes.display()));
        let told = format!("Playing {}{with} as {}", loaded.files.main.display(), loaded.symbol);
        self.tell_market(MarketOrder::Replay(Box::new(loaded)), told).await
    }

    /// Simulates all prices, from the last ones on.
    ///
    /// # Errors
    /// The instance is stopped, or a setting is outside its range.
    pub async fn simulate_market(&self, settings: SimulatorView) -> Result<MarketStatus, Problem> {
        let settings = settings.settings().map_err(|field| {
            Problem::new(ErrorCode::InvalidInput, format!("{field} must be from 0.1 to 10.")).at(field)
        })?;
        let SimulatorView { seed, spread, depth, volatility } = settings.into();
        let told =
            format!("Simulating the market: seed {seed}, spread {spread}, depth {depth}, volatility {volatility}");
        self.tell_market(MarketOrder::Simulate(settings), told).await
    }

    /// No price moves from now on.
    ///
    /// # Errors
    /// The instance is stopped, or the file is at its end.
    pub async fn pause_market(&self) -> Result<MarketStatus, Problem> {
        self.tell_market(MarketOrder::Pause, "Market paused").await
    }

    /// Prices move again.
    ///
    /// # Errors
    /// As for [`Instance::pause_market`].
    pub async fn resume_market(&self) -> Result<MarketStatus, Problem> {
        self.tell_market(MarketOrder::Resume, "Market resumed").await
    }

    /// Goes to a moment of the file; open orders in its symbol are cancelled.
    ///
    /// # Errors
    /// The instance is stopped, no file is played, or the moment is not in it.
    pub async fn seek_market(&self, to: Timestamp) -> Result<MarketStatus, Problem> {
        self.tell_market(MarketOrder::Seek(to), format!("Market moved to {to}")).await
    }

    /// Plays the file at another speed from here on.
    ///
    /// # Errors
    /// The instance is stopped, or no file is played.
    pub async fn set_market_speed(&self, speed: Speed) -> Result<MarketStatus, Problem> {
        self.tell_market(MarketOrder::SetSpeed(speed), format!("Market speed set to {speed}")).await
    }

    /// Whether the file begins again at its end.
    ///
    /// # Errors
    /// The instance is stopped, or no file is played.
    pub async fn set_market_loop(&self, looping: bool) -> Result<MarketStatus, Problem> {
        let told =
            if looping { "The file of the market begins again at its end" } else { "The file of the market ends" };
        self.tell_market(MarketOrder::SetLoop(looping), told).await
    }

    async fn tell_market(&self, order: MarketOrder, told: impl Into<String>) -> Result<MarketStatus, Problem> {
        let shared = std::sync::Arc::clone(self.shared());
        let status = self.on_runtime(async move { shared.market.ask(order).await }).await?;
        self.record(told);
        Ok(status)
    }
}

/// Looks at a file as an instance would. Blocks.
///
/// # Errors
/// As [`Instance::look_at_market_file`].
pub fn look_at_market_file(file: &Path, symbol: Option<&str>) -> Result<MarketFile, Problem> {
    market_file(file, symbol, &Instrument::defaults())
}

fn market_file(file: &Path, symbol: Option<&str>, instruments: &[Instrument]) -> Result<MarketFile, Problem> {
    let (_, instrument) = instrument_of(file, symbol, instruments)?;
    let facts = TapeFacts::of(file, instrument.clone()).map_err(|error| problem(&error))?;
    Ok(MarketFile {
        file: file.display().to_string(),
        format: facts.format.id().to_owned(),
        symbol: instrument.symbol.clone(),
        bytes: facts.bytes,
        from: facts.from.to_string(),
        to: facts.to.to_string(),
        steps: facts.steps,
        low: facts.range.map(|(low, _)| instrument.price(low)),
        high: facts.range.map(|(_, high)| instrument.price(high)),
    })
}

pub(super) fn load(request: ReplayRequest, instruments: &[Instrument]) -> Result<Loaded, Problem> {
    let ReplayRequest { file, quotes, symbol, speed, looping } = request;
    absolute("file", &file)?;
    quotes.as_deref().map_or(Ok(()), |quotes| absolute("quotes", quotes))?;
    let (id, instrument) = instrument_of(&file, symbol.as_deref(), instruments)?;
    if let Some(quotes) = &quotes {
        let of_quotes = instrument_of(quotes, symbol.as_deref(), instruments)?.1;
        if of_quotes.symbol != instrument.symbol {
            let message = format!("The quotes are of {}, the trades of {}.", of_quotes.symbol, instrument.symbol);
            return Err(Problem::new(ErrorCode::InvalidInput, message).at("quotes"));
        }
    }
    let files = RecordingFiles { main: file, quotes };
    let facts = files.facts(instrument).map_err(|error| problem(&error))?;
    let recording = Recording::open(&files, instrument).map_err(|error| problem(&error))?;
    Ok(Loaded { files, recording, facts, id, symbol: instrument.symbol.clone(), speed, looping })
}

fn absolute(field: &str, file: &Path) -> Result<(), Problem> {
    if file.is_absolute() {
        return Ok(());
    }
    let message = format!("{} is no absolute path; the server has no folder to look it up in.", file.display());
    Err(Problem::new(ErrorCode::InvalidInput, message).at(field))
}

/// The instrument whose prices a file makes.
fn instrument_of<'a>(
    file: &Path,
    symbol: Option<&str>,
    instruments: &'a [Instrument],
) -> Result<(InstrumentId, &'a Instrument), Problem> {
    let movable = || (0..).map(InstrumentId).zip(instruments).filter(|(_, each)| each.standing.is_none());
    let wanted = symbol.map(str::to_ascii_uppercase).or_else(|| symbol_of(file)).map(|name| traded_as(&name));
    let found = movable().find(|(_, each)| Some(&each.symbol) == wanted.as_ref());
    found.ok_or_else(|| {
        let available = movable().map(|(_, each)| each.symbol.as_str()).collect::<Vec<_>>().join(", ");
        let message = match (symbol, wanted) {
            (Some(symbol), _) => format!("{symbol} has no prices that a file could make."),
            (None, Some(name)) => {
                format!("The name of {} says the symbol {name}, which has no market here.", file.display())
            }
            (None, None) => format!("The name of {} says no symbol.", file.display()),
        };
        Problem::new(ErrorCode::InvalidInput, message).at("symbol").with_help(format!("Name one of {available}."))
    })
}
