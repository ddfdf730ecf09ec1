//! The whole chain on real nodes, with our images and our chart: from `kubectl apply` until an alert fires and resolves in
//! Alertmanager.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod existing_workloads;
mod foreign_images;

use std::{
    sync::{OnceLock, PoisonError, RwLock},
    time::Duration,
};

use integration_tests::{
    Traffic,
    chain::{Chain, OPERATOR_NAMESPACE, RELEASE, condition_of, example, show_conditions},
    eventually, image, workspace,
};
use serde_json::Value;

const MINUTE: Duration = Duration::from_secs(60);

/// One cluster for all tests of this file; it ends with the process.
fn chain() -> &'static Chain {
    static CHAIN: OnceLock<Chain> = OnceLock::new();
    CHAIN.get_or_init(|| {
        let chain = Chain::up("chain", &image::build(image::TESTBED).unwrap()).unwrap();
        chain.install(&[]).unwrap();
        chain
    })
}

/// Tests of this file run in parallel. The test that uninstalls the operator takes the write lock, tests that need the
/// operator take a read lock.
static OPERATOR: RwLock<()> = RwLock::new(());

fn get(namespace: &str, what: &str, name: &str) -> Value {
    let text = chain()
        .bed
        .kubectl(&["--namespace", namespace, "get", what, name, "-o", "json"])
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn patch(namespace: &str, name: &str, patch: &str) {
    chain()
        .bed
        .kubectl(&[
            "--namespace",
            namespace,
            "patch",
            "monitoredapi",
            name,
            "--type=merge",
            "--patch",
            patch,
        ])
        .unwrap();
}

/// The number of restarts of all containers in a namespace.
fn restarts(namespace: &str) -> i64 {
    let text = chain()
        .bed
        .kubectl(&["--namespace", namespace, "get", "pods", "-o", "json"])
        .unwrap();
    let pods: Value = serde_json::from_str(&text).unwrap();
    let statuses = pods["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|pod| pod["status"]["containerStatuses"].as_array().cloned());
    statuses
        .flatten()
        .map(|status| status["restartCount"].as_i64().unwrap())
        .sum()
}

/// Applies the example in a new namespace and waits until it is Ready.
fn apply_example(namespace: &str, name: &str) {
    chain().namespace(namespace).unwrap();
    chain().apply_file(namespace, &example("orders.yaml")).unwrap();
    wait_ready(namespace, name);
}

fn wait_ready(namespace: &str, name: &str) {
    chain()
        .wait_condition(namespace, name, "Ready", "True", 2 * MINUTE)
        .unwrap();
}

/// Waits until WorkloadReady is False with a message that contains `part`; returns the message.
fn wait_workload_sentence(namespace: &str, name: &str, part: &str) -> String {
    eventually("the fix in WorkloadReady", 3 * MINUTE, || {
        let api = chain().api(namespace, name)?;
        Ok(match condition_of(&api, "WorkloadReady") {
            Some((status, sentence)) if status == "False" && sentence.contains(part) => Ok(sentence),
            Some(_) | None => Err(show_conditions(&api)),
        })
    })
    .unwrap()
}

fn remove(namespace: &str) {
    chain()
        .bed
        .kubectl(&["delete", "namespace", namespace, "--wait=false"])
        .unwrap();
}

fn wait_alert(namespace: &str, name: &str, alert: &str, state: &str, timeout: Duration) {
    eventually(&format!("{alert} {state}"), timeout, || {
        let seen = chain().alert_state(namespace, name, alert)?;
        Ok(if seen == state { Ok(()) } else { Err(seen) })
    })
    .unwrap();
}

fn wait_alertmanager(namespace: &str, name: &str, alert: &str, active: bool, timeout: Duration) {
    eventually(&format!("{alert} in Alertmanager: {active}"), timeout, || {
        let alerts = chain().alertmanager_alerts(namespace, name)?;
        Ok(if alerts.iter().any(|seen| seen == alert) == active {
            Ok(())
        } else {
            Err(format!("{alerts:?}"))
        })
    })
    .unwrap();
}

#[test]
fn an_applied_example_is_scraped_and_shown_and_its_alert_fires_and_resolves() {
    let operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "shop", "orders");
    apply_example(namespace, name);
    chain
        .wait_condition(namespace, name, "MonitorSelected", "True", MINUTE)
        .unwrap();
    chain.wait_targets_up(namespace, name, 1, 2 * MINUTE).unwrap();
    let rules = chain.wait_rules_ok(namespace, name, 2 * MINUTE).unwrap();
    for alert in [
        "ApiDown",
        "ApiTargetsMissing",
        "ApiHighErrorRatio",
        "ApiCriticalErrorRatio",
        "ApiHighLatencyP95",
        "ApiTooManyInFlight",
    ] {
        assert!(rules.iter().any(|rule| rule == alert), "{alert} is not among {rules:?}");
    }
    // The operator reads the same back from this Prometheus, whose address it derives by itself.
    for condition in [
        "Scraped",
        "RulesSelected",
        "RulesHealthy",
        "DashboardPlaced",
        "Monitored",
    ] {
        chain
            .wait_condition(namespace, name, condition, "True", 4 * MINUTE)
            .unwrap();
    }
    assert!(chain.api(namespace, name).unwrap()["status"]["firingAlerts"].is_u64());

    let url = chain.service_url(namespace, name, 80).unwrap();
    let good = Traffic::start(vec![format!("{url}/api/v1/data")], 20);
    let bad = Traffic::start(vec![format!("{url}/api/error")], 5);
    eventually("data in every panel", 3 * MINUTE, || {
        let panels = chain.panel_values(namespace, name)?;
        let empty: Vec<_> = panels
            .iter()
            .filter(|panel| panel.series == 0)
            .map(|panel| panel.title.as_str())
            .collect();
        Ok(if !panels.is_empty() && empty.is_empty() {
            Ok(())
        } else {
            Err(format!("no data in {empty:?}"))
        })
    })
    .unwrap();
    wait_alert(namespace, name, "ApiHighErrorRatio", "firing", 3 * MINUTE);
    wait_alertmanager(namespace, name, "ApiHighErrorRatio", true, MINUTE);
    // In these panels nothing is counted here: no failure of the operator, no API that is not monitored.
    for (about, namespaces, quiet) in [
        ("apis", ".*", &["Not monitored", "APIs that are not monitored"][..]),
        (
            "operator",
            OPERATOR_NAMESPACE,
            &["Alerts firing", "Errors by class", "Watch failures"],
        ),
    ] {
        chain
            .wait_installed_dashboard(about, namespaces, quiet, 3 * MINUTE)
            .unwrap();
    }
    assert_eq!(chain.alert_state(namespace, name, "ApiDown").unwrap(), "inactive");

    drop(bad);
    // From here on only Prometheus's clock counts: the errors leave the rule's window after five minutes.
    drop(operator);
    wait_alert(namespace, name, "ApiHighErrorRatio", "inactive", 7 * MINUTE);
    wait_alertmanager(namespace, name, "ApiHighErrorRatio", false, 7 * MINUTE);
    assert!(
        good.answered() > 1_000,
        "the API answered {} requests during the test",
        good.answered()
    );
    assert_eq!(restarts(namespace), 0);
}

#[test]
fn an_edit_is_rolled_through_to_pods_and_rules() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "edits", "orders");
    apply_example(namespace, name);

    patch(
        namespace,
        name,
        &format!(r#"{{"spec": {{"image": "{}", "replicas": 2}}}}"#, image::APP_NEXT),
    );
    wait_ready(namespace, name);
    let pods: Value = serde_json::from_str(
        &chain
            .bed
            .kubectl(&["--namespace", namespace, "get", "pods", "-o", "json"])
            .unwrap(),
    )
    .unwrap();
    let current: Vec<_> = pods["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
        .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        current,
        [image::APP_NEXT, image::APP_NEXT],
        "Ready must not be True while old pods run"
    );
    chain.wait_targets_up(namespace, name, 2, 2 * MINUTE).unwrap();

    patch(
        namespace,
        name,
        r#"{"spec": {"alerts": {"overrides": [{"name": "ApiHighLatencyP95", "threshold": "750ms"}]}}}"#,
    );
    eventually("the new threshold in the rule", MINUTE, || {
        let rule = get(namespace, "prometheusrule", name).to_string();
        Ok(if rule.contains("0.75") { Ok(()) } else { Err(rule) })
    })
    .unwrap();
    chain.wait_rules_ok(namespace, name, 2 * MINUTE).unwrap();

    patch(
        namespace,
        name,
        r#"{"spec": {"monitoring": {"objectLabels": {"release": "another"}}}}"#,
    );
    let sentence = chain
        .wait_condition(namespace, name, "MonitorSelected", "False", MINUTE)
        .unwrap();
    assert!(
        sentence.contains("Prometheus monitoring/k8s") && sentence.contains("release=kube-prometheus-stack"),
        "the message must name the Prometheus and the label: {sentence}"
    );
    remove(namespace);
}

/// Sets an expression of the ruleSelector of the Prometheus beside its label; an empty text removes it.
fn rule_selector(expression: &str) {
    let patch = format!(
        r#"{{"spec": {{"ruleSelector": {{"matchLabels": {{"release": "kube-prometheus-stack"}}, "matchExpressions": [{expression}]}}}}}}"#
    );
    chain()
        .bed
        .kubectl(&[
            "--namespace",
            "monitoring",
            "patch",
            "prometheus",
            "k8s",
            "--type=merge",
            "--patch",
            &patch,
        ])
        .unwrap();
}

#[test]
fn a_wrong_metrics_port_and_a_selector_that_leaves_the_rules_out_end_the_monitoring() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "unread", "unread");
    chain.namespace(namespace).unwrap();
    let manifest = serde_json::json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"image": image::APP, "preset": "native"},
    });
    chain.bed.apply(&manifest.to_string()).unwrap();
    wait_ready(namespace, name);
    let wait = |condition: &str, status: &str| {
        chain
            .wait_condition(namespace, name, condition, status, 5 * MINUTE)
            .unwrap()
    };
    wait("Monitored", "True");

    // Only the rules of this API are left out, so that no other test notices it.
    rule_selector(&format!(
        r#"{{"key": "monitoredapi.io/name", "operator": "NotIn", "values": ["{name}"]}}"#
    ));
    let sentence = wait("RulesSelected", "False");
    assert!(
        sentence.starts_with("LabelMissing: ") && sentence.contains("monitoring/k8s"),
        "{sentence}"
    );
    wait("Monitored", "False");
    rule_selector("");
    wait("RulesSelected", "True");

    patch(namespace, name, r#"{"spec": {"metrics": {"port": 9999}}}"#);
    let sentence = wait("Scraped", "False");
    assert!(
        sentence.starts_with("TargetDown: ") || sentence.starts_with("NoTarget: "),
        "{sentence}"
    );
    wait("Monitored", "False");
    eventually("the fix in Scraped", 5 * MINUTE, || {
        let api = chain.api(namespace, name)?;
        let found = condition_of(&api, "Scraped").is_some_and(|(_, sentence)| sentence.contains("spec.metrics.port"));
        Ok(if found { Ok(()) } else { Err(show_conditions(&api)) })
    })
    .unwrap();
    patch(namespace, name, r#"{"spec": {"metrics": null}}"#);
    wait("Scraped", "True");
    wait("Monitored", "True");
    remove(namespace);
}

/// Creates a PersistentVolume on the first node, as an administrator does in a cluster without a provisioner.
fn volume(namespace: &str, name: &str) {
    let bed = &chain().bed;
    let path = bed.state_dir().join("volumes").join(name);
    // It belongs to root, as any new volume does: `fsGroup` of the pod must make it writable.
    std::fs::create_dir_all(&path).unwrap();
    let node = bed.nodes().unwrap().remove(0);
    let volume = serde_json::json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
            "persistentVolumeReclaimPolicy": "Retain", "local": {"path": path},
            "claimRef": {"namespace": namespace, "name": "orders"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]},
            ]}]}},
        },
    });
    bed.apply(&volume.to_string()).unwrap();
}

#[test]
fn stored_data_survives_the_pod_and_the_removal_of_the_storage_field() {
    let _there = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "storage", "orders");
    volume(namespace, "storage-orders");
    chain.namespace(namespace).unwrap();
    chain
        .apply_file(namespace, &example("orders-with-storage.yaml"))
        .unwrap();
    wait_ready(namespace, name);

    let url = chain.service_url(namespace, name, 80).unwrap();
    let items = format!("{url}/api/v1/data");
    let body = r#"{"name": "kept", "category": "tools", "value": 7.5}"#;
    // The Service takes a moment to route to a new pod.
    let created = eventually("an answer to the POST", MINUTE, || {
        let answer = ureq::post(&items).content_type("application/json").send(body);
        Ok(answer.map_err(|error| error.to_string()))
    });
    assert_eq!(created.unwrap().status(), 201);
    let wait_names = |wanted: &[&str]| {
        eventually(&format!("the items {wanted:?}"), MINUTE, || {
            let found = match integration_tests::prometheus::get_json(&items) {
                Ok(found) => found,
                Err(error) => return Ok(Err(format!("{error:#}"))),
            };
            let names = found["items"].as_array().unwrap().iter();
            let same = names
                .map(|item| item["name"].as_str().unwrap())
                .eq(wanted.iter().copied());
            Ok(if same { Ok(()) } else { Err(found.to_string()) })
        })
        .unwrap();
    };
    wait_names(&["kept"]);
    let pods = |verb: &str| {
        let selector = format!("--selector=monitoredapi.io/name={name}");
        chain
            .bed
            .kubectl(&["--namespace", namespace, verb, "pods", &selector])
            .unwrap()
    };
    pods("delete");
    wait_ready(namespace, name);
    wait_names(&["kept"]);

    // If the field is removed by mistake, the API starts on an empty directory, and the claim with the data is kept.
    patch(namespace, name, r#"{"spec": {"storage": null}}"#);
    wait_ready(namespace, name);
    let message = chain
        .wait_condition(namespace, name, "ChildrenApplied", "True", MINUTE)
        .unwrap();
    assert!(message.starts_with("DataKept: "), "{message}");
    wait_names(&[]);
    patch(
        namespace,
        name,
        r#"{"spec": {"storage": {"size": "100Mi", "storageClassName": "manual"}}}"#,
    );
    wait_ready(namespace, name);
    wait_names(&["kept"]);
    remove(namespace);
}

#[test]
fn helm_upgrade_and_uninstall_leave_the_apis_running() {
    let _operator = OPERATOR.write().unwrap_or_else(PoisonError::into_inner);
    let (chain, namespace, name) = (chain(), "kept", "orders");
    apply_example(namespace, name);
    let hash = || get(namespace, "deployment", name)["spec"]["template"].to_string();
    let pods = || {
        chain
            .bed
            .kubectl(&["--namespace", namespace, "get", "pods", "-o", "name"])
            .unwrap()
    };
    let (before, pods_before) = (hash(), pods());

    chain
        .install(&["resources.limits.memory=128Mi", "logLevel=debug"])
        .unwrap();
    wait_ready(namespace, name);
    assert_eq!(
        (hash(), pods()),
        (before.clone(), pods_before.clone()),
        "an upgrade must not restart a user's pods"
    );

    workspace::read(chain.helm().unwrap().args([
        "uninstall",
        RELEASE,
        "--namespace",
        OPERATOR_NAMESPACE,
        "--wait",
        "--timeout",
        "60s",
    ]))
    .unwrap();
    assert_eq!(
        (hash(), pods()),
        (before, pods_before),
        "APIs must keep running without the operator"
    );
    let url = chain.service_url(namespace, name, 80).unwrap();
    eventually("an answer of the API", MINUTE, || {
        Ok(integration_tests::prometheus::get_json(&format!("{url}/health")).map_err(|error| error.to_string()))
    })
    .unwrap();
    assert_eq!(
        chain.api(namespace, name).unwrap()["metadata"]["name"],
        name,
        "the resource must outlive the chart"
    );

    // A resource can be deleted while no operator runs, because it has no finalizer.
    chain
        .bed
        .kubectl(&[
            "--namespace",
            namespace,
            "delete",
            "monitoredapi",
            name,
            "--cascade=foreground",
            "--timeout=60s",
        ])
        .unwrap();
    chain
        .bed
        .kubectl(&["delete", "namespace", namespace, "--timeout=90s"])
        .unwrap();
    chain.install(&[]).unwrap();
}
