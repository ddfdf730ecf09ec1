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

/// What the ReplicaSet says when it cannot create a pod; what the status says of it.
const REFUSED: &[(&str, &str)] = &[
    (
        "pods \"orders-7d9f-x2x4z\" is forbidden: exceeded quota: compute, requested: pods=1",
        "pods are refused: exceeded quota: compute, requested: pods=1: raise the quota, or lower spec.resources or \
         spec.replicas",
    ),
    (
        "Internal error occurred: failed calling webhook \"pods.policy.acme.io\": failed to call webhook: Post \
         \"https://policy.acme.svc:443/pods?timeout=10s\": dial tcp 10.96.7.1:443: connect: connection refused",
        "pods cannot be created: the admission webhook pods.policy.acme.io, which belongs to another product, does not \
         answer: look at its pods and at the network policy in front of them",
    ),
    (
        "admission webhook \"pods.policy.acme.io\" denied the request: orders-7d9f-x2x4z at 2026-11-29T10:00:00Z \
         (request 0f8fad5b-d9cb-469f-a165-70867728950e): A is s3cret-Passw0rd, B is other-Passw0rd",
        "pods are refused: admission webhook \"pods.policy.acme.io\" denied the request: … at … (request …): A is …, B is …: \
         see the events of the ReplicaSet",
    ),
    (
        "pods \"orders-7d9f-x2x4z\" is forbidden: ValidatingAdmissionPolicy 'team' with binding 'all' denied request: no \
         label team",
        "pods are refused: ValidatingAdmissionPolicy 'team' with binding 'all' denied request: no label team: write a \
         label that a policy demands into spec.objectLabels",
    ),
    ("something else", "pods are refused: see the events of the ReplicaSet"),
];

#[test]
fn refusals_of_pods_are_named_without_words_that_pass_or_are_secret() {
    for (message, told) in REFUSED {
        let mut world = World::well();
        world.spec = json!({
            "image": "i",
            "preset": "native",
            "env": [{"name": "A", "value": "s3cret-Passw0rd"}],
            "podTemplate": {"spec": {"initContainers": [
                {"name": "init", "image": "i", "env": [{"name": "B", "value": "other-Passw0rd"}]},
            ]}},
        });
        world.workload.deployment = Some(DeploymentFacts {
            updated: 0,
            replica_failure: Some((*message).to_owned()),
            ..deployment(3)
        });
        let status = world.fold();
        assert_eq!(says(&status, "WorkloadReady"), "False/ReplicaFailure");
        assert_eq!(condition(&status, "WorkloadReady").message, *told);
    }
}

#[test]
fn words_about_pods_of_a_spec_that_is_not_known_any_more_are_not_quoted() {
    let of = |message: &str| {
        let mut world = World::well();
        world.spec = json!({"image": "i", "suspend": true});
        world.applied = None;
        world.as_written = false;
        world.workload.deployment = Some(DeploymentFacts {
            updated: 0,
            replica_failure: Some(message.to_owned()),
            ..deployment(3)
        });
        condition(&world.fold(), "WorkloadReady").message.clone()
    };
    // It may hold the value of a variable of the spec before.
    let told = of("admission webhook \"x\" denied the request: env A=s3cret-Passw0rd");
    assert_eq!(told, "pods are refused: see the events of the ReplicaSet");
    let told = of("pods \"orders-7d9f-x2x4z\" is forbidden: exceeded quota: compute, requested: pods=1");
    assert!(told.contains("exceeded quota: compute, requested: pods=1"), "{told}");
}

#[test]
fn the_words_of_the_scheduler_are_quoted_without_the_name_of_the_pod() {
    let world = World::with_pod(PodFacts {
        unschedulable: Some("binding rejected: pod orders-7d9f-x2x4z is already assigned".to_owned()),
        ..PodFacts::default()
    });
    let told = condition(&world.fold(), "WorkloadReady").message.clone();
    assert!(
        told.starts_with("no node takes the pod (pod … is already assigned)"),
        "{told}"
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
