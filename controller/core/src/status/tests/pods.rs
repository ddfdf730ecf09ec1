//! `WorkloadReady` from what the pods say.

use super::*;
use crate::facts::Termination;

/// Reason and message of a waiting container; the reason of the condition, and a part of its message.
const WAITING: &[(&str, &str, &str, &str)] = &[
    ("ContainerCreating", "", "ContainerCreating", ""),
    (
        "ErrImagePull",
        "failed to resolve reference: not found",
        "ImagePullBackOff",
        "correct spec.image",
    ),
    (
        "ImagePullBackOff",
        "pull access denied",
        "ImagePullBackOff",
        "spec.imagePullSecrets",
    ),
    (
        "ImagePullBackOff",
        "dial tcp: lookup ghcr.io: no such host",
        "ImagePullBackOff",
        "cannot be reached",
    ),
    (
        "ErrImagePull",
        "no match for platform in manifest",
        "ImagePullBackOff",
        "processor architecture",
    ),
    ("InvalidImageName", "", "InvalidImageName", "spec.image"),
    ("ErrImageNeverPull", "", "ErrImageNeverPull", "IfNotPresent"),
    (
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root (pod: \"orders-1\", container: api)",
        "ImageRunsAsRoot",
        "set spec.runAsUser: 65532 (if the image works as another user), or spec.securityProfile: Baseline",
    ),
    (
        "CreateContainerConfigError",
        "container has runAsNonRoot and image has non-numeric user (appuser), cannot verify user is non-root",
        "ImageUserNotNumeric",
        "(appuser)",
    ),
    (
        "CreateContainerConfigError",
        "secret \"orders-db\" not found",
        "ReferenceNotFound",
        "the Secret orders-db",
    ),
    (
        "CreateContainerConfigError",
        "couldn't find key url in Secret shop/orders-db",
        "ReferenceNotFound",
        "the Secret orders-db has no key url",
    ),
    (
        "RunContainerError",
        "mkdir /x: read-only file system",
        "ReadOnlyFileSystem",
        "readOnlyRootFilesystem: false",
    ),
    (
        "RunContainerError",
        "exec /app: exec format error",
        "WrongArchitecture",
        "spec.nodeSelector",
    ),
    (
        "CreateContainerError",
        "exec: \"/nope\": stat /nope: no such file or directory",
        "CommandNotFound",
        "spec.command",
    ),
];

#[test]
fn a_waiting_container_is_explained_with_the_way_out() {
    for (reason, message, expected, fix) in WAITING.iter().copied() {
        let status = waiting(reason, message).fold();
        assert_eq!(
            says(&status, "WorkloadReady"),
            format!("False/{expected}"),
            "{reason}: {message}"
        );
        let said = &condition(&status, "WorkloadReady").message;
        assert!(said.contains(fix), "{reason}: {said}");
        assert!(!said.contains("orders-1"), "{said}");
    }
}

#[test]
fn a_crash_is_explained_by_how_the_container_ended() {
    let cases = [
        ("Error", 1, "CrashLoopBackOff", "exits with code 1"),
        ("OOMKilled", 137, "OOMKilled", "spec.resources.limits.memory"),
        ("Completed", 0, "Completed", "instead of serving"),
        ("StartError", 128, "CannotStart", "spec.command"),
        ("Error", 127, "CommandNotFound", "spec.command"),
        ("Error", 137, "Killed", "liveness"),
    ];
    for (reason, code, expected, text) in cases {
        let mut world = waiting(
            "CrashLoopBackOff",
            "back-off 10s restarting failed container=api pod=orders-1",
        );
        world.workload.pods[0].terminated = Some(Termination {
            reason: reason.to_owned(),
            code,
            message: String::new(),
        });
        world.workload.pods[0].restarts = 3;
        let status = world.fold();
        assert_eq!(
            says(&status, "WorkloadReady"),
            format!("False/{expected}"),
            "{reason} {code}"
        );
        let said = &condition(&status, "WorkloadReady").message;
        assert!(said.contains(text) && !said.contains("orders-1"), "{said}");
    }
}

#[test]
fn a_failing_probe_is_explained_without_addresses() {
    let cases = [
        (
            "Readiness probe failed: dial tcp 10.0.0.5:8000: connect: connection refused",
            "NothingListens",
            "nothing listens on 8000: set spec.port",
        ),
        (
            "Readiness probe failed: HTTP probe failed with statuscode: 404",
            "ProbeFailed",
            "spec.probes.readiness.http.path",
        ),
        (
            "Liveness probe failed: Get \"http://10.0.0.5:8000/\": context deadline exceeded",
            "ProbeFailed",
            "spec.probes.liveness.timeoutSeconds",
        ),
        (
            "Startup probe failed: something else",
            "ProbeFailed",
            "spec.probes.startup",
        ),
    ];
    for (event, reason, text) in cases {
        let status = unhealthy(event).fold();
        assert_eq!(says(&status, "WorkloadReady"), format!("False/{reason}"), "{event}");
        let said = &condition(&status, "WorkloadReady").message;
        assert!(said.contains(text) && !said.contains("10.0.0.5"), "{said}");
    }
}

#[test]
fn an_unschedulable_pod_says_what_the_nodes_lack() {
    let world = World::with_pod(PodFacts {
        unschedulable: Some(
            "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available".to_owned(),
        ),
        ..PodFacts::default()
    });
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/Unschedulable");
    assert!(
        condition(&status, "WorkloadReady")
            .message
            .starts_with("no node takes the pod (3 Insufficient cpu)")
    );
}

#[test]
fn a_quota_is_named_without_the_pod_it_refused() {
    let mut world = World::well();
    world.workload.deployment = Some(DeploymentFacts {
        updated: 0,
        replica_failure: Some(
            "pods \"orders-7d-x2x\" is forbidden: exceeded quota: compute, requested: pods=1".to_owned(),
        ),
        ..deployment(3)
    });
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/ReplicaFailure");
    let said = &condition(&status, "WorkloadReady").message;
    assert!(
        said.contains("exceeded quota: compute") && !said.contains("x2x"),
        "{said}"
    );
}

#[test]
fn the_order_of_the_pods_does_not_matter() {
    let pod = |reason: &str| PodFacts {
        waiting: Some((reason.to_owned(), String::new())),
        ..PodFacts::default()
    };
    let mut world = waiting("ContainerCreating", "");
    world.workload.pods = vec![
        pod("ContainerCreating"),
        pod("ErrImageNeverPull"),
        pod("ImagePullBackOff"),
    ];
    let one = world.fold();
    world.workload.pods.reverse();
    assert_eq!(one, world.fold());
}

#[test]
fn pods_of_an_old_revision_explain_nothing() {
    let mut world = waiting("ContainerCreating", "");
    world.workload.pods[0].created = "2026-11-21T08:00:00Z".to_owned();
    let old = PodFacts {
        template_hash: "old".to_owned(),
        created: "2026-11-20T08:00:00Z".to_owned(),
        waiting: Some(("ImagePullBackOff".to_owned(), String::new())),
        ..PodFacts::default()
    };
    world.workload.pods.push(old);
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/ContainerCreating");
}

#[test]
fn a_container_that_can_not_start_is_explained_alike_in_either_state_of_the_pod() {
    let cases = [
        (
            "failed to create containerd task: runc create failed: exec: \"/app\": exec format error: unknown",
            "WrongArchitecture",
        ),
        (
            "exec: \"serve\": executable file not found in $PATH: unknown",
            "CommandNotFound",
        ),
        ("exec: \"/app\": permission denied: unknown", "CommandNotExecutable"),
    ];
    for (message, expected) in cases {
        let tried = waiting("RunContainerError", message).fold();
        let mut world = waiting("CrashLoopBackOff", "back-off 10s restarting failed container");
        world.workload.pods[0].terminated = Some(Termination {
            reason: "StartError".to_owned(),
            code: 128,
            message: message.to_owned(),
        });
        let waits = world.fold();
        assert_eq!(says(&tried, "WorkloadReady"), format!("False/{expected}"));
        assert_eq!(
            condition(&tried, "WorkloadReady").message,
            condition(&waits, "WorkloadReady").message
        );
        assert!(!condition(&tried, "WorkloadReady").message.contains("/app"));
    }
}

#[test]
fn between_two_crashes_the_crash_is_reported_and_not_the_failing_probe() {
    let refused = || Some("Readiness probe failed: dial tcp 10.0.0.1:8000: connect: connection refused".to_owned());
    let crash = || {
        Some(Termination {
            reason: "Error".to_owned(),
            code: 1,
            message: String::new(),
        })
    };
    let cases = [
        (0, None, refused(), "NothingListens"),
        (3, crash(), refused(), "CrashLoopBackOff"),
        (3, crash(), None, "CrashLoopBackOff"),
        (0, None, None, "NotReadyYet"),
    ];
    for (restarts, terminated, unhealthy, expected) in cases {
        let mut world = World::with_pod(PodFacts {
            restarts,
            terminated: terminated.clone(),
            unhealthy,
            ..PodFacts::default()
        });
        let running = world.fold();
        assert_eq!(says(&running, "WorkloadReady"), format!("False/{expected}"));
        if terminated.is_some() {
            world.workload.pods[0].running_since = Some("2026-11-21T08:00:00Z".to_owned());
            world.workload.pods[0].unhealthy_at = Some("2026-11-21T08:09:00.5Z".to_owned());
            assert_eq!(world.fold().conditions, running.conditions);
            // The same while the kubelet waits to try again: nothing flaps.
            world.workload.pods[0].waiting = Some(("CrashLoopBackOff".to_owned(), "back-off 10s".to_owned()));
            assert_eq!(world.fold().conditions, running.conditions);
        }
    }
}

#[test]
fn a_crash_of_long_ago_does_not_explain_a_probe_that_fails_now() {
    let world = World::with_pod(PodFacts {
        restarts: 1,
        terminated: Some(Termination {
            reason: "Error".to_owned(),
            code: 1,
            message: String::new(),
        }),
        running_since: Some("2026-11-20T08:00:00Z".to_owned()),
        unhealthy: Some("Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned()),
        unhealthy_at: Some("2026-11-21T07:59:50Z".to_owned()),
        ..PodFacts::default()
    });
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/ProbeFailed");
}
