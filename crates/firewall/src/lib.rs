//! Which firewall is active, rules with their undo for it, and running them as root.
//!
//! [`Plan::new`] writes the changes that let the chosen sources reach the chosen services, as pure text: argument vectors
//! for the program, quoted shell lines for people, and notes on what the changes do and do not do. [`detect`] says which
//! tool is active, as far as the user may know. [`run`] makes changes as root or through pkexec: all of them or none.
//! [`Memory`] keeps what was added.
//!
//! Binds nothing, reads no configuration, and knows no window.

mod change;
mod detect;
mod error;
mod execute;
mod helper;
mod memory;
mod notes;
mod pkexec;
mod plan;
mod shell;
mod tool;
mod words;

pub use change::{Change, Probe, Rule, Undo, Verdict};
pub use detect::{Detection, Incoming, ToolFinding, ToolState, detect, system_bus};
pub use error::FirewallError;
pub use execute::{Failure, Outcome, Report, Task};
pub use helper::{HELPER, Privilege, helper_main, run};
pub use memory::Memory;
pub use pkexec::{PkexecError, pkexec};
pub use plan::{Listener, Plan, Request, undo_lines};
pub use tool::Tool;
pub use words::{Comment, Family, Name, NftChain, Source};
