//! The fields that are read of each watched object. All others are dropped while decoding.
//!
//! A field of an unexpected shape is treated as absent, so that it does not make the whole list unreadable.

mod api;
mod child;
mod monitoring;
mod workload;

use serde::Deserialize;

pub(crate) use self::api::{ApiItem, SpecText};
pub(crate) use self::child::{ChildDetails, ChildItem};
pub(crate) use self::monitoring::{NamespaceItem, PrometheusItem};
pub(crate) use self::workload::{PodItem, SelectedPod, SliceItem};
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

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    observed_generation: i64,
    reason: String,
    message: String,
}

fn condition<'a>(conditions: &'a [Condition], kind: &str, status: &str) -> Option<&'a Condition> {
    conditions
        .iter()
        .find(|known| known.kind == kind && known.status == status)
}

macro_rules! versioned {
    ($($item:ty),+ $(,)?) => {
        $(impl Versioned for $item {
            fn resource_version(&self) -> &str {
                &self.resource_version
            }
        })+
    };
}

versioned!(ApiItem, ChildItem, PodItem, SliceItem, PrometheusItem, NamespaceItem);
