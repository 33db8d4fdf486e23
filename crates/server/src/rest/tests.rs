use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn document() -> Value {
    api().finish().1
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
    });
    all.collect()
}

#[test]
fn every_operation_has_a_name_a_scope_and_its_refusals() {
    let document = document();
    let mut names = BTreeSet::new();
    for (place, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(!id.is_empty() && names.insert(id), "a generated client names its functions by it: {place}");
        assert!(operation["security"][0]["token"][0].is_string(), "{place} says which token it needs");
        for status in ["400", "401", "403", "429", "503"] {
            assert!(operation["responses"][status].is_object(), "{place} may answer {status}");
        }
        let done = ["200", "201", "204"].iter().any(|status| operation["responses"][*status].is_object());
        assert!(done, "{place} says what a success is");
    }
    assert!(names.len() > 30, "the whole control plane: {names:?}");
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn look(value: &Value, document: &Value) {
        match value {
            Value::Object(fields) => {
                if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                    let target = name.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
                    assert!(target.is_some(), "{name} is nowhere");
                }
                fields.values().for_each(|value| look(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| look(value, document)),
            _ => {}
        }
    }
    let document = document();
    look(&document, &document);
}

#[test]
fn a_path_names_its_parameters() {
    for (place, operation) in operations(&document()) {
        for name in place.split('{').skip(1).filter_map(|part| part.split('}').next()) {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let is_there =
                parameters.iter().any(|it| it["name"] == name && it["in"] == "path" && it["required"] == true);
            assert!(is_there, "OpenAPI 3.1.1 section 4.8.12: {place} needs {name}");
        }
    }
}
