//! Lines of a text, by byte offset.

/// U+FEFF, which some editors put before the first line.
pub(crate) const BOM: char = '\u{feff}';

/// The line of an offset, counted from 1.
pub(crate) fn line_number(text: &str, offset: usize) -> u32 {
    let before = &text.as_bytes()[..offset.min(text.len())];
    u32::try_from(before.iter().filter(|byte| **byte == b'\n').count() + 1).unwrap_or(u32::MAX)
}

/// Where the line of an offset starts; the first line starts after a byte order mark.
pub(crate) fn line_start(text: &str, offset: usize) -> usize {
    let start_of_text = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    text[..offset].rfind('\n').map_or(start_of_text, |newline| newline + 1)
}

/// Where the line after the one of an offset starts, or the end of the text.
pub(crate) fn next_line(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |newline| offset + newline + 1)
}

/// The line ending of the first line, LF where there is none.
pub(crate) fn newline(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The text with one more line before the line that starts at `offset`, or at the end.
pub(crate) fn with_line(text: &str, offset: usize, line: &str) -> String {
    let (before, after) = text.split_at(offset);
    let newline = newline(text);
    let gap = match before {
        _ if before.is_empty() || before.ends_with('\n') || before == BOM.to_string() => "",
        // Half of a line ending.
        _ if before.ends_with('\r') => "\n",
        _ => newline,
    };
    format!("{before}{gap}{line}{newline}{after}")
}

/// The text with the bytes of `range` replaced.
pub(crate) fn spliced(text: &str, range: std::ops::Range<usize>, replacement: &str) -> String {
    format!("{}{replacement}{}", &text[..range.start], &text[range.end..])
}
