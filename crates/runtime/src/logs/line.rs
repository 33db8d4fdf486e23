//! One line of the log, and what may not stand in it.

use std::fmt::{self, Write as _};

use cwts_config::LogLevel;
use cwts_domain::Timestamp;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// What was logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct LogLine {
    /// Its number in this run of the program.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub sequence: u64,
    /// Milliseconds since the epoch.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub at: i64,
    /// How much it matters.
    #[cfg_attr(feature = "wire", ts(type = "\"error\" | \"warn\" | \"info\" | \"debug\" | \"trace\""))]
    pub level: LogLevel,
    /// Which part of the program said it.
    pub source: String,
    /// What.
    pub text: String,
    #[serde(skip)]
    #[cfg_attr(feature = "wire", ts(skip))]
    written: Timestamp,
}

impl LogLine {
    pub(super) fn new(sequence: u64, at: Timestamp, level: LogLevel, source: &str, text: &str) -> Self {
        let one_line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let text = redacted(&one_line);
        Self { sequence, at: at.millis(), level, source: source.to_owned(), text, written: at }
    }
}

/// As it stands in a file.
impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.as_str().to_uppercase();
        write!(f, "{} {level:>5} {}: {}", self.written, self.source, self.text)
    }
}

/// The text with every token of ours cut down to its kind. No handler sees a token, so none should come here; a library's
/// error may quote what it was given.
pub fn redacted(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("cwts_") {
        let (before, token) = rest.split_at(start);
        kept.push_str(before);
        let scope = token["cwts_".len()..].split('_').next().unwrap_or_default();
        let head = "cwts_".len() + scope.len() + 1;
        let digits = token.get(head..).map_or(0, |tail| tail.bytes().take_while(u8::is_ascii_hexdigit).count());
        if ["owner", "trade", "read", "metrics"].contains(&scope) && digits >= 8 {
            kept.push_str(&token[..head]);
            kept.push('…');
            rest = &token[head + digits..];
        } else {
            kept.push_str("cwts_");
            rest = &token["cwts_".len()..];
        }
    }
    kept.push_str(rest);
    kept
}

pub(super) fn level_of(event: &Event<'_>) -> LogLevel {
    match *event.metadata().level() {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

/// `net` for `cwts_net::serve`, and the crate's name for a library.
pub(super) fn source_of(target: &str) -> &str {
    let name = target.split("::").next().unwrap_or(target);
    name.strip_prefix("cwts_").unwrap_or(name)
}

/// The message with its fields.
pub(super) fn text_of(event: &Event<'_>) -> String {
    let mut text = Text::default();
    event.record(&mut text);
    text.message + &text.fields
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a string cannot fail.
        if field.name() == "message" {
            write!(self.message, "{value:?}").ok();
        } else {
            write!(self.fields, " {}={value:?}", field.name()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_holds_no_token() {
        let token = format!("cwts_trade_{}", "7ade".repeat(16));
        let text =
            format!("GET /mcp?token={token} failed:\ncwts_read_0123456789abcdef, cwts_ultra and cwts_trade_x stay");
        let line = LogLine::new(4, Timestamp(0), LogLevel::Warn, "net", &text);
        assert_eq!(
            line.text, "GET /mcp?token=cwts_trade_… failed: cwts_read_…, cwts_ultra and cwts_trade_x stay",
            "whatever quotes a token"
        );
        assert_eq!(line.to_string(), format!("1970-01-01T00:00:00.000Z  WARN net: {}", line.text), "as in the file");
        assert_eq!(redacted("cwts_"), "cwts_", "the end of the text is no end of the world");
    }

    #[test]
    fn a_source_is_the_part_of_the_program() {
        assert_eq!(source_of("cwts_net::serve"), "net");
        assert_eq!(source_of("hyper::proto::h1"), "hyper", "a library by its name");
    }
}
