//! The patch that `kubectl apply` makes without `--server-side`: it knows from an annotation what it applied before, and takes
//! away what was in that and is in the file no more.

use serde_json::{Map, Value};

/// The JSON merge patch that makes `live` what the file says. `applied`: what was applied before. Lists are replaced as a whole,
/// as kubectl does with custom resources.
pub(super) fn patch(applied: &Value, file: &Value, live: &Value) -> Value {
    let empty = Map::new();
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    let (applied, file) = (fields(applied), fields(file));
    let mut patch = additions(live.as_object().unwrap_or(&empty), &file);
    merge(&mut patch, deletions(&applied, &file));
    Value::Object(patch)
}

/// What the file has and the live object has not, or has otherwise.
fn additions(live: &Map<String, Value>, file: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    // A field that is null counts as absent.
    for (key, wanted) in file.iter().filter(|(_, wanted)| !wanted.is_null()) {
        match (live.get(key), wanted) {
            (Some(Value::Object(live)), Value::Object(wanted)) => {
                let inner = additions(live, wanted);
                if !inner.is_empty() {
                    patch.insert(key.clone(), inner.into());
                }
            }
            (Some(live), wanted) if live == wanted => {}
            (_, wanted) => {
                patch.insert(key.clone(), wanted.clone());
            }
        }
    }
    patch
}

/// What was applied before and is not in the file.
fn deletions(applied: &Map<String, Value>, file: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (key, applied) in applied {
        match (applied, file.get(key)) {
            (_, None | Some(Value::Null)) => {
                patch.insert(key.clone(), Value::Null);
            }
            (Value::Object(applied), Some(Value::Object(file))) => {
                let inner = deletions(applied, file);
                if !inner.is_empty() {
                    patch.insert(key.clone(), inner.into());
                }
            }
            (_, Some(_)) => {}
        }
    }
    patch
}

fn merge(patch: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (patch.get_mut(&key), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(inner, more),
            (_, value) => {
                patch.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_the_file_has_no_more_are_taken_away_and_those_of_others_stay() {
        let applied = json!({"spec": {"image": "a", "alerts": {"labels": {"team": "x"}}, "port": 80}});
        let file = json!({"spec": {"image": "b", "port": null, "env": [{"name": "A"}], "alerts": {}}});
        let live = json!({
            "spec": {"image": "a", "alerts": {"labels": {"team": "x"}}, "port": 80, "replicas": 4, "env": []},
            "status": {"url": "u"},
        });
        let wanted = json!({"spec": {"image": "b", "port": null, "env": [{"name": "A"}], "alerts": {"labels": null}}});
        assert_eq!(patch(&applied, &file, &live), wanted);
    }

    #[test]
    fn a_file_that_was_applied_as_it_is_changes_nothing() {
        let file = json!({"spec": {"image": "a", "alerts": {"labels": {"team": "x"}}}});
        let live = json!({"spec": {"image": "a", "alerts": {"labels": {"team": "x"}}, "replicas": 2}});
        assert_eq!(patch(&file, &file, &live), json!({}));
    }
}
