//! Decoding of the fields without a schema: an unknown field is a violation here, where the API server would drop it
//! silently.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{type_error, unknown_fields, violation::Violations};

/// Decodes `value`, found at `path`; adds a violation for each unknown field, or one for a value of a wrong type.
pub(super) fn decode<T: DeserializeOwned>(value: &Value, path: &str, out: &mut Violations) -> Option<T> {
    let mut value = value.clone();
    quantities_as_text(&mut value);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&value, &mut track);
    match unknown_fields::deserialize::<_, T>(tracked, &value) {
        Ok((decoded, unknown)) => {
            for field in &unknown {
                out.add(format!("{path}.{field}"), unknown_fields::SENTENCE);
            }
            unknown.is_empty().then_some(decoded)
        }
        Err(error) => {
            out.add(
                below(path, &track.path().to_string()),
                type_error::sentence(&error.to_string()),
            );
            None
        }
    }
}

/// The path of a place below `path`; `.` is the place itself.
fn below(path: &str, place: &str) -> String {
    match place {
        "." => path.to_owned(),
        index if index.starts_with('[') => format!("{path}{index}"),
        field => format!("{path}.{field}"),
    }
}

/// Kubernetes accepts a number as a quantity, the Rust type only text.
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
