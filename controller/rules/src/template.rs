//! Texts in which the names of an API stand, so that the texts of the next API are those of the first one with other
//! names in their places.

use serde_json::{Map, Value};

use crate::dashboard_uid;

/// Stands for the namespace while a template is built. Letters, as no writer of PromQL, JSON or YAML escapes a letter; a text
/// of a user that holds it is looked for.
pub(crate) const NAMESPACE: &str = "qnamespaceq";
/// Stands for the name.
pub(crate) const NAME: &str = "qnameq";

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
    /// Each place, and the text before it.
    parts: Vec<(Box<str>, Place)>,
    /// The text behind the last place.
    rest: Box<str>,
}

impl TextTemplate {
    /// The template of a text that was made of [`NAMESPACE`] and [`NAME`].
    pub(crate) fn new(mut text: &str) -> Self {
        let uid = dashboard_uid(NAMESPACE, NAME);
        // The uid holds the other two, so it is looked for first.
        let places = [
            (uid.as_str(), Place::DashboardUid),
            (NAMESPACE, Place::Namespace),
            (NAME, Place::Name),
        ];
        let mut parts = Vec::new();
        while let Some((at, (found, place))) = places
            .iter()
            .filter_map(|place| Some((text.find(place.0)?, *place)))
            .min_by_key(|(at, _)| *at)
        {
            let (before, after) = text.split_at(at);
            parts.push((before.into(), place));
            text = after.get(found.len()..).unwrap_or_default();
        }
        Self {
            parts,
            rest: text.into(),
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
        let length: usize = self
            .parts
            .iter()
            .map(|(before, place)| before.len() + names.at(*place).len())
            .sum();
        text.reserve(length + self.rest.len());
        for (before, place) in &self.parts {
            text.push_str(before);
            text.push_str(names.at(*place));
        }
        text.push_str(&self.rest);
    }
}

/// A JSON value with places in its texts, but not in its keys.
#[derive(Debug)]
pub(crate) enum ValueTemplate {
    /// Without a place.
    Fixed(Value),
    Text(TextTemplate),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl ValueTemplate {
    /// The template of a value that was made of [`NAMESPACE`] and [`NAME`].
    pub(crate) fn new(value: Value) -> Self {
        if !has_place(&value) {
            return Self::Fixed(value);
        }
        match value {
            Value::String(text) => Self::Text(TextTemplate::new(&text)),
            Value::Array(items) => Self::List(items.into_iter().map(Self::new).collect()),
            Value::Object(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, Self::new(value)))
                    .collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(value),
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

fn has_place(value: &Value) -> bool {
    match value {
        Value::String(text) => holds_place(text),
        Value::Array(items) => items.iter().any(has_place),
        Value::Object(entries) => entries.values().any(has_place),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether the text holds [`NAMESPACE`] or [`NAME`].
pub(crate) fn holds_place(text: &str) -> bool {
    [NAMESPACE, NAME].iter().any(|place| text.contains(place))
}
