//! The volume for the workload's data. Its data cannot be made again, so the operator never prunes or deletes it.

use controller_api::quantity;
use serde_json::json;

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, object},
};
use crate::{
    facts::Facts,
    kind::{ChildKind, ChildKindDef, Group, Watch},
    owner::ApiRef,
    valid::ValidApi,
    violation::Violations,
};

impl ChildKind {
    /// The volume for the workload's data.
    pub const PERSISTENT_VOLUME_CLAIM: Self = Self::new(
        &ChildKindDef::new(Group::CORE, "PersistentVolumeClaim", "persistentvolumeclaims")
            .needed_by_ready()
            .in_wave(0)
            .holding_data()
            .of_own_workload()
            .watched(Watch::Whole)
            .enabled_when("has(object.spec.storage)")
            .explained_by(explain),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::PERSISTENT_VOLUME_CLAIM,
    build,
};

/// Name of the claim.
pub(super) fn claim_name(owner: &ApiRef) -> &str {
    &owner.name
}

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let Some(storage) = &input.api.workload.storage else {
        return;
    };
    let owner = &input.api.owner;
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": input.live.claim_size}},
    });
    // Without the field, the API server fills in the cluster's default class; an empty one asks for a volume without class.
    if let (Some(class), Some(spec)) = (&storage.class, spec.as_object_mut()) {
        spec.insert("storageClassName".to_owned(), class.as_str().into());
    }
    let name = claim_name(owner).to_owned();
    built.children.push(object(
        ROW.kind,
        owner,
        name,
        OwnMetadata::default(),
        body([("spec", spec)]),
    ));
}

/// The size to ask for, with storage. A claim that somebody else made larger keeps its size: a volume cannot shrink, and
/// the API server would refuse the whole claim.
pub(super) fn size_to_ask_for(api: &ValidApi, facts: &Facts) -> Option<String> {
    let wanted = &api.workload.storage.as_ref()?.size;
    let grown = facts.volume_claim.as_ref().filter(|claim| claim.resized);
    Some(
        grown
            .map_or(wanted.as_str(), |claim| larger(wanted, &claim.size))
            .to_owned(),
    )
}

/// The larger of two quantities; the first one if one of them cannot be read.
fn larger<'a>(wanted: &'a str, has: &'a str) -> &'a str {
    match (quantity::value(wanted), quantity::value(has)) {
        (Some(wanted_value), Some(value)) if value > wanted_value => has,
        _ => wanted,
    }
}

/// Texts: Kubernetes `pkg/apis/core/validation` (`ValidatePersistentVolumeClaimUpdate`), and the admission plugin
/// PersistentVolumeClaimResize.
fn explain(refusal: &str) -> Option<&'static str> {
    let has = |text: &str| refusal.contains(text);
    if has("can not be less than") {
        Some(
            "a volume cannot shrink: set spec.storage.size to the size that the claim has (kubectl get \
             persistentvolumeclaim)",
        )
    } else if has("spec is immutable after creation") {
        Some(
            "the StorageClass of a claim is fixed, and its size until it has a volume: set spec.storage back to what it \
             was, or copy the data away and delete the claim, which is then created again",
        )
    } else if has("only dynamically provisioned pvc can be resized") {
        Some(
            "the volume cannot grow, because its StorageClass does not allow it (allowVolumeExpansion) or it was made by \
             hand: set spec.storage.size back to what it was",
        )
    } else if has("nly bound persistent volume claims can be expanded") {
        Some(
            "a claim cannot grow before it has a volume: set spec.storage.size back to what it was, or delete the \
             claim, which holds no data yet and is then created again",
        )
    } else if has("exceeded quota") {
        Some("a quota of the namespace leaves no room for the volume: raise it, or lower spec.storage.size")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn refusals_of_kubernetes_1_36_are_reported_with_the_fix() {
        let cases = [
            (
                "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
                "cannot shrink",
            ),
            (
                "spec: Forbidden: spec is immutable after creation except resources.requests and \
                 volumeAttributesClassName for bound claims",
                "StorageClass of a claim is fixed",
            ),
            (
                "persistentvolumeclaims \"orders\" is forbidden: only dynamically provisioned pvc can be resized and the \
                 storageclass that provisions the pvc must support resize",
                "allowVolumeExpansion",
            ),
            (
                "persistentvolumeclaims \"orders\" is forbidden: Only bound persistent volume claims can be expanded",
                "before it has a volume",
            ),
            (
                "persistentvolumeclaims \"orders\" is forbidden: exceeded quota: small, requested: requests.storage=1Gi",
                "quota",
            ),
        ];
        for (refusal, part) in cases {
            let told = explain(refusal).unwrap();
            assert!(told.contains(part) && told.contains("spec.storage"), "{told}");
        }
        assert_eq!(explain("is forbidden: User cannot patch resource"), None);
    }
}
