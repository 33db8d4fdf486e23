//! Finds the assignments in a text that a POSIX shell could source.
//!
//! Rules of quoting: POSIX.1-2024, Shell Command Language, "Quoting". What a shell would run or expand is refused with
//! its line, since a value that depends on the shell that reads it is no setting.

use super::Assignment;
use crate::text::{BOM, line_number};

/// Why a text is not a list of assignments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Counted from 1.
    pub(super) line: u32,
    /// What is wrong, as a sentence without its full stop.
    pub(super) problem: String,
}

/// All assignments from the top, and whether a backslash at the end draws what follows into the last statement.
pub(super) fn assignments(text: &str) -> Result<(Vec<Assignment>, bool), Flaw> {
    let mut scanner = Scanner { text, at: if text.starts_with(BOM) { BOM.len_utf8() } else { 0 }, continued: 0 };
    let mut found = Vec::new();
    while scanner.peek().is_some() {
        scanner.statement(&mut found)?;
    }
    Ok((found, !text.is_empty() && scanner.continued == text.len()))
}

enum Word {
    Assignment(Assignment),
    Other(String),
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Where the line starts that the last backslash continues with.
    continued: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn flaw(&self, at: usize, problem: impl Into<String>) -> Flaw {
        Flaw { line: line_number(self.text, at), problem: problem.into() }
    }

    /// The length of a line ending here, if there is one; the end of the text is one of length 0.
    fn line_end(&self) -> Option<usize> {
        ["\r\n", "\n"]
            .into_iter()
            .find(|end| self.rest().starts_with(end))
            .map(str::len)
            .or_else(|| matches!(self.rest(), "" | "\r").then_some(self.rest().len()))
    }

    fn go_on_after(&mut self, length: usize) {
        self.at += length;
        self.continued = self.at;
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t') => self.at += 1,
                Some('\\') if self.rest().starts_with("\\\n") => self.go_on_after(2),
                Some('\\') if self.rest().starts_with("\\\r\n") => self.go_on_after(3),
                _ => return,
            }
        }
    }

    /// One statement with its end.
    fn statement(&mut self, found: &mut Vec<Assignment>) -> Result<(), Flaw> {
        let mut exports = false;
        for position in 0.. {
            self.skip_blanks();
            if self.rest().starts_with('#') {
                self.at += self.rest().find('\n').unwrap_or(self.rest().len());
            }
            if let Some(length) = self.line_end() {
                self.at += length;
                break;
            }
            if self.rest().starts_with(';') {
                if position == 0 {
                    return Err(self.flaw(self.at, "\";\" ends an assignment, and there is none before it"));
                }
                self.at += 1;
                break;
            }
            let start = self.at;
            match self.word()? {
                Word::Assignment(assignment) => found.push(assignment),
                Word::Other(word) if position == 0 && word == "export" => exports = true,
                // `export NAME` marks a variable that was set before.
                Word::Other(word) if exports && name_length(&word) == word.len() => {}
                Word::Other(word) => {
                    let problem = format!("{word:?} is no assignment; a line is NAME=value or export NAME=value");
                    return Err(self.flaw(start, problem));
                }
            }
        }
        Ok(())
    }

    fn word(&mut self) -> Result<Word, Flaw> {
        let start = self.at;
        let name = &self.rest()[..name_length(self.rest())];
        let assigns = !name.is_empty() && self.rest()[name.len()..].starts_with('=');
        if assigns {
            self.at += name.len() + 1;
        }
        let value_start = self.at;
        let value = self.value()?;
        if !assigns {
            return Ok(Word::Other(self.text[start..self.at].to_owned()));
        }
        let line = line_number(self.text, start);
        Ok(Word::Assignment(Assignment { name: name.to_owned(), value, line, start, value_span: value_start..self.at }))
    }

    /// The rest of a word, without its quotes.
    fn value(&mut self) -> Result<String, Flaw> {
        let mut value = String::new();
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | ';' => break,
                '\r' | '\n' if self.line_end().is_some() => break,
                '\'' => self.single_quoted(&mut value)?,
                '"' => self.double_quoted(&mut value)?,
                '\\' => self.escaped(&mut value)?,
                '$' | '`' => value.push(self.literal_sign()?),
                '&' | '|' | '<' | '>' | '(' | ')' => {
                    let problem = format!("{next:?} is for the commands of a shell; this file is read, never run");
                    return Err(self.flaw(self.at, problem));
                }
                _ => value.extend(self.take()),
            }
        }
        Ok(value)
    }

    fn single_quoted(&mut self, value: &mut String) -> Result<(), Flaw> {
        let start = self.at;
        let inner = &self.text[start + 1..];
        let length = inner.find('\'').ok_or_else(|| self.flaw(start, "the single quote is never closed"))?;
        value.push_str(&inner[..length]);
        self.at = start + length + 2;
        Ok(())
    }

    fn double_quoted(&mut self, value: &mut String) -> Result<(), Flaw> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(self.flaw(start, "the double quote is never closed")),
                Some('"') => break self.at += 1,
                Some('$' | '`') => value.push(self.literal_sign()?),
                Some('\\') => match self.text[self.at + 1..].chars().next() {
                    Some('$' | '`' | '"' | '\\' | '\n') => self.escaped(value)?,
                    _ => value.extend(self.take()),
                },
                Some(_) => value.extend(self.take()),
            }
        }
        Ok(())
    }

    /// A backslash and what it protects; before a line ending both vanish.
    fn escaped(&mut self, value: &mut String) -> Result<(), Flaw> {
        let start = self.at;
        self.at += 1;
        match self.line_end() {
            Some(0) => return Err(self.flaw(start, "nothing follows the backslash")),
            Some(length) => self.go_on_after(length),
            None => value.extend(self.take()),
        }
        Ok(())
    }

    /// A dollar sign that stands for itself.
    fn literal_sign(&mut self) -> Result<char, Flaw> {
        let start = self.at;
        let sign = self.take();
        let next = self.peek();
        match (sign, next) {
            (Some('`'), _) => Err(self.flaw(start, "a backquote would run a command; write the value itself")),
            (_, Some('(')) => Err(self.flaw(start, "\"$(\" would run a command; write the value itself")),
            (_, Some(c)) if c.is_ascii_alphanumeric() || "_{'@*#?-$!".contains(c) => {
                let problem = format!("\"${c}\" would be expanded by a shell; write the value itself");
                Err(self.flaw(start, problem))
            }
            _ => Ok('$'),
        }
    }
}

/// How many bytes at the start are the name of a variable.
fn name_length(text: &str) -> usize {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let later = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(first) { text.find(|c| !later(c)).unwrap_or(text.len()) } else { 0 }
}
