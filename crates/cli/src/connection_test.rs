//! `test`: each service from the name to its work, as a client goes about it, and why it does not get through.

use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use cwts_config::Sources;
use cwts_domain::{ErrorCode, Problem, Service};
use cwts_probe::{Diagnosis, Progress, Step, Timeout, Timeouts};
use cwts_runtime::{Scope, ServiceTest, TestPlan, TestRequest, TestToken, parse_host, test_connections};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::output::{print, print_json, print_on};
use crate::tls::trust_lines;
use crate::wait::block_on;

/// How often a watch looks.
const PERIOD: Duration = Duration::from_secs(1);
/// More would take hours where something times out.
const MOST: i64 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// mcp-websocket, mcp-http, prometheus or health [default: all four]
    #[arg(value_name = "SERVICE")]
    services: Vec<Service>,
    /// A name or an address, of this computer or another [default: the address that each service is bound to]
    #[arg(long, value_name = "ADDR")]
    host: Option<String>,
    /// Address of this computer to connect from
    #[arg(long, value_name = "ADDR")]
    from: Option<IpAddr>,
    /// Test so many times; adds the least time, the median, the 99th percentile and the loss
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: u32,
    /// Go on every second until SIGINT or SIGTERM, with a line for each service
    #[arg(long)]
    watch: bool,
    /// How long each rung may take, in seconds, or one of them: tcp=2; can be repeated [default: 5]
    #[arg(long = "timeout", value_name = "[RUNG=]SECONDS")]
    timeouts: Vec<Timeout>,
    /// Speak TLS, or plain text [default: as security.tls says; plain text where the certificate names no loopback]
    #[arg(long, value_name = "on|off", value_parser = on_or_off)]
    tls: Option<bool>,
    /// PEM file with an authority to trust, beside those of the system and of the instance
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// File with the token to present, - for standard input [default: the trade token of the instance]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Present this token of the instance, or none, in place of the one for trading
    #[arg(long = "as", value_name = "SCOPE", value_parser = presented, conflicts_with = "token_file")]
    presented: Option<TestToken>,
    /// Pretend to be a web page of this origin, for example https://example.org
    #[arg(long)]
    origin: Option<String>,
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither on nor off")),
    }
}

pub(crate) fn execute(sources: Sources, options: &TestArguments, as_json: bool) -> Result<ExitCode, Failure> {
    let loaded = cwts_config::load(&sources)?;
    let request = request(options)?;
    let plan = TestPlan::new(sources, loaded);
    if options.watch {
        return block_on(watch(&plan, &request, as_json))?;
    }
    let streams = !as_json && options.count == 1;
    let tell = |progress: Progress| {
        if streams {
            // Whoever has closed the pipe has seen enough; the status still tells.
            drop(print(line(progress.service, &progress.step)));
        }
    };
    let tested = block_on(test_connections(&plan, &request, &tell))??;
    if as_json {
        print_json(&tested)?;
    } else {
        let rungs = |test: &ServiceTest| test.rungs.iter().map(|step| line(test.service, step)).collect::<Vec<_>>();
        if !streams {
            print(tested.iter().flat_map(rungs).collect::<Vec<_>>().join("\n"))?;
        }
        print(format!("\n{}", tested.iter().map(verdict).collect::<Vec<_>>().join("\n")))?;
    }
    Ok(status(&tested))
}

fn request(options: &TestArguments) -> Result<TestRequest, Failure> {
    let named = |service: &Service| options.services.is_empty() || options.services.contains(service);
    let services = Service::ALL.into_iter().filter(named).collect();
    Ok(TestRequest {
        services,
        host: options.host.as_deref().map(parse_host).transpose()?,
        from: options.from,
        origin: options.origin.clone(),
        tls: options.tls,
        authority: options.ca.as_deref().map(read_authority).transpose()?,
        token: match (&options.token_file, &options.presented) {
            (Some(file), _) => TestToken::Given(read_token(file)?),
            (None, Some(token)) => token.clone(),
            (None, None) => TestToken::Own(Scope::Trade),
        },
        count: options.count,
        timeouts: Timeouts::chosen(&options.timeouts).map_err(Failure::internal)?,
    })
}

fn presented(text: &str) -> Result<TestToken, String> {
    if text == "none" {
        return Ok(TestToken::Absent);
    }
    let scope = text.parse().map_err(|_| "use owner, trade, read, metrics or none".to_owned())?;
    Ok(TestToken::Own(scope))
}

fn read_authority(path: &Path) -> Result<Vec<u8>, Problem> {
    let failed = |reason: String| {
        let message = format!("--ca {}: {reason}.", path.display());
        let help = "Name the ca.pem of the instance: `cwts-ultra tls show`, where it runs, says where it is.";
        Problem::new(ErrorCode::InvalidInput, message).with_help(help)
    };
    let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let marker = b"-----BEGIN CERTIFICATE-----";
    if !text.windows(marker.len()).any(|part| part == marker) {
        return Err(failed("it holds no certificate in PEM".to_owned()));
    }
    Ok(text)
}

fn read_token(path: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(path).map(|read| text = read)
    };
    let failed = |reason: String| {
        let message = format!("--token-file {}: {reason}.", path.display());
        Problem::new(ErrorCode::InvalidInput, message).with_help("Name a file that holds one token and nothing else.")
    };
    read.map_err(|error| failed(error.to_string()))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(failed("it holds no token".to_owned()));
    }
    Ok(token.to_owned())
}

/// The last look decides the status.
async fn watch(plan: &TestPlan, request: &TestRequest, as_json: bool) -> Result<ExitCode, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = ExitCode::SUCCESS;
    loop {
        let look = async {
            ticks.tick().await;
            test_connections(plan, request, &|_| {}).await
        };
        let tested = tokio::select! {
            tested = look => tested?,
            _ = interrupt.recv() => return Ok(last),
            _ = terminate.recv() => return Ok(last),
        };
        last = status(&tested);
        let text = match as_json {
            true => serde_json::to_string(&tested).map_err(Failure::internal)?,
            false => tested.iter().map(summary).collect::<Vec<_>>().join("\n"),
        };
        if !print_on(text)? {
            return Ok(last);
        }
    }
}

fn status(tested: &[ServiceTest]) -> ExitCode {
    if tested.iter().all(|test| test.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(service: Service, step: &Step) -> String {
    let word = if step.ok { "ok" } else { "failed" };
    format!("{:<14} {:<9} {word:<6} {:>9.2} ms  {}", service.name(), step.name, step.millis, step.detail)
}

/// One line: passed and how fast, or the code.
fn summary(test: &ServiceTest) -> String {
    let what = match (&test.diagnosis, test.ok) {
        (_, true) => format!("passed in {:.1} ms", test.millis),
        (Some(diagnosis), false) => format!("{}: {}", diagnosis.code, diagnosis.title),
        (None, false) => "failed".to_owned(),
    };
    let times = test.repetitions;
    let loss = if times.count > 1 { format!(", {} of {} lost", times.lost, times.count) } else { String::new() };
    let spread = match (times.min, times.p50, times.p99) {
        (Some(min), Some(p50), Some(p99)) if times.count > 1 => {
            format!(", min {min:.1} ms, p50 {p50:.1} ms, p99 {p99:.1} ms")
        }
        _ => String::new(),
    };
    format!("{:<14} {} {what}{loss}{spread}", test.service.name(), test.target)
}

/// The summary with the diagnosis below it.
fn verdict(test: &ServiceTest) -> String {
    let Some(Diagnosis { code, title, cause, evidence, fix, .. }) = &test.diagnosis else { return summary(test) };
    let note = if test.ok { format!("  Note      {code}: {title}.\n") } else { String::new() };
    let evidence = evidence.replace('\n', "\n            ");
    let trust: String = trust_lines(&test.trust).map(|line| format!("\n          {line}")).collect();
    format!("{}\n{note}  Cause     {cause}\n  Evidence  {evidence}\n  Fix       {fix}{trust}", summary(test))
}
