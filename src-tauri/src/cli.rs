//! The command line of the panel.
//!
//! Only reads it. What a default means is decided where the configuration is found.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// What a person asked for when starting the panel.
#[derive(Debug, Default, PartialEq, Eq, Parser)]
#[command(name = "cwts-ultra-panel", version, about = "The desktop control panel of CWTS Ultra")]
pub(crate) struct Arguments {
    /// Open without starting the services
    #[arg(long)]
    pub(crate) stopped: bool,
    /// Start in the tray, without showing the window
    #[arg(long)]
    pub(crate) hidden: bool,
    /// Configuration file in place of production.toml; looked up in the working folder, then in config/
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Instance to show; the environment's ports are for it alone [default: CWTS_INSTANCE_ID, then "default"]
    #[arg(long, value_name = "ID")]
    pub(crate) instance: Option<String>,
    /// Home folder [default: CWTS_HOME, then ~/.local/cwts-ultra]
    #[arg(long, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
}

/// Why the program ends before it has done anything.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `--help` or `--version`: the text for stdout.
    Answer(String),
    /// One line that names the argument and the remedy.
    Usage(String),
}

/// Reads the command line; the first element is the program's name.
///
/// # Errors
/// The person asked for a text, or an argument is unknown or lacks its value.
pub(crate) fn parse<T: Into<OsString> + Clone>(words: impl IntoIterator<Item = T>) -> Result<Arguments, Refusal> {
    Arguments::try_parse_from(words).map_err(|error| {
        let text = error.render().to_string();
        if error.use_stderr() { Refusal::Usage(one_line(&text)) } else { Refusal::Answer(text) }
    })
}

/// clap's fact and tip without the usage block, which `--help` repeats.
fn one_line(text: &str) -> String {
    let fact = text.lines().next().unwrap_or_default();
    let fact = fact.strip_prefix("error: ").unwrap_or(fact);
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    match tip {
        Some(tip) => format!("{fact}; {tip}, see --help"),
        None => format!("{fact}; see --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Arguments, Refusal> {
        parse(["cwts-ultra-panel"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn without_arguments_the_window_opens_and_the_services_start() {
        assert_eq!(words(""), Ok(Arguments::default()), "a click on the icon must be enough");
    }

    #[test]
    fn every_option_of_the_interface_is_understood() {
        let expected = Arguments {
            stopped: true,
            hidden: true,
            config: Some("instance1.toml".into()),
            instance: Some("1".to_owned()),
            home: Some("/srv/cwts".into()),
        };
        let found = words("--stopped --hidden --config instance1.toml --instance 1 --home /srv/cwts");
        assert_eq!(found, Ok(expected), "scripts and autostart entries rely on these names");
    }

    #[test]
    fn a_mistyped_option_is_one_line_with_the_remedy() {
        let Err(Refusal::Usage(line)) = words("--stoped") else { panic!("an unknown option must be refused") };
        assert!(line.contains("--stoped"), "the line names what is wrong: {line}");
        assert!(line.contains("--stopped") && line.contains("--help"), "and what to do: {line}");
        assert_eq!(line.lines().count(), 1, "an error is one line: {line}");
    }

    #[test]
    fn an_option_without_its_value_is_one_line() {
        let Err(Refusal::Usage(line)) = words("--home") else { panic!("a missing value must be refused") };
        assert!(line.contains("--home") && line.lines().count() == 1, "the line names the option: {line}");
    }

    #[test]
    fn version_and_help_are_answers_not_errors() {
        let Err(Refusal::Answer(version)) = words("--version") else { panic!("--version must answer") };
        assert_eq!(version.trim(), concat!("cwts-ultra-panel ", env!("CARGO_PKG_VERSION")), "scripts read this");
        let Err(Refusal::Answer(help)) = words("--help") else { panic!("--help must answer") };
        assert!(help.contains("--stopped"), "the help lists the options: {help}");
    }
}
