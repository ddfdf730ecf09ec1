//! Texts in which the names of an API stand, so that the texts of the next API are those of the first one with other
//! names in their places.

use serde_json::{Map, Value};

use crate::dashboard_uid;

/// Stands for the namespace while a template is built. Letters, as no writer of PromQL, JSON or YAML escapes a letter; a text
/// of a user that holds it is looked for.
pub(crate) const NAMESPACE: &str = "qnamespaceq";
/// Stands for the name.
pub(crate) const NAME: &str = "qnameq";
/// The letter with which both begin.
const FIRST_OF_PLACES: char = 'q';

/// What stands in the places.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    namespace: &'a str,
    name: &'a str,
    dashboard_uid: String,
}

impl<'a> Names<'a> {
    pub(crate) fn new(namespace: &'a str, name: &'a str) -> Self {
        Self {
            namespace,
            name,
            dashboard_uid: dashboard_uid(namespace, name),
        }
    }

    fn at(&self, place: Place) -> &str {
        match place {
            Place::Namespace => self.namespace,
            Place::Name => self.name,
            Place::DashboardUid => &self.dashboard_uid,
        }
    }
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Namespace,
    Name,
    DashboardUid,
}

/// A text with places.
#[derive(Debug)]
pub(crate) struct TextTemplate {
    /// The text without what stands in the places.
    text: Box<str>,
    /// Each place, and how many bytes of the text stand before it.
    places: Box<[(usize, Place)]>,
}

impl TextTemplate {
    /// The template of a text that was made of [`NAMESPACE`] and [`NAME`].
    pub(crate) fn new(text: &str) -> Self {
        let mut without = String::with_capacity(text.len());
        let mut places = Vec::new();
        let mut rest = text;
        while let Some((before, place, after)) = next_place(rest) {
            without.push_str(before);
            places.push((without.len(), place));
            rest = after;
        }
        without.push_str(rest);
        Self {
            text: without.into(),
            places: places.into(),
        }
    }

    /// The text with names in the places.
    pub(crate) fn fill(&self, names: &Names<'_>) -> String {
        let mut text = String::new();
        self.fill_into(names, &mut text);
        text
    }

    /// Appends the text with names in the places.
    pub(crate) fn fill_into(&self, names: &Names<'_>, text: &mut String) {
        let of_names: usize = self.places.iter().map(|(_, place)| names.at(*place).len()).sum();
        text.reserve(self.text.len() + of_names);
        let mut from = 0;
        for (at, place) in &self.places {
            text.push_str(self.text.get(from..*at).unwrap_or_default());
            text.push_str(names.at(*place));
            from = *at;
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
    }
}

/// Number of places of a text.
pub(crate) fn places(text: &str) -> usize {
    let mut rest = text;
    std::iter::from_fn(|| {
        let (_, place, after) = next_place(rest)?;
        rest = after;
        Some(place)
    })
    .count()
}

/// What stands before the first place of a text, the place, and what stands behind it.
fn next_place(text: &str) -> Option<(&str, Place, &str)> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find(FIRST_OF_PLACES)?;
        let (before, rest) = text.split_at(at);
        if let Some(after) = rest.strip_prefix(NAMESPACE) {
            // The uid is made of both names.
            let of_uid = after.strip_prefix('_').and_then(|after| after.strip_prefix(NAME));
            return Some(match of_uid {
                Some(after) => (before, Place::DashboardUid, after),
                None => (before, Place::Namespace, after),
            });
        }
        if let Some(after) = rest.strip_prefix(NAME) {
            return Some((before, Place::Name, after));
        }
        from = at + FIRST_OF_PLACES.len_utf8();
    }
}

/// A JSON value with places in its texts, but not in its keys.
#[derive(Debug)]
pub(crate) enum ValueTemplate {
    /// A scalar without a place.
    Fixed(Value),
    Text(TextTemplate),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl ValueTemplate {
    /// The template of a value that was made of [`NAMESPACE`] and [`NAME`].
    pub(crate) fn new(value: Value) -> Self {
        match value {
            Value::String(text) if holds_place(&text) => Self::Text(TextTemplate::new(&text)),
            Value::Array(items) => Self::List(items.into_iter().map(Self::new).collect()),
            Value::Object(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::new(value)))
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Fixed(value),
        }
    }

    /// The value with names in the places.
    pub(crate) fn fill(&self, names: &Names<'_>) -> Value {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(text) => Value::String(text.fill(names)),
            Self::List(items) => items.iter().map(|item| item.fill(names)).collect(),
            Self::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.fill(names)))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

/// Whether the text holds [`NAMESPACE`] or [`NAME`].
pub(crate) fn holds_place(text: &str) -> bool {
    next_place(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        TextTemplate::new(text).fill(&Names::new("shop", "orders"))
    }

    #[test]
    fn names_stand_in_all_places_of_a_text_and_nothing_else_changes() {
        let uid = dashboard_uid(NAMESPACE, NAME);
        let text = format!("q{NAME}{NAMESPACE}/{NAME} {uid} {uid}q qname qnamespace requests ä{NAME}");
        assert_eq!(
            filled(&text),
            "qordersshop/orders shop_orders shop_ordersq qname qnamespace requests äorders"
        );
        assert_eq!(filled(""), "");
        assert_eq!(filled("quantile"), "quantile");
    }

    #[test]
    fn the_uid_of_a_long_name_stands_in_the_place_of_the_uid() {
        let name = "a".repeat(52);
        let text = TextTemplate::new(&dashboard_uid(NAMESPACE, NAME)).fill(&Names::new("shop", &name));
        assert_eq!(text, dashboard_uid("shop", &name));
    }

    #[test]
    fn a_value_is_the_same_with_names_in_its_texts() {
        let value = serde_json::json!({"a": [NAME, 1, {"b": format!("x {NAMESPACE}")}], "c": null, "d": "plain"});
        let expected = serde_json::json!({"a": ["orders", 1, {"b": "x shop"}], "c": null, "d": "plain"});
        assert_eq!(ValueTemplate::new(value).fill(&Names::new("shop", "orders")), expected);
    }
}
