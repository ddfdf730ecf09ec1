use serde_json::json;

use super::*;
use crate::{facts::LiveReplicas, validate::validate};

fn plan(spec: &Value, facts: &Facts) -> Plan {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "owner-uid"}, "spec": spec,
    }))
    .unwrap();
    let valid = validate(&api, &Settings::default()).unwrap();
    build(&valid, &Settings::default(), facts, &valid.owner)
}

fn kinds(spec: &Value) -> Vec<String> {
    plan(spec, &Facts::default())
        .children
        .iter()
        .map(|child| format!("{} {}", child.kind.as_str(), child.name))
        .collect()
}

fn replicas(spec: &Value, live: Option<LiveReplicas>) -> Value {
    let plan = plan(
        spec,
        &Facts {
            live_replicas: live,
            ..Facts::default()
        },
    );
    let deployment = plan
        .children
        .into_iter()
        .find(|child| child.kind == ChildKind::Deployment)
        .unwrap();
    deployment.object.pointer("/spec/replicas").cloned().unwrap_or_default()
}

#[test]
fn the_table_has_every_kind_once() {
    for row in CHILD_KINDS {
        assert_eq!(row.kind.row().name, row.name, "children/{}.rs", row.name);
        assert_eq!(ChildKind::from_name(row.name), Some(row.kind));
        assert_eq!(CHILD_KINDS.iter().filter(|other| other.kind == row.kind).count(), 1);
    }
    assert_eq!(
        CHILD_KINDS.len(),
        6,
        "a row of CHILD_KINDS is missing: every file in children/ has one"
    );
}

#[test]
fn the_workload_comes_after_what_its_pods_refer_to() {
    let kinds = kinds(&json!({"image": "i"}));
    let expected = [
        "ServiceAccount orders",
        "Service orders",
        "ServiceMonitor orders",
        "PrometheusRule orders",
        "ConfigMap orders-dashboard",
        "Deployment orders",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn what_is_turned_off_is_not_planned() {
    let off = json!({"image": "i", "serviceAccountName": "robot", "monitoring": {"enabled": false}});
    assert_eq!(kinds(&off), ["Service orders", "Deployment orders"]);
    let no_dashboard = json!({"image": "i", "dashboard": {"enabled": false}});
    assert!(!kinds(&no_dashboard).iter().any(|kind| kind.starts_with("ConfigMap")));
}

#[test]
fn without_monitoring_nothing_serves_the_metrics_port() {
    let spec = json!({"image": "i", "metrics": {"port": 9090}});
    assert!(kinds(&spec).contains(&"Service orders-metrics".to_owned()));
    let off = json!({"image": "i", "metrics": {"port": 9090}, "monitoring": {"enabled": false}});
    assert!(!kinds(&off).contains(&"Service orders-metrics".to_owned()));
}

#[test]
fn every_child_is_owned_and_labelled() {
    for child in plan(&json!({"image": "i"}), &Facts::default()).children {
        let metadata = &child.object["metadata"];
        assert_eq!(metadata["ownerReferences"][0]["uid"], "owner-uid");
        assert_eq!(metadata["ownerReferences"][0]["controller"], true);
        assert_eq!(metadata["ownerReferences"][0]["blockOwnerDeletion"], true);
        assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "monitored-api");
        assert_eq!(metadata["labels"]["monitoredapi.io/name"], "orders");
        assert_eq!(metadata["uid"], Value::Null);
        assert_eq!(child.desired_hash, hash::hash(&child.object));
    }
}

#[test]
fn the_authors_number_of_pods_is_sent_whoever_owns_it() {
    let spec = json!({"image": "i", "replicas": 0});
    assert_eq!(replicas(&spec, None), 0);
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                ours: false,
                others: true
            })
        ),
        0
    );
}

#[test]
fn a_number_that_was_never_set_is_not_sent() {
    let spec = json!({"image": "i"});
    assert_eq!(replicas(&spec, None), Value::Null);
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                ours: false,
                others: true
            })
        ),
        Value::Null
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 1,
                ours: false,
                others: false
            })
        ),
        Value::Null
    );
}

#[test]
fn a_number_that_was_removed_is_kept_until_another_manager_owns_it() {
    let spec = json!({"image": "i"});
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                ours: true,
                others: false
            })
        ),
        5
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                ours: true,
                others: true
            })
        ),
        Value::Null
    );
}

#[test]
fn alerts_can_be_turned_off_without_the_rest() {
    let plan = plan(
        &json!({"image": "i", "preset": "native", "alerts": {"enabled": false}}),
        &Facts::default(),
    );
    let rules: Vec<_> = plan
        .children
        .iter()
        .filter(|child| child.kind == ChildKind::PrometheusRule)
        .collect();
    assert!(!rules.iter().any(|rule| rule.object.to_string().contains("\"alert\"")));
    assert!(
        plan.children
            .iter()
            .any(|child| child.kind == ChildKind::ServiceMonitor)
    );
}
