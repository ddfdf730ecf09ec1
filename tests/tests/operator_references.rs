//! Workloads that exist already: a Deployment and a StatefulSet get their monitoring and are never written. What was written
//! outlives them. No kubelet runs: the test writes the status of workloads, pods and EndpointSlices.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::time::Duration;

use integration_tests::{
    install::{Installed, prometheus_operator_crds},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, Resource, SERVICES, condition, monitored_api, says},
};
use serde_json::{Value, json};
use testbed::Testbed;

const STATEFUL_SETS: Resource = Resource::new("apps", "v1", "statefulsets");
const SERVICE_MONITORS: Resource = Resource::new("monitoring.coreos.com", "v1", "servicemonitors");
const RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
const CONFIG_MAPS: Resource = Resource::new("", "v1", "configmaps");
const SLICES: Resource = Resource::new("discovery.k8s.io", "v1", "endpointslices");
const NAMESPACE: &str = "legacy";
const PATIENCE: Duration = Duration::from_secs(90);

fn workload(kind: &str, name: &str, ports: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": "example.org/legacy:1", "ports": ports}]},
            },
        },
    });
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!(name);
    }
    object
}

fn refer(api: &Kubernetes, name: &str, kind: &str, workload: &str) {
    let spec = json!({"workloadRef": {"apiVersion": "apps/v1", "kind": kind, "name": workload}, "preset": "native"});
    api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api(name, &spec))
        .unwrap();
}

fn wait_says(api: &Kubernetes, name: &str, what: &str, status: &str) -> Value {
    let path = MONITORED_APIS.object(NAMESPACE, name);
    api.wait_for(&path, PATIENCE, |found| says(found, what, status))
        .unwrap()
}

fn wait_reason(api: &Kubernetes, name: &str, what: &str, reason: &str) -> Value {
    let path = MONITORED_APIS.object(NAMESPACE, name);
    let wait = api.wait_for(&path, PATIENCE, |found| match condition(found, what) {
        Some((_, known, _)) if known == reason => Ok(()),
        other => Err(format!("{other:?}")),
    });
    wait.unwrap()
}

/// A slice of the metrics Service, as the EndpointSlice controller writes it: with the Service's labels.
fn endpoints(api: &Kubernetes, name: &str, port: i32) {
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": format!("{name}-metrics-x"), "namespace": NAMESPACE, "labels": {
            "kubernetes.io/service-name": format!("{name}-metrics"), "monitoredapi.io/name": name,
        }},
        "endpoints": [{"addresses": ["10.1.2.3"], "conditions": {"ready": true}}],
        "ports": [{"name": "metrics", "port": port, "protocol": "TCP"}],
    });
    api.create(&SLICES.within(NAMESPACE), &slice).unwrap();
}

/// All objects of the monitoring are there, and none of a workload of our own.
fn is_monitored(api: &Kubernetes, name: &str, app: &str, port: i32) {
    let found = wait_says(api, name, "ChildrenApplied", "True");
    assert_eq!(found["status"]["selector"], format!("app={app}"));
    assert_eq!(found["status"]["workload"]["metricsPort"], port);
    let service = api
        .get(&SERVICES.object(NAMESPACE, &format!("{name}-metrics")))
        .unwrap()
        .unwrap();
    assert_eq!(service["spec"]["selector"], json!({"app": app}));
    assert_eq!(service["spec"]["ports"][0]["targetPort"], port);
    let monitor = api.get(&SERVICE_MONITORS.object(NAMESPACE, name)).unwrap().unwrap();
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], "metrics");
    for (kind, of) in [(RULES, name.to_owned()), (CONFIG_MAPS, format!("{name}-dashboard"))] {
        assert!(api.get(&kind.object(NAMESPACE, &of)).unwrap().is_some(), "{of}");
    }
    // No object of a workload of our own.
    assert!(api.get(&DEPLOYMENTS.object(NAMESPACE, name)).unwrap().is_none());
    assert!(api.get(&SERVICES.object(NAMESPACE, name)).unwrap().is_none());
    endpoints(api, name, port);
    wait_says(api, name, "ServiceMatchesPods", "True");
}

/// The workload goes: what was written stays, and the status says so.
fn objects_that_were_written_outlive_the_workload(api: &Kubernetes) {
    let rules = api.get(&RULES.object(NAMESPACE, "orders")).unwrap().unwrap();
    let service = api.get(&SERVICES.object(NAMESPACE, "orders-metrics")).unwrap().unwrap();
    api.delete(&DEPLOYMENTS.object(NAMESPACE, "web")).unwrap();
    api.wait_gone(&DEPLOYMENTS.object(NAMESPACE, "web"), PATIENCE).unwrap();
    let found = wait_reason(api, "orders", "WorkloadReady", "NoWorkload");
    let (status, _, message) = condition(&found, "WorkloadReady").unwrap();
    assert_eq!(status, "False");
    assert!(message.contains("no Deployment web"), "{message}");
    says(&found, "Ready", "False").unwrap();
    for (path, old) in [
        (RULES.object(NAMESPACE, "orders"), &rules),
        (SERVICES.object(NAMESPACE, "orders-metrics"), &service),
    ] {
        let now = api.get(&path).unwrap().unwrap();
        assert_eq!(
            now["metadata"]["resourceVersion"], old["metadata"]["resourceVersion"],
            "{path}"
        );
    }
}

#[test]
fn workloads_that_exist_get_their_monitoring_are_never_written_and_outlived_by_it() {
    let bed = Testbed::builder("operator-references").start().unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    api.create_namespace(NAMESPACE).unwrap();
    let operator = installed.start_operator().unwrap();

    let web = workload(
        "Deployment",
        "web",
        &json!([{"name": "metrics", "containerPort": 9102}]),
    );
    let store = workload("StatefulSet", "store", &json!([{"containerPort": 5000}]));
    let before = [
        (
            DEPLOYMENTS.object(NAMESPACE, "web"),
            api.create(&DEPLOYMENTS.within(NAMESPACE), &web),
        ),
        (
            STATEFUL_SETS.object(NAMESPACE, "store"),
            api.create(&STATEFUL_SETS.within(NAMESPACE), &store),
        ),
    ]
    .map(|(path, created)| (path, created.unwrap()["spec"].clone()));
    refer(&api, "orders", "Deployment", "web");
    refer(&api, "items", "StatefulSet", "store");

    for (name, app, port) in [("orders", "web", 9102), ("items", "store", 5000)] {
        is_monitored(&api, name, app, port);
    }
    for (path, spec) in &before {
        let now = api.get(path).unwrap().unwrap();
        assert_eq!(&now["spec"], spec);
        let fields = now["metadata"]["managedFields"].to_string();
        assert!(!fields.contains("monitored-api"), "{fields}");
        assert_eq!(now["metadata"]["generation"], 1);
    }

    objects_that_were_written_outlive_the_workload(&api);

    // Made again, on another port.
    let web = workload(
        "Deployment",
        "web",
        &json!([{"name": "metrics", "containerPort": 9103}]),
    );
    api.create(&DEPLOYMENTS.within(NAMESPACE), &web).unwrap();
    let path = SERVICES.object(NAMESPACE, "orders-metrics");
    api.wait_field(&path, "/spec/ports/0/targetPort", &json!(9103), PATIENCE)
        .unwrap();

    // One that a MonitoredApi writes is monitored by that one.
    let own = monitored_api("own", &json!({"image": "example.org/own:1"}));
    api.create(&MONITORED_APIS.within(NAMESPACE), &own).unwrap();
    wait_says(&api, "own", "ChildrenApplied", "True");
    refer(&api, "twice", "Deployment", "own");
    let found = wait_reason(&api, "twice", "WorkloadReady", "MonitoredAlready");
    says(&found, "Stalled", "True").unwrap();
    assert!(api.get(&RULES.object(NAMESPACE, "twice")).unwrap().is_none());
    assert!(operator.stop().unwrap().success());
}
