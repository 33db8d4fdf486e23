//! Wrong usage in one line: the word that is wrong, and what is right.

use std::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Arguments;

/// What the person typed, or the status to end with: 0 after help or version, 2 after wrong usage.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        if error.use_stderr() {
            eprintln!("error: {}", line(&error));
            return ExitCode::from(2);
        }
        // A reader that closes early has read enough.
        error.print().ok();
        ExitCode::SUCCESS
    })
}

fn line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let usage = rendered.lines().find(|line| line.starts_with("Usage:"));
    let remedy = usage.unwrap_or("See cwts-ultra --help.");
    let suggestion = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| said(error, kind))
        .map_or(String::new(), |word| format!(" Did you mean {word}?"));
    format!("{}{suggestion} {remedy}", fact(error, &rendered))
}

/// What is wrong, as a sentence. `rendered` is clap's own text.
fn fact(error: &clap::Error, rendered: &str) -> String {
    let said = |kind| said(error, kind).unwrap_or_default();
    let (word, value) = (said(ContextKind::InvalidArg), said(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidSubcommand => format!("There is no command {}.", said(ContextKind::InvalidSubcommand)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => missing_command(rendered),
        ErrorKind::UnknownArgument => format!("{word} is not known here."),
        ErrorKind::MissingRequiredArgument => format!("{word} is missing."),
        ErrorKind::InvalidValue if value.is_empty() => format!("{word} needs a value."),
        ErrorKind::InvalidValue => {
            format!("{word} cannot be {value:?}; it is one of {}.", said(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            let reason = error.source().map(ToString::to_string).unwrap_or_default();
            let range = reason.split_once(" is not in ").and_then(|(_, range)| range.split_once("..="));
            let reason = match range {
                Some((low, high)) => format!("use {low} to {high}"),
                None => reason.replace("invalid digit found in string", "it is no whole number"),
            };
            format!("{word} cannot be {value:?}: {reason}.")
        }
        _ => {
            let first = rendered.lines().next().unwrap_or_default();
            format!("{}.", first.trim_start_matches("error: ").trim_end_matches(':'))
        }
    }
}

/// clap answers with the whole help where a command of several words ends too early.
fn missing_command(help: &str) -> String {
    let usage = help.lines().find_map(|line| line.strip_prefix("Usage: ")).unwrap_or_default();
    let command: Vec<_> = usage.split_whitespace().take_while(|word| !word.starts_with(['[', '<'])).collect();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<_> = names.filter_map(|line| line.split_whitespace().next()).filter(|it| *it != "help").collect();
    format!("{} needs one of {}.", command.join(" "), names.join(", "))
}

fn said(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::None => None,
        value => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> String {
        let all = std::iter::once("cwts-ultra").chain(arguments.iter().copied());
        line(&Arguments::try_parse_from(all).expect_err("wrong usage"))
    }

    #[test]
    fn wrong_usage_is_told_in_one_line_with_the_word_and_the_remedy() {
        let cases = [
            (&["fly"][..], "There is no command fly.", "Usage: cwts-ultra [OPTIONS] [COMMAND]"),
            (&["ruin"], "There is no command ruin. Did you mean run?", "Usage: cwts-ultra"),
            (&["run", "--fast"], "--fast is not known here.", "Usage: cwts-ultra run [OPTIONS]"),
            (&["config"], "cwts-ultra config needs one of show, get, set, check", "Usage: cwts-ultra config"),
            (&["config", "set", "mcp.mcp_port"], "<VALUE> is missing.", "Usage: cwts-ultra config set"),
            (
                &["config", "set", "a", "1", "--layer", "tom"],
                "cannot be \"tom\"; it is one of env-file, toml",
                "--help",
            ),
            (&["audit", "--limit", "0"], "--limit <N> cannot be \"0\": use 1 to 500.", "--help"),
            (&["audit", "--limit", "all"], "--limit <N> cannot be \"all\": it is no whole number.", "--help"),
            (&["--home"], "--home <DIR> needs a value.", "--help"),
            (&["--json=5"], "unexpected value '5'", "Usage: cwts-ultra"),
        ];
        for (arguments, fact, remedy) in cases {
            let line = told(arguments);
            assert!(line.contains(fact) && line.contains(remedy), "{arguments:?} must be told in full: {line}");
            assert!(!line.contains('\n') && !line.contains('\u{1b}'), "a script reads one plain line: {line:?}");
        }
    }
}
