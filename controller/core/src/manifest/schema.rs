//! What the CRD's schema says of a manifest: forms, bounds, and keys given twice. The walk knows no field, so no bound of the
//! schema can be forgotten. Types and missing fields are the decoder's, rules over several fields those of `validate`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use regex::bytes::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::path::Path;

/// The generated file of [`SCHEMA`]: making the schema anew takes as long as all the rest of `render` for one resource.
const FILE: &str = include_str!("schema.json");

/// The CRD's schema of the whole object.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| serde_json::from_str(FILE).unwrap_or_default());

/// The schema of a value: what the walks through a manifest ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Schema {
    #[serde(rename = "type")]
    type_: String,
    /// Bounds of the characters of a text.
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<Pattern>,
    #[serde(rename = "enum")]
    known: Option<Vec<Value>>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    items: Option<Box<Self>>,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: String,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    list_map_keys: Option<Vec<String>>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    properties: BTreeMap<String, Self>,
    additional_properties: Option<Box<Self>>,
}

impl Schema {
    /// Whether the value must be a map.
    pub(super) fn is_of_map(&self) -> bool {
        self.type_ == "object"
    }

    /// The schema of the items of a list.
    pub(super) fn of_items(&self) -> Option<&Self> {
        self.items.as_deref()
    }

    /// The schema of a field of a map.
    pub(super) fn of_field(&self, name: &str) -> Option<&Self> {
        self.properties.get(name)
    }

    /// The schema of what stands under a key of a map.
    pub(super) fn of_key(&self, key: &str) -> Option<&Self> {
        self.of_field(key).or(self.additional_properties.as_deref())
    }
}

/// A pattern, compiled when it is first needed. Its classes are ASCII, as in Go.
#[derive(Debug)]
struct Pattern {
    text: String,
    regex: OnceLock<Option<Regex>>,
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            text: String::deserialize(deserializer)?,
            regex: OnceLock::new(),
        })
    }
}

impl Pattern {
    fn regex(&self) -> Option<&Regex> {
        self.regex.get_or_init(|| compiled(&self.text)).as_ref()
    }
}

/// Compiles a pattern, once for all fields that have it.
fn compiled(pattern: &str) -> Option<Regex> {
    static COMPILED: Mutex<BTreeMap<String, Option<Regex>>> = Mutex::new(BTreeMap::new());
    let mut all = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(pattern.to_owned())
        .or_insert_with(|| RegexBuilder::new(pattern).unicode(false).build().ok())
        .clone()
}

/// What is wrong with one value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The field, such as `spec.env[0].name`.
    pub(super) path: String,
    /// What is wrong, and what to write instead.
    pub(super) message: String,
}

/// All faults of an object, in the order of its fields.
pub(super) fn faults(object: &Value) -> Vec<Fault> {
    let mut found = Vec::new();
    walk(object, &SCHEMA, &Path::Whole, &mut found);
    found
}

fn walk(value: &Value, schema: &Schema, path: &Path<'_>, found: &mut Vec<Fault>) {
    let mut add = |message: Option<String>| {
        found.extend(message.map(|message| Fault {
            path: path.to_string(),
            message,
        }));
    };
    match value {
        Value::String(text) => {
            add(size(
                characters(text),
                "characters",
                schema.min_length,
                schema.max_length,
            ));
            add(form(text, schema));
            add(one_of(value, schema));
        }
        Value::Number(_) => {
            add(range(value, schema));
            add(one_of(value, schema));
        }
        Value::Array(items) => {
            add(size(items.len(), "items", schema.min_items, schema.max_items));
            twice(items, schema, path, found);
            if let Some(schema) = schema.of_items() {
                for (index, item) in items.iter().enumerate() {
                    walk(item, schema, &Path::Item(path, index), found);
                }
            }
        }
        Value::Object(map) => {
            add(size(map.len(), "entries", schema.min_properties, schema.max_properties));
            for (key, value) in map {
                if let Some(schema) = schema.of_key(key) {
                    walk(value, schema, &Path::Field(path, key), found);
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn characters(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    }
}

fn size(length: usize, of: &str, min: Option<u64>, max: Option<u64>) -> Option<String> {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if min.is_some_and(|min| length < min) {
        return Some(format!(
            "{length} {of} are too few: use at least {}",
            min.unwrap_or_default()
        ));
    }
    let max = max.filter(|max| length > *max)?;
    Some(format!("{length} {of} are too many: use at most {max}"))
}

fn form(text: &str, schema: &Schema) -> Option<String> {
    let pattern = schema.pattern.as_ref()?;
    let is_match = pattern.regex()?.is_match(text.as_bytes());
    (!is_match).then(|| format!("{text:?} is not a valid value: use text of the form {}", pattern.text))
}

fn one_of(value: &Value, schema: &Schema) -> Option<String> {
    let known = schema.known.as_ref()?;
    let names = || {
        let names: Vec<_> = known
            .iter()
            .map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
            .collect();
        names.join(" or ")
    };
    (!known.contains(value)).then(|| format!("{value} is not a valid value: use {}", names()))
}

fn range(value: &Value, schema: &Schema) -> Option<String> {
    let number = value.as_f64()?;
    let (min, max) = (schema.minimum, schema.maximum);
    let is_outside = min.is_some_and(|min| number < min) || max.is_some_and(|max| number > max);
    if !is_outside {
        return None;
    }
    let allowed = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (None, Some(max)) => format!("{max} or less"),
        (None, None) => return None,
    };
    Some(format!("{value} is out of range: use {allowed}"))
}

/// Items of a list that have the same key, and items of a set that are the same.
fn twice(items: &[Value], schema: &Schema, path: &Path<'_>, found: &mut Vec<Fault>) {
    let keys = schema.list_map_keys.as_ref();
    let is_set = schema.list_type == "set";
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let key: Vec<_> = match keys {
            Some(keys) => keys
                .iter()
                .filter_map(|key| item.get(key).map(Value::to_string))
                .collect(),
            None if is_set => vec![item.to_string()],
            None => return,
        };
        if !key.is_empty() && !seen.insert(key.clone()) {
            found.push(Fault {
                path: Path::Item(path, index).to_string(),
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
        let schema: Value = serde_json::from_str(FILE).unwrap();
        check(&schema, "", &|value| value, &mut count);
        assert!(count > 100, "{count}");
    }

    #[test]
    fn every_pattern_of_the_schema_can_be_compiled() {
        let mut count = 0;
        compile_all(&SCHEMA, &mut count);
        assert!(count >= 5, "{count}");
    }

    fn compile_all(schema: &Schema, count: &mut usize) {
        if let Some(pattern) = &schema.pattern {
            assert!(pattern.regex().is_some(), "{}", pattern.text);
            *count += 1;
        }
        let inner = schema.properties.values();
        let inner = inner.chain(schema.items.as_deref());
        for inner in inner.chain(schema.additional_properties.as_deref()) {
            compile_all(inner, count);
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
