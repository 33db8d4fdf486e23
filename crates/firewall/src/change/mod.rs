//! One change of a firewall as the argument vector that makes it, the way back, and how to see whether it is in place.
//!
//! Pure text. A vector that [`Change::parse`] accepts is one that [`Change::argv`] writes, so that nothing else ever runs
//! with a person's password.

mod firewalld;
mod iptables;
mod nftables;
mod ufw;

use crate::shell;
use crate::{Comment, Family, FirewallError, Name, NftChain, Source, Tool};

/// Whether a rule lets connections in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Connections are let in.
    Allow,
    /// Connections are dropped.
    Deny,
}

/// Whose new connections to one TCP port are let in or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// What happens to them.
    pub verdict: Verdict,
    /// Where they come from; `None` for everywhere, IPv4 and IPv6.
    pub source: Option<Source>,
    /// The port of this computer.
    pub port: u16,
}

/// One change, which one command makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// A rule before all others of ufw.
    Ufw {
        /// The rule.
        rule: Rule,
        /// What it says about itself.
        comment: Comment,
    },
    /// A rich rule of firewalld. It has no comment there.
    Firewalld {
        /// The rule.
        rule: Rule,
        /// The zone; `None` for the default zone.
        zone: Option<Name>,
        /// In the saved configuration, or in the rules in force.
        permanent: bool,
        /// Before the rules that deny, which else come first.
        first: bool,
    },
    /// A rule before all others of the chain INPUT.
    Iptables {
        /// The rule.
        rule: Rule,
        /// What it says about itself.
        comment: Comment,
        /// `iptables` or `ip6tables`.
        family: Family,
    },
    /// A rule before all others of a chain that exists.
    NftRule {
        /// The rule.
        rule: Rule,
        /// What it says about itself, and no other rule does.
        comment: Comment,
        /// The chain.
        chain: NftChain,
    },
    /// A table of our own, in place of an earlier one of the same name: it lets the allowed sources in, drops all other
    /// connections to their ports, and leaves every other port alone.
    NftTable {
        /// The name of the table.
        table: Name,
        /// What is allowed.
        rules: Vec<(Rule, Comment)>,
    },
}

/// How a change is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// By a command.
    Run(Vec<String>),
    /// By the handle that the rules of a chain have at that moment, found by their comment.
    DeleteNftRule {
        /// The chain.
        chain: NftChain,
        /// The comment.
        comment: Comment,
    },
}

/// How to see whether a change is in place: a command that succeeds then and prints the texts, if there are any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The command.
    pub argv: Vec<String>,
    /// Each of them starts a line of what it prints, blanks before it aside.
    pub lines: Vec<String>,
}

impl Change {
    /// The tool whose rules it changes.
    pub fn tool(&self) -> Tool {
        match self {
            Self::Ufw { .. } => Tool::Ufw,
            Self::Firewalld { .. } => Tool::Firewalld,
            Self::Iptables { .. } => Tool::Iptables,
            Self::NftRule { .. } | Self::NftTable { .. } => Tool::Nftables,
        }
    }

    /// The rules that it adds.
    pub fn rules(&self) -> Vec<Rule> {
        match self {
            Self::Ufw { rule, .. }
            | Self::Firewalld { rule, .. }
            | Self::Iptables { rule, .. }
            | Self::NftRule { rule, .. } => vec![*rule],
            Self::NftTable { rules, .. } => rules.iter().map(|(rule, _)| *rule).collect(),
        }
    }

    /// The command that makes it, for root.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Ufw { rule, comment } => ufw::add(rule, comment),
            Self::Firewalld { rule, zone, permanent, first } => {
                firewalld::command("add", rule, zone.as_ref(), *permanent, *first)
            }
            Self::Iptables { rule, comment, family } => iptables::command("-I", rule, comment, *family),
            Self::NftRule { rule, comment, chain } => nftables::insert(rule, comment, chain),
            Self::NftTable { table, rules } => nftables::create_table(table, rules),
        }
    }

    /// The way back.
    pub fn undo(&self) -> Undo {
        match self {
            Self::Ufw { rule, .. } => Undo::Run(ufw::delete(rule)),
            Self::Firewalld { rule, zone, permanent, first } => {
                Undo::Run(firewalld::command("remove", rule, zone.as_ref(), *permanent, *first))
            }
            Self::Iptables { rule, comment, family } => Undo::Run(iptables::command("-D", rule, comment, *family)),
            Self::NftRule { comment, chain, .. } => {
                Undo::DeleteNftRule { chain: chain.clone(), comment: comment.clone() }
            }
            Self::NftTable { table, .. } => Undo::Run(nftables::delete_table(table)),
        }
    }

    /// How to see whether it is in place.
    pub fn probe(&self) -> Probe {
        match self {
            Self::Ufw { rule, .. } => ufw::probe(rule),
            Self::Firewalld { rule, zone, permanent, first } => {
                firewalld::probe(rule, zone.as_ref(), *permanent, *first)
            }
            Self::Iptables { rule, comment, family } => {
                Probe { argv: iptables::command("-C", rule, comment, *family), lines: Vec::new() }
            }
            Self::NftRule { rule, comment, chain } => nftables::rule_probe(rule, comment, chain),
            Self::NftTable { table, rules } => nftables::table_probe(table, rules),
        }
    }

    /// The change that a vector makes.
    ///
    /// # Errors
    /// The vector is none that [`Change::argv`] writes.
    pub fn parse(argv: &[String]) -> Result<Self, FirewallError> {
        let found = match argv.first().map(String::as_str) {
            Some("ufw") => ufw::parse(argv),
            Some("firewall-cmd") => firewalld::parse(argv),
            Some("iptables" | "ip6tables") => iptables::parse(argv),
            Some("nft") => nftables::parse(argv),
            _ => None,
        };
        // What a parser overlooks would be missing, or different, when the change is written again.
        let found = found.filter(|change| change.argv() == argv);
        found.ok_or_else(|| FirewallError::ForeignChange { words: shell::line(argv) })
    }

    /// A line for a shell that makes the change, once however often it runs. `root` stands before each command that needs
    /// it, for example `sudo `.
    pub fn shell_line(&self, root: &str) -> String {
        let command = format!("{root}{}", shell::line(&self.argv()));
        let probe = format!("{root}{}", shell::line(&self.probe().argv));
        match self {
            Self::Ufw { .. } | Self::Firewalld { .. } | Self::NftTable { .. } => command,
            Self::Iptables { .. } => format!("{probe} 2>/dev/null || {command}"),
            Self::NftRule { comment, .. } => {
                let text = format!("comment \"{comment}\"");
                format!("{probe} | grep -qF {} || {command}", shell::word(&text))
            }
        }
    }

    /// A line for a shell that takes it back.
    pub fn undo_line(&self, root: &str) -> String {
        match self.undo() {
            Undo::Run(argv) => format!("{root}{}", shell::line(&argv)),
            Undo::DeleteNftRule { chain, comment } => {
                let list = shell::line(&nftables::list(&chain));
                // Of the characters that a comment may have, only the dot and the slash mean something to sed.
                let pattern = comment.to_string().replace('.', "\\.").replace('/', "\\/");
                let script = format!("s/.*comment \"{pattern}\" # handle \\([0-9]*\\)$/\\1/p");
                let script = shell::word(&script);
                format!("{root}{list} | sed -n {script} | xargs -r -n1 {root}nft delete rule {chain} handle")
            }
        }
    }
}

/// Owned words.
fn argv<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

/// The word after the first `marker`.
fn after<'a>(argv: &'a [String], marker: &str) -> Option<&'a str> {
    argv.iter().skip_while(|word| *word != marker).nth(1).map(String::as_str)
}
