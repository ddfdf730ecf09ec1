mod lint;
mod overall;

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

/// A spec that turns every kind on.
fn of_every_kind() -> Value {
    json!({"image": "i", "preset": "native", "storage": {"size": "1Gi"}})
}

fn with_labels(spec: &Value, settings: &Settings) -> Plan {
    plan_with(spec, settings, &Facts::default())
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> std::collections::BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[test]
fn every_kind_carries_the_labels_of_the_author_and_of_the_installation() {
    let settings = Settings {
        object_labels: map([("cost-center", "1"), ("env", "prod")]),
        monitoring_object_labels: map([("env", "monitoring")]),
        ..Settings::default()
    };
    let mut spec = of_every_kind();
    spec["objectLabels"] = json!({"cost-center": "4711"});
    spec["dashboard"] = json!({"objectLabels": {"env": "dashboards"}});
    let plan = with_labels(&spec, &settings);
    let special = [
        (ChildKind::SERVICE_MONITOR, "monitoring"),
        (ChildKind::PROMETHEUS_RULE, "monitoring"),
        (ChildKind::CONFIG_MAP, "dashboards"),
    ];
    for kind in child_kinds() {
        let children: Vec<_> = plan.children.iter().filter(|child| child.kind == kind).collect();
        assert!(!children.is_empty(), "{kind}: turn it on in of_every_kind()");
        let env = special
            .iter()
            .find(|(of, _)| *of == kind)
            .map_or("prod", |(_, env)| env);
        for child in children {
            let labels = &child.object()["metadata"]["labels"];
            assert_eq!(labels["cost-center"], "4711", "{child}");
            assert_eq!(labels["env"], env, "{child}");
            assert_eq!(labels["app.kubernetes.io/managed-by"], "monitored-api", "{child}");
        }
    }
    let labels = service_monitor::monitoring_labels(&plan.api);
    let monitor = plan
        .children
        .iter()
        .find(|child| child.kind == ChildKind::SERVICE_MONITOR)
        .unwrap();
    assert_eq!(json!(labels), monitor.object()["metadata"]["labels"]);
}

#[test]
fn pods_carry_the_authors_labels_and_not_those_of_the_installation() {
    let template = |spec: &Value, settings: &Settings| {
        let deployment = with_labels(spec, settings).children.pop().unwrap();
        deployment.object()["spec"]["template"].clone()
    };
    let none = Settings::default();
    let some = Settings {
        object_labels: map([("cost-center", "1")]),
        ..Settings::default()
    };
    let plain = json!({"image": "i"});
    assert_eq!(template(&plain, &none), template(&plain, &some));
    let labelled = json!({"image": "i", "objectLabels": {"cost-center": "2", "env": "a"}, "podLabels": {"env": "b"}});
    let labels = &template(&labelled, &some)["metadata"]["labels"];
    assert_eq!(labels["cost-center"], "2");
    assert_eq!(labels["env"], "b");
    let deployment = with_labels(&labelled, &some).children.pop().unwrap();
    let selector = &deployment.object()["spec"]["selector"];
    assert_eq!(selector["matchLabels"].as_object().unwrap().len(), 2);
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
        .find(|child| child.kind == ChildKind::DEPLOYMENT)
        .unwrap();
    deployment
        .object()
        .pointer("/spec/replicas")
        .cloned()
        .unwrap_or_default()
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
const SHARED_FILES: [&str; 3] = ["mod", "object", "tests"];

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
fn every_child_is_owned_and_labelled() {
    for child in plan(&json!({"image": "i"}), &Facts::default()).children {
        let metadata = &child.object()["metadata"];
        assert_eq!(metadata["ownerReferences"][0]["uid"], "owner-uid");
        assert_eq!(metadata["ownerReferences"][0]["controller"], true);
        assert_eq!(metadata["ownerReferences"][0]["blockOwnerDeletion"], true);
        assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "monitored-api");
        assert_eq!(metadata["labels"]["monitoredapi.io/name"], "orders");
        assert_eq!(metadata["uid"], Value::Null);
        assert_eq!(child.desired_hash(), object_hash::hash(child.object()));
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
                owned_by_us: false,
                owned_by_another: true
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
                owned_by_us: false,
                owned_by_another: true
            })
        ),
        Value::Null
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 1,
                owned_by_us: false,
                owned_by_another: false
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
                owned_by_us: true,
                owned_by_another: false
            })
        ),
        5
    );
    assert_eq!(
        replicas(
            &spec,
            Some(LiveReplicas {
                replicas: 5,
                owned_by_us: true,
                owned_by_another: true
            })
        ),
        Value::Null
    );
}

#[test]
fn a_number_that_is_preconditioned_on_the_live_object_is_bound_to_its_version() {
    let live = |replicas, owned_by_another| LiveReplicas {
        replicas,
        owned_by_us: true,
        owned_by_another,
    };
    let deployment = |spec: Value, owned_by_another| {
        let facts = Facts {
            live_replicas: Some(live(5, owned_by_another)),
            deployment_version: Some("71".to_owned()),
            ..Facts::default()
        };
        plan(&spec, &facts).children.pop().unwrap()
    };
    let copied = deployment(json!({"image": "i"}), false);
    assert_eq!(copied.preconditioned_on.as_deref(), Some("71"));
    // Neither in the intent nor in its hash: every event of the Deployment has a new one.
    assert_eq!(copied.object()["metadata"]["resourceVersion"], Value::Null);
    assert!(deployment::replicas_unchanged(copied.object(), live(5, false)));
    assert!(!deployment::replicas_unchanged(copied.object(), live(7, false)));
    assert!(!deployment::replicas_unchanged(copied.object(), live(5, true)));
    assert_eq!(deployment(json!({"image": "i"}), true).preconditioned_on, None);
    assert_eq!(
        deployment(json!({"image": "i", "replicas": 5}), false).preconditioned_on,
        None
    );
    let stored = json!({"image": "i", "storage": {"size": "1Gi"}});
    assert_eq!(
        deployment(stored, false).preconditioned_on,
        None,
        "the one pod is prescribed"
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
fn storage_makes_a_claim_that_the_one_pod_mounts_and_can_write_to() {
    let spec = json!({"image": "i", "storage": {"size": "1Gi", "storageClassName": "fast"}});
    let plan = plan(&spec, &Facts::default());
    let find = |kind| plan.children.iter().find(|child| child.kind == kind).unwrap();
    let claim = find(ChildKind::PERSISTENT_VOLUME_CLAIM);
    assert_eq!(claim.name, "orders");
    assert_eq!(claim.object()["spec"]["storageClassName"], "fast");
    assert_eq!(claim.object()["spec"]["resources"]["requests"]["storage"], "1Gi");
    let deployment = &find(ChildKind::DEPLOYMENT).object()["spec"];
    assert_eq!(deployment["strategy"], json!({"type": "Recreate"}));
    let pod = &deployment["template"]["spec"];
    assert_eq!(pod["volumes"][1]["persistentVolumeClaim"]["claimName"], "orders");
    assert_eq!(pod["containers"][0]["volumeMounts"][1]["mountPath"], "/data");
    assert_eq!(pod["securityContext"]["fsGroup"], 65_532);
    let native = json!({"image": "i", "preset": "native", "storage": {"size": "1Gi", "mountPath": "/var/lib/orders"}});
    let native = kinds(&native);
    assert_eq!(native[..2], ["ServiceAccount orders", "PersistentVolumeClaim orders"]);
}

#[test]
fn two_pods_never_share_a_volume_whoever_scales() {
    let live = |replicas, owned_by_us: bool| {
        Some(LiveReplicas {
            replicas,
            owned_by_us,
            owned_by_another: !owned_by_us,
        })
    };
    let spec = json!({"image": "i", "storage": {"size": "1Gi"}});
    assert_eq!(replicas(&spec, live(3, false)), 1);
    assert_eq!(replicas(&spec, live(3, true)), 1);
    assert_eq!(replicas(&spec, live(0, false)), Value::Null);
    assert_eq!(replicas(&spec, None), Value::Null);
}

#[test]
fn no_pod_uses_what_may_belong_to_somebody_else() {
    for kind in [ChildKind::PERSISTENT_VOLUME_CLAIM, ChildKind::SERVICE_ACCOUNT] {
        holds_the_deployment_back(kind);
    }
}

fn holds_the_deployment_back(kind: ChildKind) {
    let used = |outcome| AppliedChild {
        kind,
        name: "orders".to_owned(),
        outcome,
        record: None,
    };
    let blocked = |kind, outcome| blocked_by(kind, &Decision::Create, &[used(outcome)]);
    let text = || "why".to_owned();
    for outcome in [
        Outcome::Conflict(text()),
        Outcome::CrdMissing,
        Outcome::Forbidden(text()),
        Outcome::Invalid(text()),
        Outcome::Failed(text()),
        Outcome::Waiting(text()),
    ] {
        let held = blocked(ChildKind::DEPLOYMENT, outcome.clone()).unwrap();
        let (Outcome::Conflict(why)
        | Outcome::Forbidden(why)
        | Outcome::Invalid(why)
        | Outcome::Failed(why)
        | Outcome::Waiting(why)) = &held
        else {
            panic!("{held:?}")
        };
        assert!(why.contains(&format!("{kind} orders")), "{why}");
        assert_eq!(held.is_error(), outcome.is_error());
        assert_eq!(blocked(ChildKind::SERVICE, outcome.clone()), None);
        // Nothing is due, so nothing is held back.
        assert_eq!(
            blocked_by(ChildKind::DEPLOYMENT, &Decision::Skip, &[used(outcome)]),
            None
        );
    }
    assert!(blocked(ChildKind::DEPLOYMENT, Outcome::Pending(text())).is_some());
    for outcome in [Outcome::Applied, Outcome::Unchanged] {
        assert_eq!(blocked(ChildKind::DEPLOYMENT, outcome), None);
    }
}

#[test]
fn without_an_answer_for_an_object_that_the_workload_needs_no_further_request_is_made() {
    let earlier = |kind, class| {
        let planned = PlannedChild::new(kind, "orders".to_owned(), json!({}));
        [AppliedChild {
            kind,
            name: "orders".to_owned(),
            outcome: Outcome::of_failure(&planned, class, ""),
            record: None,
        }]
    };
    let cases = [
        (ChildKind::SERVICE, ErrorClass::Timeout, true),
        (ChildKind::SERVICE, ErrorClass::Server, false),
        // Somebody's webhook for rules must not hold up the workload.
        (ChildKind::PROMETHEUS_RULE, ErrorClass::Timeout, false),
    ];
    for (kind, class, stops) in cases {
        let blocked = blocked_by(ChildKind::DEPLOYMENT, &Decision::Create, &earlier(kind, class));
        assert_eq!(blocked.is_some(), stops, "{kind} {class:?}");
    }
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

#[test]
fn a_claim_that_somebody_made_larger_keeps_its_size_and_the_authors_own_one_does_not() {
    let size = |wanted: &str, has: &str, resized| {
        let facts = Facts {
            volume_claim: Some(crate::facts::VolumeClaimFacts {
                size: has.to_owned(),
                resized,
                ..crate::facts::VolumeClaimFacts::default()
            }),
            ..Facts::default()
        };
        let plan = plan(&json!({"image": "i", "storage": {"size": wanted}}), &facts);
        let claim = plan
            .children
            .into_iter()
            .find(|child| child.kind == ChildKind::PERSISTENT_VOLUME_CLAIM);
        claim.unwrap().object()["spec"]["resources"]["requests"]["storage"].clone()
    };
    assert_eq!(size("10Gi", "20Gi", true), "20Gi");
    assert_eq!(size("10Gi", "10240Mi", true), "10Gi");
    assert_eq!(size("10Gi", "5Gi", true), "10Gi");
    assert_eq!(size("10Gi", "", true), "10Gi");
    // The author lowers the size: the API server refuses it, and the status says so.
    assert_eq!(size("10Gi", "20Gi", false), "10Gi");
}
