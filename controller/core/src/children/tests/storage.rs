//! The claim of the one pod.

use super::*;

#[test]
fn storage_makes_a_claim_that_the_one_pod_mounts_and_can_write_to() {
    let spec = json!({"image": "i", "storage": {"size": "1Gi", "storageClassName": "fast"}});
    let plan = plan(&spec, &Facts::default());
    let find = |kind| plan.children.iter().find(|child| child.kind == kind).unwrap();
    let claim = find(ChildKind::PERSISTENT_VOLUME_CLAIM);
    assert_eq!(claim.name, "orders");
    assert_eq!(claim.object()["spec"]["storageClassName"], "fast");
    assert_eq!(claim.object()["spec"]["resources"]["requests"]["storage"], "1Gi");
    let deployment = &find(ChildKind::DEPLOYMENT).object()["spec"];
    assert_eq!(deployment["strategy"], json!({"type": "Recreate"}));
    let pod = &deployment["template"]["spec"];
    assert_eq!(pod["volumes"][1]["persistentVolumeClaim"]["claimName"], "orders");
    assert_eq!(pod["containers"][0]["volumeMounts"][1]["mountPath"], "/data");
    assert_eq!(pod["securityContext"]["fsGroup"], 65_532);
    let native = json!({"image": "i", "preset": "native", "storage": {"size": "1Gi", "mountPath": "/var/lib/orders"}});
    let native = kinds(&native);
    assert_eq!(native[..2], ["ServiceAccount orders", "PersistentVolumeClaim orders"]);
}

#[test]
fn a_claim_that_somebody_made_larger_keeps_its_size_and_the_authors_own_one_does_not() {
    let size = |wanted: &str, has: &str, resized| {
        let facts = Facts {
            volume_claim: Some(crate::facts::VolumeClaimFacts {
                size: has.to_owned(),
                resized,
                ..crate::facts::VolumeClaimFacts::default()
            }),
            ..Facts::default()
        };
        let plan = plan(&json!({"image": "i", "storage": {"size": wanted}}), &facts);
        let claim = plan
            .children
            .into_iter()
            .find(|child| child.kind == ChildKind::PERSISTENT_VOLUME_CLAIM);
        claim.unwrap().object()["spec"]["resources"]["requests"]["storage"].clone()
    };
    assert_eq!(size("10Gi", "20Gi", true), "20Gi");
    assert_eq!(size("10Gi", "10240Mi", true), "10Gi");
    assert_eq!(size("10Gi", "5Gi", true), "10Gi");
    assert_eq!(size("10Gi", "", true), "10Gi");
    // The author lowers the size: the API server refuses it, and the status says so.
    assert_eq!(size("10Gi", "20Gi", false), "10Gi");
}
