//! Schemas of parameters and bodies that no Rust type describes.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A character that `str::trim` does not remove. `\S` of ECMA 262 differs from this in two characters.
const NOT_BLANK: &str = r"[^\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";

/// A whole number within bounds, with the value that holds when it is left out.
pub(super) fn whole_number(min: u64, max: u64, default: Option<u64>) -> Value {
    let mut schema = json!({"type": "integer", "minimum": min, "maximum": max});
    if let (Some(schema), Some(default)) = (schema.as_object_mut(), default) {
        schema.insert("default".to_owned(), json!(default));
    }
    schema
}

/// An id that the store has given.
pub(super) fn id() -> Value {
    json!({"type": "integer", "format": "int64"})
}

/// Any finite number.
pub(super) fn number() -> Value {
    json!({"type": "number", "format": "double"})
}

/// Any text; empty counts as not given.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text of 1 to `max` characters that are not all white space.
pub(super) fn required_text(max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max, "pattern": NOT_BLANK})
}

/// A text of at most `max` characters; empty counts as not given.
pub(super) fn text_up_to(max: usize) -> Value {
    json!({"type": "string", "maxLength": max, "pattern": r"^[^\x00]*$"})
}

/// A point in time as in RFC 3339.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// True or false.
pub(super) fn boolean() -> Value {
    json!({"type": "boolean"})
}

/// A body that is text.
pub(super) fn any_text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string"})
}

/// Puts a schema under a name into the document, and gives the reference to it.
pub(super) fn named(generator: &mut SchemaGenerator, name: &str, schema: Value) -> Schema {
    generator.definitions_mut().entry(name).or_insert(schema);
    Schema::new_ref(format!("#/components/schemas/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_for_what_is_not_blank_names_the_white_space_that_trim_takes() {
        let inside = NOT_BLANK.trim_start_matches("[^").trim_end_matches(']');
        let named = |letter: char| match letter {
            '\t'..='\r' => inside.contains(r"\t-\r"),
            ' ' => inside.contains(' '),
            '\u{2000}'..='\u{200a}' => inside.contains(r"\u2000-\u200a"),
            other => inside.contains(&format!("\\u{:04x}", u32::from(other))),
        };
        let white = (0..=0xffff_u32)
            .filter_map(char::from_u32)
            .filter(|letter| letter.is_whitespace());
        assert_eq!(white.filter(|letter| !named(*letter)).collect::<String>(), "");
        assert_eq!(inside.matches("\\u").count(), 10, "nothing else is named");
    }
}
