//! A strict reader of the Prometheus text format 0.0.4.
//!
//! Refuses what a scraper or `promtool check metrics` would complain about: samples outside their family, missing help
//! or type, counters without `_total`, repeated series, histograms that do not add up.

use std::collections::{BTreeMap, BTreeSet};

/// Label names and values.
type Labels = BTreeMap<String, String>;

/// A metric with its samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Family {
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub kind: String,
    /// Name, labels and value of each sample, in the order in which they came.
    pub samples: Vec<(String, Labels, f64)>,
}

/// Everything that one scrape gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    /// By name.
    pub families: BTreeMap<String, Family>,
}

impl Exposition {
    /// Reads the body of a scrape.
    ///
    /// # Panics
    /// It breaks a rule of the format; the message names the line.
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or_else(|problem| panic!("the metrics are not valid: {problem}"))
    }

    /// The value of the one series of that name which has these labels, among others.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |of: &Labels| labels.iter().all(|(name, value)| of.get(*name).is_some_and(|found| found == value));
        let mut found = self.families.values().flat_map(|family| &family.samples);
        found.find(|(each, of, _)| each == name && has(of)).map(|(_, _, value)| *value)
    }

    fn read(text: &str) -> Result<Self, String> {
        if !text.ends_with('\n') {
            return Err("the last line has no end".to_owned());
        }
        let mut exposition = Self::default();
        let mut helped: Option<String> = None;
        let mut current: Option<String> = None;
        let mut series = BTreeSet::new();
        for (number, line) in text.lines().enumerate() {
            let fault = |problem: &str| format!("line {}: {problem}: {line}", number + 1);
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or_else(|| fault("help without a text"))?;
                if help.trim().is_empty() || exposition.families.contains_key(name) {
                    return Err(fault("an empty help, or a family that comes twice"));
                }
                helped = Some(name.to_owned());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or_else(|| fault("no type"))?;
                check_family(name, kind).map_err(|problem| fault(&problem))?;
                if helped.take().as_deref() != Some(name) {
                    return Err(fault("a type does not follow the help of its family"));
                }
                let family = Family { kind: kind.to_owned(), samples: Vec::new() };
                exposition.families.insert(name.to_owned(), family);
                current = Some(name.to_owned());
            } else {
                let (name, labels, value) = sample(line).map_err(|problem| fault(&problem))?;
                let family = current.as_ref().and_then(|current| exposition.families.get_mut(current));
                let (Some(family), Some(current)) = (family, &current) else {
                    return Err(fault("a sample outside of a family"));
                };
                if !belongs(&name, current, &family.kind) {
                    return Err(fault("the sample is not of this family"));
                }
                if !series.insert((name.clone(), labels.clone())) {
                    return Err(fault("the series comes twice"));
                }
                family.samples.push((name, labels, value));
            }
        }
        exposition.families.iter().try_for_each(|(name, family)| check_samples(name, family))?;
        Ok(exposition)
    }
}

fn check_family(name: &str, kind: &str) -> Result<(), String> {
    if !is_name(name, true) {
        return Err("no metric name".to_owned());
    }
    match kind {
        "counter" if !name.ends_with("_total") => Err("a counter's name ends with _total".to_owned()),
        "gauge" | "histogram" if name.ends_with("_total") => Err("only a counter's name ends with _total".to_owned()),
        "counter" | "gauge" | "histogram" | "summary" | "untyped" => Ok(()),
        _ => Err("no type of the format".to_owned()),
    }
}

fn belongs(sample: &str, family: &str, kind: &str) -> bool {
    match (kind, sample.strip_prefix(family)) {
        ("histogram", Some(suffix)) => matches!(suffix, "_bucket" | "_sum" | "_count"),
        ("summary", Some(suffix)) => matches!(suffix, "" | "_sum" | "_count"),
        (_, suffix) => suffix == Some(""),
    }
}

fn check_samples(name: &str, family: &Family) -> Result<(), String> {
    if family.kind == "counter" && family.samples.iter().any(|(_, _, value)| *value < 0.0) {
        return Err(format!("{name} counts below zero"));
    }
    if family.kind != "histogram" {
        return Ok(());
    }
    let of = |suffix: &str, labels: &Labels| {
        let wanted = format!("{name}{suffix}");
        family.samples.iter().find(|(each, of, _)| *each == wanted && of == labels).map(|(_, _, value)| *value)
    };
    let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for (sample, labels, value) in family.samples.iter().filter(|(sample, _, _)| sample.ends_with("_bucket")) {
        let mut labels = labels.clone();
        let bound = labels.remove("le").and_then(|bound| number(&bound));
        let bound = bound.ok_or_else(|| format!("{sample} has a bucket without a bound"))?;
        buckets.entry(labels).or_default().push((bound, *value));
    }
    for (labels, buckets) in buckets {
        let ascends = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let last = buckets.last().copied();
        let count = of("_count", &labels);
        if !ascends || last.map(|(bound, _)| bound) != Some(f64::INFINITY) || last.map(|(_, count)| count) != count {
            return Err(format!("the buckets of {name}{labels:?} do not add up"));
        }
        if of("_sum", &labels).is_none() {
            return Err(format!("{name}{labels:?} has no sum"));
        }
    }
    Ok(())
}

fn sample(line: &str) -> Result<(String, Labels, f64), String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, rest) = line.split_at(end);
    if !is_name(name, true) {
        return Err("no metric name".to_owned());
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Labels::new(), rest),
    };
    let value = rest.strip_prefix(' ').and_then(number).ok_or("no number, or a timestamp")?;
    Ok((name.to_owned(), labels, value))
}

/// The labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, value) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name, false) {
            return Err(format!("{name:?} is no label name"));
        }
        let (value, after) = quoted(value)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label {name} comes twice"));
        }
        rest = after.strip_prefix(',').unwrap_or(after);
    }
}

/// The text up to the closing quote, unescaped, and what follows the quote.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                _ => return Err("an unknown escape".to_owned()),
            },
            letter => value.push(letter),
        }
    }
    Err("a label value without an end".to_owned())
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}

fn is_name(text: &str, colons: bool) -> bool {
    let first = text.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    first && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || colons && byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP a_total It counts.\n# TYPE a_total counter\na_total{x=\"1,\\\"\"} 3\na_total 4\n";

    #[test]
    fn a_valid_scrape_is_read() {
        let read = Exposition::parse(GOOD);
        assert_eq!(read.value("a_total", &[("x", "1,\"")]), Some(3.0), "a label value may hold a comma and a quote");
        assert_eq!(read.value("a_total", &[("x", "2")]), None, "another series is another value");
    }

    #[test]
    fn what_a_scraper_refuses_is_refused() {
        let histogram = |inf: u32| {
            format!(
                "# HELP h H.\n# TYPE h histogram\nh_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} {inf}\nh_sum 1\nh_count 3\n"
            )
        };
        assert!(Exposition::read(&histogram(3)).is_ok(), "a histogram that adds up");
        let bad = [
            GOOD.trim_end().to_owned(),
            GOOD.replace("counter", "gauge"),
            GOOD.replace("a_total", "a"),
            GOOD.replace("# HELP a_total It counts.\n", ""),
            GOOD.replace("a_total 4", "b_total 4"),
            GOOD.replace("a_total 4", "a_total{x=\"1,\\\"\"} 4"),
            GOOD.replace("a_total 4", "a_total four"),
            GOOD.replace("a_total 4", "a_total -4"),
            format!("{GOOD}{GOOD}"),
            histogram(2),
        ];
        for text in bad {
            assert!(Exposition::read(&text).is_err(), "this must not pass as metrics:\n{text}");
        }
    }
}
