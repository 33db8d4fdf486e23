//! A desktop of its own for each test: display, window manager, session bus and user folders, with nothing mocked.
//!
//! Starts and ends programs. What is clicked and expected is up to the suites.

mod folders;
mod holder;
mod image;
mod panel;
mod process;
mod session;
mod tray;
mod window;

pub use folders::Look;
pub use holder::Holder;
pub use image::{are_kept, colours, keep};
pub use panel::Panel;
pub use session::{Desktop, TITLE};
pub use tray::{Choice, Pixmap, Tooltip, TrayItem, Watcher};
pub use window::Window;
