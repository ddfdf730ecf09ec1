//! The volume for the workload's data. It holds what nobody can make again: never pruned, never deleted by the operator.

use serde_json::{Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow, copies_nothing,
    object::{Meta, body, object},
};
use crate::plan::ApiRef;

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::PersistentVolumeClaim,
    group: "",
    version: "v1",
    name: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    optional: false,
    core: true,
    wave: 0,
    holds_data: true,
    turned_on: "has(object.spec.storage)",
    explain,
    copied_from: copies_nothing,
    build,
};

/// Name of the claim.
pub(super) fn claim_name(owner: &ApiRef) -> &str {
    &owner.name
}

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let Some(storage) = &input.api.workload.storage else {
        return Vec::new();
    };
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage.size}},
    });
    // Left out, the API server fills in the cluster's default class; an empty one asks for a volume without class.
    if let (Some(class), Some(spec)) = (&storage.class, spec.as_object_mut()) {
        spec.insert("storageClassName".to_owned(), class.as_str().into());
    }
    vec![object(
        &ROW,
        input.owner,
        claim_name(input.owner).to_owned(),
        Meta::default(),
        body([("spec", spec)]),
    )]
}

/// Texts: Kubernetes `pkg/apis/core/validation` (`ValidatePersistentVolumeClaimUpdate`), and the admission plugin
/// PersistentVolumeClaimResize.
fn explain(refusal: &str) -> Option<&'static str> {
    let has = |text: &str| refusal.contains(text);
    if has("can not be less than") {
        Some("a volume cannot shrink: set spec.storage.size back to what it was")
    } else if has("spec is immutable after creation") {
        Some(
            "the StorageClass of a claim is fixed, and its size until it has a volume: set spec.storage back to what it \
             was, or copy the data away and delete the claim, and it is made anew",
        )
    } else if has("only dynamically provisioned pvc can be resized") {
        Some(
            "the volume cannot grow, for its StorageClass does not allow it (allowVolumeExpansion) or it was made by \
             hand: set spec.storage.size back to what it was",
        )
    } else if has("nly bound persistent volume claims can be expanded") {
        Some(
            "a claim cannot grow before it has a volume: set spec.storage.size back to what it was, or delete the \
             claim, which holds no data yet, and it is made anew",
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
    fn refusals_of_kubernetes_1_36_are_told_with_the_fix() {
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
