use controller_api::{WorkloadStatus, spec::WorkloadKind};
use serde_json::{Value, json};

use super::*;
use crate::{
    error_class::ErrorClass,
    facts::{Reference, ReferencedWorkload, WorkloadId},
};

fn read(kind: WorkloadKind, object: &Value) -> ReferencedWorkload {
    let object: WorkloadObject = serde_json::from_str(&object.to_string()).unwrap();
    let name = "legacy".to_owned();
    object.into_workload(WorkloadId { kind, name })
}

fn deployment(change: impl FnOnce(&mut Value)) -> ReferencedWorkload {
    let mut object = json!({
        "metadata": {"name": "legacy", "uid": "u", "generation": 1},
        "spec": {
            "selector": {"matchLabels": {"app": "legacy"}},
            "template": {"metadata": {}, "spec": {"containers": [{"name": "web"}]}},
        },
    });
    change(&mut object);
    read(WorkloadKind::Deployment, &object)
}

#[test]
fn the_surest_sign_of_the_metrics_port_wins() {
    let port = |annotations: Value, ports: Value| {
        deployment(|object| {
            object["spec"]["template"]["metadata"]["annotations"] = annotations;
            object["spec"]["template"]["spec"]["containers"][0]["ports"] = ports;
        })
        .metrics_port
    };
    let named = |name: &str, port: i32| json!({"name": name, "containerPort": port});
    let none = || json!({});
    let cases = [
        (
            json!({"prometheus.io/port": "9102"}),
            json!([named("metrics", 9090)]),
            Some(9102),
        ),
        (
            json!({"prometheus.io/port": "http"}),
            json!([named("metrics", 9090)]),
            Some(9090),
        ),
        (
            json!({"prometheus.io/port": "0"}),
            json!([named("metrics", 9090)]),
            Some(9090),
        ),
        (json!({"prometheus.io/port": "70000"}), json!([]), None),
        (none(), json!([named("http", 80), named("metrics", 9090)]), Some(9090)),
        (
            none(),
            json!([named("prometheus", 9100), named("http-metrics", 9091)]),
            Some(9091),
        ),
        (none(), json!([named("http", 80), named("prom", 9100)]), Some(9100)),
        (none(), json!([named("grpc", 81), named("http", 80)]), Some(80)),
        (none(), json!([{"containerPort": 5000}]), Some(5000)),
        (none(), json!([{"containerPort": 5000}, {"containerPort": 5001}]), None),
        (
            none(),
            json!([{"name": "metrics", "containerPort": 53, "protocol": "UDP"}]),
            None,
        ),
        (none(), json!("odd"), None),
    ];
    for (annotations, ports, expected) in cases {
        assert_eq!(
            port(annotations.clone(), ports.clone()),
            expected,
            "{annotations} {ports}"
        );
    }
}

#[test]
fn a_path_that_is_none_counts_as_absent() {
    let path = |path: &str| {
        deployment(|object| {
            object["spec"]["template"]["metadata"]["annotations"] =
                json!({"prometheus.io/path": path, "prometheus.io/scheme": "https"});
        })
    };
    assert_eq!(
        path("/actuator/prometheus").metrics_path.as_deref(),
        Some("/actuator/prometheus")
    );
    for wrong in ["metrics", "", "/a b", "/a?b=c"] {
        assert_eq!(path(wrong).metrics_path, None, "{wrong}");
    }
    assert!(path("/x").speaks_tls);
}

#[test]
fn the_limits_are_those_of_the_container_with_the_page() {
    let found = deployment(|object| {
        object["spec"]["template"]["spec"]["containers"] = json!([
            {"name": "proxy", "resources": {"limits": {"memory": "64Mi"}}},
            {"name": "web", "ports": [{"name": "metrics", "containerPort": 9090}],
             "resources": {"limits": {"memory": "1Gi", "cpu": 2, "example.org/gpu": "1"}}},
        ]);
    });
    assert_eq!(found.container, "web");
    let limits: Vec<_> = found
        .limits
        .iter()
        .map(|(name, amount)| format!("{name}={amount}"))
        .collect();
    assert_eq!(limits, ["cpu=2", "memory=1Gi"]);
}

#[test]
fn a_selector_is_taken_only_where_labels_say_the_same() {
    let labels = |selector: Value| deployment(|object| object["spec"]["selector"] = selector).match_labels;
    let expression = |operator: &str, values: Value| json!({"key": "tier", "operator": operator, "values": values});
    let app = json!({"app": "legacy"});
    let said = labels(json!({"matchLabels": app, "matchExpressions": [expression("In", json!(["web"]))]})).unwrap();
    assert_eq!(crate::facts::selector_text(&said), "app=legacy,tier=web");
    for wrong in [
        expression("In", json!(["web", "api"])),
        expression("NotIn", json!(["web"])),
        expression("Exists", json!([])),
    ] {
        assert_eq!(labels(json!({"matchLabels": app, "matchExpressions": [wrong]})), None);
    }
    assert_eq!(labels(json!({})), None);
}

#[test]
fn ports_and_path_that_were_read_last_stay_while_the_workload_is_gone_or_unreadable() {
    let found = deployment(|_| {});
    let recorded = Reference::Found(Box::new(found.clone())).outline(None).unwrap();
    let id = found.id.clone();
    let missing = Reference::Missing(id.clone());
    assert_eq!(missing.outline(Some(&recorded)), Some(recorded.clone()));
    assert_eq!(
        Reference::Unread(id, ErrorClass::Forbidden).outline(Some(&recorded)),
        Some(recorded.clone())
    );
    assert_eq!(missing.outline(None), None);
    let of_another = WorkloadStatus {
        name: "another".to_owned(),
        ..recorded.clone()
    };
    assert_eq!(missing.outline(Some(&of_another)), None);
    // One that a MonitoredApi writes is not taken, and neither is a selector that a Service cannot have.
    let written = ReferencedWorkload {
        written_by: Some("orders".to_owned()),
        ..found.clone()
    };
    assert_eq!(Reference::Found(Box::new(written)).outline(None), None);
    assert_eq!(Reference::None.outline(Some(&recorded)), None);
}

/// How a rollout with these figures stands.
fn progress(kind: WorkloadKind, spec: Value, status: Value) -> &'static str {
    let object = json!({
        "metadata": {"name": "legacy", "generation": 2, "uid": "u"}, "spec": spec, "status": status,
    });
    match read(kind, &object).progress() {
        Progress::Unseen => "unseen",
        Progress::NoPodWanted => "no pod",
        Progress::Complete(_) => "complete",
        Progress::Incomplete(_) => "incomplete",
    }
}

#[test]
fn a_deployment_is_rolled_out_when_only_new_pods_are_there_and_available() {
    let of = |seen: i64, replicas: i32, updated: i32, available: i32| {
        progress(
            WorkloadKind::Deployment,
            json!({"replicas": 3}),
            json!({"observedGeneration": seen, "replicas": replicas, "updatedReplicas": updated,
                   "readyReplicas": available, "availableReplicas": available}),
        )
    };
    assert_eq!(of(1, 3, 3, 3), "unseen");
    assert_eq!(of(2, 3, 2, 3), "incomplete");
    assert_eq!(of(2, 4, 3, 3), "incomplete");
    assert_eq!(of(2, 3, 3, 2), "incomplete");
    assert_eq!(of(2, 3, 3, 3), "complete");
    assert_eq!(
        progress(
            WorkloadKind::Deployment,
            json!({"replicas": 0}),
            json!({"observedGeneration": 2})
        ),
        "no pod"
    );
    // Kubernetes's default is one.
    assert_eq!(
        progress(WorkloadKind::Deployment, json!({}), json!({"observedGeneration": 2})),
        "incomplete"
    );
}

#[test]
fn a_stateful_set_is_rolled_out_by_its_revisions_and_its_partition() {
    let of = |strategy: Value, ready: i32, updated: i32, current: &str| {
        progress(
            WorkloadKind::StatefulSet,
            json!({"replicas": 3, "updateStrategy": strategy}),
            json!({"observedGeneration": 2, "replicas": 3, "readyReplicas": ready, "updatedReplicas": updated,
                   "currentRevision": current, "updateRevision": "b"}),
        )
    };
    let rolling = |partition: i32| json!({"type": "RollingUpdate", "rollingUpdate": {"partition": partition}});
    assert_eq!(of(rolling(0), 3, 3, "b"), "complete");
    assert_eq!(of(rolling(0), 2, 3, "b"), "incomplete");
    assert_eq!(of(rolling(0), 3, 1, "a"), "incomplete");
    // All are new, but the controller has not closed the rollout.
    assert_eq!(of(rolling(0), 3, 3, "a"), "incomplete");
    assert_eq!(of(rolling(2), 3, 1, "a"), "complete");
    assert_eq!(of(rolling(2), 3, 0, "a"), "incomplete");
    assert_eq!(of(rolling(5), 3, 0, "a"), "complete");
    let on_delete = || json!({"type": "OnDelete"});
    assert_eq!(of(on_delete(), 3, 1, "a"), "incomplete");
    assert_eq!(of(on_delete(), 3, 3, "a"), "complete");
    assert_eq!(of(on_delete(), 3, 3, "b"), "complete");
    assert_eq!(
        progress(
            WorkloadKind::StatefulSet,
            json!({"replicas": 1}),
            json!({"observedGeneration": 1})
        ),
        "unseen"
    );
}

#[test]
fn a_daemon_set_is_rolled_out_when_each_node_that_wants_one_has_a_new_and_available_pod() {
    let of = |seen: i64, wanted: i32, updated: i32, available: i32| {
        progress(
            WorkloadKind::DaemonSet,
            json!({}),
            json!({"observedGeneration": seen, "desiredNumberScheduled": wanted, "currentNumberScheduled": wanted,
                   "updatedNumberScheduled": updated, "numberReady": available, "numberAvailable": available}),
        )
    };
    assert_eq!(of(1, 2, 2, 2), "unseen");
    assert_eq!(of(2, 2, 1, 2), "incomplete");
    assert_eq!(of(2, 2, 2, 1), "incomplete");
    assert_eq!(of(2, 2, 2, 2), "complete");
    assert_eq!(of(2, 0, 0, 0), "no pod");
}

#[test]
fn no_shape_of_an_object_makes_it_unreadable() {
    for odd in [
        json!({}),
        json!({"metadata": 1, "spec": [], "status": "x"}),
        json!({"spec": {"template": {"spec": {"containers": {}}}, "selector": 4, "updateStrategy": []}}),
        json!({"spec": null, "status": null, "metadata": null}),
    ] {
        for kind in WorkloadKind::ALL {
            assert_eq!(read(kind, &odd).match_labels, None, "{odd}");
        }
    }
}
