//! Reads manifests as kubectl does: YAML 1.1 scalars, merge keys, aliases, lists of objects. The one difference: a key given
//! twice is refused, where kubectl silently takes the last one.

mod compose;
mod decode;
mod json;
mod origin;
mod path;
mod scalar;
mod schema;

use std::fmt;

use granit_parser::Marker;
use serde_json::Value;

pub use self::decode::{Decoded, decode};
use self::{compose::Node, json::JsonText, origin::Origin};

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

    fn of(marker: &Marker, lines_before: usize) -> Self {
        Self {
            line: lines_before + marker.line(),
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
    /// Where each value of it stands.
    origin: Origins,
}

#[derive(Debug, Clone)]
enum Origins {
    Known(Origin),
    /// Of a document that was read as JSON: found when it is first asked for.
    Json(JsonText),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Known(Origin::default())
    }
}

impl Manifest {
    /// Place of the value at a path, such as `spec.env[0].value`, or of the nearest one around it.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        self.origin(path).0
    }

    /// Place of the value at a path, or of the nearest one around it, and its text, where that stood without quotes.
    fn origin(&self, path: &str) -> (Place, Option<&str>) {
        let origin = match &self.origin {
            Origins::Known(origin) => origin,
            Origins::Json(text) => text.origin(),
        };
        origin.find(&self.value, path)
    }
}

/// Reads the objects of a text. A list of objects gives its items; empty documents give nothing.
///
/// # Errors
///
/// As [`read_each`].
pub fn read(text: &str) -> Result<Vec<Manifest>, ManifestError> {
    let mut manifests = Vec::new();
    read_each(text, |manifest| {
        manifests.push(manifest);
        Ok::<_, ManifestError>(())
    })?;
    Ok(manifests)
}

/// Hands over the objects of a text one by one, so that no two of them need memory at a time.
///
/// # Errors
///
/// The first place where the text is not YAML, or is YAML that has no form in JSON, or has `items` that are no list. The
/// objects before that place have been handed over. Or the first error of `take`, which is not called again then.
pub fn read_each<E: From<ManifestError>>(text: &str, mut take: impl FnMut(Manifest) -> Result<(), E>) -> Result<(), E> {
    let mut rest = (text, 0);
    let mut documents = json::Documents::of(text);
    // Lists are for the reader that knows where their items stand.
    while let Some((value, text)) = documents.next().filter(|(value, _)| value.get(ITEMS).is_none()) {
        rest = documents.rest();
        take(Manifest {
            value,
            origin: Origins::Json(text),
        })?;
    }
    let (rest, lines_before) = rest;
    for node in compose::documents(rest, lines_before) {
        flatten(node?, &mut take)?;
    }
    Ok(())
}

/// The field by which lists are known.
const ITEMS: &str = "items";

/// An object that has `items` is a list, whatever its kind: so kubectl sees it (`UnstructuredJSONScheme` in apimachinery).
fn flatten<E: From<ManifestError>>(mut node: Node, take: &mut impl FnMut(Manifest) -> Result<(), E>) -> Result<(), E> {
    let Some(items) = node.take_field(ITEMS) else {
        if !node.value.is_null() {
            take(Manifest {
                value: node.value,
                origin: Origins::Known(node.origin),
            })?;
        }
        return Ok(());
    };
    match items.value {
        Value::Array(values) => {
            let items = values.into_iter().zip(items.origin.inner);
            for (value, origin) in items {
                let mut item = Node { value, origin };
                add_type_of(&node, &mut item);
                flatten(item, take)?;
            }
            Ok(())
        }
        Value::Null => Ok(()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Err(items
            .origin
            .place
            .error("items: this is not a valid value: use a list of objects")
            .into()),
    }
}

/// Gives the item of a list that has neither kind nor version those that the list's own imply.
fn add_type_of(list: &Node, item: &mut Node) {
    let has = |name: &str| item.value.get(name).is_some();
    if !item.value.is_object() || has("kind") || has("apiVersion") {
        return;
    }
    for name in ["apiVersion", "kind"] {
        let Some(Node { mut value, origin }) = list.field(name) else {
            continue;
        };
        if let Value::String(kind) = &mut value
            && name == "kind"
        {
            *kind = kind.strip_suffix("List").unwrap_or(kind).to_owned();
        }
        item.add_field(name, Node { value, origin });
    }
}

#[cfg(test)]
mod tests;
