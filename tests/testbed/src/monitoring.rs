//! Prometheus Operator, Prometheus and Alertmanager as pods of a test bed with real nodes.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::json;

use crate::assets::{self, Image};
use crate::node;
use crate::template::fill;
use crate::testbed::Testbed;
use crate::tools::{ALERTMANAGER_VERSION, Level, PROMETHEUS_VERSION};

const PATIENCE: Duration = Duration::from_secs(240);
const IMAGES: [Image; 4] = [
    Image::PrometheusOperator,
    Image::ConfigReloader,
    Image::Prometheus,
    Image::Alertmanager,
];

/// Options of the Prometheus.
#[derive(Debug, Clone)]
pub struct MonitoringOptions {
    /// The label that a ServiceMonitor or PrometheusRule must have to be seen; `None`: all are.
    pub selector: Option<(String, String)>,
    /// Scrape and evaluation interval, as Prometheus writes durations.
    pub interval: String,
}

impl Default for MonitoringOptions {
    /// The label that kube-prometheus-stack selects by default, and an interval that is short enough for tests.
    fn default() -> Self {
        let selector = Some(("release".to_owned(), "kube-prometheus-stack".to_owned()));
        Self {
            selector,
            interval: "5s".to_owned(),
        }
    }
}

/// Where the monitoring is reached from the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitoring {
    /// Base URL of Prometheus, without a slash at the end.
    pub prometheus: String,
    /// Base URL of Alertmanager, without a slash at the end.
    pub alertmanager: String,
}

impl Testbed {
    /// Starts the monitoring with the default options; see [`Testbed::monitoring_up_with`].
    pub fn monitoring_up(&self) -> Result<Monitoring> {
        self.monitoring_up_with(&MonitoringOptions::default())
    }

    /// Starts Prometheus Operator, Prometheus `k8s` and Alertmanager `main` in namespace `monitoring`, and waits until they
    /// answer. Calling it again changes the options. cAdvisor's metrics are scraped as job `kubelet`.
    pub fn monitoring_up_with(&self, options: &MonitoringOptions) -> Result<Monitoring> {
        if self.level()? != Level::Node {
            bail!("monitoring needs real nodes: start the test bed with --level node");
        }
        let _lock = self.bed.state.start_lock()?;
        std::thread::scope(|scope| {
            let images = scope.spawn(|| self.load_monitoring_images());
            self.define_monitoring()?;
            // Loaded before any pod needs them, because the kubelet retries a failed pull only much later.
            images.join().unwrap_or_else(|_| bail!("loading images failed"))
        })?;
        self.bed.apply_file(&assets::prometheus_operator(&self.bed.toolbox)?)?;
        self.apply(&manifest(options))?;
        let monitoring = ["prometheus/k8s", "alertmanager/main"];
        self.bed
            .wait_for("the monitoring to be available", "kubelet-n0", PATIENCE, || {
                let ready = ["-n", "monitoring", "wait", "--for=condition=Available", "--timeout=20s"];
                self.kubectl(&[ready.as_slice(), monitoring.as_slice()].concat())
                    .map(Some)
            })?;
        let prometheus = self.forward_service("monitoring", "prometheus-k8s", 9090)?;
        let alertmanager = self.forward_service("monitoring", "alertmanager-main", 9093)?;
        Ok(Monitoring {
            prometheus: format!("http://127.0.0.1:{prometheus}"),
            alertmanager: format!("http://127.0.0.1:{alertmanager}"),
        })
    }

    fn load_monitoring_images(&self) -> Result<()> {
        let nodes = self.node_count()?;
        for image in IMAGES {
            node::load_image_once(&self.bed, nodes, &image.reference(), &image.tar(&self.bed.toolbox)?)?;
        }
        Ok(())
    }

    fn define_monitoring(&self) -> Result<()> {
        self.apply(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"monitoring"}}"#)?;
        let definitions = assets::prometheus_operator_crds(&self.bed.toolbox)?;
        self.bed.apply_file(&definitions)?;
        let definitions = definitions.to_string_lossy();
        self.kubectl(&[
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "-f",
            &definitions,
        ])?;
        Ok(())
    }
}

fn manifest(options: &MonitoringOptions) -> String {
    let (selector, labels) = match &options.selector {
        Some((key, value)) => (json!({ "matchLabels": { key: value } }), json!({ key: value })),
        None => (json!({}), json!({})),
    };
    fill(
        include_str!("../manifests/monitoring.yaml"),
        &[
            ("PROMETHEUS_IMAGE", &Image::Prometheus.reference()),
            ("PROMETHEUS_VERSION", &format!("v{PROMETHEUS_VERSION}")),
            ("ALERTMANAGER_IMAGE", &Image::Alertmanager.reference()),
            ("ALERTMANAGER_VERSION", ALERTMANAGER_VERSION),
            ("INTERVAL", &options.interval),
            ("SELECTOR", &selector.to_string()),
            ("LABELS", &labels.to_string()),
        ],
    )
}
