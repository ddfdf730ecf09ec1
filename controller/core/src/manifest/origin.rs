//! Where the values of a manifest stand: kept beside them, and looked up when something is wrong.

use serde_json::Value;

use super::Place;

/// Where a value and the values in it stand, and how it was written.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub(super) place: Place,
    /// How it was written, where it stood without quotes.
    pub(super) plain: Option<Plain>,
    /// Of a list those of its items; of a map those of its values, in the order in which the map gives them.
    pub(super) inner: Vec<Self>,
}

/// A scalar without quotes as it was written.
#[derive(Debug, Clone)]
pub(super) enum Plain {
    /// As the text that it was read as.
    AsRead,
    /// As this text, which was read as something else.
    Text(Box<str>),
}

impl Origin {
    pub(super) const fn at(place: Place) -> Self {
        Self {
            place,
            plain: None,
            inner: Vec::new(),
        }
    }

    /// Number of values, this one included.
    pub(super) fn values(&self) -> usize {
        1 + self.inner.iter().map(Self::values).sum::<usize>()
    }

    /// Text of a scalar as it was written, where it stood without quotes.
    fn plain_text<'a>(&'a self, value: &'a Value) -> Option<&'a str> {
        match self.plain.as_ref()? {
            Plain::AsRead => value.as_str(),
            Plain::Text(text) => Some(text),
        }
    }

    /// Place of the value at a path within `value`, such as `spec.env[0].value`, or of the nearest one around it; and its
    /// text, where it stood without quotes.
    pub(super) fn find<'a>(&'a self, value: &'a Value, path: &str) -> (Place, Option<&'a str>) {
        let (used, origin, value) = self.nearest(value, path, 0);
        let plain = origin.plain_text(value).filter(|_| used == path.len());
        (origin.place, plain)
    }

    /// The value that more of the path leads to than to any other, and how many bytes of it do. Keys may hold dots and
    /// brackets, so that several keys of a map can begin what is left of a path. `used`: bytes that lead to `value`.
    fn nearest<'a>(&'a self, value: &'a Value, path: &str, used: usize) -> (usize, &'a Self, &'a Value) {
        let rest = path.get(used..).unwrap_or_default();
        let step = |name: &str, origin: &'a Self, value: &'a Value| {
            let behind = rest.strip_prefix(name)?;
            let ends = behind.is_empty() || behind.starts_with(['.', '[']);
            ends.then(|| origin.nearest(value, path, used + name.len()))
        };
        let nearer = match value {
            Value::Object(map) => map
                .iter()
                .zip(&self.inner)
                .filter_map(|((key, value), origin)| {
                    let dot = if used == 0 { "" } else { "." };
                    step(&format!("{dot}{key}"), origin, value)
                })
                .max_by_key(|(used, ..)| *used),
            Value::Array(items) => items
                .iter()
                .zip(&self.inner)
                .enumerate()
                .find_map(|(index, (value, origin))| step(&format!("[{index}]"), origin, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        nearer.unwrap_or((used, self, value))
    }
}
