//! Families that the application does not export: Prometheus's own per target, and the operator's `monitored_api_*`.

use crate::{Family, MetricKind, Signal, Unit, labels};

/// `up`: 1 if the last scrape of the target succeeded.
pub const UP: &Family = &Family {
    name: "up",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[],
    help: "1 if the last scrape of the target succeeded.",
    signal: Some(Signal::Up),
};
/// `scrape_duration_seconds`: how long the last scrape of the target took.
pub const SCRAPE_DURATION: &Family = &Family {
    name: "scrape_duration_seconds",
    kind: MetricKind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    help: "How long the last scrape of the target took.",
    signal: Some(Signal::ScrapeCost),
};
/// `scrape_samples_post_metric_relabeling`: samples that the last scrape of the target kept.
pub const SCRAPE_SAMPLES: &Family = &Family {
    name: "scrape_samples_post_metric_relabeling",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[],
    help: "Samples kept of the last scrape of the target.",
    signal: None,
};

/// `ALERTS`: 1 for each alert that is pending or firing, with the alert's labels.
pub const ALERTS: &Family = &Family {
    name: "ALERTS",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[labels::ALERT_NAME, labels::ALERT_STATE],
    help: "1 for each alert that is pending or firing.",
    signal: None,
};

/// Labels by which the operator's own families name a MonitoredApi. Its ServiceMonitor honours them, so `namespace` is
/// the MonitoredApi's and not the operator's.
pub const OPERATOR_LABELS: &[&str] = &[labels::NAMESPACE, labels::API_NAME];

/// `monitored_api_replicas_wanted`: pods that the workload should have (0 while scaled to zero).
pub const REPLICAS_WANTED: &Family = &Family {
    name: "monitored_api_replicas_wanted",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Pods that the MonitoredApi's workload should have.",
    signal: Some(Signal::ReplicasWanted),
};
/// `monitored_api_replicas_ready`: pods of the workload that are ready.
pub const REPLICAS_READY: &Family = &Family {
    name: "monitored_api_replicas_ready",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Pods of the MonitoredApi's workload that are ready.",
    signal: Some(Signal::ReplicasReady),
};
