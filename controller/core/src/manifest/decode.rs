//! From a manifest to a MonitoredApi, with every field of a wrong type: the API server tells them all.

use controller_api::MonitoredApi;
use serde_json::Value;

use super::{Manifest, ManifestError};
use crate::unknown_fields;

/// Most fields of a wrong type that are told of one object.
const MAX_ERRORS: usize = 50;

/// A MonitoredApi of a manifest.
#[derive(Debug)]
pub struct Decoded {
    /// The resource.
    pub api: MonitoredApi,
    /// Paths in its spec that MonitoredApis do not have.
    pub unknown: Vec<String>,
}

/// Decodes a manifest of a MonitoredApi. What only the API server writes is not read.
///
/// # Errors
///
/// Every field of a wrong type.
pub fn decode(manifest: &Manifest) -> Result<Decoded, Vec<ManifestError>> {
    let mut value = manifest.value.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("status");
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            metadata.remove("managedFields");
        }
    }
    let mut errors = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    loop {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(&value, &mut track);
        let error = match unknown_fields::deserialize::<_, MonitoredApi>(tracked, &value) {
            Ok((api, mut unknown)) if errors.is_empty() => {
                unknown.retain(|field| field.starts_with("spec."));
                return Ok(Decoded { api, unknown });
            }
            Ok(_) => return Err(errors),
            Err(error) => error,
        };
        let path = track.path();
        let text = path.to_string();
        // Without the wrong value, what stands around it may lack a field that it needs: not a mistake of the author's.
        if !paths.iter().any(|wrong| wrong.starts_with(&text)) {
            errors.push(told(manifest, &text, &error));
        }
        // An item of a list stays as an empty one, and may be wrong again: told once, and no further.
        if errors.len() >= MAX_ERRORS || paths.contains(&text) || !remove(&mut value, &path) {
            return Err(errors);
        }
        paths.push(text);
    }
}

/// The sentence for a value of a wrong type.
fn told(manifest: &Manifest, path: &str, error: &serde_json::Error) -> ManifestError {
    let (place, plain) = manifest.origin(path);
    let reason = error.to_string();
    let message = match plain {
        Some(plain) if reason.ends_with(" a string") => {
            format!("{path}: {plain} is not text in YAML: quote it, for example \"{plain}\"")
        }
        Some(_) | None => format!("{path}: {reason}"),
    };
    ManifestError { place, message }
}

/// Takes the value at a path away. Returns whether there was one.
fn remove(value: &mut Value, path: &serde_path_to_error::Path) -> bool {
    use serde_path_to_error::Segment;
    let mut segments: Vec<_> = path.iter().collect();
    let Some(last) = segments.pop() else { return false };
    let mut parent = value;
    for segment in segments {
        let child = match segment {
            Segment::Map { key } => parent.get_mut(key.as_str()),
            Segment::Seq { index } => parent.get_mut(*index),
            Segment::Enum { .. } | Segment::Unknown => None,
        };
        match child {
            Some(child) => parent = child,
            None => return false,
        }
    }
    match (last, parent) {
        (Segment::Map { key }, Value::Object(map)) => map.remove(key).is_some(),
        (Segment::Seq { index }, Value::Array(items)) => {
            // The places of the others stay as they are.
            items
                .get_mut(*index)
                .map(|item| *item = Value::Object(serde_json::Map::new()))
                .is_some()
        }
        _ => false,
    }
}
