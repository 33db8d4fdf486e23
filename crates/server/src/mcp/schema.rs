//! Judges what a client sent by the schema that it was given, and says in words what does not fit.
//!
//! Knows the part of JSON Schema 2020-12 that our schemas use: `type`, `properties`, `required`, `additionalProperties`,
//! `items`, `enum`, `const`, `oneOf`, `anyOf`, `$ref` into `$defs`, `minimum` and `maximum`.

use serde_json::{Map, Number, Value};

/// Letters of a value that are repeated to its sender.
const SHOWN: usize = 40;

/// Checks `value` and makes whole numbers integers where the schema wants one: to JSON, 5.0 and 5 are one number.
///
/// # Errors
/// The first part that does not fit: which one, what was given, what is allowed.
pub(crate) fn fit(schema: &Map<String, Value>, value: &mut Value) -> Result<(), String> {
    Checker { definitions: schema.get("$defs").and_then(Value::as_object) }.fit(schema, value, "")
}

/// Takes out the widths of whole numbers (`uint32`), which JSON Schema does not know and validators of clients warn about.
pub(crate) fn strip_widths(schema: &mut Map<String, Value>) {
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
        schema.remove("format");
    }
    schema.values_mut().for_each(strip_in);
}

fn strip_in(part: &mut Value) {
    match part {
        Value::Object(fields) => strip_widths(fields),
        Value::Array(items) => items.iter_mut().for_each(strip_in),
        _ => {}
    }
}

struct Checker<'a> {
    definitions: Option<&'a Map<String, Value>>,
}

impl<'a> Checker<'a> {
    fn fit(&self, schema: &'a Map<String, Value>, value: &mut Value, path: &str) -> Result<(), String> {
        let types = self.types(schema);
        if types.contains(&"integer") {
            make_integer(value);
        }
        let fits = |name: &&str| has_type(value, name);
        if !types.is_empty() && !types.iter().any(fits) {
            return Err(self.misfit(schema, value, path));
        }
        if value.is_null() {
            return Ok(());
        }
        let allowed = self.allowed(schema);
        if !allowed.is_empty() && !allowed.contains(&&*value) {
            return Err(self.misfit(schema, value, path));
        }
        let bound = |name| self.keyword(schema, name).and_then(Value::as_f64);
        let number = value.as_f64().unwrap_or_default();
        let outside =
            bound("minimum").is_some_and(|least| number < least) || bound("maximum").is_some_and(|most| number > most);
        if value.is_number() && outside {
            return Err(self.misfit(schema, value, path));
        }
        match value {
            Value::Object(fields) => self.fit_object(schema, fields, path),
            Value::Array(items) => match self.keyword(schema, "items").and_then(Value::as_object) {
                Some(item) => items
                    .iter_mut()
                    .enumerate()
                    .try_for_each(|(at, value)| self.fit(item, value, &format!("{path}[{at}]"))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn fit_object(
        &self,
        schema: &'a Map<String, Value>,
        fields: &mut Map<String, Value>,
        path: &str,
    ) -> Result<(), String> {
        let Some(properties) = self.keyword(schema, "properties").and_then(Value::as_object) else { return Ok(()) };
        let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        // A misspelt name is told before the one that is then missing.
        if self.keyword(schema, "additionalProperties") == Some(&Value::Bool(false))
            && let Some(unknown) = fields.keys().find(|name| !properties.contains_key(*name))
        {
            let known: Vec<_> = properties.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { listed(&known, "and") };
            return Err(format!("{} is not known; there are {known}", within(&short(unknown))));
        }
        let required = self.keyword(schema, "required").and_then(Value::as_array).into_iter().flatten();
        if let Some(name) = required.filter_map(Value::as_str).find(|name| !fields.contains_key(*name)) {
            let must = properties.get(name).and_then(Value::as_object).map_or(String::new(), |part| self.rule(part));
            return Err(format!("{} is missing; it must be {must}", within(name)));
        }
        for (name, value) in fields {
            if let Some(part) = properties.get(name).and_then(Value::as_object) {
                self.fit(part, value, &within(name))?;
            }
        }
        Ok(())
    }

    /// The schema itself, what it refers to, and its alternatives other than null.
    fn parts(&self, schema: &'a Map<String, Value>) -> Vec<&'a Map<String, Value>> {
        let mut parts = vec![schema];
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.strip_prefix("#/$defs/"));
        if let Some(target) = name.and_then(|name| self.definitions?.get(name)?.as_object()) {
            parts.extend(self.parts(target));
        }
        let alternatives = ["anyOf", "oneOf"].into_iter().filter_map(|name| schema.get(name)?.as_array()).flatten();
        parts.extend(alternatives.filter_map(Value::as_object).flat_map(|part| self.parts(part)));
        parts
    }

    fn keyword(&self, schema: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(|part| part.get(name))
    }

    fn types(&self, schema: &'a Map<String, Value>) -> Vec<&'a str> {
        let types = self.parts(schema).into_iter().filter_map(|part| part.get("type"));
        types
            .flat_map(|types| match types {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect::<Vec<_>>(),
            })
            .collect()
    }

    /// The values of an enumeration; empty where there is none.
    fn allowed(&self, schema: &'a Map<String, Value>) -> Vec<&'a Value> {
        let listed = self.keyword(schema, "enum").and_then(Value::as_array).into_iter().flatten();
        let described = self.keyword(schema, "oneOf").and_then(Value::as_array).into_iter().flatten();
        listed.chain(described.filter_map(|one| one.get("const"))).collect()
    }

    fn misfit(&self, schema: &'a Map<String, Value>, value: &Value, path: &str) -> String {
        let name = if path.is_empty() { "it" } else { path };
        let or_left_out = if self.types(schema).contains(&"null") { ", or be left out" } else { "" };
        format!("{name} is {}; it must be {}{or_left_out}", shown(value), self.rule(schema))
    }

    /// What is allowed, as the end of a sentence.
    fn rule(&self, schema: &'a Map<String, Value>) -> String {
        let allowed = self.allowed(schema);
        if !allowed.is_empty() {
            let words: Vec<_> = allowed.iter().map(|value| value.as_str().unwrap_or_default()).collect();
            return listed(&words, "or");
        }
        let types = self.types(schema);
        let kind = types.iter().find(|name| **name != "null").map_or("left out", |name| in_words(name));
        let bound = |name| self.keyword(schema, name).filter(|_| !kind.is_empty());
        match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("{kind} from {least} to {most}"),
            (Some(least), None) => format!("{kind} of at least {least}"),
            (None, Some(most)) => format!("{kind} of at most {most}"),
            (None, None) => kind.to_owned(),
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || name == "integer" && !number.is_f64(),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

/// 5.0 becomes 5. Beyond 2^53 a float names no single integer.
fn make_integer(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(float) = value.as_f64().filter(|float| value.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT) {
        *value = Value::Number(Number::from(float as i64));
    }
}

fn in_words(name: &str) -> &str {
    match name {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        other => other,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}, a string", short(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// `a, b or c`.
fn listed(words: &[&str], last: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(mut value: Value) -> Result<Value, String> {
        let schema = json!({
            "$defs": {
                "Side": { "type": "string", "enum": ["buy", "sell"] },
                "Filter": { "oneOf": [{ "const": "open", "type": "string" }, { "const": "all", "type": "string" }] },
            },
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "symbol": { "type": "string" },
                "side": { "$ref": "#/$defs/Side", "description": "Buy or sell." },
                "filter": { "anyOf": [{ "$ref": "#/$defs/Filter" }, { "type": "null" }] },
                "price": { "type": ["number", "null"] },
                "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 500 },
                "names": { "type": "array", "items": { "type": "string" } },
                "client": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
            },
            "required": ["symbol"],
        });
        fit(schema.as_object().expect("an object"), &mut value)?;
        Ok(value)
    }

    #[test]
    fn what_fits_passes_unchanged() {
        let value = json!({
            "symbol": "BTCUSD", "side": "sell", "filter": null, "price": 5, "limit": 500, "names": ["a"],
            "client": { "name": "x", "version": 1 }
        });
        assert_eq!(judged(value.clone()), Ok(value), "the client did what it was told");
        let value = json!({ "symbol": "BTCUSD", "filter": "all" });
        assert_eq!(judged(value.clone()), Ok(value), "an optional word is a word");
    }

    #[test]
    fn a_whole_float_is_an_integer() {
        let value = judged(json!({ "symbol": "BTCUSD", "limit": 5.0, "price": 5.0 })).expect("5.0 is 5");
        assert_eq!(value["limit"].as_u64(), Some(5), "JSON knows one kind of number (RFC 8259, section 6)");
        assert!(value["price"].is_f64(), "a price may have a fraction and stays as it is");
    }

    #[test]
    fn a_fault_names_what_was_given_and_what_is_allowed() {
        let cases = [
            (json!([]), "it is a list; it must be an object"),
            (json!({}), "symbol is missing; it must be a string"),
            (json!({ "symbol": 7 }), "symbol is 7; it must be a string"),
            (json!({ "symbol": null }), "symbol is null; it must be a string"),
            (json!({ "symbol": "B", "side": "hold" }), "side is \"hold\", a string; it must be buy or sell"),
            (json!({ "symbol": "B", "side": 1 }), "side is 1; it must be buy or sell"),
            (
                json!({ "symbol": "B", "filter": "new" }),
                "filter is \"new\", a string; it must be open or all, or be left out",
            ),
            (
                json!({ "symbol": "B", "price": "64000" }),
                "price is \"64000\", a string; it must be a number, or be left out",
            ),
            (
                json!({ "symbol": "B", "limit": 5.5 }),
                "limit is 5.5; it must be a whole number from 1 to 500, or be left out",
            ),
            (
                json!({ "symbol": "B", "limit": 501.0 }),
                "limit is 501; it must be a whole number from 1 to 500, or be left out",
            ),
            (json!({ "symbol": "B", "names": ["a", {}] }), "names[1] is an object; it must be a string"),
            (json!({ "symbol": "B", "client": {} }), "client.name is missing; it must be a string"),
            (
                json!({ "simbol": "B" }),
                "simbol is not known; there are client, filter, limit, names, price, side and symbol",
            ),
        ];
        for (value, expected) in cases {
            assert_eq!(judged(value.clone()), Err(expected.to_owned()), "a model mends its call by this text: {value}");
        }
        let long = judged(json!({ "symbol": "B", "side": "é".repeat(1_000) })).expect_err("no side");
        assert!(long.len() < 200, "what is repeated is short: {long}");
    }
}
