//! Finds the fields of an input that its type does not have: decoding drops them, and so would the API server.

use serde::{Deserialize, Deserializer};
use serde_ignored::Path;
use serde_json::Value;

/// The message for such a field, after its path.
pub const SENTENCE: &str = "is not a field of this type: remove it or correct its name";

/// Decodes a `T`, and returns with it the paths of the fields that `T` does not have, such as `spec.env[0].valeu`,
/// sorted. `given` is the same input as a value: an unknown field that is null counts as absent, as everywhere in
/// Kubernetes.
///
/// # Errors
///
/// Those of the deserializer.
pub fn deserialize<'de, D, T>(deserializer: D, given: &Value) -> Result<(T, Vec<String>), D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let mut unknown = Vec::new();
    let decoded = serde_ignored::deserialize(deserializer, |path| {
        let (text, value) = locate(&path, given);
        if value.is_none_or(|value| !value.is_null()) {
            unknown.push(text);
        }
    })?;
    unknown.sort_unstable();
    Ok((decoded, unknown))
}

/// Spells a path as Kubernetes does, and finds what stands there.
fn locate<'a>(path: &Path<'_>, given: &'a Value) -> (String, Option<&'a Value>) {
    match path {
        Path::Root => (String::new(), Some(given)),
        Path::Seq { parent, index } => {
            let (text, value) = locate(parent, given);
            (format!("{text}[{index}]"), value.and_then(|value| value.get(index)))
        }
        Path::Map { parent, key } => {
            let (text, value) = locate(parent, given);
            let dot = if text.is_empty() { "" } else { "." };
            (format!("{text}{dot}{key}"), value.and_then(|value| value.get(key)))
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            locate(parent, given)
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodSpec;
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_fields_are_found_in_maps_and_lists_and_null_counts_as_absent() {
        let given = json!({
            "hostNetwork": true, "hostnetwork": true, "typo": null,
            "containers": [{"name": "api"}, {"name": "b", "env": [{"name": "A", "valeu": "x"}]}],
        });
        let (spec, unknown) = deserialize::<_, PodSpec>(&given, &given).unwrap();
        assert_eq!(spec.containers.len(), 2);
        assert_eq!(unknown, ["containers[1].env[0].valeu", "hostnetwork"]);
    }
}
