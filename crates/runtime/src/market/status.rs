//! What people ask of the market, and what they are told of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cwts_market::{Factor, SimulatorSettings};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where the prices come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarketStatus {
    /// What the market does.
    pub state: MarketState,
    /// The file that is played; `None` while all prices are simulated.
    pub replay: Option<ReplayStatus>,
    /// The simulated market, of all symbols but the one that is played.
    pub simulator: SimulatorView,
}

/// What the market does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MarketState {
    /// The services do not run.
    #[default]
    Stopped,
    /// Prices move.
    Running,
    /// No price moves until somebody resumes it. Clients can trade with what is quoted.
    Paused,
    /// The file is at its end; its last quotes stay.
    Ended,
    /// The file cannot be played on.
    Failed,
}

/// A file that is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReplayStatus {
    /// Its place.
    pub file: String,
    /// The file of best bid and ask that is played with it, if it holds trades.
    #[cfg_attr(feature = "wire", ts(optional = nullable))]
    pub quotes: Option<String>,
    /// `trades`, `book_ticker` or `klines`.
    pub format: String,
    /// The symbol whose prices it makes.
    pub symbol: String,
    /// Its first moment, in RFC 3339 and UTC like all times here.
    pub from: String,
    /// Its last moment.
    pub to: String,
    /// The moment that is played.
    pub position: String,
    /// How much of its time has been played, from 0 to 1.
    pub progress: f64,
    /// Steps of the market in it; `None` for a file that is too large to be read before.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub steps: Option<u64>,
    /// Steps played since it was loaded.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub played: u64,
    /// How fast.
    #[cfg_attr(feature = "wire", ts(type = "number | \"max\""))]
    pub speed: Speed,
    /// Whether it begins again at its end.
    #[serde(rename = "loop")]
    pub looping: bool,
    /// How often it has begun again.
    pub rounds: u32,
    /// Open orders in the symbol that were cancelled because its prices jumped, since it was loaded.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub cancelled_orders: u64,
    /// Why it cannot be played on.
    pub problem: Option<String>,
}

/// A file before it is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MarketFile {
    /// Its place.
    pub file: String,
    /// `trades`, `book_ticker` or `klines`.
    pub format: String,
    /// The symbol whose prices it would make.
    pub symbol: String,
    /// Its size.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub bytes: u64,
    /// Its first moment.
    pub from: String,
    /// Its last moment.
    pub to: String,
    /// Steps of the market in it; `None` for a file that is too large to be read before.
    #[cfg_attr(feature = "wire", ts(type = "number | null"))]
    pub steps: Option<u64>,
    /// Lowest price.
    pub low: Option<f64>,
    /// Highest price.
    pub high: Option<f64>,
}

/// A file to play.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Absolute path on the computer of the server.
    #[cfg_attr(feature = "wire", ts(type = "string"))]
    pub file: PathBuf,
    /// The best bid and ask (book ticker) of the same market, where the file holds trades; also an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "wire", ts(type = "string", optional = nullable))]
    pub quotes: Option<PathBuf>,
    /// The symbol whose prices it makes; that of its name when `None`.
    #[serde(default)]
    pub symbol: Option<String>,
    /// How fast.
    #[serde(default)]
    #[cfg_attr(feature = "wire", ts(type = "number | \"max\""))]
    pub speed: Speed,
    /// Whether it begins again at its end.
    #[serde(default, rename = "loop")]
    pub looping: bool,
}

/// The simulated market as it is, or as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorView {
    /// Of the random numbers: the same seed gives the same flow of orders.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub seed: u64,
    /// How many times the usual the distance of the quotes is, 0.1 to 10.
    pub spread: f64,
    /// How many times the usual their quantity is, 0.1 to 10.
    pub depth: f64,
    /// How many times as far as usual the price moves, 0.1 to 10.
    pub volatility: f64,
}

impl Default for SimulatorView {
    fn default() -> Self {
        SimulatorSettings::default().into()
    }
}

impl From<SimulatorSettings> for SimulatorView {
    fn from(settings: SimulatorSettings) -> Self {
        let SimulatorSettings { seed, spread, depth, volatility } = settings;
        Self { seed, spread: spread.times(), depth: depth.times(), volatility: volatility.times() }
    }
}

impl SimulatorView {
    /// The name of the first factor that is outside its range is the error.
    pub(crate) fn settings(&self) -> Result<SimulatorSettings, &'static str> {
        let factor = |name, times| Factor::new(times).ok_or(name);
        Ok(SimulatorSettings {
            seed: self.seed,
            spread: factor("spread", self.spread)?,
            depth: factor("depth", self.depth)?,
            volatility: factor("volatility", self.volatility)?,
        })
    }
}

/// How fast a file is played: so many times as fast as it happened, from 0.1 to 10,000, or as fast as possible. On the
/// wire a number, or `"max"`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "SpeedOnWire"))]
pub enum Speed {
    /// So many times as fast.
    Times(f64),
    /// As fast as the computer can.
    Max,
}

impl Default for Speed {
    fn default() -> Self {
        Self::Times(1.0)
    }
}

/// A text or number that is no speed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("speed must be a number from 0.1 to 10000, or max")]
pub struct NoSpeed;

impl Speed {
    /// # Errors
    /// It is outside 0.1 to 10,000.
    pub fn times(times: f64) -> Result<Self, NoSpeed> {
        if (0.1..=10_000.0).contains(&times) { Ok(Self::Times(times)) } else { Err(NoSpeed) }
    }
}

impl FromStr for Speed {
    type Err = NoSpeed;

    fn from_str(text: &str) -> Result<Self, NoSpeed> {
        if text == "max" {
            return Ok(Self::Max);
        }
        Self::times(text.strip_suffix('x').unwrap_or(text).parse().map_err(|_| NoSpeed)?)
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}x"),
            Self::Max => f.write_str("max"),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum SpeedOnWire {
    Times(f64),
    Word(String),
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let speed = match SpeedOnWire::deserialize(deserializer).map_err(|_| serde::de::Error::custom(NoSpeed))? {
            SpeedOnWire::Times(times) => Self::times(times),
            SpeedOnWire::Word(word) => word.parse(),
        };
        speed.map_err(serde::de::Error::custom)
    }
}

impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Times(times) => serializer.serialize_f64(*times),
            Self::Max => serializer.serialize_str("max"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_number_or_max() {
        for (text, expected) in
            [("1", Speed::Times(1.0)), ("0.1", Speed::Times(0.1)), ("60x", Speed::Times(60.0)), ("max", Speed::Max)]
        {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            let json = serde_json::to_string(&expected).unwrap();
            assert_eq!(serde_json::from_str::<Speed>(&json).unwrap(), expected, "{json} comes back as it went");
        }
        for text in ["0", "0.09", "10001", "-1", "nan", "fast", "", "inf"] {
            assert_eq!(text.parse::<Speed>(), Err(NoSpeed), "{text}");
        }
        assert!(
            serde_json::from_str::<Speed>("true").unwrap_err().to_string().contains("0.1 to 10000"),
            "and it is said"
        );
    }
}
