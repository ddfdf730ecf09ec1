//! Workloads that somebody else wrote, on real nodes: their monitoring begins, tells what else reads them, and outlives them.

use std::sync::PoisonError;

use integration_tests::{
    chain::{condition_of, show_conditions},
    eventually, foreign, workspace,
};
use serde_json::Value;

use crate::{MINUTE, OPERATOR, chain, get, remove, wait_alert, wait_ready};

const NAMESPACE: &str = "existing";
/// The MonitoredApi.
const NAME: &str = "orders";
/// The Deployment that exists already.
const LEGACY: &str = "legacy-orders";

/// The Deployment, as a chart of another team would have it: the annotations say where its metrics are.
fn deployment(image: &str) -> String {
    format!(
        r#"
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {LEGACY}, namespace: {NAMESPACE}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {LEGACY}}}}}
  template:
    metadata:
      labels: {{app: {LEGACY}}}
      annotations: {{prometheus.io/port: "8000"}}
    spec:
      securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
      containers:
      - name: web
        image: {image}
        securityContext: {{allowPrivilegeEscalation: false, capabilities: {{drop: [ALL]}}}}
"#
    )
}

/// Another team's own way of having it scraped.
fn foreign_monitor() -> String {
    format!(
        r#"
apiVersion: v1
kind: Service
metadata: {{name: {LEGACY}, namespace: {NAMESPACE}, labels: {{app: {LEGACY}}}}}
spec:
  selector: {{app: {LEGACY}}}
  ports: [{{name: web, port: 80, targetPort: 8000}}]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {{name: {LEGACY}, namespace: {NAMESPACE}, labels: {{release: kube-prometheus-stack}}}}
spec:
  selector: {{matchLabels: {{app: {LEGACY}}}}}
  endpoints: [{{port: web, interval: 15s}}]
"#
    )
}

fn manifest() -> String {
    format!(
        "{{apiVersion: monitoredapi.io/v1alpha1, kind: MonitoredApi, metadata: {{name: {NAME}, namespace: {NAMESPACE}}}, \
         spec: {{workloadRef: {{kind: Deployment, name: {LEGACY}}}}}}}"
    )
}

/// Waits until a condition has this status and a reason and message that begin so.
fn wait_says(condition: &str, status: &str, begin: &str) -> Value {
    eventually(&format!("{condition}={status}/{begin}"), 4 * MINUTE, || {
        let api = chain().api(NAMESPACE, NAME)?;
        Ok(match condition_of(&api, condition) {
            Some((is, said)) if is == status && said.starts_with(begin) => Ok(api),
            Some(_) | None => Err(show_conditions(&api)),
        })
    })
    .unwrap()
}

#[test]
fn a_workload_of_somebody_else_is_monitored_untouched_and_its_end_is_an_outage() {
    let _operator = OPERATOR.read().unwrap_or_else(PoisonError::into_inner);
    let chain = chain();
    chain.namespace(NAMESPACE).unwrap();
    let page = "tests/dialects/promhttp/pages/v1.25.0/default.after.text";
    let page = workspace::root().unwrap().join(page);
    let image = foreign::load_with_page(&chain.bed, "legacy", &page).unwrap();
    for object in [deployment(&image), foreign_monitor(), manifest()] {
        chain.bed.apply(&object).unwrap();
    }
    wait_ready(NAMESPACE, NAME);
    let api = wait_says("DialectKnown", "True", "Detected");
    assert_eq!(api["status"]["metrics"]["dialect"], "promhttp");
    let own = get(NAMESPACE, "deployment", LEGACY);
    let managers = own["metadata"]["managedFields"].to_string();
    assert!(!managers.contains("monitored-api"), "{managers}");

    // Somebody else scrapes it too: told, with the job, until that ends.
    chain.wait_targets_up(NAMESPACE, LEGACY, 2, 4 * MINUTE).unwrap();
    let api = wait_says("Scraped", "True", "AlsoScrapedBy");
    let (_, said) = condition_of(&api, "Scraped").unwrap();
    assert!(said.contains(LEGACY), "{said}");
    chain.wait_targets_up(NAMESPACE, NAME, 2, MINUTE).unwrap();
    let delete = |what: &str| {
        let namespace = ["--namespace", NAMESPACE, "delete", what, LEGACY];
        chain.bed.kubectl(&namespace).unwrap();
    };
    // Its Service, not its ServiceMonitor: a new configuration takes Prometheus two minutes.
    delete("service");
    wait_says("Scraped", "True", "TargetUp");
    wait_says("Monitored", "True", "");

    // It goes, and the rules stay to tell.
    let rules = get(NAMESPACE, "prometheusrule", NAME);
    delete("deployment");
    wait_says("WorkloadReady", "False", "NoWorkload");
    wait_alert(NAMESPACE, NAME, "ApiDown", "firing", 5 * MINUTE);
    let now = get(NAMESPACE, "prometheusrule", NAME);
    assert_eq!(now["metadata"]["generation"], rules["metadata"]["generation"]);

    // It comes back.
    chain.bed.apply(&deployment(&image)).unwrap();
    wait_ready(NAMESPACE, NAME);
    wait_alert(NAMESPACE, NAME, "ApiDown", "inactive", 4 * MINUTE);
    remove(NAMESPACE);
}
