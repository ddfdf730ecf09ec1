//! The objects of a namespace in a form in which two namespaces can be compared: without uid, resourceVersion,
//! generation, times and hashes of them. For tests that compare a disturbed run with an undisturbed one.

use std::collections::BTreeMap;

use anyhow::Result;
use controller_api::names::FIELD_MANAGER;
use controller_core::children::child_kinds;
use serde_json::Value;

use crate::kubernetes::{Kubernetes, MONITORED_APIS, Resource};

/// ReplicaSets are compared because they show how many rollouts there were.
const REPLICA_SETS: Resource = Resource::new("apps", "v1", "replicasets");
/// Objects that Kubernetes itself creates in each namespace.
const BUILT_IN: [&str; 2] = ["serviceaccounts/default", "configmaps/kube-root-ca.crt"];
/// Fields that differ between equal objects. The hashes of a write record cover uids; `version` is a generation.
const VOLATILE: [&str; 14] = [
    "uid",
    "resourceVersion",
    "generation",
    "observedGeneration",
    "creationTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "time",
    "clusterIP",
    "clusterIPs",
    "desiredHash",
    "appliedFieldsHash",
    "version",
    "nodePort",
];

/// The objects of a namespace by kind and name, normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot(BTreeMap<String, Value>);

/// The kinds that the operator writes.
pub fn child_resources() -> impl Iterator<Item = Resource> {
    child_kinds().map(|kind| Resource::new(kind.group, kind.version, kind.plural))
}

impl Snapshot {
    /// Reads a namespace: MonitoredApis, every kind of child, ReplicaSets.
    ///
    /// # Errors
    /// When a kind can't be listed.
    pub fn take(api: &Kubernetes, namespace: &str) -> Result<Self> {
        let mut objects = BTreeMap::new();
        for resource in child_resources().chain([MONITORED_APIS, REPLICA_SETS]) {
            let path = resource.within(namespace);
            // Of a kind that the cluster does not serve, such as GrafanaDashboards, there are no objects.
            if api.get(&format!("{path}?limit=1"))?.is_none() {
                continue;
            }
            for object in api.list(&path, "")? {
                let name = object
                    .pointer("/metadata/name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let key = format!("{}/{name}", resource.plural);
                if !BUILT_IN.contains(&key.as_str()) {
                    objects.insert(key, normal(&object, namespace));
                }
            }
        }
        Ok(Self(objects))
    }

    /// Kind and name of every object.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Every field in which `other` differs, with both values.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for key in self
            .0
            .keys()
            .chain(other.0.keys().filter(|key| !self.0.contains_key(*key)))
        {
            compare(key, self.0.get(key), other.0.get(key), &mut found);
        }
        found
    }
}

fn normal(object: &Value, namespace: &str) -> Value {
    let mut object = object.clone();
    strip(&mut object);
    // Owner's uids are keys in managedFields, too.
    let text = without_uids(&object.to_string().replace(namespace, "NAMESPACE"));
    serde_json::from_str(&text).unwrap_or(object)
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|key, _| !VOLATILE.contains(&key.as_str()));
            if let Some(Value::Array(entries)) = fields.get_mut("managedFields") {
                // Entries of other managers are not compared, because their order varies.
                entries.retain(|entry| entry.get("manager").and_then(Value::as_str) == Some(FIELD_MANAGER));
                entries.sort_by_key(|entry| entry.get("subresource").map(Value::to_string));
            }
            if let Some(Value::Array(conditions)) = fields.get_mut("conditions") {
                conditions.sort_by_key(|entry| entry.get("type").map(Value::to_string));
            }
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Replaces each `8-4-4-4-12` of hexadecimal digits.
fn without_uids(text: &str) -> String {
    const LENGTH: usize = 36;
    let is_uid = |window: &[u8]| {
        window.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
        })
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(window) = rest.as_bytes().get(..LENGTH).filter(|window| is_uid(window)) {
            out.push_str("UID");
            rest = rest.get(window.len()..).unwrap_or_default();
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

fn compare(path: &str, one: Option<&Value>, other: Option<&Value>, found: &mut Vec<String>) {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                compare(&format!("{path}.{key}"), one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}[{index}]"), Some(one), Some(other), found);
            }
        }
        _ if one == other => {}
        _ => {
            let show = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            found.push(format!("{path}: {} / {}", show(one), show(other)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(namespace: &str, uid: &str, port: u16) -> Value {
        json!({
            "metadata": {
                "namespace": namespace, "uid": uid,
                "managedFields": [{"manager": FIELD_MANAGER, "time": uid,
                    "fieldsV1": {format!("k:{{\"uid\":\"{uid}\"}}"): {}}}],
            },
            "spec": {"port": port},
        })
    }

    #[test]
    fn objects_that_differ_only_by_identity_are_equal_and_another_field_is_named() {
        let one = "0b1e6f0a-95a1-4f32-8bb7-3b6cbb2f0001";
        let other = "9f2c6f0a-95a1-4f32-8bb7-3b6cbb2f0002";
        let snapshot = |namespace: &str, uid: &str, port| {
            Snapshot(BTreeMap::from([(
                "services/a".to_owned(),
                normal(&object(namespace, uid, port), namespace),
            )]))
        };
        let wanted = snapshot("first", one, 80);
        assert_eq!(wanted.differences(&snapshot("second", other, 80)), Vec::<String>::new());
        assert_eq!(
            wanted.differences(&snapshot("second", other, 81)),
            ["services/a.spec.port: 80 / 81"]
        );
    }
}
