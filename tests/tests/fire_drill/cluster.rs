//! A real control plane with the operator as a process, for alerts that read what the operator reports. Its nodes are
//! simulated, so their pods become ready but run nothing.

use std::time::Duration;

use anyhow::{Context as _, Result};
use controller_rules::{OperatorTarget, build_operator_rules};
use integration_tests::{
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, says},
    operator::Operator,
};
use serde_json::{Value, json};
use testbed::Testbed;

/// The namespace of every API of the drill.
pub(crate) const NAMESPACE: &str = "drill";
/// The name under which Prometheus knows the operator.
pub(crate) const OPERATOR_JOB: &str = "monitored-api";
const PROMETHEUSES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheuses");
const PATIENCE: Duration = Duration::from_secs(120);

/// The control plane and the operator; both end when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) operator: Operator,
    bed: Testbed,
    kubernetes: Kubernetes,
}

impl Cluster {
    /// Starts both, with a node.
    pub(crate) fn start() -> Result<Self> {
        let bed = Testbed::builder("fire-drill").start()?;
        bed.start_kwok(1)?;
        prometheus_operator_crds(&bed)?;
        let installed = Installed::into(&bed)?;
        let kubernetes = Kubernetes::connect(&bed.kubeconfig())?;
        kubernetes.create_namespace(NAMESPACE)?;
        let mut operator = installed.start_operator()?;
        operator.wait_ready()?;
        Ok(Self {
            operator,
            bed,
            kubernetes,
        })
    }

    /// Creates a MonitoredApi and waits until its pod is ready.
    pub(crate) fn create(&self, monitored_api: &Value) -> Result<()> {
        self.kubernetes
            .create(&MONITORED_APIS.within(NAMESPACE), monitored_api)?;
        let name = monitored_api["metadata"]["name"].as_str().context("a name")?;
        let path = MONITORED_APIS.object(NAMESPACE, name);
        let ready = |object: &Value| says(object, "WorkloadReady", "True");
        self.kubernetes.wait_for(&path, PATIENCE, ready).map(drop)
    }

    /// Sets the number of its pods.
    pub(crate) fn scale(&self, name: &str, replicas: u32) -> Result<()> {
        let patch = json!({"spec": {"replicas": replicas}});
        self.kubernetes
            .merge(&MONITORED_APIS.object(NAMESPACE, name), &patch)
            .map(drop)
    }

    /// Creates a Prometheus that selects ServiceMonitors with the label `release: drill` only.
    pub(crate) fn create_prometheus(&self) -> Result<()> {
        let prometheus = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "drill"},
            "spec": {
                "serviceMonitorSelector": {"matchLabels": {"release": "drill"}}, "serviceMonitorNamespaceSelector": {},
                "ruleSelector": {}, "ruleNamespaceSelector": {},
            },
        });
        self.kubernetes
            .create(&PROMETHEUSES.within(NAMESPACE), &prometheus)
            .map(drop)
    }

    /// Gives the API's ServiceMonitor and PrometheusRule the label `release: drill`.
    pub(crate) fn label(&self, name: &str) -> Result<()> {
        let patch = json!({"spec": {"monitoring": {"objectLabels": {"release": "drill"}}}});
        self.kubernetes
            .merge(&MONITORED_APIS.object(NAMESPACE, name), &patch)
            .map(drop)
    }

    /// `kubectl cordon` or `uncordon` of every node.
    pub(crate) fn nodes(&self, verb: &str) -> Result<()> {
        let nodes = self.bed.kubectl(&["get", "nodes", "--output=name"])?;
        for node in nodes.lines() {
            self.bed.kubectl(&[verb, node])?;
        }
        Ok(())
    }
}

/// The rules about the operator as the chart has them, but they wait for a second only.
pub(crate) fn operator_rules() -> Result<Value> {
    let target = OperatorTarget {
        namespace: NAMESPACE,
        job: OPERATOR_JOB,
    };
    let mut rules = serde_json::to_value(build_operator_rules(target))?;
    for group in rules["groups"].as_array_mut().context("groups")? {
        for rule in group["rules"].as_array_mut().context("rules")? {
            rule["for"] = json!("1s");
        }
    }
    Ok(rules)
}
