//! Conditions of a workload that exists already.

use controller_api::WorkloadStatus;

use super::*;
use crate::{error_class::ErrorClass, facts::WorkloadId, referenced::of_manifest};

fn found(change: impl FnOnce(&mut Value)) -> Reference {
    let mut manifest = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "legacy", "uid": "w", "generation": 1},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "legacy"}},
            "template": {"metadata": {}, "spec": {"containers": [{"name": "web"}]}},
        },
        "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, "availableReplicas": 3},
    });
    change(&mut manifest);
    Reference::Found(Box::new(of_manifest(&manifest).unwrap()))
}

fn id() -> WorkloadId {
    WorkloadId {
        kind: controller_api::spec::WorkloadKind::Deployment,
        name: "legacy".to_owned(),
    }
}

fn world(reference: Reference) -> World {
    let spec = json!({"workloadRef": {"kind": "Deployment", "name": "legacy"}, "preset": "native"});
    let mut world = World::new(spec);
    world.workload.deployment = reference.found().map(|found| found.figures.clone());
    world.workload.reference = reference;
    let children = world.applied.as_mut().unwrap();
    children.children.retain(|child| !child.kind.of_own_workload);
    world
}

fn message<'a>(status: &'a MonitoredApiStatus, type_: &str) -> &'a str {
    &condition(status, type_).message
}

#[test]
fn a_workload_that_runs_is_ready_with_its_own_figures_and_selector() {
    let status = world(found(|_| {})).fold();
    assert_eq!(says(&status, "WorkloadReady"), "True/RolloutComplete");
    assert_eq!(says(&status, "ServiceMatchesPods"), "True/EndpointsReady");
    assert_eq!(says(&status, "Ready"), "True/Ready");
    assert_eq!((status.replicas, status.ready_replicas), (Some(3), Some(3)));
    assert_eq!(status.selector.as_deref(), Some("app=legacy"));
    assert_eq!(status.url, None);
    assert_eq!(status.workload.unwrap().match_labels["app"], "legacy");
}

#[test]
fn a_workload_that_is_gone_is_never_ready_and_its_record_stays() {
    let recorded = found(|_| {}).found().unwrap().outline().unwrap();
    let mut world = world(Reference::Missing(id()));
    world.previous.workload = Some(recorded.clone());
    let status = world.fold();
    assert_eq!(says(&status, "WorkloadReady"), "False/NoWorkload");
    assert_eq!(says(&status, "Ready"), "False/NoWorkload");
    assert_eq!(says(&status, "Stalled"), "False/NotStalled");
    let told = message(&status, "WorkloadReady");
    assert!(told.contains("Deployment legacy") && told.contains("shop"), "{told}");
    assert_eq!(status.workload, Some(recorded));
    // So that ApiDown can tell: the targets are gone from Prometheus too.
    assert_eq!((status.replicas, status.ready_replicas), (Some(0), Some(0)));
}

#[test]
fn a_workload_that_may_not_be_read_names_the_permission() {
    let status = world(Reference::Unread(id(), ErrorClass::Forbidden)).fold();
    assert_eq!(says(&status, "WorkloadReady"), "Unknown/WorkloadUnread");
    let told = message(&status, "WorkloadReady");
    assert!(told.contains("get on deployments.apps in the namespace shop"), "{told}");
    assert_ne!(says(&status, "Ready"), "True/Ready");
    assert_eq!(status.ready_replicas, None);
}

#[test]
fn a_workload_that_was_never_read_has_no_objects_and_no_condition_says_that_it_has() {
    let mut world = world(Reference::Missing(id()));
    world.applied = None;
    world.previous.workload = Some(WorkloadStatus {
        name: "another".to_owned(),
        ..found(|_| {}).found().unwrap().outline().unwrap()
    });
    let status = world.fold();
    assert_eq!(says(&status, "ChildrenApplied"), "Unknown/Pending");
    assert_eq!(says(&status, "MonitorSelected"), "Unknown/NotApplied");
    assert_eq!(status.workload, None);
}

#[test]
fn a_workload_that_cannot_be_monitored_waits_for_a_person() {
    let of = |reference| {
        let mut world = world(reference);
        world.applied = None;
        world.fold()
    };
    let written = |name: &str| {
        let owner = json!([{"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi", "name": name, "uid": "x",
                            "controller": true}]);
        of(found(|manifest| manifest["metadata"]["ownerReferences"] = owner))
    };
    let status = written("other");
    assert_eq!(says(&status, "WorkloadReady"), "False/MonitoredAlready");
    assert_eq!(says(&status, "Stalled"), "True/MonitoredAlready");
    assert!(message(&status, "WorkloadReady").contains("the MonitoredApi other"));
    // The one that it wrote itself, before the spec changed.
    assert!(message(&written("orders"), "WorkloadReady").contains("set spec.image again"));
    let expressions = json!({"matchExpressions": [{"key": "app", "operator": "Exists"}]});
    let status = of(found(|manifest| manifest["spec"]["selector"] = expressions));
    assert_eq!(says(&status, "WorkloadReady"), "False/SelectorNotSupported");
    assert_eq!(says(&status, "Stalled"), "True/SelectorNotSupported");
}

#[test]
fn no_advice_about_pods_names_a_field_that_would_be_refused() {
    for reason in [
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "CreateContainerConfigError",
        "RunContainerError",
    ] {
        let mut world = world(found(|manifest| manifest["status"]["availableReplicas"] = json!(1)));
        world.workload.pods = vec![PodFacts {
            phase: "Pending".to_owned(),
            waiting: Some((reason.to_owned(), "image runs as root".to_owned())),
            ..PodFacts::default()
        }];
        let status = world.fold();
        assert!(says(&status, "WorkloadReady").starts_with("False/"), "{reason}");
        let told = message(&status, "WorkloadReady");
        assert!(!told.contains("spec.") && told.contains("Deployment legacy"), "{told}");
    }
}

#[test]
fn a_page_that_speaks_tls_is_told_unless_another_port_is_named_or_it_is_up() {
    let https = || {
        found(|manifest| {
            manifest["spec"]["template"]["metadata"]["annotations"] =
                json!({"prometheus.io/scheme": "https", "prometheus.io/port": "8443"});
        })
    };
    let mut world = world(https());
    assert_eq!(says(&world.fold(), "Scraped"), "True/TargetUp");
    world.finding.scrape = Answer::Known(ScrapeFinding::Down(None));
    assert_eq!(says(&world.fold(), "Scraped"), "False/TlsNotSupported");
    world.spec["metrics"] = json!({"port": 9090});
    assert_eq!(says(&world.fold(), "Scraped"), "False/TargetDown");
}

#[test]
fn without_monitoring_no_service_is_missed() {
    let mut world = world(found(|_| {}));
    world.spec["monitoring"] = json!({"enabled": false});
    world.workload.ready_endpoints = None;
    let status = world.fold();
    assert!(
        status
            .conditions
            .iter()
            .all(|known| known.type_ != "ServiceMatchesPods")
    );
    assert_eq!(says(&status, "Ready"), "True/Ready");
}

#[test]
fn pods_on_their_nodes_network_are_told_not_to_be_asked() {
    let mut world = world(found(|manifest| {
        manifest["spec"]["template"]["spec"]["hostNetwork"] = json!(true);
    }));
    world.spec["preset"] = json!("auto");
    let status = world.fold();
    assert_eq!(says(&status, "DialectKnown"), "Unknown/NotDetectedYet");
    assert!(message(&status, "DialectKnown").contains("nodes' network"));
}
