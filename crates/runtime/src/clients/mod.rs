//! How the usual client programs are told of an instance: ready-to-paste text with the address, the token and the
//! authority in place.
//!
//! [`snippet`] is a pure function of the [`ClientFacts`]; where these come from is in `facts`, what was given out and no
//! longer fits in `issued`.

mod editors;
mod facts;
mod giving;
mod issued;
mod plain;
mod program;
mod qr;
mod scripts;
#[cfg(test)]
mod tests;
mod trial;

use std::path::Path;

use serde::Serialize;

use facts::Facts;
pub use facts::{ClientFacts, Place};
pub use giving::ProgramInfo;
pub use issued::{Issued, StaleSnippet};
pub use program::{ClientProgram, Transport};
pub use qr::QrCode;
pub use trial::Trial;

/// What a person pastes into a client program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct Snippet {
    /// The program.
    pub client: ClientProgram,
    /// Its name for people.
    pub name: String,
    /// How it connects.
    pub transport: Transport,
    /// Whether it is for a program on this computer or on another one.
    pub place: Place,
    /// Where the program may run.
    pub places: Vec<Place>,
    /// Where the text belongs: a file, or `Terminal`.
    pub file: String,
    /// The text.
    pub text: String,
    /// Parts of the text that change with the settings: host and port, and the token.
    pub marks: Vec<String>,
    /// Where another computer connects to, without a token; `None` for a program on this one.
    pub address: Option<QrCode>,
    /// What to know, most important first.
    pub notes: Vec<SnippetNote>,
}

/// One sentence about a snippet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct SnippetNote {
    /// Whether the client fails without it.
    pub attention: bool,
    /// The sentence.
    pub text: String,
}

/// Text and place, before what is common to all is added.
struct Draft {
    file: String,
    text: String,
    notes: Vec<SnippetNote>,
}

impl Draft {
    fn new(file: &str, text: String) -> Self {
        Self { file: file.to_owned(), text, notes: Vec::new() }
    }

    fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(SnippetNote { attention: false, text: text.into() });
        self
    }

    fn attention(mut self, text: Option<String>) -> Self {
        self.notes.extend(text.map(|text| SnippetNote { attention: true, text }));
        self
    }
}

/// The text for `client`, connecting by `transport`; by its usual one where it does not offer that.
fn snippet(client: ClientProgram, transport: Transport, facts: &Facts) -> Snippet {
    let transport = client.transport(Some(transport));
    let draft = match client {
        ClientProgram::ClaudeDesktop => editors::claude_desktop(facts),
        ClientProgram::ClaudeCode => editors::claude_code(transport, facts),
        ClientProgram::Cursor => editors::cursor(transport, facts),
        ClientProgram::VsCode => editors::vs_code(transport, facts),
        ClientProgram::Python => scripts::python(transport, facts),
        ClientProgram::TypeScript => scripts::typescript(transport, facts),
        ClientProgram::FreqTrade => scripts::freqtrade(facts),
        ClientProgram::Prometheus => plain::prometheus(facts),
        ClientProgram::Curl => plain::curl(facts),
    };
    let service = client.service(transport);
    let token = if service == cwts_domain::Service::Prometheus { &facts.metrics_token } else { &facts.token };
    let addressed = [Some(facts.address(service)), token.clone()].into_iter().flatten();
    Snippet {
        client,
        name: client.name().to_owned(),
        transport,
        place: facts.place,
        places: Vec::new(),
        marks: addressed.filter(|part| draft.text.contains(part)).collect(),
        address: (facts.place == Place::Network).then(|| QrCode::of(&facts.url(service))).flatten(),
        file: draft.file,
        text: draft.text,
        notes: draft.notes,
    }
}

/// A string literal of JSON, which is one of JavaScript, Python and YAML too.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// One word of a shell line.
fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@:=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn path_text(path: &Path) -> String {
    path.display().to_string()
}
