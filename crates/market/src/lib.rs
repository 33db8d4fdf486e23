//! Where prices come from: a seeded simulator of market makers and takers, and files of an exchange.
//!
//! [`Simulator::step`] and [`Replay::step`] see what the host shows them and say what is sent to the exchange. Integers
//! only, no clock: the same seed or file and the same views give the same commands on every machine. They know no
//! exchange; whether a command succeeds shows in the next view. Only a [`Tape`] does I/O: it reads a file step by step.

mod dice;
mod fair_value;
mod makers;
mod recording;
mod replay;
mod settings;
mod simulator;
mod symbol;
mod takers;
mod tape;

pub use makers::LEVELS;
pub use recording::{Recording, RecordingFiles};
pub use replay::{BookOrder, Replay, ReplayView};
pub use settings::{Factor, SimulatorSettings};
pub use simulator::{MakerOrder, MarketView, Simulator};
pub use symbol::{symbol_of, traded_as};
pub use tape::{CHECKED_WHOLE, Format, Happening, Step, Tape, TapeError, TapeFacts};
