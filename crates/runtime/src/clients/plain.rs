//! Programs that speak HTTP.

use super::{Draft, Facts, literal, path_text, word};
use cwts_domain::Service;

/// A `scrape_config` (Prometheus, "Configuration").
pub(super) fn prometheus(facts: &Facts) -> Draft {
    let mut lines = vec!["scrape_configs:".to_owned(), format!("  - job_name: {}", job(facts))];
    if facts.tls {
        lines.push("    scheme: https".to_owned());
        // Without TLS only this computer is served, which needs no token there.
        if let Some(token) = &facts.metrics_token {
            lines.extend(["    authorization:".to_owned(), format!("      credentials: {token}")]);
        }
        if let Some(authority) = &facts.authority {
            lines.extend(["    tls_config:".to_owned(), format!("      ca_file: {}", literal(&path_text(authority)))]);
        }
    }
    lines.extend([
        "    static_configs:".to_owned(),
        format!("      - targets: [{}]", literal(&facts.address(Service::Prometheus))),
    ]);
    let draft = Draft::new("/etc/prometheus/prometheus.yml", lines.join("\n"));
    let draft = match facts.authority {
        Some(_) => draft.attention(Some(facts.copy_authority())),
        None => draft,
    };
    let clash = (facts.port(Service::Prometheus) == 9090).then(|| {
        "9090 is also the port of Prometheus itself: start it with --web.listen-address=127.0.0.1:9091, or move this one."
            .to_owned()
    });
    draft.attention(clash).note("Where the file has scrape_configs already, add only the job.")
}

fn job(facts: &Facts) -> String {
    if facts.instance == "default" { "cwts-ultra".to_owned() } else { format!("cwts-ultra-{}", facts.instance) }
}

/// The state of the instance over REST.
pub(super) fn curl(facts: &Facts) -> Draft {
    let mut words = vec!["curl --fail-with-body".to_owned()];
    if let Some(authority) = &facts.authority {
        words.push(format!("--cacert {}", word(&path_text(authority))));
    }
    if let Some(token) = &facts.token {
        words.push(format!("-H \"Authorization: Bearer {token}\""));
    }
    words.push(format!("{}/api/v1/status", facts.http_origin()));
    let authority = facts.authority.is_some().then(|| facts.copy_authority());
    Draft::new("Terminal", words.join(" \\\n  "))
        .attention(authority)
        .note("The token stays in the history of the shell; \"$(cwts-ultra token show)\" in its place keeps it out.")
}
