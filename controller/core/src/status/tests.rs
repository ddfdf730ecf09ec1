use controller_api::ChildRecord;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde_json::{Value, json};

use super::*;
use crate::{
    children::ChildKind,
    facts::{DeploymentFacts, LabelSelector, PodFacts, PrometheusSelectors, Settings},
    plan::{AppliedChild, Outcome},
    validate::validate,
};

/// What a fold needs, well by default; tests make it ill.
struct World {
    spec: Value,
    generation: i64,
    previous: MonitoredApiStatus,
    applied: Option<Applied>,
    workload: WorkloadFacts,
    prometheus: PrometheusFacts,
    namespace_labels: Option<BTreeMap<String, String>>,
    now: &'static str,
}

impl World {
    fn new(spec: Value) -> Self {
        let prometheus = PrometheusSelectors {
            namespace: "monitoring".to_owned(),
            name: "k8s".to_owned(),
            monitors: Some(LabelSelector::default()),
            monitor_namespaces: Some(LabelSelector::default()),
        };
        Self {
            spec,
            generation: 3,
            previous: MonitoredApiStatus::default(),
            applied: Some(applied(|_| Outcome::Unchanged)),
            workload: WorkloadFacts {
                deployment: Some(deployment(3)),
                pods: Vec::new(),
                ready_endpoints: Some(3),
            },
            prometheus: PrometheusFacts::Known(vec![prometheus]),
            namespace_labels: Some(BTreeMap::new()),
            now: "2026-11-21T08:00:00Z",
        }
    }

    fn well() -> Self {
        Self::new(json!({"image": "ghcr.io/acme/orders:1", "preset": "native"}))
    }

    fn with_pod(pod: PodFacts) -> Self {
        let mut world = Self::well();
        world.workload.deployment = Some(DeploymentFacts {
            ready: 2,
            available: 2,
            ..deployment(3)
        });
        world.workload.pods = vec![PodFacts {
            current: true,
            phase: "Running".to_owned(),
            ..pod
        }];
        world
    }

    fn fold(&self) -> MonitoredApiStatus {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop", "uid": "owner-uid"},
            "spec": self.spec,
        }))
        .unwrap();
        let owner = ApiRef::of(&api);
        let validated = validate(&api, &Settings::default());
        fold(&FoldInput {
            owner: &owner,
            generation: self.generation,
            previous: &self.previous,
            validated: validated.as_ref().map_err(Vec::as_slice),
            applied: self.applied.as_ref(),
            workload: &self.workload,
            prometheus: &self.prometheus,
            namespace_labels: self.namespace_labels.as_ref(),
            suspended: api.spec.suspend == Some(true),
            now: self.now.parse().unwrap(),
        })
    }
}

fn applied(outcome: impl Fn(ChildKind) -> Outcome) -> Applied {
    let kinds = crate::children::CHILD_KINDS.iter().map(|row| row.kind);
    Applied {
        children: kinds
            .map(|kind| AppliedChild {
                kind,
                name: "orders".to_owned(),
                outcome: outcome(kind),
                record: Some(record(kind)),
            })
            .collect(),
        leftovers: Vec::new(),
        missing: Vec::new(),
    }
}

fn record(kind: ChildKind) -> ChildRecord {
    ChildRecord {
        kind: kind.as_str().to_owned(),
        name: "orders".to_owned(),
        uid: format!("{}-uid", kind.as_str()),
        desired_hash: "d".to_owned(),
        applied_fields_hash: "a".to_owned(),
        version: Some("5".to_owned()),
        state: "Ready".to_owned(),
    }
}

fn deployment(pods: i32) -> DeploymentFacts {
    DeploymentFacts {
        uid: "Deployment-uid".to_owned(),
        generation: 5,
        observed_generation: 5,
        wanted: pods,
        replicas: pods,
        updated: pods,
        ready: pods,
        available: pods,
        progress_failed: None,
        replica_failure: None,
    }
}

fn condition<'a>(status: &'a MonitoredApiStatus, type_: &str) -> &'a Condition {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_)
        .unwrap()
}

/// `Status/Reason` of a condition.
fn says(status: &MonitoredApiStatus, type_: &str) -> String {
    let condition = condition(status, type_);
    format!("{}/{}", condition.status, condition.reason)
}

fn waiting(reason: &str, message: &str) -> World {
    World::with_pod(PodFacts {
        waiting: Some((reason.to_owned(), message.to_owned())),
        ..PodFacts::default()
    })
}

fn unhealthy(message: &str) -> World {
    World::with_pod(PodFacts {
        unhealthy: Some(message.to_owned()),
        ..PodFacts::default()
    })
}

fn prometheus(monitors: Option<LabelSelector>, namespaces: Option<LabelSelector>) -> PrometheusFacts {
    PrometheusFacts::Known(vec![PrometheusSelectors {
        namespace: "monitoring".to_owned(),
        name: "k8s".to_owned(),
        monitors,
        monitor_namespaces: namespaces,
    }])
}

fn label(key: &str, value: &str) -> LabelSelector {
    LabelSelector {
        match_labels: [(key.to_owned(), value.to_owned())].into(),
        match_expressions: Vec::new(),
    }
}

#[test]
fn when_all_is_well_every_condition_says_so() {
    let status = World::well().fold();
    for type_ in [
        "Accepted",
        "ChildrenApplied",
        "WorkloadReady",
        "ServiceMatchesPods",
        "MonitorSelected",
        "DialectKnown",
        "Monitored",
        "Ready",
    ] {
        assert_eq!(
            condition(&status, type_).status,
            "True",
            "{type_}: {}",
            condition(&status, type_).message
        );
    }
    assert_eq!(says(&status, "Reconciling"), "False/Settled");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    assert_eq!(status.first_failing, None);
    assert_eq!(status.observed_generation, 3);
    assert_eq!((status.replicas, status.ready_replicas), (Some(3), Some(3)));
    assert_eq!(status.url.as_deref(), Some("http://orders.shop.svc"));
    assert_eq!(
        status.selector.as_deref(),
        Some("app.kubernetes.io/name=orders,monitoredapi.io/name=orders")
    );
    assert_eq!(status.metrics.unwrap().dialect.as_deref(), Some("native"));
    assert!(
        status
            .conditions
            .iter()
            .all(|condition| condition.observed_generation == Some(3))
    );
}

#[test]
fn folding_the_same_again_changes_nothing_not_even_times() {
    let mut world = World::well();
    let first = world.fold();
    world.previous = first.clone();
    world.now = "2026-11-21T09:00:00.5Z";
    assert_eq!(world.fold(), first);
}

#[test]
fn a_time_moves_only_with_its_status() {
    let mut world = waiting("ContainerCreating", "");
    world.previous = world.fold();
    world.now = "2026-11-21T09:00:00Z";
    world.workload.pods[0].waiting = Some(("ImagePullBackOff".to_owned(), String::new()));
    let second = world.fold();
    let (before, after) = (
        condition(&world.previous, "WorkloadReady"),
        condition(&second, "WorkloadReady"),
    );
    assert_ne!(before.reason, after.reason);
    assert_eq!(before.last_transition_time, after.last_transition_time);
    world.previous = second;
    world.workload = World::well().workload;
    let third = world.fold();
    assert_ne!(
        condition(&third, "WorkloadReady").last_transition_time,
        after_time(&world.previous)
    );
}

fn after_time(status: &MonitoredApiStatus) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
    condition(status, "WorkloadReady").last_transition_time.clone()
}

#[test]
fn an_invalid_spec_is_stalled_and_names_every_violation_with_its_field() {
    let mut world = World::new(json!({"image": "i", "preset": "fortran", "metrics": {"dialect": "cobol"}}));
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Accepted"), "False/InvalidSpec");
    let message = &condition(&status, "Accepted").message;
    assert!(
        message.contains("spec.preset: ") && message.contains("spec.metrics.dialect: "),
        "{message}"
    );
    assert_eq!(says(&status, "Ready"), "False/InvalidSpec");
    assert_eq!(says(&status, "Stalled"), "True/InvalidSpec");
    assert_eq!(says(&status, "Reconciling"), "False/Stalled");
    assert_eq!(status.first_failing.as_deref(), Some("Accepted/InvalidSpec"));
}

#[test]
fn an_invalid_spec_keeps_the_records_of_what_runs() {
    let mut world = World::well();
    world.previous = world.fold();
    world.spec = json!({"image": "i", "metrics": {"dialect": "cobol"}});
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Accepted"), "False/UnknownDialect");
    assert_eq!(status.children, world.previous.children);
    assert_eq!(says(&status, "WorkloadReady"), "True/RolloutComplete");
}

#[test]
fn a_conflict_of_a_core_kind_stalls_and_is_named() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        ChildKind::Service => Outcome::Conflict("it is not ours".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "False/Conflict");
    assert_eq!(
        condition(&status, "ChildrenApplied").message,
        "Service orders: Conflict: it is not ours"
    );
    assert_eq!(says(&status, "Ready"), "False/Conflict");
    assert_eq!(says(&status, "Stalled"), "True/Conflict");
}

#[test]
fn a_deployment_that_could_not_be_written_is_not_awaited() {
    let mut world = World::well();
    world.workload.deployment = None;
    world.applied = Some(applied(|kind| match kind {
        ChildKind::Deployment => Outcome::Invalid("spec.template is wrong".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/NoDeployment");
    assert!(
        condition(&status, "WorkloadReady")
            .message
            .contains("see ChildrenApplied")
    );
    assert_eq!(says(&status, "Stalled"), "True/Invalid");
}

#[test]
fn a_conflict_of_the_dashboard_leaves_the_workload_ready() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        ChildKind::ConfigMap => Outcome::Conflict("it is not ours".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "False/Conflict");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
}

#[test]
fn failures_of_several_children_are_all_named_in_a_fixed_order() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        ChildKind::PrometheusRule => Outcome::Failed("timed out".to_owned()),
        ChildKind::ServiceMonitor => Outcome::Forbidden("no right to patch".to_owned()),
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    let expected = "ServiceMonitor orders: Forbidden: no right to patch; PrometheusRule orders: Failed: timed out";
    assert_eq!(condition(&status, "ChildrenApplied").message, expected);
}

#[test]
fn a_missing_optional_crd_is_neither_stalled_nor_reconciling_and_named_in_monitored() {
    let mut world = World::well();
    world.applied = Some(applied(|kind| match kind {
        ChildKind::ServiceMonitor | ChildKind::PrometheusRule => Outcome::CrdMissing,
        _ => Outcome::Unchanged,
    }));
    let status = world.fold();
    assert_eq!(condition(&status, "ChildrenApplied").status, "True");
    assert!(condition(&status, "ChildrenApplied").message.contains("CrdMissing"));
    assert_eq!(says(&status, "Monitored"), "False/CrdMissing");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(says(&status, "Reconciling"), "False/Settled");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
}

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
fn a_waiting_container_is_explained_with_the_way_out() {
    let cases = [
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
            "CannotStart",
            "architecture",
        ),
        (
            "CreateContainerError",
            "exec: \"/nope\": stat /nope: no such file or directory",
            "CannotStart",
            "spec.command",
        ),
    ];
    for (reason, message, expected, fix) in cases {
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
        world.workload.pods[0].terminated = Some((reason.to_owned(), code));
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
        current: true,
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
    let old = PodFacts {
        waiting: Some(("ImagePullBackOff".to_owned(), String::new())),
        ..PodFacts::default()
    };
    world.workload.pods.push(old);
    assert_eq!(says(&world.fold(), "WorkloadReady"), "False/ContainerCreating");
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

#[test]
fn a_missing_label_is_named_with_the_prometheus_that_wants_it() {
    let mut world = World::well();
    world.prometheus = prometheus(
        Some(label("release", "kube-prometheus-stack")),
        Some(LabelSelector::default()),
    );
    let status = world.fold();
    assert_eq!(says(&status, "MonitorSelected"), "False/LabelMissing");
    let said = &condition(&status, "MonitorSelected").message;
    assert!(
        said.contains("monitoring/k8s") && said.contains("release=kube-prometheus-stack"),
        "{said}"
    );
    assert!(said.contains("spec.monitoring.objectLabels"), "{said}");
    assert_eq!(says(&status, "Monitored"), "False/LabelMissing");
    assert_eq!(status.first_failing.as_deref(), Some("MonitorSelected/LabelMissing"));
    assert_eq!(says(&status, "Ready"), "True/Ready");
    world.spec =
        json!({"image": "i", "preset": "native", "monitoring": {"objectLabels": {"release": "kube-prometheus-stack"}}});
    assert_eq!(says(&world.fold(), "MonitorSelected"), "True/Selected");
}

#[test]
fn an_absent_selector_and_an_empty_one_mean_different_things() {
    let all = || Some(LabelSelector::default());
    let cases = [
        (None, all(), "False/SelectorNotSet"),
        (all(), None, "False/NamespaceNotSelected"),
        (all(), all(), "True/Selected"),
        (all(), Some(label("team", "shop")), "False/NamespaceNotSelected"),
    ];
    for (monitors, namespaces, expected) in cases {
        let mut world = World::well();
        world.prometheus = prometheus(monitors.clone(), namespaces.clone());
        assert_eq!(
            says(&world.fold(), "MonitorSelected"),
            expected,
            "{monitors:?} {namespaces:?}"
        );
    }
}

#[test]
fn a_namespace_is_selected_by_its_labels_and_unknown_without_them() {
    let mut world = World::well();
    world.prometheus = prometheus(Some(LabelSelector::default()), Some(label("team", "shop")));
    world.namespace_labels = Some([("team".to_owned(), "shop".to_owned())].into());
    assert_eq!(says(&world.fold(), "MonitorSelected"), "True/Selected");
    world.namespace_labels = None;
    assert_eq!(says(&world.fold(), "MonitorSelected"), "Unknown/NamespaceUnknown");
}

#[test]
fn match_expressions_are_evaluated() {
    let expression = |operator: &str, values: &[&str]| LabelSelector {
        match_labels: BTreeMap::new(),
        match_expressions: vec![(
            "app.kubernetes.io/name".to_owned(),
            operator.to_owned(),
            values.iter().map(|value| (*value).to_owned()).collect(),
        )],
    };
    let cases = [
        (expression("In", &["orders", "x"]), true),
        (expression("In", &["x"]), false),
        (expression("NotIn", &["x"]), true),
        (expression("NotIn", &["orders"]), false),
        (expression("Exists", &[]), true),
        (expression("DoesNotExist", &[]), false),
        (expression("Gt", &["1"]), false),
    ];
    for (selector, selected) in cases {
        let mut world = World::well();
        world.prometheus = prometheus(Some(selector.clone()), Some(LabelSelector::default()));
        let expected = if selected {
            "True/Selected"
        } else {
            "False/LabelMissing"
        };
        assert_eq!(says(&world.fold(), "MonitorSelected"), expected, "{selector:?}");
    }
}

#[test]
fn what_cannot_be_known_is_unknown_and_never_false() {
    for (facts, reason) in [
        (PrometheusFacts::NotReadYet, "NotReadYet"),
        (PrometheusFacts::NotPermitted, "NotPermitted"),
        (PrometheusFacts::CrdMissing, "NoPrometheusKind"),
    ] {
        let mut world = World::well();
        world.prometheus = facts;
        let status = world.fold();
        assert_eq!(says(&status, "MonitorSelected"), format!("Unknown/{reason}"));
        assert_eq!(says(&status, "Monitored"), format!("Unknown/{reason}"));
        assert_eq!(status.first_failing, None);
    }
}

#[test]
fn a_dialect_that_is_not_detected_yet_does_not_count_against_monitored() {
    let status = World::new(json!({"image": "i"})).fold();
    assert_eq!(says(&status, "DialectKnown"), "Unknown/NotDetectedYet");
    assert_eq!(says(&status, "Monitored"), "True/Monitored");
}

#[test]
fn monitoring_that_is_off_has_no_links_and_fails_nothing() {
    let status = World::new(json!({"image": "i", "monitoring": {"enabled": false}})).fold();
    assert!(
        !status
            .conditions
            .iter()
            .any(|condition| ["MonitorSelected", "DialectKnown"].contains(&condition.type_.as_str()))
    );
    assert_eq!(says(&status, "Monitored"), "Unknown/Disabled");
    assert_eq!(status.first_failing, None);
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn a_suspended_resource_says_so_and_keeps_its_records() {
    let mut world = World::well();
    world.previous = world.fold();
    world.spec = json!({"image": "i", "preset": "native", "suspend": true});
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Reconciling"), "False/Suspended");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!(status.children, world.previous.children);
}

#[test]
fn reconciling_and_stalled_are_never_both_true() {
    let outcomes = [
        Outcome::Unchanged,
        Outcome::Conflict(String::new()),
        Outcome::Failed(String::new()),
        Outcome::Waiting,
        Outcome::CrdMissing,
    ];
    for outcome in outcomes {
        for (wanted, failed) in [(3, false), (4, false), (4, true), (0, false)] {
            for suspend in [false, true] {
                let mut world = World::new(json!({"image": "i", "suspend": suspend}));
                world.applied = Some(applied(|_| outcome.clone()));
                let mut facts = DeploymentFacts {
                    wanted,
                    ..deployment(3)
                };
                facts.progress_failed = failed.then(|| ("ProgressDeadlineExceeded".to_owned(), String::new()));
                world.workload.deployment = Some(facts);
                let status = world.fold();
                let both = ["Reconciling", "Stalled"].map(|type_| condition(&status, type_).status == "True");
                assert_ne!(both, [true, true], "{outcome:?} {wanted} {failed} {suspend}");
            }
        }
    }
}

#[test]
fn a_record_that_stands_twice_is_kept_once() {
    let mut world = World::well();
    let mut applied = applied(|_| Outcome::Unchanged);
    applied.leftovers = vec![
        record(ChildKind::Service),
        ChildRecord {
            name: "old".to_owned(),
            ..record(ChildKind::Service)
        },
    ];
    world.applied = Some(applied);
    let status = world.fold();
    assert_eq!(
        status.children.iter().filter(|record| record.kind == "Service").count(),
        2
    );
    assert_eq!(says(&status, "ChildrenApplied"), "False/Pruning");
    assert_eq!(says(&status, "Ready"), "True/Ready");
}
