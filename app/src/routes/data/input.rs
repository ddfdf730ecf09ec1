//! Checks items that clients send. Every violation is named, not only the first.

use serde_json::{Map, Value};

use crate::{error::Violation, store::NewItem};

pub(in crate::routes) const MAX_NAME: usize = 200;
pub(in crate::routes) const MAX_CATEGORY: usize = 100;
pub(in crate::routes) const MAX_DESCRIPTION: usize = 2_000;
pub(in crate::routes) const MAX_METADATA_BYTES: usize = 4 * 1024;
/// Items of one bulk request; their parameters fit one statement of SQLite (32,766).
pub(in crate::routes) const MAX_BULK: usize = 1_000;
/// Violations after which a bulk request is not read on, so that the answer stays shorter than the question.
const ENOUGH_VIOLATIONS: usize = 100;

/// One item.
pub(super) fn item(body: &Value) -> Result<NewItem, Vec<Violation>> {
    let mut reader = Reader {
        index: None,
        violations: Vec::new(),
    };
    match reader.item(body) {
        Some(item) if reader.violations.is_empty() => Ok(item),
        Some(_) | None => Err(reader.violations),
    }
}

/// Items of a bulk request: an array, or an object with the array as `items`.
pub(super) fn items(body: &Value) -> Result<Vec<NewItem>, Vec<Violation>> {
    let list = body.as_array().or_else(|| body.get("items")?.as_array());
    let Some(list) = list.filter(|list| (1..=MAX_BULK).contains(&list.len())) else {
        let detail = format!("must be an array of 1 to {MAX_BULK} items");
        return Err(vec![Violation {
            index: None,
            field: "items",
            detail,
        }]);
    };
    let mut reader = Reader {
        index: None,
        violations: Vec::new(),
    };
    let mut items = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        if reader.violations.len() >= ENOUGH_VIOLATIONS {
            break;
        }
        reader.index = Some(index);
        items.extend(reader.item(value));
    }
    if reader.violations.is_empty() {
        Ok(items)
    } else {
        Err(reader.violations)
    }
}

struct Reader {
    index: Option<usize>,
    violations: Vec<Violation>,
}

impl Reader {
    fn complain(&mut self, field: &'static str, detail: impl Into<String>) {
        self.violations.push(Violation {
            index: self.index,
            field,
            detail: detail.into(),
        });
    }

    /// The item; what stands in for a field with a violation does not matter, as the item is then not used.
    fn item(&mut self, value: &Value) -> Option<NewItem> {
        let Some(fields) = value.as_object() else {
            self.complain("body", "must be an object");
            return None;
        };
        Some(NewItem {
            name: self.required_text(fields, "name", MAX_NAME),
            description: self.optional_text(fields, "description", MAX_DESCRIPTION),
            category: self.required_text(fields, "category", MAX_CATEGORY),
            value: self.number(fields, "value"),
            active: self.boolean(fields, "active", true),
            metadata: self.metadata(fields),
        })
    }

    fn required_text(&mut self, fields: &Map<String, Value>, name: &'static str, max: usize) -> String {
        let text = fields.get(name).and_then(Value::as_str);
        let text = text.filter(|text| !text.trim().is_empty() && text.chars().count() <= max);
        if text.is_none() {
            self.complain(name, format!("must be a text of 1 to {max} characters"));
        }
        text.unwrap_or_default().to_owned()
    }

    fn optional_text(&mut self, fields: &Map<String, Value>, name: &'static str, max: usize) -> Option<String> {
        match fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() <= max => Some(text.clone()),
            Some(_) => {
                self.complain(name, format!("must be a text of at most {max} characters, or null"));
                None
            }
        }
    }

    fn number(&mut self, fields: &Map<String, Value>, name: &'static str) -> f64 {
        let number = fields
            .get(name)
            .and_then(Value::as_f64)
            .filter(|number| number.is_finite());
        if number.is_none() {
            self.complain(name, "must be a finite number");
        }
        number.unwrap_or_default()
    }

    fn boolean(&mut self, fields: &Map<String, Value>, name: &'static str, default: bool) -> bool {
        match fields.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.complain(name, "must be true or false");
                default
            }
        }
    }

    fn metadata(&mut self, fields: &Map<String, Value>) -> Option<String> {
        match fields.get("metadata") {
            None | Some(Value::Null) => None,
            Some(value @ Value::Object(_)) => {
                let text = value.to_string();
                if text.len() > MAX_METADATA_BYTES {
                    self.complain(
                        "metadata",
                        format!("must take at most {MAX_METADATA_BYTES} bytes as JSON"),
                    );
                }
                Some(text)
            }
            Some(_) => {
                self.complain("metadata", "must be an object, or null");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
