//! The panel's TypeScript types are generated from the Rust types, and this test fails when they differ.
//!
//! `UPDATE_WIRE=1 cargo test -p cwts-runtime --features wire --test wire` writes them anew.
#![cfg(feature = "wire")]

use std::path::PathBuf;

use cwts_config::{AuthMode, Layer, Origin, Shadowed, Sourced, TlsMode};
use cwts_domain::{CancelReason, ErrorCode, OrderStatus, Problem, Service, Side, TimeInForce, TradingState};
use cwts_firewall::{Detection, Incoming, Outcome, Tool, ToolFinding, ToolState};
use cwts_ports::{Holder, ListenerRow, Protocol};
use cwts_runtime::{
    AccountLimits, Action, Activity, Actor, Alternatives, AuditEntry, AuditPage, AuditRecord, AuthorityView, Candle,
    CertificateInfo, CertificateView, ClientError, ClientInfo, ClientProgram, Conflict, Connected, DeskAccount,
    DeskFill, DeskInstrument, DeskMarket, DeskMessage, DeskNews, DeskOrder, DeskPosition, DeskTrading, Diagnosis,
    DrawdownFigures, Elsewhere, Envelope, Exposure, FailedLogins, Finding, FindingLevel, FirewallChoice,
    FirewallResult, FirewallService, FirewallSummary, FirewallTask, FirewallView, FixAction, InstanceEvent,
    InterfaceAddress, InterfaceKind, Link, LogLine, LogPage, MarketFile, MarketRequest, MarketState, MarketStatus,
    MarketSummary, Network, NewInstance, OrderChange, OrderTicket, OwnSubnet, Owner, OwnerKind, PemSource, Place,
    PortCheck, PortCheckState, PortNews, PortSet, ProfileInfo, ProgramInfo, Progress, QrCode, RangeCheck, ReachEdit,
    Release, Released, Repetitions, ReplayRequest, ReplayStatus, RiskFigures, RunState, Rung, Sample, SampleFacts,
    SaveTarget, Scope, Security, SecurityView, ServiceLoad, ServiceSnapshot, ServiceState, ServiceTest, SettingChange,
    SettingsEdit, SimulatorView, Snapshot, Snippet, SnippetNote, StaleSnippet, Step, TailFigures, TestChoice,
    TicketPreview, TokenView, TradingSummary, Transport, Trial, TrustStep, VolatilityFigures, WayOut,
};
use ts_rs::{Config, TS};

fn declarations() -> String {
    let config = Config::default();
    let mut text =
        String::from("// Generated from the Rust types; `UPDATE_WIRE=1` and the test `wire` write it anew.\n");
    macro_rules! declare {
        ($($name:ty),* $(,)?) => { $(text.push_str("\nexport "); text.push_str(&<$name>::decl(&config)); text.push('\n');)* };
    }
    declare!(
        Service,
        ErrorCode,
        Problem,
        Layer,
        Origin,
        Shadowed<u16>,
        Sourced<u16>,
        Protocol,
        Holder,
        ListenerRow,
        RunState,
        ServiceState,
        PortCheckState,
        PortCheck,
        PortNews,
        RangeCheck,
        Alternatives,
        OwnerKind,
        Owner,
        Release,
        Released,
        WayOut,
        Conflict,
        ServiceSnapshot,
        FindingLevel,
        Finding,
        Activity,
        Sample,
        MarketSummary,
        Side,
        TimeInForce,
        OrderStatus,
        CancelReason,
        TradingState,
        TradingSummary,
        ClientProgram,
        Transport,
        Place,
        SnippetNote,
        QrCode,
        Snippet,
        StaleSnippet,
        ProgramInfo,
        Trial,
        Link,
        ClientError,
        ClientInfo,
        Connected,
        LogLine,
        LogPage,
        Elsewhere,
        FailedLogins,
        AuthMode,
        TlsMode,
        cwts_config::HostNames,
        Exposure,
        CertificateInfo,
        Security,
        Snapshot,
        ServiceLoad,
        InstanceEvent,
        Envelope,
        NewInstance,
        PortSet,
        ProfileInfo,
        SaveTarget,
        SettingChange,
        SettingsEdit,
        Tool,
        ToolState,
        Incoming,
        ToolFinding,
        Detection,
        FirewallChoice,
        FirewallService,
        OwnSubnet,
        FirewallView,
        FirewallTask,
        Outcome,
        FirewallResult,
        Scope,
        cwts_runtime::RefusalReason,
        cwts_runtime::Refused,
        InterfaceKind,
        InterfaceAddress,
        Network,
        TrustStep,
        AuthorityView,
        CertificateView,
        TokenView,
        FirewallSummary,
        SecurityView,
        ReachEdit,
        PemSource,
        Rung,
        Step,
        Progress,
        FixAction,
        Actor,
        Action,
        AuditEntry,
        AuditRecord,
        AuditPage,
        Diagnosis,
        Repetitions,
        cwts_runtime::Timeout,
        TestChoice,
        ServiceTest,
        Candle,
        AccountLimits,
        MarketState,
        ReplayStatus,
        SimulatorView,
        MarketStatus,
        MarketFile,
        TailFigures,
        VolatilityFigures,
        DrawdownFigures,
        SampleFacts,
        RiskFigures,
        ReplayRequest,
        DeskInstrument,
        DeskTrading,
        DeskPosition,
        DeskAccount,
        DeskOrder,
        DeskFill,
        DeskMarket,
        MarketRequest,
        DeskNews,
        DeskMessage,
        OrderTicket,
        OrderChange,
        TicketPreview,
    );
    text
}

#[test]
fn the_panels_types_are_those_of_the_host() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/wire/types.ts");
    let expected = declarations();
    if std::env::var_os("UPDATE_WIRE").is_some() {
        std::fs::create_dir_all(path.parent().expect("the file has a folder")).expect("create the folder");
        std::fs::write(&path, &expected).expect("write the types");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "the panel would misread the host; run the test with UPDATE_WIRE=1");
}
