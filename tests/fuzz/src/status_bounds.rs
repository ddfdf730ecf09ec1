//! What `status.metrics` records, and the CRD's bounds on it: the API server refuses a status that exceeds one.

use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use controller_api::{MetricsStatus, crd};
use controller_core::probe::{KnownPage, from_status, to_status};
use serde_json::Value;

/// The schema of `status.metrics`.
static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let crd = serde_json::to_value(crd()).unwrap_or_default();
    let schema = crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/metrics");
    schema.cloned().unwrap_or_default()
});

/// The status records what is known: within the CRD's bounds, and it is read back the same.
pub(crate) fn is_recorded(known: &KnownPage) -> Result<()> {
    let status = to_status(known, Some("6d4b75cb6d"));
    let json = serde_json::to_string(&status)?;
    let read: MetricsStatus = serde_json::from_str(&json)?;
    ensure!(read == status, "{status:?} became {read:?}");
    check(&json)?;
    let again = from_status(&read);
    ensure!(again.as_ref() == Some(known), "{known:?} became {again:?} by {json}");
    Ok(())
}

/// Checks the lengths of texts, lists and maps, and that no key of a list that is a map stands there twice.
///
/// # Errors
/// Names the value and its bound.
fn check(json: &str) -> Result<()> {
    ensure!(SCHEMA.get("properties").is_some(), "the CRD has no status.metrics");
    walk(&serde_json::from_str(json)?, &SCHEMA)
}

fn walk(value: &Value, schema: &Value) -> Result<()> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64).unwrap_or(u64::MAX);
    match value {
        Value::String(text) => {
            let length = text.chars().count() as u64;
            ensure!(
                length <= bound("maxLength"),
                "{text:?} has {length} characters, and the CRD takes {schema}"
            );
        }
        Value::Array(items) => {
            ensure!(
                items.len() as u64 <= bound("maxItems"),
                "{} items, and the CRD takes {schema}",
                items.len()
            );
            let of_item = schema.get("items").context("the schema of items")?;
            items.iter().try_for_each(|item| walk(item, of_item))?;
            let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            if let Some(key) = keys.and_then(|keys| keys.first()).and_then(Value::as_str) {
                let mut keys: Vec<_> = items.iter().filter_map(|item| item.get(key)?.as_str()).collect();
                keys.sort_unstable();
                ensure!(
                    keys.is_sorted_by(|one, next| one < next),
                    "{key} is not unique: {keys:?}"
                );
            }
        }
        Value::Object(map) => {
            ensure!(
                map.len() as u64 <= bound("maxProperties"),
                "{} keys, and the CRD takes {schema}",
                map.len()
            );
            for (key, value) in map {
                let of_field = schema.get("properties").and_then(|fields| fields.get(key));
                let of_key = of_field.or_else(|| schema.get("additionalProperties"));
                walk(value, of_key.with_context(|| format!("the CRD has no {key}"))?)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_within_the_bounds_is_told_from_one_that_exceeds_them() {
        check(r#"{"dialect": "flask", "bucketsSeconds": ["0.1"]}"#).unwrap();
        for exceeded in [
            format!(r#"{{"dialect": "{}"}}"#, "a".repeat(64)),
            format!(r#"{{"bucketsSeconds": ["{}"]}}"#, "1".repeat(33)),
            r#"{"families": [{"metric": "a"}, {"metric": "a"}]}"#.to_owned(),
            r#"{"weather": "fine"}"#.to_owned(),
        ] {
            assert!(check(&exceeded).is_err(), "{exceeded}");
        }
    }
}
