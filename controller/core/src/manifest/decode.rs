//! From a manifest to a MonitoredApi, with every field of a wrong type: the API server tells them all.

use std::{borrow::Cow, collections::BTreeSet};

use controller_api::{MonitoredApi, spec};
use serde::de::Unexpected;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    Manifest, ManifestError,
    path::{Path, Step, dotted, remove, spelled},
    schema::{self, SCHEMA, Schema},
};
use crate::{
    facts::Settings,
    render::render,
    type_error, unknown_fields,
    violation::{MAX_SPEC_BYTES, Violation},
};

/// The largest number of fields of a wrong type that are reported for one object.
const MAX_ERRORS: usize = 50;

/// A MonitoredApi of a manifest.
#[derive(Debug)]
pub struct Decoded {
    /// The resource.
    pub api: MonitoredApi,
    /// Paths that MonitoredApis do not have.
    pub unknown: Vec<String>,
}

/// Decodes a manifest of a MonitoredApi. What only the API server writes is not read.
///
/// # Errors
///
/// Every field of a wrong type, and what is wrong with the rest.
pub fn decode(manifest: &Manifest) -> Result<Decoded, Vec<ManifestError>> {
    let value = as_stored(&manifest.value);
    let mut lists = Vec::new();
    lists_for_maps(&value, &SCHEMA, &Path::Whole, &mut lists);
    let mut search = Search {
        manifest,
        value,
        gone: BTreeSet::new(),
        errors: Vec::new(),
    };
    for path in &lists {
        search.take_away(path, &serde::de::Error::invalid_type(Unexpected::Seq, &"a map"));
    }
    loop {
        let (path, error) = match attempt(&search.value) {
            Ok(decoded) if search.errors.is_empty() => {
                not_oversized(manifest)?;
                return search.against_schema(decoded);
            }
            Ok(rest) => return Err(search.with_mistakes_of(&rest)),
            Err(wrong) => wrong,
        };
        // Each round takes a value away, so that the rounds come to an end.
        if !search.take_away(&path, &error) || search.errors.len() >= MAX_ERRORS {
            return Err(search.errors);
        }
    }
}

/// The object as the API server stores it: without what only the server writes, and without nulls.
fn as_stored(given: &Value) -> Cow<'_, Value> {
    let managed = given.get("metadata").and_then(|metadata| metadata.get("managedFields"));
    if given.get("status").is_none() && managed.is_none() && !holds_nulls(given, &SCHEMA) {
        return Cow::Borrowed(given);
    }
    let mut value = given.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            metadata.remove("managedFields");
        }
    }
    drop_nulls(&mut value, &SCHEMA);
    Cow::Owned(value)
}

/// Whether [`drop_nulls`] would drop anything.
fn holds_nulls(value: &Value, schema: &Schema) -> bool {
    match value {
        Value::Array(items) => schema
            .of_items()
            .is_some_and(|schema| items.iter().any(|item| holds_nulls(item, schema))),
        Value::Object(map) => map.iter().any(|(key, value)| {
            let schema = schema.of_key(key);
            schema.is_some_and(|schema| value.is_null() || holds_nulls(value, schema))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Drops every null of a map that the schema knows, as the API server does: in a map of texts, too, a null is no value.
/// Fields without a schema keep theirs, which take a generated field away.
fn drop_nulls(value: &mut Value, schema: &Schema) {
    match value {
        Value::Array(items) => {
            if let Some(schema) = schema.of_items() {
                items.iter_mut().for_each(|item| drop_nulls(item, schema));
            }
        }
        Value::Object(map) => {
            map.retain(|key, value| !value.is_null() || schema.of_key(key).is_none());
            for (key, value) in map {
                if let Some(schema) = schema.of_key(key) {
                    drop_nulls(value, schema);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Collects the paths of lists where the schema wants a map: Rust's types would take the items for the fields, in order.
/// Such values in lists come in reverse, so that taking one away moves none of the others.
fn lists_for_maps(value: &Value, schema: &Schema, path: &Path<'_>, found: &mut Vec<Vec<Step>>) {
    match value {
        Value::Array(_) if schema.is_of_map() => found.push(path.steps()),
        Value::Array(items) => {
            let Some(schema) = schema.of_items() else { return };
            for (index, item) in items.iter().enumerate().rev() {
                lists_for_maps(item, schema, &Path::Item(path, index), found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(schema) = schema.of_field(key) {
                    lists_for_maps(value, schema, &Path::Field(path, key), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The operator refuses a spec that is larger.
fn not_oversized(manifest: &Manifest) -> Result<(), Vec<ManifestError>> {
    let Some(spec) = manifest.value.get("spec") else {
        return Ok(());
    };
    if most_bytes(spec) <= MAX_SPEC_BYTES {
        return Ok(());
    }
    let spec = spec.to_string();
    if spec.len() <= MAX_SPEC_BYTES {
        return Ok(());
    }
    let (place, _) = manifest.origin("spec");
    let message = Violation::oversized(spec.len()).to_string();
    Err(vec![ManifestError { place, message }])
}

/// More bytes than the value's JSON has: nearly every spec is so small that its JSON need not be written to know that it is
/// not too large.
fn most_bytes(value: &Value) -> usize {
    /// Of the longest escape, `\u001f`.
    const ESCAPED: usize = 6;
    /// Of quotes, brackets, a colon or a comma.
    const SIGNS: usize = 4;
    /// Of the longest number.
    const NUMBER: usize = 32;
    match value {
        Value::String(text) => ESCAPED * text.len() + SIGNS,
        Value::Array(items) => items.iter().map(most_bytes).sum::<usize>() + SIGNS,
        Value::Object(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| ESCAPED * key.len() + SIGNS + most_bytes(value));
            entries.sum::<usize>() + SIGNS
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => NUMBER,
    }
}

/// Decodes the value, or returns the path of the first wrong value in it.
fn attempt(value: &Value) -> Result<Decoded, (Vec<Step>, serde_json::Error)> {
    let mut track = serde_path_to_error::Track::new();
    // Nearly every value is right, and then nobody needs to know the way to each of its fields.
    let decoded = unknown_fields::deserialize::<_, MonitoredApi>(value, value).or_else(|_| {
        let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
        unknown_fields::deserialize::<_, MonitoredApi>(tracked, value)
    });
    match decoded {
        Ok((api, mut unknown)) => {
            // The type has no fields for these two.
            unknown.retain(|field| field != "apiVersion" && field != "kind");
            Ok(Decoded { api, unknown })
        }
        Err(error) => Err((steps(&track.path()), error)),
    }
}

/// The path as far as it leads through maps and lists.
fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    path.iter()
        .map_while(|segment| match segment {
            Segment::Map { key } => Some(Step::Key(key.clone())),
            Segment::Seq { index } => Some(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect()
}

/// Finds one wrong value after the other: each is taken away before the rest is decoded again.
struct Search<'a> {
    manifest: &'a Manifest,
    /// What is left.
    value: Cow<'a, Value>,
    /// Paths in the manifest of the values taken away.
    gone: BTreeSet<Vec<Step>>,
    errors: Vec<ManifestError>,
}

impl Search<'_> {
    /// Tells of a wrong value and takes it away. Returns whether there was one.
    fn take_away(&mut self, path: &[Step], error: &serde_json::Error) -> bool {
        let origin = self.path_in_manifest(path);
        if !self.is_consequence(&origin, error) {
            self.errors.push(told(self.manifest, &spelled(&origin), error));
        }
        self.gone.insert(origin);
        remove(self.value.to_mut(), path)
    }

    /// Whether a value is wrong only because of one that was taken away: what stands around it may lack a field that it needs.
    fn is_consequence(&self, origin: &[Step], error: &serde_json::Error) -> bool {
        let error = error.to_string();
        let missing = error
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        match missing {
            Some(field) => self.gone.contains(&[origin, &[Step::Key(field.to_owned())]].concat()),
            None => self.gone.iter().any(|gone| gone.starts_with(origin)),
        }
    }

    /// The decoded resource, unless the schema refuses a value of which `render` says nothing: then all mistakes. Where both
    /// name a field, `render` has the better sentence.
    fn against_schema(mut self, decoded: Decoded) -> Result<Decoded, Vec<ManifestError>> {
        let faults = schema::faults(&self.value);
        if faults.is_empty() {
            return Ok(decoded);
        }
        let violations = render(&decoded.api, &Settings::default()).err().unwrap_or_default();
        let told: BTreeSet<_> = violations.iter().map(|violation| dotted(&violation.path)).collect();
        for fault in faults.iter().filter(|fault| !told.contains(&dotted(&fault.path))) {
            let (place, _) = self.manifest.origin(&fault.path);
            let message = format!("{}: {}", fault.path, fault.message);
            self.errors.push(ManifestError { place, message });
        }
        if self.errors.is_empty() {
            return Ok(decoded);
        }
        Err(self.with_mistakes_of(&decoded))
    }

    /// All errors: those found, and the mistakes of what is left. The API server, too, tells them together.
    fn with_mistakes_of(mut self, rest: &Decoded) -> Vec<ManifestError> {
        let unknown = rest
            .unknown
            .iter()
            .map(|path| (path.clone(), unknown_fields::SENTENCE.to_owned()));
        let violations = render(&rest.api, &Settings::default()).err().unwrap_or_default();
        let violations = violations
            .into_iter()
            .map(|violation| (violation.path, violation.message));
        for (path, message) in unknown.chain(violations) {
            if !self.concerns_what_is_gone(&path) {
                let (place, _) = self.manifest.origin(&path);
                let message = format!("{path}: {message}");
                self.errors.push(ManifestError { place, message });
            }
        }
        self.errors
    }

    /// Whether a value that was taken away stands in this field or around it, or in the same list: the items after it have
    /// moved, and what stands around it may lack it.
    fn concerns_what_is_gone(&self, path: &str) -> bool {
        let is_in = |inner: &str, outer: &str| {
            let rest = inner.strip_prefix(outer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.gone.iter().any(|gone| {
            let around = match gone.as_slice() {
                [list @ .., Step::Index(_)] => spelled(list),
                whole => spelled(whole),
            };
            is_in(path, &around) || is_in(&spelled(gone), path)
        })
    }

    /// The path in the manifest of a value of what is left: items taken away from a list have moved the others.
    fn path_in_manifest(&self, path: &[Step]) -> Vec<Step> {
        let mut origin = Vec::new();
        for step in path {
            let index = match step {
                Step::Key(_) => {
                    origin.push(step.clone());
                    continue;
                }
                Step::Index(index) => *index,
            };
            let list = origin.clone();
            let item = |index| [list.as_slice(), &[Step::Index(index)]].concat();
            let left = (0..).map(item).filter(|item| !self.gone.contains(item)).nth(index);
            origin = left.unwrap_or_default();
        }
        origin
    }
}

/// The sentence for a value of a wrong type.
fn told(manifest: &Manifest, path: &str, error: &serde_json::Error) -> ManifestError {
    let (place, plain) = manifest.origin(path);
    let reason = error.to_string();
    let wants_text = [" a string", spec::QUANTITY_EXPECTED]
        .iter()
        .any(|wanted| reason.ends_with(wanted));
    let message = match plain {
        Some(plain) if wants_text => {
            format!("{path}: {plain} is not text in YAML: quote it, for example \"{plain}\"")
        }
        Some(_) | None if path.is_empty() => type_error::sentence(&reason),
        Some(_) | None => format!("{path}: {}", type_error::sentence(&reason)),
    };
    ManifestError { place, message }
}
