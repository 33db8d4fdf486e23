//! What a person sees and does on the screen Trading: the account, the orders, one market, and an order by hand.
//!
//! [`DeskWatch`] tells what changed since it last looked, so that a screen is kept true with few words. Everything that is
//! done here goes through [`ExchangeHandle::execute`](crate::ExchangeHandle::execute), as the orders of clients do.
//! Prices are ticks and quantities lots of their instrument; amounts are US dollars.

mod act;
mod refusal;
mod source;
mod summary;
mod ticket;
mod view;
mod watch;

pub use act::TicketPreview;
pub use source::MarketRequest;
pub use summary::TradingSummary;
pub use ticket::{OrderChange, OrderTicket};
pub use view::{DeskAccount, DeskFill, DeskInstrument, DeskMarket, DeskOrder, DeskPosition, DeskTrading};
pub use watch::{DeskMessage, DeskNews, DeskWatch};
