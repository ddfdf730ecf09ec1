//! How many bytes a value has as JSON, without writing it.

use serde_json::Value;

use crate::template;

/// Bytes of a name beyond those of the word that stands for it, rounded up; names are at most 63 bytes.
const BYTES_OF_A_NAME: usize = 60;

/// Most bytes of the value's JSON once the longest names stand in its places.
pub(crate) fn filled_bytes(value: &Value) -> usize {
    match value {
        Value::Null => "null".len(),
        Value::Bool(true) => "true".len(),
        Value::Bool(false) => "false".len(),
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => of_text(text),
        Value::Array(items) => brackets(items.len()) + items.iter().map(filled_bytes).sum::<usize>(),
        Value::Object(entries) => {
            let colon = 1;
            let bytes = entries
                .iter()
                .map(|(key, value)| of_text(key) + colon + filled_bytes(value));
            brackets(entries.len()) + bytes.sum::<usize>()
        }
    }
}

/// Most bytes of a text as it is once the longest names stand in its places.
pub(crate) fn filled_text_bytes(text: &str) -> usize {
    text.len() + template::places(text) * BYTES_OF_A_NAME
}

/// The brackets, and the commas between so many items.
const fn brackets(items: usize) -> usize {
    2 + items.saturating_sub(1)
}

/// The text in quotes.
fn of_text(text: &str) -> usize {
    let escapes: usize = text.bytes().map(more_when_escaped).sum();
    let quotes = 2;
    quotes + filled_text_bytes(text) + escapes
}

/// Bytes that the escape of a byte has more than the byte.
const fn more_when_escaped(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        // `\u001f`
        0..=0x1f => 5,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::template::{NAME, NAMESPACE};

    proptest! {
        #[test]
        fn a_value_without_places_has_the_bytes_of_its_json(
            texts in proptest::collection::vec("([ -~]|\\PC|[\\x00-\\x1f\\x7f]){0,12}", 0..6),
            numbers in proptest::collection::vec(any::<f64>(), 0..4),
        ) {
            let map: serde_json::Map<_, _> = texts.iter().map(|text| (text.clone(), json!(text))).collect();
            let value = json!({"texts": texts, "map": map, "numbers": numbers, "others": [null, true, false, 7, {}, []]});
            prop_assert_eq!(filled_bytes(&value), value.to_string().len());
        }
    }

    #[test]
    fn a_place_has_room_for_the_longest_name() {
        let filled = json!({"a": "n".repeat(63), "b": ["n".repeat(63)]}).to_string();
        let places = json!({"a": NAMESPACE, "b": [NAME]});
        assert!(filled_bytes(&places) >= filled.len());
        assert_eq!(filled_text_bytes("plain"), 5);
        assert!(filled_text_bytes(&format!("{NAME}/{NAME}")) > 2 * 63);
    }
}
