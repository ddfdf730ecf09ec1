//! `WorkloadReady` from the rollout, and `ServiceMatchesPods`.

use super::*;

#[test]
fn old_pods_do_not_make_a_rollout_ready() {
    for (deployment, what) in [
        (
            DeploymentFacts {
                observed_generation: 4,
                ..deployment(3)
            },
            "unseen by the controller",
        ),
        (
            DeploymentFacts {
                updated: 1,
                ..deployment(3)
            },
            "not updated",
        ),
        (
            DeploymentFacts {
                replicas: 4,
                ..deployment(3)
            },
            "an old pod left",
        ),
        (
            DeploymentFacts {
                available: 2,
                ..deployment(3)
            },
            "not available",
        ),
    ] {
        let mut world = World::well();
        world.workload.deployment = Some(deployment);
        let status = world.fold();
        assert_eq!(says(&status, "WorkloadReady"), "False/RolloutInProgress", "{what}");
        assert_eq!(says(&status, "Ready"), "False/RolloutInProgress", "{what}");
        assert_eq!(says(&status, "Reconciling"), "True/RolloutInProgress", "{what}");
    }
}

#[test]
fn a_watch_that_is_behind_our_own_write_does_not_make_a_rollout_ready() {
    let mut world = World::well();
    let mut applied = applied(|_| Outcome::Applied);
    for child in &mut applied.children {
        child.record.as_mut().unwrap().version = Some("6".to_owned());
    }
    world.applied = Some(applied);
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/RolloutInProgress");
}

#[test]
fn scaled_to_zero_is_ready_and_no_endpoint_is_missed() {
    let mut world = World::well();
    world.workload.deployment = Some(deployment(0));
    world.workload.ready_endpoints = Some(0);
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "True/ScaledToZero");
    assert_eq!(says(&status, "ServiceMatchesPods"), "True/ScaledToZero");
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn a_missed_deadline_is_stalled_with_the_pods_own_reason() {
    let mut world = waiting("ImagePullBackOff", "manifest unknown");
    let deployment = world.workload.deployment.as_mut().unwrap();
    deployment.progress_failed = Some(("ProgressDeadlineExceeded".to_owned(), "…".to_owned()));
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/ImagePullBackOff");
    assert_eq!(says(&status, "Stalled"), "True/ProgressDeadlineExceeded");
    assert_eq!(says(&status, "Reconciling"), "False/Stalled");
    assert!(condition(&status, "Stalled").message.contains("does not exist"));
}

#[test]
fn ready_pods_that_the_service_misses_are_not_ready() {
    let mut world = World::well();
    world.workload.ready_endpoints = Some(0);
    let status = world.fold();
    assert_eq!(says(&status, "ServiceMatchesPods"), "False/NoEndpoints");
    assert_eq!(says(&status, "Ready"), "False/NoEndpoints");
    assert_eq!(status.first_failing.as_deref(), Some("ServiceMatchesPods/NoEndpoints"));
}

/// Everything is as wanted but the objects of one kind.
fn applied_but(kind: ChildKind, outcome: &Outcome) -> Applied {
    let of = |each| {
        if each == kind {
            outcome.clone()
        } else {
            Outcome::Unchanged
        }
    };
    applied(of)
}

#[test]
fn a_complete_rollout_of_an_earlier_template_is_not_ready() {
    let text = || "why".to_owned();
    let outcomes = [
        Outcome::Conflict(text()),
        Outcome::Forbidden(text()),
        Outcome::Invalid(text()),
        Outcome::Failed(text()),
        Outcome::Waiting(text()),
        Outcome::Pending(text()),
    ];
    for replicas in [0, 3] {
        let mut world = World::well();
        world.workload.deployment = Some(deployment(replicas));
        for outcome in &outcomes {
            world.applied = Some(applied_but(ChildKind::DEPLOYMENT, outcome));
            let status = world.fold();
            assert_eq!(says(&status, "WorkloadReady"), "Unknown/NotApplied", "{outcome:?}");
            assert_ne!(condition(&status, "Ready").status, "True", "{outcome:?}");
        }
        // What becomes of another object says nothing of the pods.
        world.applied = Some(applied_but(ChildKind::CONFIG_MAP, &Outcome::Forbidden(text())));
        assert_eq!(condition(&world.fold(), "WorkloadReady").status, "True");
        world.spec = json!({"image": ""});
        world.applied = None;
        let status = world.fold();
        assert_eq!(says(&status, "WorkloadReady"), "Unknown/SpecInvalid");
        assert_eq!(says(&status, "Ready"), "False/InvalidSpec");
    }
    // A rollout that is stuck keeps its own reason.
    let mut world = waiting("ImagePullBackOff", "manifest unknown");
    world.applied = Some(applied(|_| Outcome::Forbidden(text())));
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/ImagePullBackOff");
}
