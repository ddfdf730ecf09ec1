//! From the events of the YAML parser to values: anchors, aliases, merge keys, and keys given twice.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use super::{ManifestError, Place, scalar};

/// Most values that a file may have once its aliases are followed: more is an attack or a mistake.
const MAX_VALUES: usize = 2_000_000;
/// Deepest nesting of maps and lists.
const MAX_DEPTH: usize = 100;

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: NodeKind,
    /// Number of values in it, itself included.
    size: usize,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Scalar {
        value: Value,
        /// As it was written, where it stood without quotes.
        plain: Option<String>,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads every document of a text.
pub(super) fn documents(text: &str) -> Result<Vec<Node>, ManifestError> {
    let mut composer = Composer {
        events: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        values: 0,
    };
    let mut documents = Vec::new();
    while let Some((event, span)) = composer.next()? {
        match event {
            Event::DocumentStart(..) => composer.anchors.clear(),
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            event => documents.push(composer.node(event, span, 0)?),
        }
    }
    Ok(documents)
}

struct Composer<'input> {
    events: Parser<'input, granit_parser::StrInput<'input>>,
    anchors: BTreeMap<usize, Node>,
    values: usize,
}

impl<'input> Composer<'input> {
    /// The next event that is no comment.
    fn next(&mut self) -> Result<Option<(Event<'input>, Span)>, ManifestError> {
        for next in self.events.by_ref() {
            let (event, span) = next.map_err(|error| ManifestError {
                place: Place::of(error.marker()),
                message: format!("not valid YAML: {}", error.info()),
            })?;
            if event.is_node() || !matches!(event, Event::Comment(..)) {
                return Ok(Some((event, span)));
            }
        }
        Ok(None)
    }

    fn node(&mut self, event: Event<'input>, span: Span, depth: usize) -> Result<Node, ManifestError> {
        let place = Place::of(&span.start);
        if depth > MAX_DEPTH {
            return Err(place.error("is nested too deeply: use at most 100 levels"));
        }
        let (anchor, node) = match event {
            Event::Alias(anchor) => (0, self.alias(anchor, place)?),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref(), place)?),
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
        let size = self.anchors.get(&anchor).map(|node| node.size);
        self.count(size.unwrap_or_default(), place)?;
        let node = self.anchors.get(&anchor).cloned();
        node.map(|node| Node { place, ..node })
            .ok_or_else(|| place.error("an alias stands inside its own anchor: write the value out"))
    }

    fn scalar(
        &mut self,
        text: &str,
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
        let value = if resolvable {
            scalar::resolve(text)
                .ok_or_else(|| place.error(&format!("{text} is not a number that JSON has: use a finite one")))?
        } else {
            text.into()
        };
        Ok(Node {
            place,
            kind: NodeKind::Scalar {
                value,
                plain: (style == ScalarStyle::Plain).then(|| text.to_owned()),
            },
            size: 1,
        })
    }

    fn list(&mut self, place: Place, depth: usize) -> Result<Node, ManifestError> {
        self.count(1, place)?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                None | Some((Event::SequenceEnd, _)) => break,
                Some((event, span)) => items.push(self.node(event, span, depth + 1)?),
            }
        }
        let size = 1 + items.iter().map(|item| item.size).sum::<usize>();
        Ok(Node {
            place,
            kind: NodeKind::List(items),
            size,
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
                entries.add(key_text(&key)?, value, key.place)?;
            }
        }
        let entries = entries.all;
        let size = 1 + entries.iter().map(|(_, value)| value.size).sum::<usize>();
        Ok(Node {
            place,
            kind: NodeKind::Map(entries),
            size,
        })
    }
}

/// The entries of a map as they come.
#[derive(Default)]
struct Entries {
    all: Vec<(String, Node)>,
    /// Place in `all` of each key, and whether the map itself has it.
    index: BTreeMap<String, (usize, bool)>,
}

impl Entries {
    fn add(&mut self, key: String, value: Node, place: Place) -> Result<(), ManifestError> {
        if self.index.get(&key).is_some_and(|(_, own)| *own) {
            return Err(place.error(&format!("the key {key} is given twice: remove one")));
        }
        self.set(key, value, true);
        Ok(())
    }

    fn set(&mut self, key: String, value: Node, is_own: bool) {
        if let Some((at, own)) = self.index.get_mut(&key) {
            *own |= is_own;
            if let Some((_, old)) = self.all.get_mut(*at) {
                *old = value;
            }
            return;
        }
        self.index.insert(key.clone(), (self.all.len(), is_own));
        self.all.push((key, value));
    }

    /// Merges what stands behind `<<`, as kubectl's library does: it replaces keys that stand before it, and keys that
    /// stand behind it replace it. Of several maps the first one wins.
    fn merge(&mut self, value: Node) -> Result<(), ManifestError> {
        let maps = match value.kind {
            NodeKind::List(items) => items,
            NodeKind::Map(_) | NodeKind::Scalar { .. } => vec![value],
        };
        for map in maps.into_iter().rev() {
            let NodeKind::Map(entries) = map.kind else {
                return Err(no_map(map.place));
            };
            for (key, value) in entries {
                self.set(key, value, false);
            }
        }
        Ok(())
    }
}

fn no_map(place: Place) -> ManifestError {
    place.error("a merge key (<<) needs a map or a list of maps: use an alias of one, for example <<: *defaults")
}

fn key_text(key: &Node) -> Result<String, ManifestError> {
    match &key.kind {
        NodeKind::Scalar { value, .. } => match value {
            Value::String(text) => Ok(text.clone()),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(key.place.error("null is not a valid key: use text"))
            }
        },
        NodeKind::List(_) | NodeKind::Map(_) => Err(key.place.error("a map or list is not a valid key: use text")),
    }
}
