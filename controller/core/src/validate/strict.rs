//! Decoding of the schemaless fields: an unknown key is a violation here, where the API server would drop it silently.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::violation::Violations;

/// Decodes `value`, found at `path`; adds a violation for each unknown key, or one for what does not decode.
pub(super) fn decode<T: DeserializeOwned + Serialize>(value: &Value, path: &str, out: &mut Violations) -> Option<T> {
    let mut value = value.clone();
    quantities_as_text(&mut value);
    let decoded: T = match serde_path_to_error::deserialize(&value) {
        Ok(decoded) => decoded,
        Err(error) => {
            let inner = error.path().to_string();
            let dot = if inner == "." || inner.starts_with('[') {
                ""
            } else {
                "."
            };
            let inner = if inner == "." { String::new() } else { inner };
            out.add(format!("{path}{dot}{inner}"), error.inner().to_string());
            return None;
        }
    };
    let again = serde_json::to_value(&decoded).unwrap_or_default();
    let before = out.len();
    unknown_keys(&value, &again, path, out);
    (out.len() == before).then_some(decoded)
}

/// The same for a field that may be absent.
pub(super) fn decode_if_given<T: DeserializeOwned + Serialize>(
    value: Option<&Value>,
    path: &str,
    out: &mut Violations,
) -> Option<T> {
    value.and_then(|value| decode(value, path, out))
}

/// Kubernetes takes a number for a quantity, the Rust type text only.
fn quantities_as_text(value: &mut Value) {
    const OF_MAPS: [&str; 3] = ["limits", "requests", "overhead"];
    const SINGLE: [&str; 2] = ["sizeLimit", "divisor"];
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::Number(number) if SINGLE.contains(&key.as_str()) => *value = number.to_string().into(),
                    Value::Object(map) if OF_MAPS.contains(&key.as_str()) => {
                        for quantity in map.values_mut() {
                            if let Value::Number(number) = quantity {
                                *quantity = number.to_string().into();
                            }
                        }
                    }
                    other => quantities_as_text(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(quantities_as_text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unknown_keys(given: &Value, known: &Value, path: &str, out: &mut Violations) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (key, value) in given.iter().filter(|(_, value)| !value.is_null()) {
                match known.get(key) {
                    Some(known) => unknown_keys(value, known, &format!("{path}.{key}"), out),
                    None => out.add(
                        format!("{path}.{key}"),
                        "is no field of this type: remove it or correct its name",
                    ),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                unknown_keys(given, known, &format!("{path}[{index}]"), out);
            }
        }
        _ => {}
    }
}
