//! The market and the paper account.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use cwts_runtime::Speed;

/// On the command line `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MarketCommand {
    /// Say where prices come from; of a file, what it holds and whether it can be played
    Show {
        /// A file of an exchange, which need not be played
        file: Option<PathBuf>,
        /// The symbol whose prices it makes [default: that of its name]
        #[arg(long, requires = "file")]
        symbol: Option<String>,
    },
    /// Play a file of trades, best bid and ask, or bars; open orders in its symbol are cancelled
    Replay {
        /// CSV as exchanges publish it, unpacked
        file: PathBuf,
        /// Best bid and ask (book ticker) of the same market, to play with a file of trades
        #[arg(long, value_name = "FILE")]
        quotes: Option<PathBuf>,
        /// The symbol whose prices it makes [default: that of its name]
        #[arg(long)]
        symbol: Option<String>,
        /// So many times as fast as it happened, 0.1 to 10000, or max
        #[arg(long, default_value = "1")]
        speed: Speed,
        /// Begin again at its end
        #[arg(long = "loop")]
        looping: bool,
    },
    /// Let no price move
    Pause,
    /// Let prices move again
    Resume,
    /// Go to a moment of the file; open orders in its symbol are cancelled
    Seek {
        /// For example 2021-01-08T00:01:00Z
        time: String,
    },
    /// Play the file at another speed
    Speed {
        /// So many times as fast as it happened, 0.1 to 10000, or max
        speed: Speed,
    },
    /// Let the file that is played begin again at its end, or not
    Loop {
        /// on or off
        looping: Switch,
    },
    /// Simulate all prices, from the last ones on
    Simulate {
        /// The same seed gives the same flow of orders
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many times the usual the distance of the quotes is, 0.1 to 10
        #[arg(long, default_value_t = 1.0)]
        spread: f64,
        /// How many times the usual their quantity is, 0.1 to 10
        #[arg(long, default_value_t = 1.0)]
        depth: f64,
        /// How many times as far as usual prices move, 0.1 to 10
        #[arg(long, default_value_t = 1.0)]
        volatility: f64,
    },
}

/// Limits of the paper account; without an option, what they are. Amounts in US dollars.
#[derive(Debug, Args)]
pub(crate) struct LimitsArguments {
    /// Largest exposure as a multiple of equity, 1 to 100
    #[arg(long, value_name = "TIMES")]
    pub(crate) leverage: Option<u32>,
    /// Largest value of one order
    #[arg(long, value_name = "USD")]
    pub(crate) max_order_value: Option<f64>,
    /// Largest value of a position with what waits
    #[arg(long, value_name = "USD")]
    pub(crate) max_position_value: Option<f64>,
    /// Largest distance of a limit price from the last price, 1 to 100
    #[arg(long, value_name = "PERCENT")]
    pub(crate) price_band_percent: Option<u32>,
    /// Largest number of orders in one second
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_orders_per_second: Option<u32>,
    /// From this loss since 00:00 UTC on, orders may only make positions smaller
    #[arg(long, value_name = "USD")]
    pub(crate) max_daily_loss: Option<f64>,
}
