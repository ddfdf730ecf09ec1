//! Documents that are JSON, as programs write them. kubectl reads these as JSON, too, and it takes a tenth of the
//! instructions of YAML, of which JSON is a part. Where values stand is not kept: the YAML reader finds it when something is wrong.

use std::fmt;
use std::sync::OnceLock;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{
    Place,
    compose::{self, MAX_DEPTH},
    origin::Origin,
};

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// The documents with which a text begins, as long as they are JSON of which nothing is wrong.
pub(super) struct Documents<'a> {
    text: &'a str,
    /// Bytes that were read.
    read: usize,
    /// Lines that were read.
    lines: usize,
}

impl<'a> Documents<'a> {
    pub(super) const fn of(text: &'a str) -> Self {
        Self {
            text,
            read: 0,
            lines: 0,
        }
    }

    /// What is not read yet, and how many lines stand before it.
    pub(super) fn rest(&self) -> (&'a str, usize) {
        (self.text.get(self.read..).unwrap_or_default(), self.lines)
    }

    /// Counts so much of the rest as read.
    fn skip(&mut self, bytes: usize) {
        let (rest, _) = self.rest();
        let skipped = rest.get(..bytes).unwrap_or_default();
        self.lines += skipped.matches('\n').count();
        self.read += bytes;
    }
}

impl Iterator for Documents<'_> {
    type Item = (Value, JsonText);

    fn next(&mut self) -> Option<(Value, JsonText)> {
        let (rest, _) = self.rest();
        let behind = rest.strip_prefix("---").filter(|behind| behind.starts_with(BLANK));
        let text = behind.unwrap_or(rest).trim_start_matches(BLANK);
        let before = rest.get(..rest.len() - text.len())?;
        if !(before.is_empty() || before.ends_with('\n')) {
            return None;
        }
        let Object { value, bytes, blank } = object(text)?;
        self.skip(before.len());
        let read = JsonText {
            text: text.get(..bytes)?.into(),
            lines_before: self.lines,
            origin: OnceLock::new(),
        };
        self.skip(bytes + blank);
        Some((value, read))
    }
}

/// An object, its length, and that of the spaces and line breaks behind it.
struct Object {
    value: Value,
    bytes: usize,
    blank: usize,
}

/// The object with which a text begins, if a separator or nothing stands behind it.
fn object(text: &str) -> Option<Object> {
    if !text.starts_with('{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Any { depth: 0 }.deserialize(&mut reader).ok()?;
    let bytes = reader.into_iter::<IgnoredAny>().byte_offset();
    let behind = text.get(bytes..)?;
    let next = behind.trim_start_matches(BLANK);
    let blank = behind.get(..behind.len() - next.len())?;
    let is_separated = next.is_empty() || (next.starts_with("---") && blank.ends_with('\n'));
    is_separated.then_some(Object {
        value,
        bytes,
        blank: blank.len(),
    })
}

/// The text of a document that was read as JSON.
#[derive(Debug, Clone)]
pub(super) struct JsonText {
    text: Box<str>,
    lines_before: usize,
    origin: OnceLock<Origin>,
}

impl JsonText {
    /// Where its values stand.
    pub(super) fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| {
            let node = compose::documents(&self.text, self.lines_before).next();
            // JSON that is no YAML, such as one with tabs before its lines, has no place but its beginning.
            node.and_then(Result::ok)
                .map_or_else(|| Origin::at(Place::new(self.lines_before + 1, 1)), |node| node.origin)
        })
    }
}

/// Any value in which no key is given twice. Of numbers only whole ones of 64 bits: what others become is the YAML reader's to
/// say.
#[derive(Clone, Copy)]
struct Any {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Any {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom("is nested too deeply"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value without fractions")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = Self { depth: self.depth + 1 };
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = Self { depth: self.depth + 1 };
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.insert(key, entries.next_value_seed(inner)?).is_some() {
                return Err(A::Error::custom("a key is given twice"));
            }
        }
        Ok(map.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_json_are_read_up_to_the_first_one_that_is_not() {
        let mut documents = Documents::of("{\"a\": 1}\n---\n\n{\n\"b\": 2}\n\n--- \n{}\n---\nc: 3\n");
        let values: Vec<_> = documents.by_ref().map(|(value, _)| value.to_string()).collect();
        assert_eq!(values, ["{\"a\":1}", "{\"b\":2}", "{}"]);
        assert_eq!(documents.rest(), ("---\nc: 3\n", 8));
        let one = |text| Documents::of(text).count();
        assert_eq!(one("\n{}"), 1);
        for other in [
            "a: 1",
            " {}",
            "{} {}",
            "{}\n{}",
            "{} # x",
            "{a: 1}",
            "---{}",
            "--- {}",
            "{\"a\": 1.5}",
            "{}\n...",
        ] {
            assert_eq!(one(other), 0, "{other}");
        }
    }
}
