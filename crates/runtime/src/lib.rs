//! One instance: engine, market and services; the snapshot; the change of settings as a transaction.
//!
//! [`Host`] owns the tokio runtime of the services, [`Instance`] is what a program holds, a [`Supervisor`] holds several
//! by id, [`ServiceFactory`] is how a program hands in what answers on the ports: this crate never sees a protocol.

mod access;
mod audit;
mod away;
mod candles;
mod change;
mod check;
mod clients;
mod conflict;
mod connected;
mod connection_test;
mod control;
mod core;
mod desk;
mod diagnostics;
mod edit;
mod elevated;
mod elsewhere;
mod exchange;
mod exposure;
mod fallback;
mod feeds;
mod findings;
mod firewall;
mod follow;
mod host;
mod instance;
mod journal;
mod json_file;
mod keeper;
mod limits;
mod lock;
mod logins;
mod logs;
mod market;
mod meter;
mod metrics;
mod names;
mod network_manager;
mod network_trust;
mod operation;
mod policy;
mod port_facts;
mod port_watch;
mod profiles;
mod refusals;
mod release;
mod renew;
mod risk;
mod rules;
mod sampler;
mod security;
mod services;
mod sessions;
mod snapshot;
mod standing;
mod supervisor;
mod surroundings;
mod survey;
mod telemetry;
mod tls;
mod trading;
mod view;

pub use access::{Access, Caller, Denied, LastUse};
pub use audit::{Action, Actor, AuditEntry, AuditPage, AuditRecord, Trail};
pub use away::missing_addresses;
pub use candles::Candle;
pub use clients::{
    ClientFacts, ClientProgram, Issued, Place, ProgramInfo, QrCode, Snippet, SnippetNote, StaleSnippet, Transport,
    Trial,
};
pub use connected::{
    ClientError, ClientInfo, Connected, ConnectedClient, ConnectedClients, Link, NewClient, printable,
};
pub use connection_test::{ServiceTest, TestChoice, TestPlan, TestRequest, TestToken, parse_host, test_connections};
pub use control::{InstanceRow, SettingsView};
pub use cwts_config::HostNames;
pub use cwts_credentials::{CertificateInfo, Scope, TrustStep};
pub use cwts_engine::{Account, Exchange, Fill, Market, Order, Position, Role, Trade, decide};
pub use cwts_journal::JournalError;
pub use cwts_net::{Connection, ConnectionLimits, InterfaceAddress, InterfaceKind};
pub use cwts_ports::ListenerRow;
pub use cwts_probe::CLIENT_NAME as TEST_CLIENT;
pub use cwts_probe::{Diagnosis, FixAction, Progress, Repetitions, Rung, Step, Timeout};
pub use cwts_risk::{Confidence, exposure};
pub use desk::{
    DeskAccount, DeskFill, DeskInstrument, DeskMarket, DeskMessage, DeskNews, DeskOrder, DeskPosition, DeskTrading,
    DeskWatch, MarketRequest, OrderChange, OrderTicket, TicketPreview, TradingSummary,
};
pub use diagnostics::{diagnostics_name, write_diagnostics};
pub use edit::{SaveTarget, SettingChange, SettingsEdit};
pub use elsewhere::{TradingOrder, arm_running, end_instance, order_trading, running_addresses, tell_owner};
pub use exchange::{ExchangeError, ExchangeHandle};
pub use exposure::{Exposure, RemoteRefusal};
pub use feeds::Topic;
pub use firewall::{
    FirewallChoice, FirewallResult, FirewallService, FirewallTask, FirewallView, OwnSubnet, listeners, own_subnets,
};
pub use host::Host;
pub use instance::Instance;
pub use journal::{JournalCheck, Kept, check_journal, kept};
pub use limits::{AccountLimits, LimitsChange};
pub use lock::{RunningInstance, running_instances};
pub use logins::FailedLogins;
pub use logs::{LogLine, LogPage, begin_log, log_folder, log_page, redacted};
pub use market::{
    MarketFile, MarketState, MarketStatus, NoSpeed, ReplayRequest, ReplayStatus, SimulatorView, Speed,
    look_at_market_file,
};
pub use meter::Meter;
pub use metrics::{Families, Metrics};
pub use names::server_names;
pub use network_manager::NetworkManager;
pub use network_trust::{Described, Network, NetworkSource, NetworkTrust, NoSource};
pub use policy::Policy;
pub use port_facts::{Alternatives, Conflict, Owner, OwnerKind, PortCheck, PortCheckState, RangeCheck};
pub use port_watch::{PortNews, PortWatch};
pub use profiles::{
    NewInstance, PortSet, ProfileInfo, check_new_port, create_instance, free_port_sets, remove_instance,
};
pub use refusals::{RefusalReason, Refused};
pub use release::{PATIENCE, Release, Released, WayOut, further_addresses, look, release, ways_out};
pub use risk::{DrawdownFigures, Holding, RiskFigures, RiskQuestion, SampleFacts, TailFigures, VolatilityFigures};
pub use security::{
    AuthorityView, CertificateView, FirewallSummary, PemSource, ReachEdit, Security, SecurityView, TokenView,
};
pub use services::ServiceFactory;
pub use snapshot::*;
pub use standing::Standing;
pub use supervisor::Supervisor;
pub use surroundings::Surroundings;
pub use survey::PortSurvey;
pub use trading::TradingStatus;
pub use view::reachable_here;
