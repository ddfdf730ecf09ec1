mod autoscaling;
mod blocked;
mod dashboard;
mod labels;
mod lint;
mod overall;
mod reference;
mod replicas;
mod storage;

use serde_json::{Value, json};

use super::*;
use crate::{
    compile,
    facts::{LiveReplicas, Settings},
    failure::ErrorClass,
    object_hash,
    owner::ApiRef,
    plan::Plan,
};

fn plan(spec: &Value, facts: &Facts) -> Plan {
    plan_with(spec, &Settings::default(), facts)
}

fn plan_with(spec: &Value, settings: &Settings, facts: &Facts) -> Plan {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "owner-uid"}, "spec": spec,
    }))
    .unwrap();
    compile(&api, settings, facts, &ApiRef::of(&api)).unwrap()
}

/// Specs that together turn every kind on.
fn of_every_kind() -> [Value; 2] {
    [
        json!({"image": "i", "preset": "native", "storage": {"size": "1Gi"}}),
        json!({
            "image": "i", "preset": "native", "autoscaling": {"maxReplicas": 4}, "dashboard": {"form": "GrafanaDashboard"},
        }),
    ]
}

fn kinds(spec: &Value) -> Vec<String> {
    plan(spec, &Facts::default())
        .children
        .iter()
        .map(|child| format!("{} {}", child.kind.as_str(), child.name))
        .collect()
}

#[test]
fn every_kind_has_its_row_and_its_file() {
    for kind in child_kinds() {
        assert_eq!(child_kind(kind.as_str()), Some(kind));
        assert_eq!(
            child_kinds().filter(|other| *other == kind).count(),
            1,
            "{kind} has two rows in CHILD_KINDS"
        );
    }
    let mut files = files();
    let mut kinds: Vec<_> = child_kinds().map(file_of).collect();
    files.sort();
    kinds.sort();
    assert_eq!(
        files, kinds,
        "left: the files of src/children, right: the rows of CHILD_KINDS in children/mod.rs. Write the file, or the row"
    );
}

/// Files of this folder that no kind is named after.
const SHARED_FILES: [&str; 4] = ["mod", "object", "dashboard", "tests"];

fn files() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/children");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".rs").to_owned())
        .filter(|name| !SHARED_FILES.contains(&name.as_str()))
        .collect()
}

/// `ServiceMonitor` is built in `service_monitor.rs`.
fn file_of(kind: ChildKind) -> String {
    let mut file = String::new();
    for letter in kind.as_str().chars() {
        if letter.is_ascii_uppercase() && !file.is_empty() {
            file.push('_');
        }
        file.push(letter.to_ascii_lowercase());
    }
    file
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
fn children_of_features_that_are_turned_off_are_not_planned() {
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
fn alerts_can_be_turned_off_without_the_rest() {
    let plan = plan(
        &json!({"image": "i", "preset": "native", "alerts": {"enabled": false}}),
        &Facts::default(),
    );
    let rules: Vec<_> = plan
        .children
        .iter()
        .filter(|child| child.kind == ChildKind::PROMETHEUS_RULE)
        .collect();
    assert!(!rules.iter().any(|rule| rule.object().to_string().contains("\"alert\"")));
    assert!(
        plan.children
            .iter()
            .any(|child| child.kind == ChildKind::SERVICE_MONITOR)
    );
}

#[test]
fn alerts_and_panels_that_the_dialect_cannot_serve_are_listed() {
    let missing = |spec: &Value| plan(spec, &Facts::default()).missing();
    let unknown = missing(&json!({"image": "i"}));
    assert!(
        unknown.iter().any(|name| name.starts_with("ApiHighErrorRatio: ")),
        "{unknown:?}"
    );
    assert!(unknown.iter().any(|name| name.starts_with("panel ")), "{unknown:?}");
    assert!(
        unknown.len() <= 64 && unknown.iter().all(|name| name.len() <= 256),
        "bounds of the CRD"
    );
    assert!(unknown.is_sorted());
    let no_dashboard = missing(&json!({"image": "i", "dashboard": {"enabled": false}}));
    assert!(
        !no_dashboard.iter().any(|name| name.starts_with("panel ")),
        "{no_dashboard:?}"
    );
    let limits = json!({"limits": {"cpu": "500m", "memory": "256Mi"}});
    assert_eq!(
        missing(&json!({"image": "i", "preset": "native", "resources": limits})),
        [] as [&str; 0]
    );
    let unlimited = missing(&json!({"image": "i", "preset": "native"}));
    let expected = [
        "ApiHighCpu: CPU limit",
        "ApiHighMemory: memory limit",
        "ApiMemoryLeak: memory limit",
    ];
    assert_eq!(unlimited, expected);
}
