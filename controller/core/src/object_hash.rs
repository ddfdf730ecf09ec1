//! Hashes of objects: SHA-256, in hexadecimal, of canonical JSON.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Bytes set aside for one object's text; most objects are smaller.
const USUAL_SIZE: usize = 4096;

/// Canonical JSON: keys sorted by their bytes, no whitespace. Equal values give equal text, in whatever order their
/// keys were written.
#[must_use]
pub fn canonical_json(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(USUAL_SIZE);
    write(value, &mut out);
    out
}

/// SHA-256, in hexadecimal, of the canonical JSON of `value`.
#[must_use]
pub fn hash(value: &Value) -> String {
    hash_of_bytes(&canonical_json(value))
}

/// SHA-256, in hexadecimal, of bytes.
#[must_use]
pub fn hash_of_bytes(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .map(|nibble| char::from_digit(u32::from(nibble), 16).unwrap_or('?'))
        .collect()
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(object) => write_object(object, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::String(text) => write_scalar(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => write_scalar(value, out),
    }
}

fn write_object(object: &Map<String, Value>, out: &mut Vec<u8>) {
    // Sorted here and not by the map: with serde_json's feature preserve_order, its map keeps insertion order.
    let mut entries: Vec<_> = object.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    out.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_scalar(key, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

fn write_scalar<T: serde::Serialize + ?Sized>(scalar: &T, out: &mut Vec<u8>) {
    // Writing a JSON scalar into a Vec cannot fail.
    let _ = serde_json::to_writer(out, scalar);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash() {
        let one: Value = serde_json::from_str(r#"{"b": [1, {"y": 1, "x": null}], "a": "é\n"}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":"é\n","b":[1,{"x":null,"y":1}]}"#).unwrap();
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(
            canonical_json(&one),
            r#"{"a":"é\n","b":[1,{"x":null,"y":1}]}"#.as_bytes()
        );
    }

    #[test]
    fn the_hash_is_sha_256_in_hexadecimal() {
        assert_eq!(
            hash(&json!({})),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        );
    }

    proptest! {
        #[test]
        fn a_scalar_is_written_as_serde_json_prints_it(text in "\\PC{0,40}", number: f64, whole: i64) {
            for value in [json!(text), json!(number), json!(whole), json!({text.clone(): [text]})] {
                prop_assert_eq!(canonical_json(&value), value.to_string().into_bytes());
            }
        }
    }
}
