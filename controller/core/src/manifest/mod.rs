//! Reads manifests as kubectl does: YAML 1.1 scalars, merge keys, aliases, lists of objects. The one difference: a key given
//! twice is refused, where kubectl silently takes the last one.

mod compose;
mod decode;
mod scalar;

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

/// An object of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// The object as JSON: what the API server receives.
    pub value: Value,
    /// Where each value stands, by its path, such as `spec.env[0].value`, and how it was written, if without quotes.
    origins: BTreeMap<String, (Place, Option<String>)>,
}

impl Manifest {
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

/// Reads the objects of a text. A `kind: List` gives its items; empty documents give nothing.
///
/// # Errors
///
/// The first place where the text is not YAML, or is YAML that has no form in JSON.
pub fn read(text: &str) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    for node in compose::documents(text)? {
        flatten(node, &mut manifests);
    }
    Ok(manifests)
}

fn flatten(node: Node, manifests: &mut Vec<Manifest>) {
    if let NodeKind::Map(entries) = &node.kind {
        let field = |name: &str| {
            entries
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| &value.kind)
        };
        let is_list = matches!(field("kind"), Some(NodeKind::Scalar { value: Value::String(kind), .. }) if kind.ends_with("List"));
        if let (true, Some(NodeKind::List(items))) = (is_list, field("items")) {
            items.iter().for_each(|item| flatten(item.clone(), manifests));
            return;
        }
    }
    let mut manifest = Manifest::default();
    manifest.value = value_of(node, String::new(), &mut manifest.origins);
    if !manifest.value.is_null() {
        manifests.push(manifest);
    }
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
