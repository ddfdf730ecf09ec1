//! Schemas of parameters and of bodies that are not a type of ours.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

/// A whole number within bounds; what it is when it is left out.
pub(super) fn whole_number(min: u64, max: u64, default: Option<u64>) -> Value {
    let mut schema = json!({"type": "integer", "minimum": min, "maximum": max});
    if let (Some(schema), Some(default)) = (schema.as_object_mut(), default) {
        schema.insert("default".to_owned(), json!(default));
    }
    schema
}

/// What the store gives to rows as their name.
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

/// A moment as in RFC 3339.
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
