//! Installs what the operator needs into a test bed, without Helm: the CRD, its namespace, its own user with the
//! generated rights. A missing right shows here.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testbed::Testbed;

use crate::{
    audit::AuditLog,
    eventually,
    kubernetes::{Kubernetes, Resource, condition},
    operator::Operator,
};

/// The operator's namespace, ServiceAccount, ClusterRole and Lease.
pub const OPERATOR: &str = "monitored-api";
/// The operator's user name, as in the audit log.
pub const OPERATOR_USER: &str = "system:serviceaccount:monitored-api:monitored-api";

const PROMETHEUSES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheuses");

/// A test bed in which the operator may run.
#[derive(Debug)]
pub struct Installed {
    folder: PathBuf,
    /// Certificate authority of the API server, Base64.
    authority: String,
    server: String,
    token: String,
}

impl Installed {
    /// Installs the CRD and the operator's user with its rights. No Prometheus Operator.
    ///
    /// # Errors
    /// When the API server refuses something.
    pub fn into(bed: &Testbed) -> Result<Self> {
        bed.apply(&serde_json::to_string(&controller_api::crd())?)?;
        bed.apply(&rights()?.to_string())?;
        wait_established(bed, "monitoredapis.monitoredapi.io")?;
        let token = bed.kubectl(&["-n", OPERATOR, "create", "token", OPERATOR, "--duration=3h"])?;
        let config = |field: &str| {
            let path = format!("jsonpath={{.clusters[0].cluster.{field}}}");
            bed.kubectl(&["config", "view", "--raw", "-o", &path])
        };
        Ok(Self {
            folder: bed.state_dir().to_owned(),
            authority: config("certificate-authority-data")?,
            server: config("server")?,
            token: token.trim().to_owned(),
        })
    }

    /// A kubeconfig for the operator's user; `server` is a proxy's address, if there is one between.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn operator_kubeconfig(&self, server: Option<&str>) -> Result<PathBuf> {
        let path = self.file(if server.is_some() {
            "operator-proxied"
        } else {
            "operator"
        });
        self.write(&path, server, json!({"token": self.token}))?;
        Ok(path)
    }

    /// A kubeconfig with the address of the API server but no user, for a proxy.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn anonymous_kubeconfig(&self) -> Result<PathBuf> {
        let path = self.file("anonymous");
        self.write(&path, None, json!({}))?;
        Ok(path)
    }

    /// Starts the operator as its user and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready; with the end of its log.
    pub fn start_operator(&self) -> Result<Operator> {
        let mut operator = Operator::start(&self.operator_kubeconfig(None)?, &self.operator_log(), &[])?;
        operator.wait_ready()?;
        Ok(operator)
    }

    /// The operator's log.
    #[must_use]
    pub fn operator_log(&self) -> PathBuf {
        self.folder.join("log").join("operator.log")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("kubeconfig-{name}"))
    }

    fn write(&self, path: &Path, server: Option<&str>, user: Value) -> Result<()> {
        let cluster = match server {
            Some(server) => json!({"server": server}),
            None => json!({"server": self.server, "certificate-authority-data": self.authority}),
        };
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bed", "cluster": cluster}],
            "users": [{"name": "user", "user": user}],
            "contexts": [{"name": "bed", "context": {"cluster": "bed", "user": "user", "namespace": OPERATOR}}],
            "current-context": "bed",
        });
        fs::write(path, config.to_string()).with_context(|| format!("write {}", path.display()))
    }
}

/// Starts a test bed with Prometheus Operator's CRDs, the CRD and the operator's user.
///
/// # Errors
/// When the test bed can't be started, or the API server refuses something.
pub fn operator_bed(name: &str) -> Result<(Testbed, Installed, AuditLog)> {
    let bed = Testbed::builder(name).start()?;
    prometheus_operator_crds(&bed)?;
    let installed = Installed::into(&bed)?;
    let audit = AuditLog::of(&bed);
    Ok((bed, installed, audit))
}

/// Installs Prometheus Operator's CRDs, without Prometheus Operator.
///
/// # Errors
/// When the API server refuses one.
pub fn prometheus_operator_crds(bed: &Testbed) -> Result<()> {
    let manifest = bed.prometheus_operator_crds()?;
    bed.kubectl(&["apply", "--server-side", "-f", &manifest.to_string_lossy()])?;
    for plural in ["servicemonitors", "prometheusrules", "prometheuses", "prometheusagents"] {
        wait_established(bed, &format!("{plural}.monitoring.coreos.com"))?;
    }
    Ok(())
}

/// Creates a Prometheus object that selects the ServiceMonitors and PrometheusRules of every namespace.
///
/// # Errors
/// When the API server refuses it.
pub fn select_everything(api: &Kubernetes) -> Result<()> {
    api.create_namespace("monitoring")?;
    let all = json!({});
    let prometheus = json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "k8s"},
        "spec": {
            "serviceMonitorSelector": all, "serviceMonitorNamespaceSelector": all,
            "ruleSelector": all, "ruleNamespaceSelector": all,
        },
    });
    api.create(&PROMETHEUSES.within("monitoring"), &prometheus).map(drop)
}

/// Waits until the API server serves a CRD.
///
/// # Errors
/// When it does not.
pub fn wait_established(bed: &Testbed, crd: &str) -> Result<()> {
    // `kubectl wait` fails on a definition that has no conditions yet.
    eventually(&format!("{crd} to be served"), Duration::from_secs(60), || {
        let found: Value = serde_json::from_str(&bed.kubectl(&["get", "crd", crd, "-o", "json"])?)?;
        let established = condition(&found, "Established");
        Ok(established
            .filter(|(status, ..)| *status == "True")
            .map(drop)
            .ok_or_else(|| format!("{established:?}")))
    })
}

/// Namespace, ServiceAccount, roles and their bindings, as the chart makes them.
fn rights() -> Result<Value> {
    let mut rules = list(&controller_core::rbac::namespaced_rules())?;
    rules.extend(list(&controller_core::rbac::cluster_rules())?);
    let lease = list(&controller_core::rbac::lease_rules())?;
    let group = "rbac.authorization.k8s.io";
    let version = format!("{group}/v1");
    let subjects = json!([{"kind": "ServiceAccount", "name": OPERATOR, "namespace": OPERATOR}]);
    let here = json!({"name": OPERATOR, "namespace": OPERATOR});
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": here},
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": OPERATOR}, "rules": rules},
        {
            "apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": OPERATOR}, "subjects": subjects,
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": OPERATOR},
        },
        {"apiVersion": version, "kind": "Role", "metadata": here, "rules": lease},
        {
            "apiVersion": version, "kind": "RoleBinding", "metadata": here, "subjects": subjects,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": OPERATOR},
        },
    ]}))
}

fn list(rules: &impl serde::Serialize) -> Result<Vec<Value>> {
    match serde_json::to_value(rules)? {
        Value::Array(rules) => Ok(rules),
        other => anyhow::bail!("rules are a list, not {other}"),
    }
}
