//! What all children have in common: metadata, labels, owner reference.

use std::collections::BTreeMap;

use controller_api::names;
use serde_json::{Map, Value, json};

use crate::{kind::ChildKind, owner::ApiRef, plan::PlannedChild};

/// CEL: the spec turns monitoring on, which is the default. A macro, so that conditions which have more can be put together as
/// constants.
macro_rules! monitoring_on {
    () => {
        "!has(object.spec.monitoring) || !has(object.spec.monitoring.enabled) || object.spec.monitoring.enabled"
    };
}
pub(super) use monitoring_on;

/// Labels and annotations of one child, beside those that all children have.
#[derive(Debug, Default)]
pub(super) struct OwnMetadata {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

impl OwnMetadata {
    pub(super) fn labels(labels: BTreeMap<String, String>) -> Self {
        Self {
            labels,
            annotations: BTreeMap::new(),
        }
    }
}

/// The labels by which the pods are selected. Immutable once a Deployment exists.
pub(super) fn selector_labels(name: &str) -> BTreeMap<String, String> {
    [(names::LABEL_NAME, name), (names::LABEL_API_NAME, name)]
        .map(owned)
        .into()
}

/// The labels of every child.
pub(super) fn labels(name: &str) -> BTreeMap<String, String> {
    pairs(name).map(owned).into()
}

fn pairs(name: &str) -> [(&str, &str); 4] {
    [
        (names::LABEL_NAME, name),
        (names::LABEL_API_NAME, name),
        (names::LABEL_MANAGED_BY, names::MANAGED_BY),
        (names::LABEL_PART_OF, name),
    ]
}

fn owned((key, value): (&str, &str)) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// A complete object: version, kind, metadata with owner reference, and the fields of `body`.
pub(super) fn object(
    kind: ChildKind,
    owner: &ApiRef,
    name: String,
    meta: OwnMetadata,
    body: Map<String, Value>,
) -> PlannedChild {
    let mut all_labels = texts(meta.labels);
    // Ours win: the operator finds its children by them.
    all_labels.extend(pairs(&owner.name).map(|(key, value)| (key.to_owned(), value.into())));
    let mut metadata = Map::from_iter([
        ("name".to_owned(), name.as_str().into()),
        ("namespace".to_owned(), owner.namespace.as_str().into()),
        ("labels".to_owned(), all_labels.into()),
    ]);
    if !meta.annotations.is_empty() {
        metadata.insert("annotations".to_owned(), texts(meta.annotations).into());
    }
    if !owner.uid.is_empty() {
        metadata.insert("ownerReferences".to_owned(), json!([owner_reference(owner)]));
    }
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), kind.api_version().into());
    object.insert("kind".to_owned(), kind.name.into());
    object.insert("metadata".to_owned(), metadata.into());
    object.extend(body);
    PlannedChild::new(kind, name, Value::Object(object))
}

fn texts(map: BTreeMap<String, String>) -> Map<String, Value> {
    map.into_iter().map(|(key, text)| (key, Value::String(text))).collect()
}

/// Adds the labels that a child does not have of its own.
pub(super) fn add_labels(child: &mut PlannedChild, labels: &BTreeMap<String, String>) {
    let Some(own) = child.intent.labels_mut() else {
        return;
    };
    for (key, value) in labels {
        own.entry(key.as_str()).or_insert_with(|| value.as_str().into());
    }
}

fn owner_reference(owner: &ApiRef) -> Value {
    json!({
        "apiVersion": format!("{}/{}", names::GROUP, names::VERSION),
        "kind": names::KIND,
        "name": owner.name,
        "uid": owner.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The fields of one object, from pairs; a null is left out.
pub(super) fn body<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
