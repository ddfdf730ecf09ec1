//! Objects for a workload that exists already.

use std::sync::Arc;

use controller_api::{ChildRecord, MonitoredApi, WorkloadStatus};
use serde_json::{Value, json};

use crate::{
    changes::decide,
    children::child_kinds,
    compile,
    facts::{Facts, KindState, ObservedChild, Settings},
    kind::ChildKind,
    owner::ApiRef,
    plan::Plan,
};

fn outline(port: i32) -> Arc<WorkloadStatus> {
    Arc::new(WorkloadStatus {
        kind: "StatefulSet".to_owned(),
        name: "legacy".to_owned(),
        match_labels: [("app".to_owned(), "legacy".to_owned())].into(),
        metrics_port: Some(port),
        metrics_path: Some("/m".to_owned()),
        limits: [("memory".to_owned(), "1Gi".to_owned())].into(),
    })
}

fn plan(spec: &Value, workload: Option<Arc<WorkloadStatus>>) -> Plan {
    let api: MonitoredApi = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop", "uid": "o"}, "spec": spec,
    }))
    .unwrap();
    let facts = Facts {
        workload,
        ..Facts::default()
    };
    compile(&api, &Settings::default(), &facts, &ApiRef::of(&api)).unwrap()
}

fn reference() -> Value {
    json!({"workloadRef": {"kind": "StatefulSet", "name": "legacy"}, "preset": "native"})
}

fn names(plan: &Plan) -> Vec<String> {
    plan.children.iter().map(ToString::to_string).collect()
}

#[test]
fn only_monitoring_is_written_and_never_a_workload() {
    let plan = plan(&reference(), Some(outline(9102)));
    assert_eq!(
        names(&plan),
        [
            "Service orders-metrics",
            "ServiceMonitor orders",
            "PrometheusRule orders",
            "ConfigMap orders-dashboard",
        ]
    );
    let object = |index: usize| plan.children[index].object();
    assert_eq!(object(0)["spec"]["selector"], json!({"app": "legacy"}));
    assert_eq!(object(0)["spec"]["ports"][0]["targetPort"], 9102);
    assert_eq!(object(1)["spec"]["endpoints"][0]["path"], "/m");
    assert_eq!(object(1)["spec"]["endpoints"][0]["port"], "metrics");
    // The limit of its container gives the alerts that need one.
    assert!(object(2).to_string().contains("ApiHighMemory"));
}

#[test]
fn fields_of_the_spec_win_over_those_of_the_workload() {
    for (field, value) in [("metrics", json!({"port": 1234, "path": "/x"})), ("port", json!(1234))] {
        let mut spec = reference();
        spec[field] = value;
        let plan = plan(&spec, Some(outline(9102)));
        let service = plan.children[0].object();
        assert_eq!(service["spec"]["ports"][0]["targetPort"], 1234, "{field}");
    }
    let mut spec = reference();
    spec["metrics"] = json!({"path": "/x"});
    let plan = plan(&spec, Some(outline(9102)));
    assert_eq!(plan.children[1].object()["spec"]["endpoints"][0]["path"], "/x");
}

#[test]
fn a_plan_depends_on_what_was_read_and_waits_until_something_was() {
    let waiting = plan(&reference(), None);
    assert!(waiting.waits_for_workload() && waiting.children.is_empty());
    let hash = |plan: &Plan| plan.children[0].desired_hash().to_owned();
    let one = plan(&reference(), Some(outline(9102)));
    assert!(!one.waits_for_workload());
    assert_eq!(hash(&one), hash(&plan(&reference(), Some(outline(9102)))));
    assert_ne!(hash(&one), hash(&plan(&reference(), Some(outline(9103)))));
}

#[test]
fn a_spec_that_refers_to_a_workload_from_now_on_prunes_what_it_wrote_but_data() {
    let before = plan(
        &json!({"image": "i", "storage": {"size": "1Gi"}, "preset": "native"}),
        None,
    );
    let observed = |uid: &str| ObservedChild {
        uid: uid.to_owned(),
        controller_uid: Some("o".to_owned()),
        controller_api: None,
        applied_fields_hash: None,
        adopt: false,
        deleting: false,
        generation: None,
    };
    let mut facts = Facts {
        states: child_kinds().map(|kind| (kind, KindState::Synced)).collect(),
        children: before
            .children
            .iter()
            .map(|child| (child.kind, child.name.clone(), observed("c")))
            .collect(),
        ..Facts::default()
    };
    let after = plan(&reference(), Some(outline(9102)));
    let titles = |records: &[ChildRecord]| {
        let mut titles: Vec<_> = records
            .iter()
            .map(|record| format!("{} {}", record.kind, record.name))
            .collect();
        titles.sort();
        titles
    };
    let changes = decide(&after, &[], &facts);
    assert_eq!(titles(&changes.prune), ["Deployment orders", "Service orders"]);
    assert_eq!(titles(&changes.kept), ["PersistentVolumeClaim orders"]);
    // The account of the pods goes when their Deployment is gone.
    assert_eq!(titles(&changes.in_use), ["ServiceAccount orders"]);
    facts.children.retain(|(kind, ..)| *kind != ChildKind::DEPLOYMENT);
    let changes = decide(&after, &[], &facts);
    assert_eq!(titles(&changes.prune), ["Service orders", "ServiceAccount orders"]);
}
