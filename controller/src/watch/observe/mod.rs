//! What is read of each watched object, and nothing more: the rest is dropped while decoding.
//!
//! Decoding is forgiving: a field of an unexpected shape costs that field, never the list that it is in.

mod api;
mod monitoring;
mod workload;

use std::collections::BTreeMap;

use controller_api::names;
use controller_core::plan::ObservedChild;
use serde::Deserialize;

pub(crate) use self::api::ApiItem;
pub(crate) use self::monitoring::{NamespaceItem, PrometheusItem};
pub(crate) use self::workload::{ClaimItem, DeploymentItem, PodItem, SliceItem};
use crate::cluster::Raw;
use crate::watch::watcher::Versioned;

/// A decoded value, or the default where the shape is not the expected one.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned + Default,
{
    let raw = Option::<Raw>::deserialize(deserializer)?;
    Ok(raw
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default())
}

/// The parts of `metadata` that anybody here asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: Option<i64>,
    pub(crate) creation_timestamp: String,
    pub(crate) deletion_timestamp: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
    managed_fields: Vec<ManagedFields>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
    controller: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ManagedFields {
    manager: String,
    operation: String,
    subresource: String,
    /// Kept as text: most entries are never looked into.
    fields_v1: Option<Raw>,
}

impl ManagedFields {
    fn is_ours(&self) -> bool {
        self.manager == names::FIELD_MANAGER && self.operation == "Apply" && self.subresource.is_empty()
    }
}

impl Meta {
    fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references
            .iter()
            .find(|owner| owner.controller == Some(true))
    }

    fn controller_api(&self) -> Option<String> {
        self.controller()
            .filter(|owner| names::is_monitored_api(&owner.api_version, &owner.kind))
            .map(|owner| owner.name.clone())
    }

    /// The MonitoredApi that the object belongs to: its controller, else what its label says.
    fn owner(&self) -> String {
        self.controller_api()
            .or_else(|| self.labels.get(names::LABEL_OWN_NAME).cloned())
            .unwrap_or_default()
    }

    fn observed(&self) -> ObservedChild {
        ObservedChild {
            uid: self.uid.clone(),
            controller_uid: self.controller().map(|owner| owner.uid.clone()),
            controller_api: self.controller_api(),
            applied_fields_hash: self
                .managed_fields
                .iter()
                .find(|entry| entry.is_ours())
                .and_then(|entry| entry.fields_v1.as_deref())
                .and_then(|fields| crate::cache::managed_fields_hash::applied_fields(fields.get())),
            adopt: self
                .annotations
                .get(names::ANNOTATION_ADOPT)
                .is_some_and(|value| value == "true"),
            deleting: self.deletion_timestamp.is_some(),
            generation: self.generation,
        }
    }

    /// Who owns `spec.replicas`: us, anybody else. Status writers own a field of the same name and don't count.
    fn replica_owners(&self) -> (bool, bool) {
        let owns = |entry: &&ManagedFields| {
            entry.subresource != "status"
                && entry
                    .fields_v1
                    .as_deref()
                    .is_some_and(|fields| fields.get().contains("\"f:replicas\""))
        };
        let mut owners = self.managed_fields.iter().filter(owns);
        let ours = owners.clone().any(ManagedFields::is_ours);
        (ours, owners.any(|entry| !entry.is_ours()))
    }
}
/// A child by its metadata.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "MetaObject")]
pub(crate) struct ChildItem {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) resource_version: String,
    /// Name of the MonitoredApi that it belongs to.
    pub(crate) owner: String,
    pub(crate) observed: ObservedChild,
}

#[derive(Debug, Deserialize)]
struct MetaObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Meta,
}

impl From<&Meta> for ChildItem {
    fn from(meta: &Meta) -> Self {
        Self {
            observed: meta.observed(),
            owner: meta.owner(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
            resource_version: meta.resource_version.clone(),
        }
    }
}

impl From<MetaObject> for ChildItem {
    fn from(object: MetaObject) -> Self {
        Self::from(&object.metadata)
    }
}
macro_rules! versioned {
    ($($item:ty => |$it:ident| $version:expr),+ $(,)?) => {
        $(impl Versioned for $item {
            fn resource_version(&self) -> &str {
                let $it = self;
                &$version
            }
        })+
    };
}

versioned!(
    ApiItem => |it| it.resource_version,
    ChildItem => |it| it.resource_version,
    ClaimItem => |it| it.child.resource_version,
    DeploymentItem => |it| it.child.resource_version,
    PodItem => |it| it.resource_version,
    SliceItem => |it| it.resource_version,
    PrometheusItem => |it| it.resource_version,
    NamespaceItem => |it| it.resource_version,
);
