//! MonitoredApis: trimmed to text that is decoded when it is worked on.

use std::collections::BTreeMap;

use controller_api::names;
use serde::{Deserialize, Serialize};

use super::{Meta, lenient};
use crate::cluster::Raw;

/// A MonitoredApi as it is cached: metadata trimmed, the rest as text that is decoded when it is worked on.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ApiObject")]
pub(crate) struct ApiItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    pub(crate) deleting: bool,
    /// What a person asks for by the annotation: any new value is a request.
    pub(crate) reconcile_at: Option<String>,
    /// JSON of the trimmed object.
    pub(crate) text: String,
}

#[derive(Debug, Deserialize)]
struct ApiObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
    #[serde(default)]
    spec: Option<Raw>,
    #[serde(default)]
    status: Option<Raw>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trimmed<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: TrimmedMeta<'a>,
    spec: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a Raw>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedMeta<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    resource_version: &'a str,
    generation: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
}

impl From<ApiObject> for ApiItem {
    fn from(object: ApiObject) -> Self {
        let ApiObject { metadata, spec, status } = object;
        let generation = metadata.generation.unwrap_or(0);
        let ours = metadata
            .annotations
            .iter()
            .filter(|(key, _)| key.starts_with(names::GROUP))
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let trimmed = Trimmed {
            api_version: "monitoredapi.io/v1alpha1",
            kind: names::KIND,
            metadata: TrimmedMeta {
                name: &metadata.name,
                namespace: &metadata.namespace,
                uid: &metadata.uid,
                resource_version: &metadata.resource_version,
                generation,
                annotations: ours,
            },
            spec: spec.as_ref(),
            status: status.as_ref(),
        };
        // Plain strings and JSON that was just parsed: this can't fail, and an empty text would only be undecodable.
        let text = serde_json::to_string(&trimmed).unwrap_or_default();
        Self {
            generation,
            deleting: metadata.deletion_timestamp.is_some(),
            reconcile_at: metadata.annotations.get(names::ANNOTATION_RECONCILE_AT).cloned(),
            text,
            namespace: metadata.namespace,
            name: metadata.name,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::core::WatchEvent;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_watch_event_of_the_api_server_decodes_with_its_raw_parts() {
        let line = r#"{"type":"ADDED","object":{"apiVersion":"monitoredapi.io/v1alpha1","kind":"MonitoredApi","metadata":
            {"name":"orders","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,"managedFields":[{"manager":
            "kubectl"}],"annotations":{"note":"x","monitoredapi.io/reconcile-at":"now"}},"spec":{"image":1},"status":{}}}"#;
        let Ok(WatchEvent::Added(item)) = serde_json::from_str::<WatchEvent<ApiItem>>(line) else {
            panic!("no item")
        };
        assert_eq!((item.name.as_str(), item.generation), ("orders", 2));
        assert_eq!(item.reconcile_at.as_deref(), Some("now"));
        let trimmed: Value = serde_json::from_str(&item.text).unwrap();
        assert_eq!(trimmed["spec"], json!({"image": 1}));
        assert!(trimmed["metadata"].get("managedFields").is_none());
        assert!(trimmed["metadata"]["annotations"].get("note").is_none());
    }
}
