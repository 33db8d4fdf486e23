//! Every command of the port configuration guide, as it stands there, in a shell of a person who has just installed.
//!
//! Each test has a network of its own, where the guide's ports are free and the firewall is nobody else's.

mod blocks;
mod firewall;
mod instances;
mod person;
mod ports;
mod tools;
