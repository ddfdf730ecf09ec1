//! Items that clients send: their check, which names every violation and not only the first, and their schemas.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::{
    error::Violation,
    routes::{
        fields::FieldReader,
        schemas::{named, required_text},
    },
    store::NewItem,
};

pub(super) const MAX_NAME: usize = 200;
pub(super) const MAX_CATEGORY: usize = 100;
const MAX_DESCRIPTION: usize = 2_000;
/// The sum of a hundred million such values is still a number in every database.
const MAX_VALUE: f64 = 1e300;
const MAX_METADATA_BYTES: usize = 4 * 1024;
/// Items of one bulk request; their parameters fit one statement of SQLite (32,766).
const MAX_BULK: usize = 1_000;
/// After this many violations a bulk request is not read further, so that the response stays shorter than the request.
const ENOUGH_VIOLATIONS: usize = 100;

/// One item.
pub(super) fn item(body: &Value) -> Result<NewItem, Vec<Violation>> {
    let mut reader = FieldReader::default();
    match read(&mut reader, body) {
        Some(item) if reader.violations.is_empty() => Ok(item),
        Some(_) | None => Err(reader.violations),
    }
}

/// Items of a bulk request: an array, or an object with the array as `items`.
pub(super) fn items(body: &Value) -> Result<Vec<NewItem>, Vec<Violation>> {
    let list = body.as_array().or_else(|| body.get("items")?.as_array());
    let Some(list) = list.filter(|list| (1..=MAX_BULK).contains(&list.len())) else {
        let detail = format!("not a valid array: use 1 to {MAX_BULK} items");
        return Err(vec![Violation {
            index: None,
            field: "items",
            detail,
        }]);
    };
    let mut reader = FieldReader::default();
    let mut items = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        if reader.violations.len() >= ENOUGH_VIOLATIONS {
            break;
        }
        reader.index = Some(index);
        items.extend(read(&mut reader, value));
    }
    if reader.violations.is_empty() {
        Ok(items)
    } else {
        Err(reader.violations)
    }
}

/// Reads one item. A field with a violation gets any value, because the item is then not used.
fn read(reader: &mut FieldReader, value: &Value) -> Option<NewItem> {
    let fields = reader.object(value)?;
    Some(NewItem {
        name: reader.required_text(fields, "name", MAX_NAME),
        description: reader.optional_text(fields, "description", MAX_DESCRIPTION),
        category: reader.required_text(fields, "category", MAX_CATEGORY),
        value: number(reader, fields),
        active: reader.boolean(fields, "active", true),
        metadata: metadata(reader, fields),
    })
}

fn number(reader: &mut FieldReader, fields: &Map<String, Value>) -> f64 {
    let number = fields.get("value").and_then(Value::as_f64);
    let number = number.filter(|number| number.abs() <= MAX_VALUE);
    if number.is_none() {
        reader.complain(
            "value",
            format!(
                "not a valid number: use a number from {:e} to {MAX_VALUE:e}",
                -MAX_VALUE
            ),
        );
    }
    // SQLite does not keep the sign of a zero; drop it for PostgreSQL too.
    number.unwrap_or_default() + 0.0
}

fn metadata(reader: &mut FieldReader, fields: &Map<String, Value>) -> Option<String> {
    match fields.get("metadata") {
        None | Some(Value::Null) => None,
        Some(value @ Value::Object(_)) => {
            let text = value.to_string();
            if text.len() > MAX_METADATA_BYTES {
                reader.complain(
                    "metadata",
                    format!("not a valid object: use at most {MAX_METADATA_BYTES} bytes of JSON"),
                );
            }
            Some(text)
        }
        Some(_) => {
            reader.complain("metadata", "not a valid object: use a JSON object, or null");
            None
        }
    }
}

/// An item as a client may send it.
pub(super) fn example() -> Value {
    json!({"name": "Ada", "category": "people", "value": 1.5, "metadata": {"born": 1815}})
}

/// The schema of what [`item`] reads.
pub(super) fn new_item(generator: &mut SchemaGenerator) -> Schema {
    named(
        generator,
        "NewItem",
        json!({
            "type": "object",
            "required": ["name", "category", "value"],
            "properties": {
                "name": required_text(MAX_NAME),
                "description": {"type": ["string", "null"], "maxLength": MAX_DESCRIPTION},
                "category": required_text(MAX_CATEGORY),
                "value": {"type": "number", "minimum": -MAX_VALUE, "maximum": MAX_VALUE},
                "active": {"type": ["boolean", "null"], "default": true},
                "metadata": {
                    "type": ["object", "null"],
                    "description": format!("At most {MAX_METADATA_BYTES} bytes as JSON"),
                },
            },
        }),
    )
}

/// The schema of what [`items`] reads.
pub(super) fn new_items(generator: &mut SchemaGenerator) -> Schema {
    let item = new_item(generator);
    let items = json!({"type": "array", "items": item, "minItems": 1, "maxItems": MAX_BULK});
    let wrapped = json!({"type": "object", "required": ["items"], "properties": {"items": items}});
    named(generator, "NewItems", json!({"anyOf": [items, wrapped]}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(result: Result<NewItem, Vec<Violation>>) -> Vec<&'static str> {
        result
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn an_item_may_leave_out_what_is_optional() {
        let item = item(&json!({"name": "a", "category": "c", "value": 1})).unwrap();
        assert_eq!(item.description, None);
        assert!(item.active);
    }

    #[test]
    fn every_field_that_is_not_allowed_is_named() {
        let body = json!({"name": " ", "category": 3, "value": "1", "active": 1, "description": [], "metadata": []});
        assert_eq!(
            fields(item(&body)),
            ["name", "description", "category", "value", "active", "metadata"]
        );
        assert_eq!(fields(item(&json!([]))), ["body"]);
    }

    #[test]
    fn a_name_is_measured_in_characters_and_metadata_in_bytes() {
        let body = |name: String, metadata: String| json!({"name": name, "category": "c", "value": 0, "metadata": {"k": metadata}});
        assert!(item(&body("é".repeat(200), "x".repeat(4_088))).is_ok());
        assert_eq!(fields(item(&body("é".repeat(201), String::new()))), ["name"]);
        assert_eq!(fields(item(&body("n".into(), "x".repeat(4_089)))), ["metadata"]);
    }

    #[test]
    fn a_bulk_request_names_the_item_and_the_field() {
        let good = json!({"name": "a", "category": "c", "value": 1});
        let violations = items(&json!([good, {"name": "b"}, 7])).unwrap_err();
        let places: Vec<_> = violations
            .iter()
            .map(|violation| (violation.index, violation.field))
            .collect();
        assert_eq!(places, [(Some(1), "category"), (Some(1), "value"), (Some(2), "body")]);
        assert_eq!(items(&json!({"items": [good]})).unwrap().len(), 1);
        assert!(items(&json!([])).is_err());
        assert_eq!(
            items(&Value::Array(vec![json!(7); 1_000])).unwrap_err().len(),
            ENOUGH_VIOLATIONS
        );
        assert!(items(&Value::Array(vec![good; 1_001])).is_err());
    }
}
