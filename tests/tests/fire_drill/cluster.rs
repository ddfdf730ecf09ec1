//! A real control plane with the operator as a process, for alerts that read what the operator reports. Most nodes are
//! simulated: their pods become ready but run nothing. A real one runs the reference API.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use controller_rules::{OperatorTarget, build_operator_rules};
use integration_tests::{
    api_proxy::ApiProxy,
    image,
    install::{Installed, OPERATOR, prometheus_operator_crds},
    kubernetes::{DEPLOYMENTS, Kubernetes, MONITORED_APIS, Resource, says},
    operator::Operator,
};
use serde_json::{Value, json};
use testbed::{Level, Testbed};

/// The namespace of every API of the drill.
pub(crate) const NAMESPACE: &str = "drill";
/// The name under which Prometheus knows the operator.
pub(crate) const OPERATOR_JOB: &str = "monitored-api";
const PROMETHEUSES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheuses");
const CLUSTER_ROLES: Resource = Resource::new("rbac.authorization.k8s.io", "v1", "clusterroles");
const PATIENCE: Duration = Duration::from_secs(120);

/// What the pods of a cluster run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// On a node that only says that they are ready.
    Simulated,
    /// On a node with a kubelet, as containers.
    Real,
}

/// The control plane and the operator; both end when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) operator: Operator,
    /// Between the operator and the API server.
    pub(crate) proxy: ApiProxy,
    installed: Installed,
    bed: Testbed,
    kubernetes: Kubernetes,
}

impl Cluster {
    /// Starts both, with a node.
    pub(crate) fn start(nodes: Nodes) -> Result<Self> {
        let bed = match nodes {
            Nodes::Simulated => {
                let bed = Testbed::builder("fire-drill").start()?;
                bed.start_kwok(1)?;
                bed
            }
            Nodes::Real => {
                let bed = Testbed::builder("fire-drill-nodes").level(Level::Node).start()?;
                bed.load_image(&image::build(image::TESTBED)?.app)?;
                bed
            }
        };
        prometheus_operator_crds(&bed)?;
        let installed = Installed::into(&bed)?;
        let kubernetes = Kubernetes::connect(&bed.kubeconfig())?;
        kubernetes.create_namespace(NAMESPACE)?;
        let proxy = ApiProxy::start(&installed.anonymous_kubeconfig()?)?;
        let kubeconfig = installed.operator_kubeconfig(Some(&proxy.url()))?;
        let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[])?;
        operator.wait_ready()?;
        operator.wait_until_leader()?;
        Ok(Self {
            operator,
            proxy,
            installed,
            bed,
            kubernetes,
        })
    }

    /// Starts an operator of another installation that uses the same Lease, and waits until it leads.
    pub(crate) fn start_another(&self) -> Result<Operator> {
        let kubeconfig = self.installed.operator_kubeconfig(None)?;
        let mut operator = Operator::start(&kubeconfig, &self.installed.operator_log(), &[])?;
        operator.wait_ready()?;
        operator.wait_until_leader()?;
        Ok(operator)
    }

    /// Takes away what the operator may do with a kind, or with a part of it such as `monitoredapis/status`. Returns the rules
    /// before.
    pub(crate) fn refuse(&self, resource: &str) -> Result<Value> {
        let role = format!("{}/{OPERATOR}", CLUSTER_ROLES.everywhere());
        let before = self.kubernetes.get(&role)?.context("the operator's ClusterRole")?["rules"].clone();
        let mut rules = before.clone();
        let list = rules.as_array_mut().context("rules")?;
        for rule in list.iter_mut() {
            if let Some(resources) = rule["resources"].as_array_mut() {
                resources.retain(|one| one != resource);
            }
        }
        // A rule without a kind is not valid.
        list.retain(|rule| rule["resources"] != json!([]));
        self.set_rules(&rules)?;
        Ok(before)
    }

    /// Sets what the operator may do.
    pub(crate) fn set_rules(&self, rules: &Value) -> Result<()> {
        let role = format!("{}/{OPERATOR}", CLUSTER_ROLES.everywhere());
        self.kubernetes.merge(&role, &json!({"rules": rules})).map(drop)
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

    /// Changes fields of its spec.
    pub(crate) fn change(&self, name: &str, spec: &Value) -> Result<()> {
        let patch = json!({"spec": spec});
        self.kubernetes
            .merge(&MONITORED_APIS.object(NAMESPACE, name), &patch)
            .map(drop)
    }

    /// Sets the number of its pods through the Deployment, which the operator must leave alone.
    pub(crate) fn scale(&self, name: &str, replicas: u32) -> Result<()> {
        let scale = format!("{}/scale", DEPLOYMENTS.object(NAMESPACE, name));
        let patch = json!({"spec": {"replicas": replicas}});
        self.kubernetes.merge(&scale, &patch).map(drop)
    }

    /// Where its pods answer, on 127.0.0.1.
    pub(crate) fn address(&self, name: &str) -> Result<SocketAddr> {
        let port = self.bed.forward_service(NAMESPACE, name, 80)?;
        Ok(SocketAddr::from(([127, 0, 0, 1], port)))
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
