//! Moves the prices until the services stop: simulates them, or plays a file. And tells the exchange when a day of UTC has
//! ended.

mod desk;
mod floor;
mod instance;
mod memory;
mod player;
mod resume;
mod status;

pub(crate) use self::desk::MarketDesk;
pub(crate) use self::floor::Floor;
pub use self::instance::look_at_market_file;
pub use self::status::{
    MarketFile, MarketState, MarketStatus, NoSpeed, ReplayRequest, ReplayStatus, SimulatorView, Speed,
};
