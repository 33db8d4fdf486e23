//! Where prices come from: a seeded simulator of market makers and takers.
//!
//! [`Simulator::step`] sees what the host shows it and says what the simulated traders send. Integers only, no clock, no
//! I/O: the same seed and the same views give the same commands on every machine. It knows no exchange; whether a command
//! succeeds shows in the next view.

mod dice;
mod fair_value;
mod makers;
mod simulator;
mod takers;

pub use makers::LEVELS;
pub use simulator::{MakerOrder, MarketView, Simulator};
