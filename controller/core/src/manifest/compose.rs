//! From the events of the YAML parser to values: anchors, aliases, merge keys, and keys given twice.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
};

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use super::{
    ManifestError, Place,
    origin::{Origin, Plain},
    scalar,
};

/// Most values that a file may have once its aliases are followed: more is an attack or a mistake.
const MAX_VALUES: usize = 2_000_000;
/// Deepest nesting of maps and lists.
pub(super) const MAX_DEPTH: usize = 100;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

impl Node {
    /// The value of a key, if this is a map that has it.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        let map = self.value.as_object()?;
        let value = map.get(name)?.clone();
        let at = map.keys().position(|key| key == name)?;
        let origin = self.origin.inner.get(at)?.clone();
        Some(Self { value, origin })
    }

    /// Takes the value of a key out, if this is a map that has it.
    pub(super) fn take_field(&mut self, name: &str) -> Option<Self> {
        let map = self.value.as_object_mut().filter(|map| map.contains_key(name))?;
        let at = map.keys().position(|key| key == name)?;
        let origin = self.origin.inner.remove(at);
        let value = map.remove(name)?;
        Some(Self { value, origin })
    }

    /// Adds an entry to a map that does not have it.
    pub(super) fn add_field(&mut self, name: &str, field: Self) {
        let Some(map) = self.value.as_object_mut() else { return };
        map.insert(name.to_owned(), field.value);
        let at = map.keys().position(|key| key == name).unwrap_or_default();
        self.origin.inner.insert(at, field.origin);
    }
}

/// The documents of a text, one after the other; nothing is to be expected behind an error. `lines_before`: of the file, before
/// the text.
pub(super) fn documents(text: &str, lines_before: usize) -> impl Iterator<Item = Result<Node, ManifestError>> {
    let mut composer = Composer {
        events: Parser::new_from_str(text),
        lines_before,
        anchors: BTreeMap::new(),
        values: 0,
    };
    std::iter::from_fn(move || composer.document().transpose())
}

struct Composer<'input> {
    events: Parser<'input, granit_parser::StrInput<'input>>,
    lines_before: usize,
    anchors: BTreeMap<usize, Node>,
    values: usize,
}

impl<'input> Composer<'input> {
    fn document(&mut self) -> Result<Option<Node>, ManifestError> {
        while let Some((event, span)) = self.next()? {
            match event {
                Event::DocumentStart(..) => self.anchors.clear(),
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                event => return self.node(event, span, 0).map(Some),
            }
        }
        Ok(None)
    }

    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, ManifestError> {
        for next in self.events.by_ref() {
            let (event, span) = next.map_err(|error| ManifestError {
                place: Place::of(error.marker(), self.lines_before),
                message: format!("not valid YAML: {}", error.info()),
            })?;
            if event.is_node() || !matches!(event, Event::Comment(..)) {
                return Ok(Some((event, span)));
            }
        }
        Ok(None)
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node, ManifestError> {
        let place = Place::of(&span.start, self.lines_before);
        if depth > MAX_DEPTH {
            return Err(place.error("is nested too deeply: use at most 100 levels"));
        }
        let (anchor, node) = match event {
            Event::Alias(anchor) => (0, self.alias(anchor, place)?),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(text, style, tag.as_deref(), place)?),
            Event::SequenceStart(_, anchor, _) => (anchor, self.list(place, depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.map(place, depth)?),
            other => return Err(place.error(&format!("not valid YAML: {other:?} instead of a value"))),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// Counts values, those behind aliases each time.
    fn count(&mut self, values: usize, place: Place) -> Result<(), ManifestError> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            return Err(place.error("too many values behind aliases: write fewer of them"));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<Node, ManifestError> {
        let values = self.anchors.get(&anchor).map(|node| node.origin.values());
        self.count(values.unwrap_or_default(), place)?;
        let mut node = self
            .anchors
            .get(&anchor)
            .cloned()
            .ok_or_else(|| place.error("an alias stands inside its own anchor: write the value out"))?;
        node.origin.place = place;
        Ok(node)
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Tag>,
        place: Place,
    ) -> Result<Node, ManifestError> {
        self.count(1, place)?;
        let resolvable = match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => match tag.core_suffix() {
                Some("str") => false,
                Some(_) => true,
                None if tag.suffix().is_empty() => false,
                None => return Err(place.error("has a tag that Kubernetes does not know: remove it")),
            },
        };
        let is_plain = style == ScalarStyle::Plain;
        let (value, plain) = if resolvable {
            let value = scalar::resolve(&text)
                .ok_or_else(|| place.error(&format!("{text} is not a number that JSON has: use a finite one")))?;
            let plain = match value {
                Value::String(_) => Plain::AsRead,
                _ => Plain::Text(text.into()),
            };
            (value, Some(plain).filter(|_| is_plain))
        } else {
            (Value::String(text.into_owned()), is_plain.then_some(Plain::AsRead))
        };
        Ok(Node {
            value,
            origin: Origin {
                plain,
                ..Origin::at(place)
            },
        })
    }

    fn list(&mut self, place: Place, depth: usize) -> Result<Node, ManifestError> {
        self.count(1, place)?;
        let mut origin = Origin::at(place);
        let mut items = Vec::new();
        loop {
            match self.next()? {
                None | Some((Event::SequenceEnd, _)) => break,
                Some((event, span)) => {
                    let item = self.node(event, span, depth + 1)?;
                    items.push(item.value);
                    origin.inner.push(item.origin);
                }
            }
        }
        Ok(Node {
            value: Value::Array(items),
            origin,
        })
    }

    fn map(&mut self, place: Place, depth: usize) -> Result<Node, ManifestError> {
        self.count(1, place)?;
        let mut entries = Entries::default();
        loop {
            let (event, span) = match self.next()? {
                None | Some((Event::MappingEnd, _)) => break,
                Some(next) => next,
            };
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, span, depth + 1)?;
            let Some((event, span)) = self.next()? else { break };
            let value = self.node(event, span, depth + 1)?;
            if merge {
                entries.merge(value)?;
            } else {
                let place = key.origin.place;
                entries.add(key_text(key)?, value, place)?;
            }
        }
        Ok(entries.into_node(place))
    }
}

/// The entries of a map as they come, each with whether the map itself has it.
#[derive(Default)]
struct Entries(BTreeMap<String, (Node, bool)>);

impl Entries {
    fn add(&mut self, key: String, value: Node, place: Place) -> Result<(), ManifestError> {
        match self.0.entry(key) {
            Entry::Occupied(entry) if entry.get().1 => {
                Err(place.error(&format!("the key {} is given twice: remove one", entry.key())))
            }
            Entry::Occupied(mut entry) => {
                entry.insert((value, true));
                Ok(())
            }
            Entry::Vacant(entry) => {
                entry.insert((value, true));
                Ok(())
            }
        }
    }

    /// Merges what stands behind `<<`, as kubectl's library does: it replaces keys that stand before it, and keys that
    /// stand behind it replace it. Of several maps the first one wins.
    fn merge(&mut self, node: Node) -> Result<(), ManifestError> {
        let maps = match node.value {
            Value::Array(items) => items.into_iter().zip(node.origin.inner).collect(),
            value => vec![(value, node.origin)],
        };
        for (map, origin) in maps.into_iter().rev() {
            let Value::Object(map) = map else {
                return Err(no_map(origin.place));
            };
            for ((key, value), origin) in map.into_iter().zip(origin.inner) {
                let is_own = self.0.get(&key).is_some_and(|(_, own)| *own);
                self.0.insert(key, (Node { value, origin }, is_own));
            }
        }
        Ok(())
    }

    fn into_node(self, place: Place) -> Node {
        let mut origin = Origin::at(place);
        origin.inner.reserve_exact(self.0.len());
        let entries = self.0.into_iter().map(|(key, (node, _))| {
            origin.inner.push(node.origin);
            (key, node.value)
        });
        let value = Value::Object(entries.collect());
        Node { value, origin }
    }
}

fn no_map(place: Place) -> ManifestError {
    place.error("a merge key (<<) needs a map or a list of maps: use an alias of one, for example <<: *defaults")
}

fn key_text(key: Node) -> Result<String, ManifestError> {
    let place = key.origin.place;
    match key.value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(key.value.to_string()),
        Value::Null => Err(place.error("null is not a valid key: use text")),
        Value::Array(_) | Value::Object(_) => Err(place.error("a map or list is not a valid key: use text")),
    }
}
