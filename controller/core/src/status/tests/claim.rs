//! The volume for data: what the pod waits for, and what stays when it is not wanted any more.

use super::*;
use crate::{
    events::{EventType, events},
    facts::VolumeClaimFacts,
};

/// A pod that waits for its volume, whose latest event says `told`.
fn claiming(storage: Value, phase: &str, event: &str) -> World {
    let mut world = World::with_pod(PodFacts {
        phase: "Pending".to_owned(),
        unschedulable: Some("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.".to_owned()),
        ..PodFacts::default()
    });
    world.workload.pods[0].phase = "Pending".to_owned();
    world.spec = json!({"image": "i", "storage": storage});
    world.workload.volume_claim = Some(VolumeClaimFacts {
        uid: "claim-uid".to_owned(),
        phase: phase.to_owned(),
        latest_event: Some(event.to_owned()),
        ..VolumeClaimFacts::default()
    });
    world
}

#[test]
fn a_pod_that_waits_for_its_volume_says_why_and_what_to_do() {
    let none = "no persistent volumes available for this claim and no storage class is set";
    let gone = "storageclass.storage.k8s.io \"fast\" not found";
    let late = "Waiting for a volume to be created either by the external provisioner 'csi.example.org' or manually by the \
                system administrator.";
    let failed = "failed to provision volume with StorageClass \"fast\": rpc error: no space on 10.0.0.5";
    let cases = [
        (json!({"size": "1Gi"}), none, "spec.storage.storageClassName"),
        (json!({"size": "1Gi", "storageClassName": ""}), none, "ReadWriteOnce"),
        (
            json!({"size": "1Gi", "storageClassName": "fast"}),
            gone,
            "StorageClass fast does not exist",
        ),
        (
            json!({"size": "1Gi", "storageClassName": "fast"}),
            late,
            "check that the provisioner runs",
        ),
        (
            json!({"size": "1Gi", "storageClassName": "fast"}),
            failed,
            "kubectl describe persistentvolumeclaim",
        ),
        (json!({"size": "1Gi"}), "", "no volume yet"),
    ];
    for (storage, told, fix) in cases {
        let status = claiming(storage, "Pending", told).fold();
        assert_eq!(says(&status, "WorkloadReady"), "False/ClaimPending", "{told}");
        let said = &condition(&status, "WorkloadReady").message;
        assert!(said.contains(fix) && !said.contains("10.0.0.5"), "{told}: {said}");
        assert_eq!(says(&status, "Reconciling"), "True/ClaimPending");
        let claim = status
            .children
            .iter()
            .find(|record| record.kind == "PersistentVolumeClaim");
        assert_eq!(claim.unwrap().state, "Progressing");
    }
}

#[test]
fn where_the_volume_waits_for_the_pod_the_pod_says_what_holds_it_up() {
    let mut world = claiming(
        json!({"size": "1Gi"}),
        "Pending",
        "waiting for first consumer to be created before binding",
    );
    world.workload.pods[0].unschedulable = Some("0/3 nodes are available: 3 Insufficient cpu.".to_owned());
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/Unschedulable");
    world.workload.pods[0].unschedulable =
        Some("0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.".to_owned());
    let said = condition(&world.fold(), "WorkloadReady").message.clone();
    assert!(said.contains("spec.storage"), "{said}");
}

#[test]
fn a_lost_volume_is_reported_even_while_the_pod_runs() {
    let mut world = claiming(json!({"size": "1Gi"}), "Lost", "");
    world.workload.deployment = Some(deployment(1));
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/ClaimLost");
    world.workload.volume_claim.as_mut().unwrap().phase = "Bound".to_owned();
    assert_eq!(says(&world.fold(), "WorkloadReady"), "True/RolloutComplete");
}

#[test]
fn a_claim_that_is_no_longer_wanted_is_kept_and_reported_once() {
    let mut world = World::well();
    world.applied = Some(applied(|_| Outcome::Unchanged));
    let before = world.fold();
    let mut applied = applied(|_| Outcome::Unchanged);
    applied
        .children
        .retain(|child| child.kind != ChildKind::PERSISTENT_VOLUME_CLAIM);
    applied.kept = vec![record(ChildKind::PERSISTENT_VOLUME_CLAIM)];
    world.applied = Some(applied);
    let after = world.fold();
    assert_eq!(says(&after, "ChildrenApplied"), "True/DataKept");
    let said = &condition(&after, "ChildrenApplied").message;
    assert!(
        said.contains("PersistentVolumeClaim orders") && said.contains("delete it by hand"),
        "{said}"
    );
    assert_eq!(says(&after, "Ready"), "True/Ready");
    let kept: Vec<_> = after.children.iter().filter(|record| record.state == "Kept").collect();
    assert_eq!(kept.len(), 1);
    let told = events(&before, &after);
    assert_eq!(
        told.iter().map(|event| (event.type_, event.reason)).collect::<Vec<_>>(),
        [(EventType::Warning, "DataKept")]
    );
    assert!(events(&after, &after).is_empty());
}

#[test]
fn a_claim_that_somebody_made_larger_is_told_with_what_to_write() {
    let mut world = World::new(json!({"image": "i", "storage": {"size": "10Gi"}}));
    let cases = [
        ("20Gi", true, true),
        ("10240Mi", true, false),
        ("5Gi", true, false),
        ("20Gi", false, false),
        ("", true, false),
    ];
    for (size, resized, told) in cases {
        world.workload.volume_claim = Some(VolumeClaimFacts {
            phase: "Bound".to_owned(),
            size: size.to_owned(),
            resized,
            ..VolumeClaimFacts::default()
        });
        let status = world.fold();
        let children = condition(&status, "ChildrenApplied");
        assert_eq!(children.status, "True");
        let message = &children.message;
        assert_eq!(
            message.contains("set spec.storage.size: 20Gi"),
            told,
            "{size}: {message}"
        );
    }
}
