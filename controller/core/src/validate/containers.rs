//! The containers of `spec.podTemplate`, checked as the API server checks them: one source, one handler, one entry a key.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{amount, env::is_env_name};
use crate::violation::Violations;

/// Sources of a variable; exactly one.
const VALUE_SOURCES: [&str; 5] = [
    "secretKeyRef",
    "configMapKeyRef",
    "fieldRef",
    "resourceFieldRef",
    "fileKeyRef",
];
/// What a lifecycle hook does; exactly one.
const HOOK_HANDLERS: [&str; 4] = ["exec", "httpGet", "sleep", "tcpSocket"];
/// What a probe does; exactly one.
const PROBE_HANDLERS: [&str; 4] = ["exec", "httpGet", "grpc", "tcpSocket"];
/// A list that is merged by a key.
struct KeyedList {
    name: &'static str,
    /// The field that tells items apart.
    key: &'static str,
    /// A second such field, and what stands for it where it is absent.
    second: Option<(&'static str, &'static str)>,
}

const fn by(name: &'static str, key: &'static str) -> KeyedList {
    KeyedList {
        name,
        key,
        second: None,
    }
}

/// The lists of a container.
const LISTS_OF_CONTAINER: [KeyedList; 4] = [
    by("env", "name"),
    KeyedList {
        second: Some(("protocol", "TCP")),
        ..by("ports", "containerPort")
    },
    by("volumeMounts", "mountPath"),
    by("volumeDevices", "devicePath"),
];
/// The lists of a pod, apart from containers and volumes, which are checked with their names.
const LISTS_OF_POD: [KeyedList; 3] = [
    by("imagePullSecrets", "name"),
    by("hostAliases", "ip"),
    KeyedList {
        second: Some(("whenUnsatisfiable", "")),
        ..by("topologySpreadConstraints", "topologyKey")
    },
];

/// Checks the partial pod at `path`.
pub(super) fn check(pod: &Value, path: &str, out: &mut Violations) {
    for list in &LISTS_OF_POD {
        keys(pod, path, list, out);
    }
    for (list, index, volume) in items(pod, &["volumes"]) {
        if let Some(limit) = volume.pointer("/emptyDir/sizeLimit").and_then(scalar) {
            amount::thousandths_of_bytes(&limit, &format!("{path}.{list}[{index}].emptyDir.sizeLimit"), out);
        }
    }
    for (list, index, item) in items(pod, &["containers", "initContainers"]) {
        container(item, &format!("{path}.{list}[{index}]"), out);
    }
}

fn container(container: &Value, path: &str, out: &mut Violations) {
    for list in &LISTS_OF_CONTAINER {
        keys(container, path, list, out);
    }
    for (_, index, variable) in items(container, &["env"]) {
        variable_of(variable, &format!("{path}.env[{index}]"), out);
    }
    for hook in ["preStop", "postStart"] {
        let given = given(container, "lifecycle").and_then(|lifecycle| given(lifecycle, hook));
        one_of(given, &HOOK_HANDLERS, &format!("{path}.lifecycle.{hook}"), out);
    }
    for probe in ["readinessProbe", "livenessProbe", "startupProbe"] {
        one_of(
            given(container, probe),
            &PROBE_HANDLERS,
            &format!("{path}.{probe}"),
            out,
        );
    }
    for part in ["requests", "limits"] {
        let amounts = given(container, "resources").and_then(|resources| given(resources, part));
        for (name, amount) in amounts.and_then(Value::as_object).into_iter().flatten() {
            if let Some(amount) = scalar(amount) {
                amount::of_resource(name, &amount, &format!("{path}.resources.{part}.{name}"), out);
            }
        }
    }
}

fn variable_of(variable: &Value, path: &str, out: &mut Violations) {
    if let Some(name) = variable
        .get("name")
        .and_then(Value::as_str)
        .filter(|name| !is_env_name(name))
    {
        out.add(
            format!("{path}.name"),
            format!("{name:?} is not a valid variable name: use letters, digits, _, - and ., for example LOG_LEVEL"),
        );
    }
    let source = given(variable, "valueFrom");
    // An empty value counts as absent for the API server.
    let value = given(variable, "value").filter(|value| value.as_str() != Some(""));
    if source.is_some() && value.is_some() {
        out.add(path, "value and valueFrom are both given: use one of them");
    }
    one_of(source, &VALUE_SOURCES, &format!("{path}.valueFrom"), out);
}

/// Checks that exactly one of `known` stands in an object that is given. Other fields may stand beside it.
fn one_of(object: Option<&Value>, known: &[&str], path: &str, out: &mut Violations) {
    let Some(object) = object else { return };
    let present: Vec<_> = known
        .iter()
        .filter(|field| given(object, field).is_some())
        .copied()
        .collect();
    match *present {
        [_] => {}
        [] => out.add(path, format!("one of {} is needed: use one", known.join(", "))),
        _ => out.add(
            path,
            format!("{} are given together: use one of them", present.join(" and ")),
        ),
    }
}

/// Checks that no two items of a list have the same key.
fn keys(owner: &Value, path: &str, list: &KeyedList, out: &mut Violations) {
    let KeyedList { name, key, second } = list;
    let mut seen = BTreeSet::new();
    for (_, index, item) in items(owner, &[name]) {
        let Some(given) = item.get(key).and_then(scalar) else {
            continue;
        };
        let rest = second.map(|(field, default)| item.get(field).and_then(Value::as_str).unwrap_or(default));
        if !seen.insert((given.clone(), rest)) {
            out.add(
                format!("{path}.{name}[{index}].{key}"),
                format!("{given} is given twice: remove one"),
            );
        }
    }
}

/// The items of some lists, each with the list's name and its place there.
fn items<'a>(owner: &'a Value, lists: &'a [&'a str]) -> impl Iterator<Item = (&'a str, usize, &'a Value)> {
    lists.iter().flat_map(|list| {
        let items = owner.get(list).and_then(Value::as_array).into_iter().flatten();
        items.enumerate().map(|(index, item)| (*list, index, item))
    })
}

/// A field that is there; null counts as absent.
fn given<'a>(object: &'a Value, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
