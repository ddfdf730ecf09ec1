//! Hashes of objects: SHA-256, in hexadecimal, of canonical JSON.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Canonical JSON: keys sorted by their bytes, no whitespace. Equal values give equal text, in whatever order their
/// keys were written.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// SHA-256, in hexadecimal, of the canonical JSON of `value`.
#[must_use]
pub fn hash(value: &Value) -> String {
    let digest = Sha256::digest(canonical_json(value).as_bytes());
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        for nibble in [byte >> 4, byte & 0xf] {
            hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('?'));
        }
        hex
    })
}

fn write(value: &Value, out: &mut String) {
    match value {
        // Sorted here and not by the map: with serde_json's feature preserve_order, its map keeps insertion order.
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"y": 1, "x": null}], "a": "é\n"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"é\n","b":[1,{"x":null,"y":1}]}"#).unwrap();
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(canonical_json(&one), r#"{"a":"é\n","b":[1,{"x":null,"y":1}]}"#);
    }

    #[test]
    fn the_hash_is_sha_256_in_hexadecimal() {
        assert_eq!(
            hash(&json!({})),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }
}
