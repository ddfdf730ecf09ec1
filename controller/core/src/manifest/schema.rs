//! What the CRD's schema says of a manifest: forms, bounds, and keys given twice. The walk knows no field, so no bound of the
//! schema can be forgotten. Types and missing fields are the decoder's, rules over several fields those of `validate`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, OnceLock},
};

use regex::bytes::{Regex, RegexBuilder};
use serde_json::Value;

/// The CRD's schema of the whole object. Read from a generated file: making it anew takes as long as all the rest of
/// `render` for one resource.
pub(super) static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("schema.json")).unwrap_or_default());

/// The patterns of the schema, each compiled when it is first needed.
static PATTERNS: LazyLock<BTreeMap<&'static str, OnceLock<Option<Regex>>>> = LazyLock::new(|| {
    let mut patterns = BTreeMap::new();
    collect_patterns(&SCHEMA, &mut patterns);
    patterns
});

fn collect_patterns(schema: &'static Value, patterns: &mut BTreeMap<&'static str, OnceLock<Option<Regex>>>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(pattern)) = map.get("pattern") {
                patterns.entry(pattern.as_str()).or_default();
            }
            map.values().for_each(|inner| collect_patterns(inner, patterns));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect_patterns(inner, patterns)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A pattern of the schema. Its classes are ASCII, as in Go.
fn compiled(pattern: &str) -> Option<&'static Regex> {
    let compile = || RegexBuilder::new(pattern).unicode(false).build().ok();
    PATTERNS.get(pattern)?.get_or_init(compile).as_ref()
}

/// What is wrong with one value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field, such as `spec.env[0].name`.
    pub(super) path: String,
    /// What is wrong, and what to write instead.
    pub(super) message: String,
}

/// The schema of what stands under a key of an object.
pub(super) fn of_key<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let properties = schema.get("properties").and_then(|properties| properties.get(key));
    properties.or_else(|| schema.get("additionalProperties"))
}

/// All faults of an object, in the order of its fields.
pub(super) fn faults(object: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    walk(object, &SCHEMA, "", &mut found);
    found
}

fn walk(value: &Value, schema: &Value, path: &str, found: &mut Vec<Fault>) {
    let mut add = |message: Option<String>| {
        found.extend(message.map(|message| Fault {
            path: path.to_owned(),
            message,
        }));
    };
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    match value {
        Value::String(text) => {
            let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
            add(size(length, "characters", bound("minLength"), bound("maxLength")));
            add(form(text, schema));
            add(one_of(value, schema));
        }
        Value::Number(_) => {
            add(range(value, schema));
            add(one_of(value, schema));
        }
        Value::Array(items) => {
            let length = u64::try_from(items.len()).unwrap_or(u64::MAX);
            add(size(length, "items", bound("minItems"), bound("maxItems")));
            twice(items, schema, path, found);
            for (index, item) in items.iter().enumerate() {
                if let Some(schema) = schema.get("items") {
                    walk(item, schema, &format!("{path}[{index}]"), found);
                }
            }
        }
        Value::Object(map) => {
            let length = u64::try_from(map.len()).unwrap_or(u64::MAX);
            add(size(length, "entries", bound("minProperties"), bound("maxProperties")));
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in map {
                if let Some(schema) = of_key(schema, key) {
                    walk(value, schema, &format!("{path}{dot}{key}"), found);
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn size(length: u64, of: &str, min: Option<u64>, max: Option<u64>) -> Option<String> {
    if min.is_some_and(|min| length < min) {
        return Some(format!(
            "{length} {of} are too few: use at least {}",
            min.unwrap_or_default()
        ));
    }
    let max = max.filter(|max| length > *max)?;
    Some(format!("{length} {of} are too many: use at most {max}"))
}

fn form(text: &str, schema: &Value) -> Option<String> {
    let pattern = schema.get("pattern")?.as_str()?;
    let regex = compiled(pattern)?;
    (!regex.is_match(text.as_bytes())).then(|| format!("{text:?} is not a valid value: use text of the form {pattern}"))
}

fn one_of(value: &Value, schema: &Value) -> Option<String> {
    let known = schema.get("enum")?.as_array()?;
    let names = || {
        let names: Vec<_> = known
            .iter()
            .map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
            .collect();
        names.join(" or ")
    };
    (!known.contains(value)).then(|| format!("{value} is not a valid value: use {}", names()))
}

fn range(value: &Value, schema: &Value) -> Option<String> {
    let number = value.as_f64()?;
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let (min, max) = (bound("minimum"), bound("maximum"));
    let is_outside = min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max);
    let allowed = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("{max} or less"),
        (None, None) => return None,
    };
    is_outside.then(|| format!("{value} is out of range: use {allowed}"))
}

/// Items of a list that have the same key, and items of a set that are the same.
fn twice(items: &[Value], schema: &Value, path: &str, found: &mut Vec<Fault>) {
    let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
    let is_set = schema.get("x-kubernetes-list-type").and_then(Value::as_str) == Some("set");
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let key: Vec<_> = match keys {
            Some(keys) => keys
                .iter()
                .filter_map(|key| item.get(key.as_str()?).map(Value::to_string))
                .collect(),
            None if is_set => vec![item.to_string()],
            None => return,
        };
        if !key.is_empty() && !seen.insert(key.clone()) {
            found.push(Fault {
                path: format!("{path}[{index}]"),
                message: format!("{} is given twice: remove one", key.join(", ")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A keyword of the schema, and a value that its bound does not allow.
    fn beyond(schema: &Value) -> Vec<(&'static str, Value)> {
        let bound = |keyword: &str| {
            schema
                .get(keyword)
                .and_then(Value::as_u64)
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let figure = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let mut values = Vec::new();
        values.extend(bound("maxLength").map(|max| ("maxLength", json!("1".repeat(max + 1)))));
        values.extend(
            bound("minLength")
                .filter(|min| *min > 0)
                .map(|_| ("minLength", json!(""))),
        );
        values.extend(schema.get("pattern").map(|_| ("pattern", json!("{\n}"))));
        values.extend(figure("maximum").map(|max| ("maximum", json!(max + 1.0))));
        values.extend(figure("minimum").map(|min| ("minimum", json!(min - 1.0))));
        values.extend(bound("maxItems").map(|max| ("maxItems", json!(vec![json!({}); max + 1]))));
        values.extend(bound("maxProperties").map(|max| {
            let entries = (0..=max).map(|index| (format!("k{index}"), json!("v")));
            ("maxProperties", Value::Object(entries.collect()))
        }));
        values
    }

    /// Checks every bound of a schema; `around` puts a value at the schema's place in an object.
    fn check(schema: &Value, path: &str, around: &dyn Fn(Value) -> Value, count: &mut usize) {
        for (keyword, value) in beyond(schema) {
            let object = around(value);
            let named = faults(&object).iter().any(|fault| fault.path == path);
            assert!(named, "{keyword} of {path}: {object}");
            *count += 1;
        }
        if let Some(items) = schema.get("items") {
            check(items, &format!("{path}[0]"), &|value| around(json!([value])), count);
        }
        for (key, inner) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let dot = if path.is_empty() { "" } else { "." };
            check(
                inner,
                &format!("{path}{dot}{key}"),
                &|value| around(json!({key: value})),
                count,
            );
        }
        if let Some(inner) = schema.get("additionalProperties") {
            check(inner, &format!("{path}.k"), &|value| around(json!({"k": value})), count);
        }
    }

    #[test]
    fn every_bound_of_the_schema_is_found_in_a_value_beyond_it() {
        let mut count = 0;
        check(&SCHEMA, "", &|value| value, &mut count);
        assert!(count > 100, "{count}");
    }

    #[test]
    fn every_pattern_of_the_schema_can_be_compiled() {
        assert!(PATTERNS.len() >= 5, "{}", PATTERNS.len());
        for pattern in PATTERNS.keys() {
            assert!(compiled(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn items_with_one_key_are_found() {
        let override_of = |name: &str| json!({"name": name});
        let object = json!({"spec": {"alerts": {"overrides": [override_of("A"), override_of("B"), override_of("A")]}}});
        assert_eq!(faults(&object).len(), 1);
        assert_eq!(faults(&object)[0].path, "spec.alerts.overrides[2]");
    }
}
