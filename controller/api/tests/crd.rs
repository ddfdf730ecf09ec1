//! The CRD is structural, small enough for plain `kubectl apply`, and bounded everywhere.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use controller_api::crd;
use serde_json::Value;

fn schema() -> Value {
    let crd = serde_json::to_value(crd()).unwrap();
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema").unwrap().clone()
}

/// Calls `visit` for every schema below and including `value`, with its path.
fn walk(value: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, value);
    for (name, property) in value.get("properties").and_then(Value::as_object).into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), visit);
    }
    if let Some(items) = value.get("items") {
        walk(items, &format!("{path}[]"), visit);
    }
    if let Some(values) = value.get("additionalProperties") {
        walk(values, &format!("{path}{{}}"), visit);
    }
}

fn problems(schema: &Value, find: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, "", &mut |path, schema| {
        found.extend(find(schema).map(|problem| format!("{path}: {problem}")))
    });
    found
}

#[test]
fn the_crd_fits_plain_kubectl_apply() {
    let size = serde_json::to_string(&crd()).unwrap().len();
    assert!(size < 150_000, "{size} bytes");
}

#[test]
fn every_string_list_and_map_has_a_bound() {
    let found = problems(&schema(), |schema| {
        let missing = match schema.get("type").and_then(Value::as_str) {
            Some("string") if schema.get("enum").is_none() => (schema.get("maxLength"), "maxLength"),
            Some("array") => (schema.get("maxItems"), "maxItems"),
            Some("object") if schema.get("additionalProperties").is_some() => {
                (schema.get("maxProperties"), "maxProperties")
            }
            Some("integer") => (schema.get("minimum"), "minimum"),
            _ => return None,
        };
        missing.0.is_none().then(|| format!("no {}", missing.1))
    });
    let expected = [
        ".apiVersion: no maxLength",
        ".kind: no maxLength",
        ".status.observedGeneration: no minimum",
    ];
    let unexpected: Vec<_> = found
        .iter()
        .filter(|problem| !expected.contains(&problem.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

#[test]
fn every_field_is_documented() {
    let spec = schema().pointer("/properties/spec").unwrap().clone();
    let mut found = Vec::new();
    walk(&spec, "spec", &mut |path, schema| {
        if !path.ends_with(']') && !path.ends_with('}') && path != "spec" && schema.get("description").is_none() {
            found.push(path.to_owned());
        }
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_schema_is_structural() {
    let found = problems(&schema(), |schema| {
        ["oneOf", "anyOf", "allOf", "not", "$ref", "nullable", "uniqueItems"]
            .iter()
            .find(|key| schema.get(**key).is_some())
            .map(|key| format!("has {key}"))
            .or_else(|| {
                let typed = schema.get("type").is_some() || schema.get("x-kubernetes-int-or-string").is_some();
                (!typed).then(|| "has no type".to_owned())
            })
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn an_unseen_resource_has_observed_generation_minus_one() {
    assert_eq!(
        schema()
            .pointer("/properties/status/default/observedGeneration")
            .unwrap(),
        &Value::from(-1)
    );
}

#[test]
fn an_unset_field_has_no_default_in_the_schema() {
    let spec = schema().pointer("/properties/spec").unwrap().clone();
    let found = problems(&spec, |schema| {
        schema.get("default").map(|value| format!("default {value}"))
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_cel_rule_names_a_fix() {
    let mut rules = 0;
    walk(&schema(), "", &mut |path, schema| {
        for rule in schema
            .get("x-kubernetes-validations")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            rules += 1;
            assert!(
                rule.get("message")
                    .and_then(Value::as_str)
                    .is_some_and(|m| !m.is_empty()),
                "{path}"
            );
        }
    });
    assert!(rules >= 14, "{rules}");
}
