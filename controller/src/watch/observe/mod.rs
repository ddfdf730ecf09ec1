//! What is read of each watched object, and nothing more: the rest is dropped while decoding.
//!
//! Decoding is forgiving: a field of an unexpected shape costs that field, never the list that it is in.

mod api;
mod monitoring;
mod workload;

use controller_core::facts::ObservedChild;
use controller_core::metadata::Metadata;
use serde::Deserialize;

pub(crate) use self::api::ApiItem;
pub(crate) use self::monitoring::{NamespaceItem, PrometheusItem};
pub(crate) use self::workload::{ClaimItem, DeploymentItem, PodItem, SliceItem};
use crate::cache::managed_fields_hash;
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
    metadata: Metadata,
}

impl From<&Metadata> for ChildItem {
    fn from(meta: &Metadata) -> Self {
        Self {
            observed: meta.observed(managed_fields_hash::applied_fields),
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
