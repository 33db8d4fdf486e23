//! The work of the services that answer to one request: status, metrics and health, read as their clients read them.

use http::header;
use serde::Deserialize;
use serde_json::Value;

use crate::http::Answer;
use crate::{Expected, Fault};

type Checked = Result<String, (Fault, String)>;

/// `/api/v1/status` of the expected instance.
pub(crate) fn status(answer: &Answer, expected: &Expected) -> Checked {
    let status: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| (Fault::NotOurs, format!("the status is no JSON: {error}")))?;
    let (Some(instance), Some(version)) = (status["instance"].as_str(), status["version"].as_str()) else {
        return Err((Fault::NotOurs, "the status names no instance".to_owned()));
    };
    is_expected(Some(instance), expected)?;
    Ok(format!("status of {instance}, version {version}"))
}

/// Whether the instance that answered is the one that was meant.
pub(crate) fn is_expected(found: Option<&str>, expected: &Expected) -> Result<(), (Fault, String)> {
    if expected.is_absent {
        let meant = expected.instance.as_deref().unwrap_or_default();
        let detail =
            format!("{} answers, but {meant} of this home does not listen here", found.unwrap_or("an instance"));
        return Err((Fault::OtherInstance, detail));
    }
    match (found, expected.instance.as_deref()) {
        (Some(found), Some(expected)) if found != expected => {
            Err((Fault::OtherInstance, format!("instance {found} answers, not {expected}")))
        }
        _ => Ok(()),
    }
}

/// `/metrics` in the text format 0.0.4, of the expected instance.
pub(crate) fn metrics(answer: &Answer, expected: &Expected) -> Checked {
    let text = std::str::from_utf8(&answer.body);
    let text = text.map_err(|_| (Fault::NotOurs, "the metrics are no text".to_owned()))?;
    let mut series = 0;
    let mut instance = None;
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = sample(line) else {
            return Err((Fault::NotOurs, format!("line {} is no sample: {}", number + 1, shortened(line))));
        };
        if value.parse::<f64>().is_err() {
            return Err((Fault::Misunderstood, format!("line {} has no value: {}", number + 1, shortened(line))));
        }
        series += 1;
        if name == "cwts_build_info" {
            instance = label(line, "instance_id");
        }
    }
    let Some(instance) = instance else {
        return Err((Fault::NotOurs, format!("{series} series, and cwts_build_info is not among them")));
    };
    is_expected(Some(instance), expected)?;
    Ok(format!("{series} series of {instance}"))
}

/// Name and value of `name{labels} value [timestamp]`.
fn sample(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'))?;
    let (name, rest) = line.split_at(end);
    let rest = if rest.starts_with('{') { rest.rsplit_once('}')?.1 } else { rest };
    let value = rest.strip_prefix(' ')?.split(' ').next()?;
    (!name.is_empty()).then_some((name, value))
}

fn label<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}

fn shortened(line: &str) -> String {
    line.chars().take(60).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: String,
    service_id: String,
    nonce: String,
    #[serde(default)]
    checks: Value,
}

/// `/health` of the expected process of the expected instance.
pub(crate) fn health(answer: &Answer, expected: &Expected) -> Checked {
    let kind = answer.header(header::CONTENT_TYPE).unwrap_or_default();
    let found = serde_json::from_slice::<Health>(&answer.body);
    let Some(health) = found.ok().filter(|_| kind.starts_with("application/health+json")) else {
        return Err((Fault::NotOurs, format!("{kind:?} is no health of a CWTS instance")));
    };
    is_expected(Some(&health.service_id), expected)?;
    let Health { status, service_id, nonce, checks } = health;
    if let Some(ours) = expected.nonce.as_ref().filter(|ours| **ours != nonce) {
        let detail = format!("another process answers as {service_id}: its nonce is {nonce}, ours {ours}");
        return Err((Fault::OtherInstance, detail));
    }
    if !["pass", "warn"].contains(&status.as_str()) {
        let outputs =
            checks.as_object().into_iter().flat_map(|checks| checks.values()).filter_map(|it| it[0]["output"].as_str());
        let outputs: Vec<&str> = outputs.collect();
        return Err((Fault::Unhealthy, format!("{service_id} says {status}: {}", outputs.join("; "))));
    }
    let whose = if expected.nonce.is_some() { "the nonce is ours" } else { "its nonce is not known here" };
    Ok(format!("{service_id} says {status}; {whose}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_the_text_format_is_read() {
        let line = "cwts_build_info{instance_id=\"desk\",version=\"0.1.0\"} 1";
        assert_eq!(sample(line), Some(("cwts_build_info", "1")), "labels stand between name and value");
        assert_eq!(label(line, "instance_id"), Some("desk"), "the instance is a label");
        assert_eq!(sample("up 0 1395066363000"), Some(("up", "0")), "a timestamp may follow");
        assert_eq!(sample("a{b=\"} x\"} NaN"), Some(("a", "NaN")), "a label may hold a brace");
        for line in ["<html>", "up", "{a=\"b\"} 1", "Not Found"] {
            let value = sample(line).and_then(|(_, value)| value.parse::<f64>().ok());
            assert_eq!(value, None, "{line:?} is no sample");
        }
    }
}
