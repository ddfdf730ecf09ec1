//! Reads manifests as kubectl does: YAML 1.1 scalars, merge keys, aliases, lists of objects. The one difference: a key given
//! twice is refused, where kubectl silently takes the last one.

mod compose;
mod decode;
mod scalar;
mod schema;

use std::{collections::BTreeMap, fmt};

use granit_parser::Marker;
use serde_json::{Map, Value};

use self::compose::{Node, NodeKind};
pub use self::decode::{Decoded, decode};

/// A line and a column of a file, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// The place at a line and a column, both counted from 1.
    #[must_use]
    pub const fn new(line: usize, column: usize) -> Self {
        Self { line, column }
    }

    /// The line, counted from 1.
    #[must_use]
    pub const fn line(self) -> usize {
        self.line
    }

    /// The column, counted from 1.
    #[must_use]
    pub const fn column(self) -> usize {
        self.column
    }

    fn of(marker: &Marker) -> Self {
        Self {
            line: marker.line(),
            column: marker.col() + 1,
        }
    }

    fn error(self, message: &str) -> ManifestError {
        ManifestError {
            place: self,
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for Place {
    /// As compilers write it, so that editors can jump there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What is wrong with a manifest, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ManifestError {
    place: Place,
    message: String,
}

impl ManifestError {
    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// An object of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// The object as JSON: what the API server receives.
    pub value: Value,
    /// Where each value stands, by its path, such as `spec.env[0].value`, and how it was written, if without quotes.
    origins: BTreeMap<String, (Place, Option<String>)>,
}

impl Manifest {
    /// Place of the value at a path, or of the nearest one around it.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        self.origin(path).0
    }

    /// Place of the value at a path, or of the nearest one around it, and its text, where that stood without quotes.
    fn origin(&self, path: &str) -> (Place, Option<&str>) {
        let mut around = path;
        loop {
            if let Some((place, plain)) = self.origins.get(around) {
                return (*place, plain.as_deref().filter(|_| around == path));
            }
            let Some(end) = around.rfind(['.', '[']) else {
                return self
                    .origins
                    .get("")
                    .map(|(place, _)| (*place, None))
                    .unwrap_or_default();
            };
            around = around.get(..end).unwrap_or_default();
        }
    }
}

/// Reads the objects of a text. A list of objects gives its items; empty documents give nothing.
///
/// # Errors
///
/// The first place where the text is not YAML, or is YAML that has no form in JSON, or has `items` that are no list.
pub fn read(text: &str) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for node in compose::documents(text)? {
        flatten(node, &mut manifests)?;
    }
    Ok(manifests)
}

/// An object that has `items` is a list, whatever its kind: so kubectl sees it (`UnstructuredJSONScheme` in apimachinery).
fn flatten(node: Node, manifests: &mut Vec<Manifest>) -> Result<(), ManifestError> {
    if let NodeKind::Map(entries) = &node.kind
        && let Some(items) = field(entries, "items")
    {
        return match &items.kind {
            NodeKind::List(list) => list
                .iter()
                .try_for_each(|item| flatten(with_type_of(entries, item.clone()), manifests)),
            NodeKind::Scalar { value, .. } if value.is_null() => Ok(()),
            NodeKind::Scalar { .. } | NodeKind::Map(_) => Err(items
                .place
                .error("items: this is not a valid value: use a list of objects")),
        };
    }
    let mut manifest = Manifest::default();
    manifest.value = value_of(node, String::new(), &mut manifest.origins);
    if !manifest.value.is_null() {
        manifests.push(manifest);
    }
    Ok(())
}

fn field<'a>(entries: &'a [(String, Node)], name: &str) -> Option<&'a Node> {
    entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The item of a list; if it has neither kind nor version, with those that the list's own imply.
fn with_type_of(list: &[(String, Node)], mut item: Node) -> Node {
    let NodeKind::Map(entries) = &mut item.kind else {
        return item;
    };
    if field(entries, "kind").is_some() || field(entries, "apiVersion").is_some() {
        return item;
    }
    let given = |name| field(list, name).cloned().map(|value| (name.to_owned(), value));
    entries.extend(given("apiVersion"));
    if let Some((name, mut kind)) = given("kind") {
        if let NodeKind::Scalar {
            value: Value::String(kind),
            ..
        } = &mut kind.kind
        {
            *kind = kind.strip_suffix("List").unwrap_or(kind).to_owned();
        }
        entries.push((name, kind));
    }
    item
}

fn value_of(node: Node, path: String, origins: &mut BTreeMap<String, (Place, Option<String>)>) -> Value {
    match node.kind {
        NodeKind::Scalar { value, plain } => {
            origins.insert(path, (node.place, plain));
            value
        }
        NodeKind::List(items) => {
            let items = items.into_iter().enumerate();
            let values = items
                .map(|(index, item)| value_of(item, format!("{path}[{index}]"), origins))
                .collect();
            origins.insert(path, (node.place, None));
            Value::Array(values)
        }
        NodeKind::Map(entries) => {
            let dot = if path.is_empty() { "" } else { "." };
            let mut map = Map::new();
            for (key, value) in entries {
                let value = value_of(value, format!("{path}{dot}{key}"), origins);
                map.insert(key, value);
            }
            origins.insert(path, (node.place, None));
            Value::Object(map)
        }
    }
}

#[cfg(test)]
mod tests;
