//! The CRD on a real API server, used with `kubectl` as users do. No operator runs.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{sync::LazyLock, time::Duration};

use integration_tests::{eventually, install::wait_established};
use serde_json::Value;
use testbed::Testbed;

/// Largest size of an object's annotations, bytes (256 KiB); `kubectl apply` stores the whole object in one of them.
const MAX_CRD_BYTES: usize = 150_000;

static BED: LazyLock<Testbed> = LazyLock::new(|| {
    let bed = Testbed::builder("crd").start().expect("start a test bed");
    assert!(apply_crd(&bed).contains("created"));
    wait_established(&bed, "monitoredapis.monitoredapi.io").expect("the CRD is served");
    bed
});

fn apply_crd(bed: &Testbed) -> String {
    let text = serde_json::to_string(&controller_api::crd()).unwrap();
    assert!(text.len() < MAX_CRD_BYTES, "the CRD has {} bytes", text.len());
    let path = bed.state_dir().join("crd.json");
    std::fs::write(&path, text).unwrap();
    bed.kubectl(&["apply", "-f", &path.to_string_lossy()])
        .expect("plain kubectl apply")
}

/// A MonitoredApi for a namespace that only its test uses.
fn create(namespace: &str, spec: &str) {
    BED.kubectl(&["create", "namespace", namespace]).unwrap();
    BED.apply(&format!(
        r#"{{"apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {{"name": "orders", "namespace": "{namespace}"}}, "spec": {spec}}}"#
    ))
    .unwrap();
}

#[test]
fn the_crd_applies_with_plain_kubectl_twice_and_is_structural() {
    assert!(apply_crd(&BED).contains("unchanged"));
    let crd = BED
        .kubectl(&["get", "crd", "monitoredapis.monitoredapi.io", "-o", "json"])
        .unwrap();
    let crd: Value = serde_json::from_str(&crd).unwrap();
    let conditions = crd.pointer("/status/conditions").and_then(Value::as_array).unwrap();
    let is_true = |entry: &&Value| entry.get("status").and_then(Value::as_str) == Some("True");
    let names: Vec<_> = conditions
        .iter()
        .filter(is_true)
        .filter_map(|entry| entry.get("type")?.as_str())
        .collect();
    assert_eq!(names, ["NamesAccepted", "Established"], "{conditions:#?}");
}

#[test]
fn explain_tells_what_a_field_is_for() {
    for (field, words) in [
        ("mapi.spec.image", "The container image"),
        ("mapi.spec.replicas", "Number of pods"),
        ("mapi.spec.metrics.interval", "Time between two scrapes"),
        ("mapi.spec.probes.readiness.http.path", "Path of the GET request"),
        (
            "mapi.status.observedGeneration",
            "until the operator has seen the object",
        ),
    ] {
        // The API server publishes the documentation of a CRD some time after it begins to serve the CRD.
        eventually(field, Duration::from_secs(30), || {
            let said = match BED.kubectl(&["explain", field]) {
                Ok(said) => said.split_whitespace().collect::<Vec<_>>().join(" "),
                Err(error) => error.to_string(),
            };
            Ok(if said.contains(words) { Ok(()) } else { Err(said) })
        })
        .unwrap();
    }
}

#[test]
fn the_printer_columns_are_those_of_the_contract() {
    create("columns", r#"{"image": "example.org/orders:1"}"#);
    for (format, wanted) in [
        ("", "NAME READY REPLICAS DIALECT MONITORED BUDGET FIRING AGE"),
        (
            "-owide",
            "NAME READY REPLICAS DIALECT MONITORED BUDGET FIRING FIRST-FAILING AGE",
        ),
    ] {
        let args = ["-n", "columns", "get", "mapi", format];
        let args: Vec<_> = args.into_iter().filter(|arg| !arg.is_empty()).collect();
        let table = BED.kubectl(&args).unwrap();
        let header = table
            .lines()
            .next()
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(header, wanted);
    }
    assert!(
        BED.kubectl(&["-n", "columns", "get", "all"])
            .unwrap()
            .contains("monitoredapi.monitoredapi.io/orders")
    );
}

#[test]
fn scale_works_once_replicas_is_set() {
    create("scale", r#"{"image": "example.org/orders:1"}"#);
    let scale = ["-n", "scale", "scale", "mapi/orders", "--replicas=3"];
    let subresource = "/apis/monitoredapi.io/v1alpha1/namespaces/scale/monitoredapis/orders/scale";
    let unset = BED.kubectl(&["get", "--raw", subresource]);
    assert!(
        unset.is_err(),
        "without spec.replicas there must be no current number: {unset:?}"
    );
    let patch = r#"{"spec": {"replicas": 1}}"#;
    BED.kubectl(&["-n", "scale", "patch", "mapi", "orders", "--type=merge", "-p", patch])
        .unwrap();
    BED.kubectl(&["get", "--raw", subresource]).unwrap();
    BED.kubectl(&scale).unwrap();
    let replicas = BED
        .kubectl(&[
            "-n",
            "scale",
            "get",
            "mapi",
            "orders",
            "-o",
            "jsonpath={.spec.replicas}",
        ])
        .unwrap();
    assert_eq!(replicas, "3");
}

#[test]
fn a_resource_that_no_operator_has_seen_says_so() {
    create("unseen", r#"{"image": "example.org/orders:1"}"#);
    let path = "jsonpath={.status.observedGeneration}";
    assert_eq!(
        BED.kubectl(&["-n", "unseen", "get", "mapi", "orders", "-o", path])
            .unwrap(),
        "-1"
    );
}
