//! MonitoredApis. The spec stays text and is decoded by each reconcile.

use std::sync::Arc;

use controller_api::{MonitoredApiStatus, names};
use controller_core::foreign_text::cut;
use controller_core::metadata::Metadata;
use controller_core::violation::MAX_SPEC_BYTES;
use serde::Deserialize;

use super::lenient;
use crate::cluster::Raw;

/// Bytes that are kept of an annotation's value: at least the 256 characters that the status repeats.
const MAX_RECONCILE_AT: usize = 1024;

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
    pub(crate) spec: SpecText,
    /// The status, if there is one that can be decoded.
    pub(crate) status: Option<MonitoredApiStatus>,
}

/// A spec as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum SpecText {
    /// Its JSON; empty if there is none.
    Whole(Arc<str>),
    /// It is larger than a spec may be, and not kept: its length in bytes.
    TooLarge(usize),
}

impl From<Option<Raw>> for SpecText {
    fn from(spec: Option<Raw>) -> Self {
        let text = spec.as_ref().map_or("", |spec| spec.get());
        if text.len() > MAX_SPEC_BYTES {
            Self::TooLarge(text.len())
        } else {
            Self::Whole(text.into())
        }
    }
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
            reconcile_at: metadata
                .annotations
                .remove(names::ANNOTATION_RECONCILE_AT)
                .map(|value| cut(&value, MAX_RECONCILE_AT).to_owned()),
            spec: spec.into(),
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
        assert_eq!(item.spec, SpecText::Whole(r#"{"image":1}"#.into()));
        assert_eq!(item.status.unwrap().observed_generation, -1);
    }
}
