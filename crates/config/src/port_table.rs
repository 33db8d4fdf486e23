//! ports.conf: the default port of each service, the alternatives to offer when it is taken, and the range to search.
//!
//! One table for all instances, read and never written by a program. What the file leaves out is built in.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use cwts_domain::Service;
use toml_edit::{Document, Item, TableLike, Value};

use crate::toml_text::{parse, raw_value};
use crate::value::{PORT_RULE, RawValue};
use crate::{ConfigError, Key, Layer, Origin, Warning, text::line_number};

/// The range of the port guide.
const RANGE: RangeInclusive<u16> = 10_000..=10_100;
const ENTRIES: [&str; 4] = ["variable", "default", "alternatives", "range"];

/// The ports that are meant for the services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortTable {
    /// In the order of [`Service::ALL`].
    rows: [ServicePorts; Service::ALL.len()],
}

/// The ports that are meant for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePorts {
    /// The port when no stronger layer sets one.
    pub default: u16,
    /// What to offer when the port is taken, best first. May be empty.
    pub alternatives: Vec<u16>,
    /// Where to search when those are taken too.
    pub range: RangeInclusive<u16>,
}

impl PortTable {
    /// The ports for a service.
    pub fn get(&self, service: Service) -> &ServicePorts {
        &self.rows[index(service)]
    }
}

impl Default for PortTable {
    /// The built-in table.
    fn default() -> Self {
        Self { rows: Service::ALL.map(ServicePorts::built_in) }
    }
}

impl ServicePorts {
    fn built_in(service: Service) -> Self {
        Self { default: service.default_port(), alternatives: service.alternative_ports().to_vec(), range: RANGE }
    }

    /// Every port of the row: the default, the alternatives, then the range. May name a port twice.
    pub fn candidates(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.default).chain(self.alternatives.iter().copied()).chain(self.range.clone())
    }
}

fn index(service: Service) -> usize {
    Service::ALL.iter().position(|it| *it == service).unwrap_or_default()
}

/// A parsed ports.conf.
#[derive(Clone, Debug)]
pub(crate) struct PortTableFile {
    path: PathBuf,
    document: Document<String>,
}

impl PortTableFile {
    /// Parses the text that `path` holds.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let file = Self { path: path.to_owned(), document: parse(path, text)? };
        for service in Service::ALL {
            if let Some((name, item)) = file.document.get_key_value(service.id())
                && !item.is_table_like()
            {
                return Err(file.flaw(name, format!("{0} must be a table, [{0}]", service.id())));
            }
        }
        Ok(file)
    }

    /// The default port of a service, if that is the setting.
    pub(crate) fn get(&self, key: Key) -> Option<(RawValue, Origin)> {
        let Key::Port(service) = key else {
            return None;
        };
        let (name, item) = self.entry(service, "default")?;
        Some((raw_value(&self.document, item), self.origin(name)))
    }

    /// The table, filled up with what is built in.
    ///
    /// # Errors
    /// An entry is not what it should be.
    pub(crate) fn table(&self) -> Result<PortTable, ConfigError> {
        let mut table = PortTable::default();
        for service in Service::ALL {
            let row = &mut table.rows[index(service)];
            self.check_variable(service)?;
            if let Some((raw, origin)) = self.get(Key::Port(service)) {
                let key = Key::Port(service);
                row.default = raw.port().ok_or(ConfigError::InvalidValue { key, origin, found: raw.shown })?;
            }
            let alternatives = format!("alternatives are a list of ports; {PORT_RULE}");
            if let Some(ports) = self.read(service, "alternatives", &alternatives, |item| self.ports(item))? {
                row.alternatives = ports;
            }
            let range = format!("a range is its first and its last port; {PORT_RULE}");
            if let Some(ports) = self.read(service, "range", &range, |item| self.range(item))? {
                row.range = ports;
            }
        }
        Ok(table)
    }

    /// Names that mean nothing. An unknown table is named once.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (section, item) in self.document.iter() {
            let known = Service::ALL.iter().any(|it| it.id() == section);
            let Some(table) = item.as_table_like().filter(|_| known) else {
                warnings.extend(self.document.key(section).map(|key| self.unknown(section.to_owned(), key)));
                continue;
            };
            for (name, _) in table.iter().filter(|(name, _)| !ENTRIES.contains(name)) {
                warnings.extend(table.key(name).map(|key| self.unknown(format!("{section}.{name}"), key)));
            }
        }
        warnings.sort_by_key(|warning| warning.origin().line);
        warnings
    }

    /// The variable stands in the table for people who read it. Scripts rely on its name, so that it cannot be changed.
    fn check_variable(&self, service: Service) -> Result<(), ConfigError> {
        let expected = service.port_variable();
        let rule = format!("the variable of {service} is always {expected}");
        self.read(service, "variable", &rule, |item| (item.as_str() == Some(expected)).then_some(())).map(drop)
    }

    /// An entry, if it is there. `rule` says what is allowed when `parse` refuses it.
    fn read<T>(
        &self,
        service: Service,
        name: &str,
        rule: &str,
        parse: impl FnOnce(&Item) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((key, item)) = self.entry(service, name) else {
            return Ok(None);
        };
        let flaw = || {
            let found = raw_value(&self.document, item).shown;
            self.flaw(key, format!("{}.{name} is {found}; {rule}", service.id()))
        };
        parse(item).map(Some).ok_or_else(flaw)
    }

    fn ports(&self, item: &Item) -> Option<Vec<u16>> {
        let port = |value: &Value| value.as_integer().and_then(|it| u16::try_from(it).ok()).filter(|port| *port != 0);
        item.as_array()?.iter().map(port).collect()
    }

    fn range(&self, item: &Item) -> Option<RangeInclusive<u16>> {
        match self.ports(item)?[..] {
            [first, last] if first <= last => Some(first..=last),
            _ => None,
        }
    }

    fn row(&self, service: Service) -> Option<&dyn TableLike> {
        self.document.get(service.id())?.as_table_like()
    }

    fn entry(&self, service: Service, name: &str) -> Option<(&toml_edit::Key, &Item)> {
        self.row(service)?.get_key_value(name)
    }

    fn line(&self, name: &toml_edit::Key) -> Option<u32> {
        name.span().map(|span| line_number(self.document.raw(), span.start))
    }

    fn origin(&self, name: &toml_edit::Key) -> Origin {
        Origin { layer: Layer::PortTable, file: Some(self.path.clone()), line: self.line(name), variable: None }
    }

    fn unknown(&self, key: String, name: &toml_edit::Key) -> Warning {
        Warning::UnknownKey { key, origin: self.origin(name) }
    }

    fn flaw(&self, name: &toml_edit::Key, problem: String) -> ConfigError {
        ConfigError::Syntax { path: self.path.clone(), line: self.line(name).unwrap_or(1), problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<PortTable, ConfigError> {
        PortTableFile::parse(Path::new("ports.conf"), text)?.table()
    }

    #[test]
    fn an_empty_file_leaves_the_built_in_table() {
        assert_eq!(table("").unwrap(), PortTable::default(), "what is left out is built in");
        let health = PortTable::default();
        let candidates: Vec<_> = health.get(Service::Health).candidates().take(4).collect();
        assert_eq!(candidates, [8080, 8180, 10080, 10000], "the guide's table first, then its range");
    }

    #[test]
    fn each_entry_replaces_the_built_in_one_and_nothing_else() {
        let found =
            table("[prometheus]\nalternatives = []\n[health]\ndefault = 8081\nrange = [20000, 20000]\n").unwrap();
        let expected = ServicePorts { alternatives: Vec::new(), ..ServicePorts::built_in(Service::Prometheus) };
        assert_eq!(*found.get(Service::Prometheus), expected, "no alternatives is a choice");
        let expected = ServicePorts { default: 8081, range: 20000..=20000, ..ServicePorts::built_in(Service::Health) };
        assert_eq!(*found.get(Service::Health), expected, "the alternatives stay");
        let untouched = ServicePorts::built_in(Service::McpHttp);
        assert_eq!(*found.get(Service::McpHttp), untouched, "a service that is left out keeps its row");
    }

    #[test]
    fn every_spelling_of_a_table_is_read() {
        for text in ["health.default = 8081", "health = { default = 8081 }", "[\"health\"]\r\ndefault = 8_081\r\n"] {
            assert_eq!(table(text).unwrap().get(Service::Health).default, 8081, "{text:?}");
        }
    }

    #[test]
    fn a_bad_entry_is_named_with_its_line_and_what_is_allowed() {
        let cases = [
            ("default = 0", "health.default is 0; a port is a whole number from 1 to 65535, without quotes. Edit"),
            ("default = \"8080\"", "health.default is \"8080\"; a port is"),
            ("alternatives = 8180", "health.alternatives is 8180; alternatives are a list of ports; a port is"),
            ("alternatives = [8180, 0]", "health.alternatives is [8180, 0]; alternatives are"),
            ("alternatives = [65536]", "health.alternatives is [65536];"),
            ("alternatives = [\"8180\"]", "health.alternatives is [\"8180\"];"),
            ("range = [10100, 10000]", "health.range is [10100, 10000]; a range is its first and its last port;"),
            ("range = [10000]", "health.range is [10000];"),
            ("range = \"10000-10100\"", "health.range is \"10000-10100\";"),
            (
                "variable = \"PORT\"",
                "health.variable is \"PORT\"; the variable of Health check is always HEALTH_CHECK_PORT.",
            ),
            ("default = = 1", ""),
        ];
        for (line, expected) in cases {
            let message = table(&format!("# mine\n[health]\n{line}\n")).unwrap_err().to_string();
            let expected = format!("ports.conf:3: {expected}");
            assert!(message.starts_with(&expected), "{message} must begin with {expected}");
            assert!(!message.contains('\n'), "an error is one line, for a terminal and a log: {message}");
        }
        let message = table("\nhealth = 8080\n").unwrap_err().to_string();
        assert!(message.starts_with("ports.conf:2: health must be a table, [health]."), "{message}");
    }

    #[test]
    fn unknown_names_are_reported_with_their_line() {
        let file = PortTableFile::parse(Path::new("ports.conf"), "[health]\nport = 1\n\n[web]\na = 1\n").unwrap();
        let warnings: Vec<_> = file.warnings().iter().map(ToString::to_string).collect();
        let expected = [
            "ports.conf:2: health.port is no setting and has no effect.",
            "ports.conf:4: web is no setting and has no effect.",
        ];
        assert_eq!(warnings, expected, "a typing mistake must not pass in silence");
    }
}
