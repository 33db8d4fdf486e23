//! Words quoted for a shell, for lines that people copy. The program itself never uses one.

use std::borrow::Cow;

/// A word as every POSIX shell reads it back (Shell Command Language, section 2.2.2).
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
    }
}

/// A command as a shell reads it back.
pub(crate) fn line(argv: &[String]) -> String {
    let words: Vec<_> = argv.iter().map(|it| word(it)).collect();
    words.join(" ")
}
