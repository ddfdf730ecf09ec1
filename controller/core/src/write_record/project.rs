//! The part of an object that a managedFields entry names: what its manager applied.

use serde_json::{Map, Value};

/// The part of `live` that `fields` (a `fieldsV1`) names. Where `fields` ends, the whole value is taken.
pub(super) fn project(live: &Value, fields: &Value) -> Value {
    let members: Vec<(&String, &Value)> = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| key.as_str() != ".")
        .collect();
    match live {
        Value::Object(object) if !members.is_empty() => Value::Object(properties(object, &members)),
        Value::Array(items) if !members.is_empty() => Value::Array(
            items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| element(index, item, &members))
                .collect(),
        ),
        whole => whole.clone(),
    }
}

fn properties(object: &Map<String, Value>, members: &[(&String, &Value)]) -> Map<String, Value> {
    members
        .iter()
        .filter_map(|(key, fields)| {
            let name = key.strip_prefix("f:")?;
            Some((name.to_owned(), project(object.get(name)?, fields)))
        })
        .collect()
}

fn element(index: usize, item: &Value, members: &[(&String, &Value)]) -> Option<Value> {
    members.iter().find_map(|(key, fields)| {
        let named = if let Some(keys) = key.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
            keys.iter().all(|(key, value)| item.get(key) == Some(value))
        } else if let Some(value) = key.strip_prefix("v:") {
            serde_json::from_str::<Value>(value).ok()? == *item
        } else {
            key.strip_prefix("i:")?.parse::<usize>().ok()? == index
        };
        named.then(|| project(item, fields))
    })
}

/// The object without what no managedFields entry names: version, kind, name and namespace.
pub(super) fn without_identity(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(root) = object.as_object_mut() {
        root.remove("apiVersion");
        root.remove("kind");
        if let Some(metadata) = root.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("name");
            metadata.remove("namespace");
        }
    }
    object
}
