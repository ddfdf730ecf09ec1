//! One object and what would become of it.

use controller_core::yaml;
use serde::Serialize;
use serde_json::{Map, Value};
use similar::TextDiff;

/// Lines of an object that are shown around those that differ.
const CONTEXT_LINES: usize = 3;
/// Where `kubectl apply` keeps what it applied.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Fields of the metadata that the API server writes; a manifest that was copied from a cluster has them.
const OF_THE_SERVER: [&str; 6] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectName {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// What would become of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Change {
    /// It would be made.
    Created,
    /// Fields of it would change.
    Changed,
    /// It would stay as it is.
    Unchanged,
    /// It would be deleted.
    Removed,
    /// It could not be written as wanted.
    Refused,
}

/// An object with what would become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DiffRow {
    pub(super) object: ObjectName,
    pub(super) change: Change,
    /// Unified diff of its YAML; empty where nothing would change.
    pub(super) diff: String,
    /// Why it would be refused or stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl DiffRow {
    /// An object before (`None`: it does not exist) and after (`None`: it would not).
    pub(super) fn of(object: ObjectName, before: Option<&Value>, after: Option<&Value>) -> Self {
        let texts = [before, after].map(|object| object.map(text).unwrap_or_default());
        let [old, new] = &texts;
        let change = match (before, after) {
            _ if old == new => Change::Unchanged,
            (None, _) => Change::Created,
            (_, None) => Change::Removed,
            (Some(_), Some(_)) => Change::Changed,
        };
        let side = |object: Option<&Value>, what: &str, name: &ObjectName| match object {
            Some(_) => format!("{name} ({what})"),
            None => "/dev/null".to_owned(),
        };
        let diff = if change == Change::Unchanged {
            String::new()
        } else {
            TextDiff::from_lines(old, new)
                .unified_diff()
                .context_radius(CONTEXT_LINES)
                .header(&side(before, "live", &object), &side(after, "after", &object))
                .to_string()
        };
        Self {
            object,
            change,
            diff,
            reason: None,
        }
    }

    /// An object that can't be written as wanted.
    pub(super) fn refused(object: ObjectName, reason: impl Into<String>) -> Self {
        Self {
            change: Change::Refused,
            ..Self::unchanged(object, Some(reason.into()))
        }
    }

    /// An object that stays as it is.
    pub(super) const fn unchanged(object: ObjectName, reason: Option<String>) -> Self {
        Self {
            object,
            change: Change::Unchanged,
            diff: String::new(),
            reason,
        }
    }
}

/// The YAML of an object, without what the API server writes.
fn text(object: &Value) -> String {
    let mut text = String::new();
    // What cannot be written as YAML can be shown as JSON.
    if yaml::write_object(&comparable(object), &mut text).is_err() {
        text = format!("{:#}\n", comparable(object));
    }
    text
}

/// The object without what the API server and `kubectl apply` write into it.
pub(super) fn without_server_fields(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(root) = object.as_object_mut() {
        root.remove("status");
        if let Some(metadata) = root.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in OF_THE_SERVER {
                metadata.remove(field);
            }
            without_last_applied(metadata);
        }
    }
    object
}

fn comparable(object: &Value) -> Value {
    let mut object = without_server_fields(object);
    if let Some(root) = object.as_object_mut() {
        // The same dashboard on many lines, so that a diff shows which of them differ.
        for file in root
            .get_mut("data")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            expand(file.1);
        }
    }
    object
}

fn without_last_applied(metadata: &mut Map<String, Value>) {
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else {
        return;
    };
    annotations.remove(LAST_APPLIED);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

fn expand(file: &mut Value) {
    let json = file.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(json) = json.filter(Value::is_object) {
        *file = json;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name() -> ObjectName {
        ObjectName {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: "shop".to_owned(),
            name: "orders".to_owned(),
        }
    }

    #[test]
    fn fields_that_the_api_server_writes_are_no_difference() {
        let before = json!({
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "7", "generation": 1, "managedFields": [{"manager": "x"}],
                "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": {LAST_APPLIED: "{}"}},
            "status": {"replicas": 1},
        });
        let after = json!({"metadata": {"name": "a", "resourceVersion": "8", "generation": 2}});
        let row = DiffRow::of(name(), Some(&before), Some(&after));
        assert_eq!((row.change, row.diff.as_str()), (Change::Unchanged, ""));
    }

    #[test]
    fn a_change_shows_its_lines_and_the_name_of_the_object() {
        let object = |image: &str| json!({"metadata": {"name": "a"}, "spec": {"image": image}});
        let row = DiffRow::of(name(), Some(&object("a:1")), Some(&object("a:2")));
        assert_eq!(row.change, Change::Changed);
        assert_eq!(
            row.diff,
            "--- ConfigMap shop/orders (live)\n+++ ConfigMap shop/orders (after)\n@@ -1,4 +1,4 @@\n metadata:\n   name: a\n \
             spec:\n-  image: a:1\n+  image: a:2\n"
        );
    }

    #[test]
    fn an_object_that_is_made_or_deleted_is_shown_whole() {
        let object = json!({"metadata": {"name": "a"}});
        let created = DiffRow::of(name(), None, Some(&object));
        assert!(created.diff.starts_with("--- /dev/null\n"), "{}", created.diff);
        assert!(created.diff.contains("+  name: a\n"), "{}", created.diff);
        let removed = DiffRow::of(name(), Some(&object), None);
        assert_eq!((created.change, removed.change), (Change::Created, Change::Removed));
        assert!(removed.diff.contains("+++ /dev/null\n") && removed.diff.contains("-  name: a\n"));
    }

    #[test]
    fn of_a_dashboard_only_the_lines_that_differ_are_shown() {
        let dashboard = |value: u8| json!({"panels": [{"title": "p", "threshold": value}], "uid": "u"}).to_string();
        let object = |value| json!({"data": {"shop-orders.json": dashboard(value)}});
        let row = DiffRow::of(name(), Some(&object(1)), Some(&object(2)));
        let changed: Vec<_> = row
            .diff
            .lines()
            .skip(2)
            .filter(|line| line.starts_with(['+', '-']))
            .collect();
        assert_eq!(changed, ["-    - threshold: 1", "+    - threshold: 2"], "{}", row.diff);
    }
}
