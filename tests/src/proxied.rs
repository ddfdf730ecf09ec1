//! An API behind a proxy, and a Prometheus that scrapes the proxy and evaluates the API's rules: without a cluster, with the objects
//! that `monitored-api render` gives.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, anyhow};
use controller_core::{facts::Settings, render::render};
use serde_json::{Value, json};

use crate::{
    free_ports,
    prometheus::Prometheus,
    prometheus_server::{self, ServerProcess, hurried, write_rules},
};

/// Panels whose figures the operator reports, which does not run here.
pub const OF_THE_OPERATOR: [&str; 2] = ["Replicas wanted and ready", "Restarts"];

/// The namespace, the job and the Service of the proxy's own targets.
const PROXY: &str = "ingress";

/// What is generated for an API.
#[derive(Debug)]
pub struct ProxiedApi {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    rules: Value,
    /// Its dashboard.
    pub dashboard: Value,
}

impl ProxiedApi {
    /// The API of this spec.
    ///
    /// # Errors
    /// When the spec is not valid.
    pub fn new(namespace: &str, name: &str, spec: &Value) -> Result<Self> {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec,
        }))?;
        let rendered = render(&api, &Settings::default()).map_err(|violations| anyhow!("{violations:?}"))?;
        let object = |kind: &str| {
            let mut objects = rendered.objects.iter();
            let found = objects.find(|object| object.text("/kind") == kind);
            found
                .map(|object| object.object().clone())
                .with_context(|| format!("no {kind}"))
        };
        let files = object("ConfigMap")?;
        let file = files.pointer("/data").and_then(Value::as_object);
        let file = file.and_then(|files| files.values().next()?.as_str());
        Ok(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            rules: object("PrometheusRule")?,
            dashboard: serde_json::from_str(file.context("the dashboard's ConfigMap has a file")?)?,
        })
    }

    /// The samples of a recording rule over five minutes, such as `api_requests`, added up.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn recorded(&self, prometheus: &Prometheus, what: &str) -> Result<Option<f64>> {
        let Self { namespace, name, .. } = self;
        let sum = format!("sum(namespace_job:{what}:rate5m{{namespace=\"{namespace}\", job=\"{name}\"}})");
        Ok(prometheus.query(&sum)?.first().map(|(_, value)| *value))
    }

    /// The share of its requests that failed, as [`Prometheus::error_share`] gives it.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn error_share(&self, prometheus: &Prometheus) -> Result<Option<f64>> {
        prometheus.error_share(&self.namespace, &self.name)
    }

    /// Name and state of each of its alerts that is pending or fires.
    ///
    /// # Errors
    /// When Prometheus refuses the query.
    pub fn alerts(&self, prometheus: &Prometheus) -> Result<Vec<(String, String)>> {
        let Self { namespace, name, .. } = self;
        let alerts = prometheus.query(&format!("ALERTS{{namespace=\"{namespace}\", job=\"{name}\"}}"))?;
        let text = |labels: &Value, name: &str| labels.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let state = |(labels, _): &(Value, f64)| (text(labels, "alertname"), text(labels, "alertstate"));
        Ok(alerts.iter().map(state).collect())
    }
}

/// A Prometheus that scrapes a proxy once a second. It ends when this is dropped.
#[derive(Debug)]
pub struct ProxyScrape {
    /// Where it answers.
    pub prometheus: Prometheus,
    _process: ServerProcess,
}

impl ProxyScrape {
    /// Starts it in a folder of its own, with the rules of these APIs. The target has `namespace`, `job` and `service` of the proxy, as
    /// with a ServiceMonitor; `honor_labels` keeps labels of the same names that stand on the page.
    ///
    /// # Errors
    /// When the files can't be written, or it does not start in time.
    pub fn start(folder: &Path, port: u16, honor_labels: bool, apis: &[&ProxiedApi]) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let config = json!({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [format!("{}/*-*-*.yaml", folder.display())],
            "scrape_configs": [{
                "job_name": "proxy",
                "honor_labels": honor_labels,
                "static_configs": [{
                    "targets": [format!("127.0.0.1:{port}")],
                    "labels": {"namespace": PROXY, "job": PROXY, "service": PROXY},
                }],
            }],
        });
        fs::write(folder.join("prometheus.yml"), config.to_string()).context("write prometheus.yml")?;
        for api in apis {
            let metadata = json!({"namespace": api.namespace, "name": api.name, "uid": "proxied"});
            let spec = api.rules.get("spec").context("the PrometheusRule has a spec")?;
            write_rules(folder, &json!({"metadata": metadata}), &hurried(spec, "5s"))?;
        }
        let [own] = free_ports()?;
        let process = prometheus_server::spawn(folder, own, "1d")?;
        let url = format!("http://127.0.0.1:{own}");
        prometheus_server::wait_ready(&url)?;
        Ok(Self {
            prometheus: Prometheus { url },
            _process: process,
        })
    }
}
