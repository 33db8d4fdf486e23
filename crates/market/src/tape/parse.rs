//! A line of a file as steps of a market.

use std::collections::VecDeque;

use cwts_domain::{Cash, Instrument, Lots, Side, Ticks, Timestamp};

use super::decimal::scaled;
use super::error::Fault;
use super::layout::{Format, Layout};
use super::{Happening, Step};

/// The columns that matter, in the sequence of [`Format::columns`].
struct Fields<'a> {
    layout: &'a Layout,
    texts: [&'a [u8]; 7],
}

/// Adds what the line says to `steps`, and returns when it begins.
pub(crate) fn line(
    layout: &Layout,
    instrument: &Instrument,
    line: &[u8],
    steps: &mut VecDeque<Step>,
) -> Result<Timestamp, Fault> {
    let fields = Fields::of(layout, line)?;
    let at = fields.time(0)?;
    match layout.format {
        Format::Trades => {
            let (price, quantity) = (fields.price(1, instrument)?, fields.quantity(2, instrument)?);
            let buyer_waited = flag(fields.texts[3]).ok_or_else(|| fields.wrong(3, "must be true or false"))?;
            let taker_side = if buyer_waited { Side::Sell } else { Side::Buy };
            let what = Happening::Trade { price, quantity, taker_side, exact: true };
            steps.push_back(Step { at, what });
        }
        Format::BookTicker => {
            let bid = (fields.price(1, instrument)?, fields.quantity(2, instrument)?);
            let ask = (fields.price(3, instrument)?, fields.quantity(4, instrument)?);
            if bid.0 >= ask.0 {
                return Err(fields.wrong(1, "must be below best_ask_price"));
            }
            steps.push_back(Step { at, what: Happening::Quote { bid, ask } });
        }
        Format::Klines => bar(&fields, at, instrument, steps)?,
    }
    Ok(at)
}

/// When the line begins.
pub(crate) fn time(layout: &Layout, line: &[u8]) -> Result<Timestamp, Fault> {
    Fields::of(layout, line)?.time(0)
}

/// A bar as the few prices that are known of it: the open, then the nearer of high and low, the other one, the close; at
/// equal distances in time, each with an equal part of the volume. A bar in which nothing was traded is no step.
fn bar(fields: &Fields<'_>, at: Timestamp, of: &Instrument, steps: &mut VecDeque<Step>) -> Result<(), Fault> {
    let price = |column| fields.price(column, of);
    let (open, high, low, close) = (price(1)?, price(2)?, price(3)?, price(4)?);
    if high < open.max(close).max(low) {
        return Err(fields.wrong(2, "must be the highest price of its line"));
    }
    if low > open.min(close) {
        return Err(fields.wrong(3, "must be the lowest price of its line"));
    }
    let end = fields.time(6)?;
    if end < at {
        return Err(fields.wrong(6, "must not be before open_time"));
    }
    let volume = if fields.layout.quote_volume {
        // One tick times one lot is one unit of money.
        fields.number(5, Cash::DECIMALS)?.0 / open.0
    } else {
        fields.number(5, of.quantity_decimals)?.0
    };
    if fields.texts[5].iter().all(|byte| matches!(byte, b'0' | b'.')) {
        return Ok(());
    }
    let (first, second) = if high.0 - open.0 <= open.0 - low.0 { (high, low) } else { (low, high) };
    let mut path = vec![open, first, second, close];
    path.dedup();
    let (points, span) = (path.len() as i64, end.0 - at.0);
    let mut before = if close < open { high } else { low };
    for (index, price) in (0..).zip(path) {
        let taker_side = if price >= before { Side::Buy } else { Side::Sell };
        let what = Happening::Trade { price, quantity: Lots((volume / points).max(1)), taker_side, exact: false };
        steps.push_back(Step { at: Timestamp(at.0 + span / points * index), what });
        before = price;
    }
    Ok(())
}

impl<'a> Fields<'a> {
    fn of(layout: &'a Layout, line: &'a [u8]) -> Result<Self, Fault> {
        let mut texts = [&line[..0]; 7];
        let mut found = 0;
        for (column, text) in line.split(|byte| *byte == b',').enumerate() {
            found += 1;
            if let Some(index) = layout.places.iter().position(|place| *place == column) {
                texts[index] = text.trim_ascii();
            }
        }
        if found != layout.width {
            return Err(Fault::Columns { found, expected: layout.width, format: layout.format });
        }
        Ok(Self { layout, texts })
    }

    fn wrong(&self, column: usize, must: &'static str) -> Fault {
        let text = self.texts[column];
        let shown = String::from_utf8_lossy(text).chars().filter(|it| !it.is_control()).take(30).collect();
        Fault::Value { column: self.layout.format.columns()[column], shown, must }
    }

    fn number(&self, column: usize, decimals: u32) -> Result<(i64, bool), Fault> {
        scaled(self.texts[column], decimals).ok_or_else(|| self.wrong(column, "must be a number from 0 on"))
    }

    /// To the nearest tick.
    fn price(&self, column: usize, of: &Instrument) -> Result<Ticks, Fault> {
        let (whole, more) = self.number(column, of.price_decimals)?;
        let price = Ticks(whole + i64::from(more));
        if price < Ticks(1) || price > of.max_price {
            return Err(self.wrong(column, "must be from one tick to the highest price of the symbol"));
        }
        Ok(price)
    }

    /// Whole lots, rounded down; what happened happened with at least one.
    fn quantity(&self, column: usize, of: &Instrument) -> Result<Lots, Fault> {
        Ok(Lots(self.number(column, of.quantity_decimals)?.0.max(1)))
    }

    fn time(&self, column: usize) -> Result<Timestamp, Fault> {
        moment(self.texts[column])
            .ok_or_else(|| self.wrong(column, "must be milliseconds or microseconds since 1970, from 2001 on"))
    }
}

/// Milliseconds (13 digits) or microseconds (16 digits) since the epoch.
pub(crate) fn moment(text: &[u8]) -> Option<Timestamp> {
    let (value, _) = scaled(text, 0).filter(|_| text.iter().all(u8::is_ascii_digit))?;
    match text.len() {
        13 => Some(Timestamp(value.checked_mul(1_000_000)?)),
        16 => Some(Timestamp(value.checked_mul(1_000)?)),
        _ => None,
    }
}

pub(crate) fn flag(text: &[u8]) -> Option<bool> {
    match text {
        b"true" | b"True" | b"TRUE" | b"1" => Some(true),
        b"false" | b"False" | b"FALSE" | b"0" => Some(false),
        _ => None,
    }
}
