//! Estimates the memory that a JSON document takes once it is parsed, before it is parsed: a document of 7 bytes a value
//! can take a hundred times its size.

/// Values that one body may have. The largest body with useful content, 1,000 items with metadata, has fewer.
pub(super) const MAX_VALUES: usize = 50_000;
/// Bytes of an object with one field: a node of its tree has room for eleven.
const OBJECT_BYTES: usize = 640;
/// Bytes of a value beside those of its text, with the room that its list or tree keeps free.
const VALUE_BYTES: usize = 128;

/// How many values a JSON document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct JsonSize {
    objects: usize,
    values: usize,
}

impl JsonSize {
    /// Counts the values of a document, at least as many as a parser makes from it before it ends or finds a fault.
    pub(super) fn of(document: &[u8]) -> Self {
        let mut size = Self { objects: 0, values: 1 };
        let mut is_in_string = false;
        let mut is_escaped = false;
        for byte in document {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_in_string => is_escaped = true,
                b'"' => is_in_string = !is_in_string,
                _ if is_in_string => {}
                b'{' => {
                    size.objects += 1;
                    size.values += 1;
                }
                b'[' | b',' => size.values += 1,
                _ => {}
            }
        }
        size
    }

    /// How many values there are.
    pub(super) fn values(self) -> usize {
        self.values
    }

    /// Bytes that the parsed document takes beside its texts.
    pub(super) fn bytes(self) -> usize {
        self.objects * OBJECT_BYTES + self.values * VALUE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(document: &str) -> (usize, usize) {
        let size = JsonSize::of(document.as_bytes());
        (size.objects, size.values)
    }

    #[test]
    fn brackets_in_a_string_are_not_counted_as_values() {
        assert_eq!(size("1"), (0, 1));
        assert_eq!(size(r#"["[{,", "\"[{,", "\\"]"#), (0, 4));
        assert_eq!(size(r#"{"a": 1, "b": {}}"#), (2, 4));
    }

    #[test]
    fn a_large_body_of_small_objects_is_recognised_by_its_number_of_values() {
        let objects = vec![r#"{"":0}"#; 149_000].join(",");
        let document = format!("[{objects}]");
        let size = JsonSize::of(document.as_bytes());
        assert!(document.len() < 1 << 20);
        assert!(size.values() > MAX_VALUES);
        assert!(size.bytes() > 80 << 20, "{}", size.bytes());
    }

    #[test]
    fn no_document_has_more_values_than_were_counted() {
        fn values(value: &serde_json::Value) -> usize {
            1 + match value {
                serde_json::Value::Array(list) => list.iter().map(values).sum(),
                serde_json::Value::Object(fields) => fields.values().map(values).sum(),
                _ => 0,
            }
        }
        for document in [
            r#"{"a":[1,2,{"b":[]}],"c":"x,{[","d":{"e":null}}"#,
            "[[],[[]],[0,0]]",
            "null",
        ] {
            let value = serde_json::from_str(document).unwrap();
            let size = JsonSize::of(document.as_bytes());
            assert!(values(&value) <= size.values(), "{document}");
        }
    }
}
