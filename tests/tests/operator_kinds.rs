//! Kinds that are missing, installed later, removed or forbidden, and a MonitoredApi that can't be decoded. None of these
//! may delay other resources.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::{
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use integration_tests::{
    eventually,
    install::{Installed, OPERATOR, prometheus_operator_crds, wait_established},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, Resource, SERVICES, condition, monitored_api, says},
    operator::Operator,
};
use metric_contract::platform;
use serde_json::{Value, json};
use testbed::Testbed;

const SERVICE_MONITORS: Resource = Resource::new("monitoring.coreos.com", "v1", "servicemonitors");
const RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

const PATIENCE: Duration = Duration::from_secs(90);
/// The status promises that a new CRD is noticed within this time.
const PICK_UP: Duration = Duration::from_secs(60);
/// An edit must be applied within this time, whatever is wrong with other kinds.
const EDIT: Duration = Duration::from_secs(2);

struct Bed {
    bed: Testbed,
    installed: Installed,
}

static BED: LazyLock<Mutex<Bed>> = LazyLock::new(|| {
    let bed = Testbed::builder("operator-kinds").start().expect("start a test bed");
    let installed = Installed::into(&bed).expect("install the operator's user");
    Mutex::new(Bed { bed, installed })
});

/// Gives the test bed to one test at a time, because CRDs and rights belong to the whole cluster.
fn lock_bed() -> MutexGuard<'static, Bed> {
    BED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bed {
    fn connect(&self, namespace: &str) -> Kubernetes {
        let api = Kubernetes::connect(&self.bed.kubeconfig()).unwrap();
        api.create_namespace(namespace).unwrap();
        api
    }

    fn operator(&self) -> Operator {
        self.installed.start_operator().unwrap()
    }

    fn remove_prometheus_operator_crds(&self, api: &Kubernetes) {
        for plural in ["servicemonitors", "prometheusrules", "prometheuses", "prometheusagents"] {
            let path = format!("{CRDS}/{plural}.monitoring.coreos.com");
            api.delete(&path).unwrap();
            api.wait_gone(&path, PATIENCE).unwrap();
        }
    }
}

fn create(api: &Kubernetes, namespace: &str, name: &str, spec: &Value) {
    api.create(&MONITORED_APIS.within(namespace), &monitored_api(name, spec))
        .unwrap();
}

fn wait_says(api: &Kubernetes, namespace: &str, name: &str, what: &str, status: &str) -> Value {
    let path = MONITORED_APIS.object(namespace, name);
    api.wait_for(&path, PATIENCE, |found| says(found, what, status))
        .unwrap()
}

/// Edits an applied MonitoredApi and returns how long it took until its Deployment was changed.
fn edit(api: &Kubernetes, namespace: &str, image: &str) -> Duration {
    let path = MONITORED_APIS.object(namespace, "orders");
    let started = Instant::now();
    api.merge(&path, &json!({"spec": {"image": image}})).unwrap();
    api.wait_for(&DEPLOYMENTS.object(namespace, "orders"), PATIENCE, |found| {
        let now = &found["spec"]["template"]["spec"]["containers"][0]["image"];
        if now == image { Ok(()) } else { Err(now.to_string()) }
    })
    .unwrap();
    started.elapsed()
}

#[test]
fn optional_kinds_are_left_out_while_missing_picked_up_when_they_come_and_let_go_when_they_go() {
    let bed = lock_bed();
    let api = bed.connect("optional");
    let operator = bed.operator();
    create(&api, "optional", "orders", &json!({"image": "example.org/a:1"}));
    let orders = wait_says(&api, "optional", "orders", "ChildrenApplied", "True");
    let (_, _, message) = condition(&orders, "ChildrenApplied").unwrap();
    assert!(message.contains("CrdMissing"), "{message}");
    assert_eq!(condition(&orders, "MonitorSelected").unwrap().1, "CrdMissing");
    api.wait_for(&DEPLOYMENTS.object("optional", "orders"), PATIENCE, |_| Ok(()))
        .unwrap();

    prometheus_operator_crds(&bed.bed).unwrap();
    let monitor = SERVICE_MONITORS.object("optional", "orders");
    let rules = RULES.object("optional", "orders");
    api.wait_for(&monitor, PICK_UP, |_| Ok(())).unwrap();
    api.wait_for(&rules, PICK_UP, |_| Ok(())).unwrap();
    let path = MONITORED_APIS.object("optional", "orders");
    let reported = |found: &Value, expected: bool| {
        let (_, _, message) = condition(found, "ChildrenApplied").unwrap();
        if message.contains("CrdMissing") == expected {
            Ok(())
        } else {
            Err(message.to_owned())
        }
    };
    api.wait_for(&path, PICK_UP, |found| reported(found, false)).unwrap();

    bed.remove_prometheus_operator_crds(&api);
    api.wait_for(&path, PICK_UP, |found| reported(found, true)).unwrap();
    let took = edit(&api, "optional", "example.org/a:2");
    assert!(took < EDIT, "{took:?}");
    assert_eq!(
        operator.metric(platform::RECONCILE_PANICS.name).unwrap().unwrap_or(0.0),
        0.0
    );
    assert!(operator.stop().unwrap().success());
}

#[test]
fn a_prometheus_that_selects_us_is_seen_when_it_comes_and_missed_when_it_goes() {
    let bed = lock_bed();
    let api = bed.connect("selected");
    prometheus_operator_crds(&bed.bed).unwrap();
    let operator = bed.operator();
    create(&api, "selected", "orders", &json!({"image": "a"}));
    wait_says(&api, "selected", "orders", "ChildrenApplied", "True");
    // Another collector may read ServiceMonitors.
    wait_says(&api, "selected", "orders", "MonitorSelected", "Unknown");
    let prometheus = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "k8s"},
        "spec": {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {"matchLabels": {"scrape": "yes"}}},
    });
    let prometheuses = "/apis/monitoring.coreos.com/v1/namespaces/selected/prometheuses";
    api.create(prometheuses, &prometheus).unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "False");
    // Prometheus selects by the namespace's labels, which are watched too.
    api.merge(
        "/api/v1/namespaces/selected",
        &json!({"metadata": {"labels": {"scrape": "yes"}}}),
    )
    .unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "True");
    api.delete(&format!("{prometheuses}/k8s")).unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "Unknown");

    // A PrometheusAgent reads ServiceMonitors beside a Prometheus that reads others.
    let small = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "small"},
        "spec": {"serviceMonitorSelector": {"matchLabels": {"other": "team"}}},
    });
    api.create(prometheuses, &small).unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "False");
    let agent = json!({
        "apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "PrometheusAgent", "metadata": {"name": "agent"},
        "spec": {"serviceMonitorSelector": {}},
    });
    let agents = "/apis/monitoring.coreos.com/v1alpha1/namespaces/selected/prometheusagents";
    api.create(agents, &agent).unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "True");
    api.delete(&format!("{agents}/agent")).unwrap();
    wait_says(&api, "selected", "orders", "MonitorSelected", "False");
    assert!(operator.stop().unwrap().success());
    bed.remove_prometheus_operator_crds(&api);
}

#[test]
fn a_kind_that_may_not_be_listed_delays_no_edit_and_is_reported_differently_from_a_missing_one() {
    let bed = lock_bed();
    let api = bed.connect("forbidden");
    let operator = bed.operator();
    create(&api, "forbidden", "orders", &json!({"image": "example.org/a:1"}));
    wait_says(&api, "forbidden", "orders", "ChildrenApplied", "True");
    assert!(operator.stop().unwrap().success());
    let before = take_the_right_to(&api, "configmaps");
    let operator = bed.operator();
    operator.wait_until_leader().unwrap();
    let took = edit(&api, "forbidden", "example.org/a:2");
    assert!(took < EDIT, "{took:?}");
    // A refusal is told once it stands; until then the condition says that it is tried again.
    let forbidden = |found: &Value| match condition(found, "ChildrenApplied") {
        Some(("False", "Forbidden", message)) if message.contains("ConfigMap orders-dashboard") => Ok(()),
        other => Err(format!("{other:?}")),
    };
    api.wait_for(&MONITORED_APIS.object("forbidden", "orders"), PATIENCE, forbidden)
        .unwrap();
    give_back(&api, &before);
    assert!(operator.stop().unwrap().success());
}

#[test]
fn a_deployment_that_may_not_be_read_stops_no_other_child_and_is_named() {
    let bed = lock_bed();
    let api = bed.connect("unreadable");
    let before = take_the_right_to(&api, "deployments");
    let operator = bed.operator();
    for (name, spec) in [
        ("orders", json!({"image": "example.org/a:1"})),
        ("users", json!({"image": "example.org/a:1", "replicas": 2})),
    ] {
        create(&api, "unreadable", name, &spec);
        // An admission plugin learns of a new CRD some seconds later; until then the condition reports that.
        let forbidden = |found: &Value| match condition(found, "ChildrenApplied") {
            Some((_, "Forbidden", message)) if message.contains(&format!("Deployment {name}: Forbidden")) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        api.wait_for(&MONITORED_APIS.object("unreadable", name), PATIENCE, forbidden)
            .unwrap();
        assert!(api.get(&SERVICES.object("unreadable", name)).unwrap().is_some());
    }
    give_back(&api, &before);
    assert!(operator.stop().unwrap().success());
}

fn role() -> String {
    format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{OPERATOR}")
}

/// Takes all rights on a resource from the operator. Returns its role as it was.
fn take_the_right_to(api: &Kubernetes, forbidden: &str) -> Value {
    let before = api.get(&role()).unwrap().unwrap();
    let mut rules = before["rules"].clone();
    for rule in rules.as_array_mut().unwrap() {
        if let Some(resources) = rule.get_mut("resources").and_then(Value::as_array_mut) {
            resources.retain(|resource| resource != forbidden);
            if resources.is_empty() {
                *resources = vec![json!("nothing")];
            }
        }
    }
    api.merge(&role(), &json!({"rules": rules})).unwrap();
    before
}

fn give_back(api: &Kubernetes, before: &Value) {
    api.merge(&role(), &json!({"rules": before["rules"]})).unwrap();
}

#[test]
fn an_api_that_cannot_be_decoded_is_reported_and_blocks_no_other() {
    let bed = lock_bed();
    let api = bed.connect("poison");
    let operator = bed.operator();
    // The CRD of another release accepts values that this operator can't decode.
    let crd = format!("{CRDS}/monitoredapis.monitoredapi.io");
    let before = api.get(&crd).unwrap().unwrap();
    let mut versions = before["spec"]["versions"].clone();
    let spec = &mut versions[0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["preset"] = json!({"x-kubernetes-preserve-unknown-fields": true});
    api.merge(&crd, &json!({"spec": {"versions": versions}})).unwrap();
    let poison = monitored_api(
        "poison",
        &json!({"image": "a", "preset": {"name": "auto", "version": 2}}),
    );
    eventually("the CRD to accept the spec of another release", PATIENCE, || {
        let taken = api.try_create(&MONITORED_APIS.within("poison"), &poison)?;
        Ok(taken.map(drop).map_err(|refusal| refusal.message))
    })
    .unwrap();
    let poisoned = wait_says(&api, "poison", "poison", "Accepted", "False");
    let (_, reason, message) = condition(&poisoned, "Accepted").unwrap();
    assert_eq!(reason, "Undecodable", "{message}");
    assert!(message.contains("cannot read it"), "{message}");
    assert_eq!(condition(&poisoned, "Stalled").unwrap().0, "True");
    create(&api, "poison", "orders", &json!({"image": "example.org/a:1"}));
    wait_says(&api, "poison", "orders", "ChildrenApplied", "True");
    // The same holds for an operator that finds the resource when it starts.
    assert!(operator.stop().unwrap().success());
    let operator = bed.operator();
    let took = edit(&api, "poison", "example.org/a:2");
    assert!(took < Duration::from_secs(10), "{took:?}");
    // Once it is corrected, it is applied.
    api.merge(
        &MONITORED_APIS.object("poison", "poison"),
        &json!({"spec": {"preset": "auto"}}),
    )
    .ok();
    api.delete(&MONITORED_APIS.object("poison", "poison")).unwrap();
    api.merge(&crd, &json!({"spec": {"versions": before["spec"]["versions"]}}))
        .unwrap();
    wait_established(&bed.bed, "monitoredapis.monitoredapi.io").unwrap();
    assert_eq!(
        operator.metric(platform::RECONCILE_PANICS.name).unwrap().unwrap_or(0.0),
        0.0
    );
    assert!(operator.stop().unwrap().success());
}

#[test]
fn an_operator_without_its_crd_says_what_to_do_and_starts_to_work_when_it_comes() {
    let bed = lock_bed();
    let api = bed.connect("no-crd");
    let crd = format!("{CRDS}/monitoredapis.monitoredapi.io");
    api.delete(&crd).unwrap();
    api.wait_gone(&crd, PATIENCE).unwrap();
    let kubeconfig = bed.installed.operator_kubeconfig(None).unwrap();
    let mut operator = Operator::start(&kubeconfig, &bed.installed.operator_log(), &[]).unwrap();
    eventually("the log to say how to install the CRD", PATIENCE, || {
        let log = operator.log_tail();
        Ok(if log.contains("monitored-api crd | kubectl apply -f -") {
            Ok(())
        } else {
            Err(log)
        })
    })
    .unwrap();
    assert!(operator.is_running().unwrap());
    bed.bed
        .apply(&serde_json::to_string(&controller_api::crd()).unwrap())
        .unwrap();
    wait_established(&bed.bed, "monitoredapis.monitoredapi.io").unwrap();
    create(&api, "no-crd", "orders", &json!({"image": "a"}));
    wait_says(&api, "no-crd", "orders", "ChildrenApplied", "True");
    operator.wait_ready().unwrap();
    assert!(operator.stop().unwrap().success());
}
