//! Which file this is: what it holds, and in which column.

use std::fmt;

use super::error::Fault;
use super::parse;

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Every trade.
    #[default]
    Trades,
    /// Every change of the best bid and ask.
    BookTicker,
    /// Open, high, low, close and volume of each minute or so.
    Klines,
}

impl Format {
    /// The word of the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trades => "trades",
            Self::BookTicker => "book_ticker",
            Self::Klines => "klines",
        }
    }

    /// The columns that are read, as heads of files name them; the first one is the time.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Trades => &["time", "price", "qty", "is_buyer_maker"],
            Self::BookTicker => {
                &["transaction_time", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty"]
            }
            Self::Klines => &["open_time", "open", "high", "low", "close", "volume", "close_time"],
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trades => "trades",
            Self::BookTicker => "book ticker",
            Self::Klines => "bars",
        })
    }
}

/// A format with the places of its columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) format: Format,
    /// Number of columns of every line.
    pub(crate) width: usize,
    /// The places of [`Format::columns`].
    pub(crate) places: Vec<usize>,
    /// Whether the volume of a bar counts quote currency. Files that count base currency have a column of their own for
    /// the other.
    pub(crate) quote_volume: bool,
}

const FORMATS: [Format; 3] = [Format::Trades, Format::BookTicker, Format::Klines];

impl Layout {
    /// The layout of a file by its first line, and whether that is a head.
    pub(crate) fn of(line: &[u8]) -> Result<(Self, bool), Fault> {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
        let names: Vec<String> = fields.iter().map(|it| String::from_utf8_lossy(it).to_ascii_lowercase()).collect();
        let is_head = names.iter().all(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic()));
        let found = if is_head { Self::by_names(&names) } else { Self::by_values(&fields) };
        let shown: String = String::from_utf8_lossy(line).chars().filter(|it| !it.is_control()).take(60).collect();
        found.map(|layout| (layout, is_head)).ok_or(Fault::Unknown { columns: fields.len(), shown })
    }

    fn by_names(names: &[String]) -> Option<Self> {
        let place = |wanted: &str| {
            let same = |name: &String| name == wanted || aliases(wanted).contains(&name.as_str());
            names.iter().position(same)
        };
        let layout = |format: Format| {
            let places = format.columns().iter().map(|name| place(name)).collect::<Option<Vec<_>>>()?;
            let quote_volume = format == Format::Klines && !names.iter().any(|name| name.starts_with("quote"));
            Some(Self { format, width: names.len(), places, quote_volume })
        };
        FORMATS.into_iter().find_map(layout)
    }

    /// Files without a head have the columns of the exchange that made the layouts common.
    fn by_values(fields: &[&[u8]]) -> Option<Self> {
        let layout = |format, places: &[usize], quote_volume| {
            Some(Self { format, width: fields.len(), places: places.to_vec(), quote_volume })
        };
        let is_flag = |at: usize| fields.get(at).is_some_and(|it| parse::flag(it).is_some() && it.len() > 1);
        let is_time = |at: usize| fields.get(at).is_some_and(|it| parse::moment(it).is_some());
        match fields.len() {
            6 | 7 if is_time(4) && is_flag(5) => layout(Format::Trades, &[4, 1, 2, 5], false),
            7 if is_time(5) && is_time(6) => layout(Format::BookTicker, &[5, 1, 2, 3, 4], false),
            7 if is_time(0) && is_time(6) => layout(Format::Klines, &[0, 1, 2, 3, 4, 5, 6], true),
            11 | 12 if is_time(0) && is_time(6) => layout(Format::Klines, &[0, 1, 2, 3, 4, 5, 6], false),
            _ => None,
        }
    }
}

/// Other names that dumps give a column.
fn aliases(name: &str) -> &'static [&'static str] {
    match name {
        "time" => &["timestamp", "transact_time"],
        "qty" => &["quantity", "size", "amount"],
        "transaction_time" => &["event_time"],
        _ => &[],
    }
}
