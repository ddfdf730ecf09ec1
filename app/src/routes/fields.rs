//! Reads the fields of a JSON body one by one, and collects all violations instead of stopping at the first.

use serde_json::{Map, Value};

use crate::error::{Problem, Violation};

/// The largest whole number that every JSON client keeps as it is.
pub(super) const MAX_WHOLE: i64 = (1 << 53) - 1;

/// Collects violations while a body is read.
#[derive(Debug, Default)]
pub(super) struct FieldReader {
    /// The item that is read, of a bulk request.
    pub(super) index: Option<usize>,
    pub(super) violations: Vec<Violation>,
}

impl FieldReader {
    pub(super) fn complain(&mut self, field: &'static str, detail: impl Into<String>) {
        self.violations.push(Violation {
            index: self.index,
            field,
            detail: detail.into(),
        });
    }

    /// The value, if there are no violations.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            Some(_) | None => Err(Problem::invalid(self.violations)),
        }
    }

    pub(super) fn object<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let fields = value.as_object();
        if fields.is_none() {
            self.complain("body", "not a valid object: use a JSON object");
        }
        fields
    }

    pub(super) fn required_text(&mut self, fields: &Map<String, Value>, name: &'static str, max: usize) -> String {
        let text = fields.get(name).and_then(Value::as_str);
        let text = text.filter(|text| !text.trim().is_empty() && text.chars().count() <= max);
        match text {
            None => self.complain(name, format!("not a valid text: use 1 to {max} characters")),
            Some(text) => self.storable(text, name),
        }
        text.unwrap_or_default().to_owned()
    }

    pub(super) fn optional_text(
        &mut self,
        fields: &Map<String, Value>,
        name: &'static str,
        max: usize,
    ) -> Option<String> {
        match fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() <= max => {
                self.storable(text, name);
                Some(text.clone())
            }
            Some(_) => {
                self.complain(name, format!("not a valid text: use at most {max} characters, or null"));
                None
            }
        }
    }

    /// PostgreSQL has no NUL in texts.
    fn storable(&mut self, text: &str, name: &'static str) {
        if text.contains('\0') {
            self.complain(name, "not a valid text: use one without the character NUL");
        }
    }

    pub(super) fn boolean(&mut self, fields: &Map<String, Value>, name: &'static str, default: bool) -> bool {
        match fields.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.complain(name, "not a valid boolean: use true or false");
                default
            }
        }
    }

    /// A whole number from 0 to [`MAX_WHOLE`].
    pub(super) fn whole(&mut self, fields: &Map<String, Value>, name: &'static str) -> i64 {
        let number = fields.get(name).and_then(whole);
        if number.is_none() {
            self.complain(
                name,
                format!("not a valid number: use a whole number from 0 to {MAX_WHOLE}"),
            );
        }
        number.unwrap_or_default()
    }
}

/// `7` and `7.0` are the same number in JSON.
fn whole(value: &Value) -> Option<i64> {
    let integer = value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        (number.fract() == 0.0 && number.abs() <= MAX_WHOLE as f64).then_some(number as i64)
    });
    integer.filter(|number| (0..=MAX_WHOLE).contains(number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        for (value, number) in [
            (json!(7), Some(7)),
            (json!(7.0), Some(7)),
            (json!(MAX_WHOLE), Some(MAX_WHOLE)),
            (json!(MAX_WHOLE + 1), None),
            (json!(7.5), None),
            (json!(-1), None),
            (json!("7"), None),
            (json!(1e300), None),
        ] {
            assert_eq!(whole(&value), number, "{value}");
        }
    }
}
