//! The cases with what was expected and what was diagnosed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cwts_probe::Cause;
use cwts_tests::{Exit, Home, command, finish};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::process::Command;

/// What the code is where every rung holds and there is nothing to know.
pub(crate) const PASSED: &str = "passed";

/// One produced cause.
#[derive(Debug, Deserialize, Serialize)]
struct Case {
    what: String,
    expected: String,
    found: String,
    evidence: String,
}

/// All of them.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Matrix {
    cases: Vec<Case>,
}

/// `cwts-ultra test` for one service of a home, with more words.
pub(crate) fn test(home: &Home, service: &str, words: &[&str]) -> Command {
    let mut test = command(home);
    test.args(["test", service, "--json", "--timeout", "2"]).args(words);
    test
}

/// The same command, run by another one: in another namespace, or with other limits.
pub(crate) fn by(wrapper: &[&str], command: &Command) -> Command {
    let inner = command.as_std();
    let mut outer = Command::new(wrapper[0]);
    outer.args(&wrapper[1..]).arg(inner.get_program()).args(inner.get_args()).env_clear();
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    outer.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    outer.stderr(std::process::Stdio::piped()).kill_on_drop(true);
    outer
}

impl Matrix {
    /// Runs a test and keeps what it diagnosed, for the last service where it names several.
    pub(crate) async fn expect(&mut self, expected: &str, what: &str, test: Command) {
        self.keep(expected, what, &finish(test).await);
    }

    /// Keeps what a test diagnosed that has ended.
    pub(crate) fn keep(&mut self, expected: &str, what: &str, exit: &Exit) {
        let report = report(exit, what);
        let diagnosis = &report["diagnosis"];
        let found = diagnosis["code"].as_str().unwrap_or(PASSED).to_owned();
        assert_eq!(exit.status, Some(i32::from(report["ok"] != true)), "{what}: the status tells: {exit:?}");
        assert!(report["ok"] == true || diagnosis.is_object(), "{what}: what fails has a cause: {report}");
        self.cases.push(Case {
            what: what.to_owned(),
            expected: expected.to_owned(),
            found,
            evidence: report.to_string(),
        });
    }

    fn codes(&self) -> BTreeSet<&str> {
        self.cases.iter().flat_map(|case| [case.expected.as_str(), case.found.as_str()]).collect()
    }

    /// Rows are what was produced, columns what was diagnosed.
    fn text(&self) -> String {
        let codes: Vec<&str> = self.codes().into_iter().collect();
        let numbers: String = (1..=codes.len()).map(|number| format!("{number:>3}")).collect();
        let mut text = format!("{} cases, {} causes\n{:<38}{numbers}\n", self.cases.len(), codes.len(), "");
        for (row, expected) in codes.iter().enumerate() {
            text.push_str(&format!("{:>3} {expected:<34}", row + 1));
            for found in &codes {
                let both = |case: &&Case| case.expected == *expected && case.found == *found;
                match self.cases.iter().filter(both).count() {
                    0 => text.push_str("  ."),
                    count => text.push_str(&format!("{count:>3}")),
                }
            }
            text.push('\n');
        }
        text
    }

    /// Keeps the cases for the process outside of the sandbox.
    pub(crate) fn save(&self) {
        let cases = serde_json::to_vec(self).expect("cases are JSON");
        std::fs::write(file(), cases).expect("the folder of the build is writable");
    }

    /// The cases that the sandbox has left; none where it could not be made.
    pub(crate) fn saved() -> Self {
        std::fs::read(file()).ok().and_then(|cases| serde_json::from_slice(&cases).ok()).unwrap_or_default()
    }

    pub(crate) fn print(&self) {
        println!("{}", self.text());
    }

    /// Every cause of the table was produced.
    pub(crate) fn assert_complete(&self) {
        let produced: BTreeSet<&str> = self.cases.iter().map(|case| case.expected.as_str()).collect();
        let codes = Cause::ALL.iter().map(|cause| cause.code());
        let missing: Vec<String> = codes.filter(|code| !produced.contains(code.as_str())).collect();
        assert!(missing.is_empty(), "nobody has seen these causes yet: {missing:?}");
    }

    /// Every case was diagnosed as what it is.
    pub(crate) fn assert_diagonal(&self) {
        let wrong: Vec<String> = self
            .cases
            .iter()
            .filter(|case| case.expected != case.found)
            .map(|case| format!("{}: {} for {}\n    {}", case.what, case.found, case.expected, case.evidence))
            .collect();
        assert!(wrong.is_empty(), "a wrong cause sends a person the wrong way:\n{}\n{}", wrong.join("\n"), self.text());
    }
}

fn file() -> PathBuf {
    let suite = std::env::current_exe().expect("the path of the test executable");
    suite.with_file_name("diagnosis-cases.json")
}

fn report(exit: &Exit, what: &str) -> Value {
    let reports: Value =
        serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{what}: {error} in {exit:?}"));
    reports.as_array().and_then(|reports| reports.last()).cloned().unwrap_or_default()
}
