//! Reading a workload that exists already, as `spec.workloadRef` names it. Nothing here writes it: it belongs to whoever made it.

mod metrics_place;
mod object;
mod rollout;

use controller_api::spec::WorkloadKind;
use serde_json::Value;

pub use self::object::WorkloadObject;
pub(crate) use self::rollout::Progress;
use crate::facts::{ReferencedWorkload, WorkloadId};

/// The workload of a manifest. `None`: it is none of a kind that can be referred to.
#[must_use]
pub fn of_manifest(manifest: &Value) -> Option<ReferencedWorkload> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind")?;
    let kind = WorkloadKind::ALL.into_iter().find(|known| known.as_str() == kind)?;
    let name = text("/metadata/name")?.to_owned();
    if text("/apiVersion") != Some("apps/v1") {
        return None;
    }
    // By way of text, because parts of the metadata stay text.
    let object: WorkloadObject = serde_json::from_str(&manifest.to_string()).ok()?;
    Some(object.into_workload(WorkloadId { kind, name }))
}

#[cfg(test)]
mod tests;
