//! What stands in the trail, and the words for it.

use std::net::IpAddr;

use cwts_config::{Key, Restored};
use cwts_credentials::{CertificateInfo, Scope};
use cwts_domain::{Actor as Trader, Group, Timestamp, TradingState};
use cwts_firewall::{Change, Outcome, Report, Task};
use serde::{Deserialize, Serialize};

use crate::exposure::Exposure;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Actor {
    /// A person in the panel.
    Panel,
    /// `cwts-ultra` on the command line.
    CommandLine,
    /// A client of the REST API, `cwts-ultra arm` among them.
    Rest {
        /// What its token allows.
        scope: Scope,
        /// Its address.
        #[cfg_attr(feature = "wire", ts(type = "string"))]
        from: IpAddr,
    },
    /// A client of MCP, over WebSocket or HTTP.
    Mcp {
        /// What its token allows.
        scope: Scope,
        /// Its address.
        #[cfg_attr(feature = "wire", ts(type = "string"))]
        from: IpAddr,
    },
    /// Whoever wrote a file; no part of this program says that it was it.
    HandEdit,
    /// The program itself, as a consequence of something else.
    Program,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A token that was missing was made.
    TokenMade,
    /// A token was replaced; what held the old one ended.
    TokenReplaced,
    /// A certificate was made where there was none.
    CertificateMade,
    /// A certificate was taken over from files.
    CertificateImported,
    /// A certificate took the place of another one.
    CertificateRenewed,
    /// A certificate was removed.
    CertificateRemoved,
    /// A person said whether a network is trusted.
    NetworkJudged,
    /// Services listen on more addresses, or serve other computers that were refused.
    ReachWidened,
    /// The reverse.
    ReachNarrowed,
    /// Orders are taken although other computers are served.
    TradingArmed,
    /// Orders are refused while other computers are served.
    TradingDisarmed,
    /// Orders can only be cancelled from now on.
    TradingHalted,
    /// Only orders that make a position smaller are taken.
    TradingReduced,
    /// Orders are taken again.
    TradingResumed,
    /// Other computers were refused.
    RemoteRefused,
    /// Wrong tokens were presented.
    LoginFailed,
    /// Firewall rules were added.
    FirewallApplied,
    /// Firewall rules were taken back.
    FirewallUndone,
    /// A setting has another value.
    SettingChanged,
    /// A limit of the paper account has another value.
    LimitChanged,
    /// The paper account has its opening cash again.
    AccountReset,
    /// The last good copy took the place of a damaged file.
    SettingsRestored,
    /// A person changed who may trade, or orders of the paper account, by hand.
    TradedByHand,
}

impl Actor {
    /// Who that is to the exchange. Without the owner's token nobody is known to be a person.
    pub(crate) fn trader(self) -> Trader {
        match self {
            Self::Panel | Self::CommandLine | Self::HandEdit | Self::Rest { scope: Scope::Owner, .. } => Trader::Person,
            Self::Rest { .. } | Self::Mcp { .. } => Trader::Agent,
            Self::Program => Trader::System,
        }
    }
}

/// Something to be told, before it has a place in the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// Of what: a scope, a setting, `mcp`, `monitoring`, `trading`, a firewall tool.
    pub subject: String,
    /// How it was.
    pub before: Option<String>,
    /// How it is.
    pub after: Option<String>,
    /// The commands that were run, as lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// One sentence for people.
    pub text: String,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditRecord {
    /// Grows by one with every line.
    #[cfg_attr(feature = "wire", ts(type = "number"))]
    pub sequence: u64,
    /// When, in RFC 3339 and UTC.
    pub at: String,
    /// The rest.
    #[serde(flatten)]
    pub entry: AuditEntry,
}

impl AuditEntry {
    fn new(actor: Actor, action: Action, subject: impl Into<String>, text: impl Into<String>) -> Self {
        let (subject, text) = (subject.into(), text.into());
        Self { actor, action, subject, before: None, after: None, commands: Vec::new(), text }
    }

    /// A token that was missing was made. A token is known by when it was made, never by itself.
    pub fn token_made(actor: Actor, scope: Scope, made_at: Timestamp) -> Self {
        let entry = Self::new(actor, Action::TokenMade, scope.id(), format!("The {scope} token was made."));
        Self { after: Some(format!("made {made_at}")), ..entry }
    }

    /// A token was replaced by one that was made at `made_at`.
    pub fn token_replaced(actor: Actor, scope: Scope, before: Option<Timestamp>, made_at: Timestamp) -> Self {
        let text = format!("The {scope} token was replaced; what held the old one ended.");
        let entry = Self::new(actor, Action::TokenReplaced, scope.id(), text);
        Self { before: before.map(|at| format!("made {at}")), after: Some(format!("made {made_at}")), ..entry }
    }

    /// A certificate was made where there was none, or took the place of the one with the fingerprint `before`.
    pub fn certificate_made(actor: Actor, before: Option<String>, made: &CertificateInfo) -> Self {
        let (action, verb) = match before {
            Some(_) => (Action::CertificateRenewed, "was replaced by one"),
            None => (Action::CertificateMade, "was made"),
        };
        Self::certificate(actor, action, verb, before, made)
    }

    /// A certificate was taken over from files.
    pub fn certificate_imported(actor: Actor, before: Option<String>, imported: &CertificateInfo) -> Self {
        Self::certificate(actor, Action::CertificateImported, "was imported", before, imported)
    }

    /// A certificate was removed.
    pub(crate) fn certificate_removed(actor: Actor, before: Option<String>) -> Self {
        let text = "The certificate was removed with its key.";
        Self { before, ..Self::new(actor, Action::CertificateRemoved, "certificate", text) }
    }

    /// A person said of a network whether it is trusted; `None` takes the word back.
    pub(crate) fn network(actor: Actor, name: &str, trusted: Option<bool>) -> Self {
        let word = match trusted {
            Some(true) => "trusted",
            Some(false) => "not trusted",
            None => "not judged any more",
        };
        let entry = Self::new(actor, Action::NetworkJudged, name, format!("The network {name} is {word}."));
        Self { after: Some(word.to_owned()), ..entry }
    }

    fn certificate(actor: Actor, action: Action, verb: &str, before: Option<String>, info: &CertificateInfo) -> Self {
        let end = Timestamp(info.not_after.saturating_mul(1_000_000));
        let text = format!("The certificate {verb} for {}; it ends {end}.", info.names.join(", "));
        let after = Some(info.fingerprint.clone());
        Self { before, after, ..Self::new(actor, action, "certificate", text) }
    }

    /// A setting has another value.
    pub fn setting(actor: Actor, key: Key, before: impl Into<String>, after: impl Into<String>) -> Self {
        let (before, after) = (before.into(), after.into());
        let word = |value: &str| if value.is_empty() { "nothing".to_owned() } else { value.to_owned() };
        let text = format!("{key} was changed from {} to {}.", word(&before), word(&after));
        let entry = Self::new(actor, Action::SettingChanged, key.id(), text);
        Self { before: Some(before), after: Some(after), ..entry }
    }

    /// Trading was armed or disarmed.
    pub fn trading(actor: Actor, armed: bool) -> Self {
        let (action, text) = match armed {
            true => (Action::TradingArmed, "Trading was armed: orders are taken while other computers are served."),
            false => (Action::TradingDisarmed, "Trading was disarmed: no orders while other computers are served."),
        };
        let words = |armed: bool| Some(if armed { "armed" } else { "read-only" }.to_owned());
        Self { before: words(!armed), after: words(armed), ..Self::new(actor, action, "trading", text) }
    }

    /// A limit of the paper account has another value.
    pub(crate) fn limit(actor: Actor, name: &str, before: String, after: String) -> Self {
        let text = format!("The limit {name} was changed from {before} to {after}.");
        let entry = Self::new(actor, Action::LimitChanged, format!("limits.{name}"), text);
        Self { before: Some(before), after: Some(after), ..entry }
    }

    /// The paper account was reset; `before` is what it was worth.
    pub(crate) fn account_reset(actor: Actor, before: String, after: String) -> Self {
        let text = format!("The paper account was reset: it has {after} USD again, after {before} USD.");
        let entry = Self::new(actor, Action::AccountReset, "account", text);
        Self { before: Some(before), after: Some(after), ..entry }
    }

    /// Trading was halted, reduced, or goes on.
    pub(crate) fn trading_state(actor: Actor, state: TradingState) -> Self {
        let (action, text) = match state {
            TradingState::Halted => (Action::TradingHalted, "Trading was halted: orders can only be cancelled."),
            TradingState::Reducing => {
                (Action::TradingReduced, "Trading was reduced: only orders that make a position smaller are taken.")
            }
            TradingState::Active => (Action::TradingResumed, "Trading goes on: orders are taken again."),
        };
        Self { after: Some(state.id().to_owned()), ..Self::new(actor, action, "trading", text) }
    }

    /// The last good copy took the place of a damaged file.
    pub fn restored(actor: Actor, restored: &Restored) -> Self {
        let file = restored.file.display().to_string();
        let text = format!("{file} is its last good copy again.");
        let after = restored.aside.as_ref().map(|aside| format!("the damaged file is {}", aside.display()));
        Self { after, ..Self::new(actor, Action::SettingsRestored, file, text) }
    }

    /// What a person did by hand, as one sentence.
    pub(crate) fn by_hand(text: impl Into<String>) -> Self {
        Self::new(Actor::Panel, Action::TradedByHand, "trading", text)
    }

    /// Requests of strangers since the last entry of the kind, `latest` the last of them.
    pub(crate) fn strangers(action: Action, count: u64, latest: IpAddr) -> Self {
        let what = match (action, count) {
            (Action::LoginFailed, 1) => "1 wrong token was presented",
            (Action::LoginFailed, _) => "wrong tokens were presented",
            (_, 1) => "1 request of another computer was refused",
            _ => "requests of other computers were refused",
        };
        let text = match count {
            1 => format!("{what}, from {latest}."),
            _ => format!("{count} {what}, the latest from {latest}."),
        };
        Self { after: Some(count.to_string()), ..Self::new(Actor::Program, action, latest.to_string(), text) }
    }

    /// Firewall rules were added or taken back, as the report says; `None` where none was.
    pub fn firewall(actor: Actor, task: Task, changes: &[Change], report: &Report) -> Option<Self> {
        let (action, verb) = match task {
            Task::Apply => (Action::FirewallApplied, "added"),
            Task::Undo => (Action::FirewallUndone, "taken back"),
            Task::Check => return None,
        };
        let both = changes.iter().zip(&report.outcomes);
        let made = both.filter(|(_, outcome)| matches!(outcome, Outcome::Done | Outcome::LeftBehind));
        let made: Vec<&Change> = made.map(|(change, _)| change).collect();
        let tool = made.first()?.tool();
        let rules = if made.len() == 1 { "rule was" } else { "rules were" };
        let text = format!("{} firewall {rules} {verb} with {tool}.", made.len());
        let line = |change: &&Change| if task == Task::Undo { change.undo_line("") } else { change.shell_line("") };
        let commands = made.iter().map(line).collect();
        Some(Self { commands, ..Self::new(actor, action, tool.id(), text) })
    }

    /// A group of services reaches further, or less far.
    pub(crate) fn reach(actor: Actor, group: Group, before: Reach, after: Reach, origin: &str) -> Self {
        let action = if after > before { Action::ReachWidened } else { Action::ReachNarrowed };
        let name = match group {
            Group::Mcp => "MCP",
            Group::Monitoring => "Monitoring",
        };
        let text = match after {
            Reach::Here => format!("{name} no longer reaches beyond this computer."),
            Reach::Beyond { served: false, address, .. } => {
                format!("{name} listens on {address} (set by {origin}); other computers are refused.")
            }
            Reach::Beyond { served: true, address, .. } => {
                format!("{name} is served to other computers on {address} (set by {origin}).")
            }
        };
        let subject = if group == Group::Mcp { "mcp" } else { "monitoring" };
        let entry = Self::new(actor, action, subject, text);
        Self { before: Some(before.words()), after: Some(after.words()), ..entry }
    }

    /// Whether both tell of the same fact, whoever did it.
    pub(crate) fn is_same_fact(&self, other: &Self) -> bool {
        self.subject == other.subject && self.after.is_some() && self.after == other.after
    }
}

/// How far a group of services reaches, the smaller the less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Stopped, or bound to loopback.
    #[default]
    Here,
    /// Bound beyond it.
    Beyond {
        /// Whether other computers are served.
        served: bool,
        /// Whether that is every address.
        every: bool,
        /// The address.
        address: IpAddr,
    },
}

impl Reach {
    pub(crate) fn of(address: IpAddr, exposure: Exposure) -> Self {
        match exposure {
            Exposure::Local => Self::Here,
            _ => {
                Self::Beyond { served: exposure.is_exposed(), every: address.to_canonical().is_unspecified(), address }
            }
        }
    }

    fn words(self) -> String {
        match self {
            Self::Here => "this computer only".to_owned(),
            Self::Beyond { served: true, address, .. } => format!("{address}, others served"),
            Self::Beyond { served: false, address, .. } => format!("{address}, others refused"),
        }
    }
}
