//! MonitoredApis. The spec stays text and is decoded by each reconcile.

use controller_api::{MonitoredApiStatus, names};
use controller_core::metadata::Metadata;
use serde::Deserialize;

use super::lenient;
use crate::cluster::Raw;

/// A MonitoredApi: the metadata that we read, the spec as text, and the status.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ApiObject")]
pub(crate) struct ApiItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    pub(crate) deleting: bool,
    /// Value of the annotation by which a person requests a reconcile: each new value is a request.
    pub(crate) reconcile_at: Option<String>,
    /// JSON of the spec; empty if there is none.
    pub(crate) spec: Box<str>,
    /// The status, if there is one that can be decoded.
    pub(crate) status: Option<MonitoredApiStatus>,
}

#[derive(Debug, Deserialize)]
struct ApiObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
    #[serde(default)]
    spec: Option<Raw>,
    #[serde(default, deserialize_with = "lenient")]
    status: Option<MonitoredApiStatus>,
}

impl From<ApiObject> for ApiItem {
    fn from(object: ApiObject) -> Self {
        let ApiObject {
            mut metadata,
            spec,
            status,
        } = object;
        Self {
            generation: metadata.generation.unwrap_or(0),
            deleting: metadata.deletion_timestamp.is_some(),
            reconcile_at: metadata.annotations.remove(names::ANNOTATION_RECONCILE_AT),
            spec: spec.map(|spec| spec.get().into()).unwrap_or_default(),
            status,
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

    use super::*;

    #[test]
    fn a_watch_event_of_the_api_server_decodes_with_its_raw_parts() {
        let line = r#"{"type":"ADDED","object":{"apiVersion":"monitoredapi.io/v1alpha1","kind":"MonitoredApi","metadata":
            {"name":"orders","namespace":"shop","uid":"u","resourceVersion":"7","generation":2,"managedFields":[{"manager":
            "kubectl"}],"annotations":{"note":"x","monitoredapi.io/reconcile-at":"now"}},"spec":{"image":1},"status":{"unknown":[]}}}"#;
        let Ok(WatchEvent::Added(item)) = serde_json::from_str::<WatchEvent<ApiItem>>(line) else {
            panic!("no item")
        };
        assert_eq!((item.name.as_str(), item.generation), ("orders", 2));
        assert_eq!(item.reconcile_at.as_deref(), Some("now"));
        assert_eq!(&*item.spec, r#"{"image":1}"#);
        assert_eq!(item.status.unwrap().observed_generation, -1);
    }
}
