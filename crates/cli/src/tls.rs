//! `tls`: the certificate of the instance, made, imported and shown.

use std::process::ExitCode;

use cwts_config::{Loaded, Sources, TlsMode};
use cwts_credentials::{CertificateInfo, Imported, PemText, ServerCertificate, TlsStore, TrustStep, trust_steps};
use cwts_domain::{Clock as _, ErrorCode, Problem, SystemClock, Timestamp};
use cwts_runtime::{Actor, AuditEntry};
use serde_json::json;

use crate::args::TlsCommand;
use crate::audit::tell;
use crate::failure::Failure;
use crate::output::{print, print_json};

pub(crate) fn execute(sources: &Sources, command: &TlsCommand, as_json: bool) -> Result<ExitCode, Failure> {
    let loaded = cwts_config::load(sources)?;
    let store = TlsStore::new(&sources.data());
    let now = SystemClock.now();
    let before = store.fingerprint();
    let certificate = match command {
        TlsCommand::Make { names, force } => {
            let names = cwts_runtime::server_names(&loaded.settings, names)?;
            let imported = if *force { Imported::Replace } else { Imported::Keep };
            let made = store.make(sources.instance().as_str(), &names, now, imported).map_err(Problem::from)?;
            if made.new_authority {
                eprintln!("note: the authority is new; clients have to trust {}", store.authority_file().display());
            }
            tell(sources, &AuditEntry::certificate_made(Actor::CommandLine, before, &made.certificate.info));
            made.certificate
        }
        TlsCommand::Import { certificate, key } => {
            let certificate = PemText::read(certificate).map_err(Problem::from)?;
            let key = PemText::read(key).map_err(Problem::from)?;
            let imported = store.import(&certificate, &key, now).map_err(Problem::from)?;
            tell(sources, &AuditEntry::certificate_imported(Actor::CommandLine, before, &imported.info));
            imported
        }
        TlsCommand::Show => store.load().map_err(Problem::from)?.ok_or_else(|| nothing(sources))?,
    };
    for warning in certificate.info.warnings(now) {
        eprintln!("warning: {warning}");
    }
    show(sources, &loaded, &store, &certificate, as_json)?;
    Ok(ExitCode::SUCCESS)
}

fn nothing(sources: &Sources) -> Problem {
    let message = format!("Instance {} has no certificate.", sources.instance());
    Problem::new(ErrorCode::WrongState, message)
        .with_help("Make one with `cwts-ultra tls make`, or take one over with `cwts-ultra tls import CERT KEY`.")
}

fn show(
    sources: &Sources,
    loaded: &Loaded,
    store: &TlsStore,
    certificate: &ServerCertificate,
    as_json: bool,
) -> Result<(), Failure> {
    let ServerCertificate { info, authority, .. } = certificate;
    let steps = authority.as_ref().map(|_| trust_steps(&store.authority_file(), sources.instance().as_str()));
    if as_json {
        let authority = authority.as_ref().map(|info| json!({ "certificate": info, "file": store.authority_file() }));
        return print_json(&json!({
            "certificate": info,
            "file": store.server_file(),
            "authority": authority,
            "tls": loaded.settings.tls.value,
            "trust": steps.unwrap_or_default(),
        }));
    }
    let mut lines = vec![
        format!("Certificate  {}", info.subject),
        format!("Names        {}", info.names.join(", ")),
        format!("Issued by    {}", info.issuer),
        format!("Ends         {}", end(info)),
        format!("Key          {}", info.key),
        format!("SHA-256      {}", info.fingerprint),
        format!("File         {}", store.server_file().display()),
    ];
    if let Some(authority) = authority {
        lines.push(format!("Authority    {}, ends {}", store.authority_file().display(), end(authority)));
        lines.push(format!("SHA-256      {}", authority.fingerprint));
        lines.push("\nA client trusts it once the authority's file is on its computer:".to_owned());
        lines.extend(trust_lines(steps.as_deref().unwrap_or_default()));
    }
    if loaded.settings.tls.value == TlsMode::Off {
        lines.push("\nTLS is off. Turn it on with `cwts-ultra config set security.tls on --layer toml`.".to_owned());
    }
    print(lines.join("\n"))
}

/// One line for each system or program.
pub(crate) fn trust_lines(steps: &[TrustStep]) -> impl Iterator<Item = String> {
    steps.iter().map(|step| format!("  {:<17} {}", step.place, step.step))
}

fn end(info: &CertificateInfo) -> String {
    let at = Timestamp(info.not_after.saturating_mul(1_000_000)).to_string();
    let day = at.split_once('T').map_or(at.as_str(), |(day, _)| day);
    format!("{day}, in {} days", info.days_left(SystemClock.now()))
}
