//! Texts in which the names of an API stand, so that the texts of the next API are those of the first one with other
//! names in their places.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dashboard_uid;

/// Stands for the namespace while a template is built. Letters, as no writer of PromQL, JSON or YAML escapes a letter; a text
/// of a user that holds it is looked for.
pub(crate) const NAMESPACE: &str = "qnamespaceq";
/// Stands for the name.
pub(crate) const NAME: &str = "qnameq";
/// Most bytes between the two places of a pair.
const LONGEST_BETWEEN: usize = 24;
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
        let places = self.places.iter().map(|(at, place)| (*at, names.at(*place)));
        let mut text = String::with_capacity(self.text.len());
        insert(&self.text, places, &mut text);
        text
    }
}

/// A long text with places, most of which stand in pairs, as the namespace and the name of a selector do. What stands from the
/// first place of a pair to the second one is the same in many pairs, so it is filled once for all of them.
#[derive(Debug)]
pub(crate) struct LongTextTemplate {
    /// The text without what stands in the places.
    text: Box<str>,
    /// Single places and pairs, each different one once, with the number of times that it stands in the text.
    parts: Box<[(TextTemplate, usize)]>,
    /// How many bytes of the text stand before a part, and which one it is.
    at: Box<[(usize, usize)]>,
}

impl LongTextTemplate {
    /// The template of a text that was made of [`NAMESPACE`] and [`NAME`].
    pub(crate) fn new(text: &str) -> Self {
        let mut without = String::with_capacity(text.len());
        let (mut parts, mut known, mut at) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut rest = text;
        while let Some((before, part, after)) = next_part(rest) {
            without.push_str(before);
            let index = *known.entry(part).or_insert_with(|| {
                parts.push((TextTemplate::new(part), 0));
                parts.len() - 1
            });
            if let Some((_, count)) = parts.get_mut(index) {
                *count += 1;
            }
            at.push((without.len(), index));
            rest = after;
        }
        without.push_str(rest);
        Self {
            text: without.into(),
            parts: parts.into(),
            at: at.into(),
        }
    }

    /// Appends the text with names in the places.
    pub(crate) fn fill_into(&self, names: &Names<'_>, text: &mut String) {
        let parts: Vec<String> = self.parts.iter().map(|(part, _)| part.fill(names)).collect();
        let counts = self.parts.iter().map(|(_, count)| count);
        let of_parts: usize = parts.iter().zip(counts).map(|(part, count)| part.len() * count).sum();
        text.reserve(self.text.len() + of_parts);
        let part = |index: usize| parts.get(index).map(String::as_str).unwrap_or_default();
        insert(&self.text, self.at.iter().map(|(at, index)| (*at, part(*index))), text);
    }
}

/// Appends a text with others inserted, each behind so many bytes of it.
fn insert<'a>(into: &str, others: impl Iterator<Item = (usize, &'a str)>, text: &mut String) {
    let mut from = 0;
    for (at, other) in others {
        text.push_str(into.get(from..at).unwrap_or_default());
        text.push_str(other);
        from = at;
    }
    text.push_str(into.get(from..).unwrap_or_default());
}

/// What stands before the first place of a text; the place, up to the end of the next one if that follows closely; and what
/// stands behind.
fn next_part(text: &str) -> Option<(&str, &str, &str)> {
    let (before, _, mut after) = next_place(text)?;
    if let Some((between, _, behind)) = next_place(after)
        && between.len() <= LONGEST_BETWEEN
    {
        after = behind;
    }
    let (with_part, after) = text.split_at(text.len() - after.len());
    let (before, part) = with_part.split_at(before.len());
    Some((before, part, after))
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
    fn a_long_text_is_filled_as_a_short_one_is() {
        let uid = dashboard_uid(NAMESPACE, NAME);
        let pair = format!("{{namespace=\"{NAMESPACE}\", job=\"{NAME}\"}}");
        let far = format!("{NAMESPACE}{}{NAME}", "ä".repeat(LONGEST_BETWEEN));
        let names = Names::new("shop", "orders");
        for text in [
            String::new(),
            "quantile".to_owned(),
            NAME.to_owned(),
            format!("{NAMESPACE}{NAME}"),
            format!("sum({pair}) / sum({pair}) {uid} q{NAME} {NAME}{pair}q"),
            format!("{uid}{uid}{uid}{far}{pair}{far}"),
        ] {
            let mut long = "before".to_owned();
            LongTextTemplate::new(&text).fill_into(&names, &mut long);
            assert_eq!(long, format!("before{}", filled(&text)), "{text}");
        }
        assert_eq!(LongTextTemplate::new(&format!("{pair}{pair}{pair}")).parts.len(), 1);
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
