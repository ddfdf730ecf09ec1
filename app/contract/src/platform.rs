//! Families that the application does not export: Prometheus's own per target, and the operator's `monitored_api_*`.

use crate::{Family, MetricKind, Unit, labels};

/// `up`: 1 if the last scrape of the target succeeded.
pub const UP: &Family = &Family {
    name: "up",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[],
    help: "1 if the last scrape of the target succeeded.",
};
/// `scrape_duration_seconds`: how long the last scrape of the target took.
pub const SCRAPE_DURATION: &Family = &Family {
    name: "scrape_duration_seconds",
    kind: MetricKind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    help: "How long the last scrape of the target took.",
};
/// `scrape_samples_post_metric_relabeling`: samples that the last scrape of the target kept.
pub const SCRAPE_SAMPLES: &Family = &Family {
    name: "scrape_samples_post_metric_relabeling",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[],
    help: "Samples kept of the last scrape of the target.",
    // `scrape_duration_seconds` is the signal's first family.
};

/// `ALERTS`: 1 for each alert that is pending or firing, with the alert's labels.
pub const ALERTS: &Family = &Family {
    name: "ALERTS",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[labels::ALERT_NAME, labels::ALERT_STATE],
    help: "1 for each alert that is pending or firing.",
};

/// `ALERTS_FOR_STATE`: since when each alert's condition holds, with the alert's labels.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// The series that Prometheus makes itself for each target (storage/scrape of Prometheus 3.15).
pub const TARGET_SERIES: &[&str] = &[
    UP.name,
    SCRAPE_DURATION.name,
    SCRAPE_SAMPLES.name,
    "scrape_samples_scraped",
    "scrape_series_added",
    "scrape_sample_limit",
    "scrape_timeout_seconds",
    "scrape_body_size_bytes",
];

/// Labels by which the operator's own families name a MonitoredApi. Its ServiceMonitor honours them, so `namespace` is
/// the MonitoredApi's and not the operator's; where a Prometheus overrides that, only `api_namespace` still is.
pub const OPERATOR_LABELS: &[&str] = &[labels::NAMESPACE, labels::API_NAMESPACE, labels::API_NAME];

/// `monitored_api_replicas_wanted`: pods that the workload should have (0 while scaled to zero).
pub const REPLICAS_WANTED: &Family = &Family {
    name: "monitored_api_replicas_wanted",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Pods that the MonitoredApi's workload should have.",
};
/// `monitored_api_replicas_ready`: pods of the workload that are ready.
pub const REPLICAS_READY: &Family = &Family {
    name: "monitored_api_replicas_ready",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Pods of the MonitoredApi's workload that are ready.",
};
/// `monitored_api_autoscaler_max`: the most pods that the autoscaler makes of the workload (`spec.autoscaling.maxReplicas`); no
/// series without an autoscaler.
pub const AUTOSCALER_MAX: &Family = &Family {
    name: "monitored_api_autoscaler_max",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Most pods that the autoscaler of the MonitoredApi makes.",
};

/// `monitored_api_pods_not_ready`: pods of the workload that run or start and are not ready, those of a rollout that is
/// under way among them.
pub const PODS_NOT_READY: &Family = &Family {
    name: "monitored_api_pods_not_ready",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Pods of the MonitoredApi's workload that run or start and are not ready.",
};
/// `monitored_api_restarts_total`: restarts of the main container of the workload's pods, counted since this replica of the
/// operator leads. It does not fall when a pod is replaced.
pub const RESTARTS: &Family = &Family {
    name: "monitored_api_restarts_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: OPERATOR_LABELS,
    help: "Restarts of the API's container in all pods, counted since this replica of the operator leads.",
};
/// `monitored_api_last_termination_reason`: pods of the workload whose main container ended before, by the reason of the
/// last time: one of [`TERMINATION_REASONS`].
pub const LAST_TERMINATION_REASON: &Family = &Family {
    name: "monitored_api_last_termination_reason",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[
        labels::NAMESPACE,
        labels::API_NAMESPACE,
        labels::API_NAME,
        labels::REASON,
    ],
    help: "Pods of the MonitoredApi's workload whose container ended before, by the reason of the last time.",
};
/// The reason of a container that the kernel killed because it reached its memory limit.
pub const OOM_KILLED: &str = "OOMKilled";
/// The values of the label `reason`. The last stands for every other reason that a container runtime may give.
pub const TERMINATION_REASONS: &[&str] = &[
    OOM_KILLED,
    "Error",
    "Completed",
    "ContainerCannotRun",
    "StartError",
    "Other",
];

/// `monitored_api_info`: one for each MonitoredApi, with what is known of it.
pub const INFO: &Family = &Family {
    name: "monitored_api_info",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[
        labels::NAMESPACE,
        labels::API_NAMESPACE,
        labels::API_NAME,
        "dialect",
        labels::DASHBOARD,
    ],
    help: "One for each MonitoredApi, with what is known of it.",
};
/// `monitored_api_condition`: one for the current status of a MonitoredApi's summary conditions.
pub const CONDITION: &Family = &Family {
    name: "monitored_api_condition",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[
        labels::NAMESPACE,
        labels::API_NAMESPACE,
        labels::API_NAME,
        "type",
        "status",
    ],
    help: "One for the current status of a MonitoredApi's summary conditions.",
};
/// `monitored_api_build_info`: one, with the operator's version.
pub const BUILD_INFO: &Family = &Family {
    name: "monitored_api_build_info",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &["version"],
    help: "One, with the operator's version.",
};
/// `monitored_api_leader`: 1 while this replica of the operator leads.
pub const LEADER: &Family = &Family {
    name: "monitored_api_leader",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &[],
    help: "1 while this replica of the operator leads.",
};
/// `controller_runtime_reconcile_total`: reconciles by result.
pub const RECONCILE_TOTAL: &Family = &Family {
    name: "controller_runtime_reconcile_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["controller", "result"],
    help: "Reconciles by result.",
};
/// `controller_runtime_reconcile_errors_total`: reconciles that did not reach their end, by class of error.
pub const RECONCILE_ERRORS: &Family = &Family {
    name: "controller_runtime_reconcile_errors_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["controller", "class"],
    help: "Reconciles that did not reach their end, by class of error.",
};
/// `controller_runtime_reconcile_panics_total`: reconciles that panicked: each is a bug, and cost one MonitoredApi one attempt.
pub const RECONCILE_PANICS: &Family = &Family {
    name: "controller_runtime_reconcile_panics_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["controller"],
    help: "Reconciles that panicked: each is a bug, and cost one MonitoredApi one attempt.",
};
/// `controller_runtime_reconcile_time_seconds`: time that a reconcile took.
pub const RECONCILE_TIME: &Family = &Family {
    name: "controller_runtime_reconcile_time_seconds",
    kind: MetricKind::Histogram,
    unit: Unit::Seconds,
    labels: &["controller"],
    help: "Time that a reconcile took.",
};
/// `controller_runtime_active_workers`: reconciles under way.
pub const ACTIVE_WORKERS: &Family = &Family {
    name: "controller_runtime_active_workers",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &["controller"],
    help: "Reconciles under way.",
};
/// `workqueue_depth`: monitoredApis that are due.
pub const QUEUE_DEPTH: &Family = &Family {
    name: "workqueue_depth",
    kind: MetricKind::Gauge,
    unit: Unit::Count,
    labels: &["name"],
    help: "MonitoredApis that are due.",
};
/// `monitored_api_watch_staleness_seconds`: time since the API server was last heard about a watched kind; of several namespaces, the worst.
pub const WATCH_STALENESS: &Family = &Family {
    name: "monitored_api_watch_staleness_seconds",
    kind: MetricKind::Gauge,
    unit: Unit::Seconds,
    labels: &["kind"],
    help: "Time since the API server was last heard about a watched kind; of several namespaces, the worst.",
};
/// `monitored_api_watch_failures_total`: failed lists and watches, by class of error.
pub const WATCH_FAILURES: &Family = &Family {
    name: "monitored_api_watch_failures_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["kind", "class"],
    help: "Failed lists and watches, by class of error.",
};
/// `monitored_api_applies_total`: requests to write a child, by result.
pub const APPLIES: &Family = &Family {
    name: "monitored_api_applies_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["kind", "result"],
    help: "Requests to write a child, by result.",
};
/// `monitored_api_status_writes_total`: requests to write a status, by result.
pub const STATUS_WRITES: &Family = &Family {
    name: "monitored_api_status_writes_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["result"],
    help: "Requests to write a status, by result.",
};
/// `monitored_api_probes_total`: pages of metrics that the operator asked pods for.
pub const PROBES: &Family = &Family {
    name: "monitored_api_probes_total",
    kind: MetricKind::Counter,
    unit: Unit::Count,
    labels: &["result"],
    help: "Pages of metrics that the operator asked pods for, by what they turned out to be.",
};
/// `process_cpu_seconds_total`: processor time of the process, user and system.
pub const PROCESS_CPU: &Family = &Family {
    name: "process_cpu_seconds_total",
    kind: MetricKind::Counter,
    unit: Unit::Seconds,
    labels: &[],
    help: "Processor time of the process, user and system.",
};
/// `process_resident_memory_bytes`: resident memory of the process.
pub const PROCESS_MEMORY: &Family = &Family {
    name: "process_resident_memory_bytes",
    kind: MetricKind::Gauge,
    unit: Unit::Bytes,
    labels: &[],
    help: "Resident memory of the process.",
};

/// The operator's own families that rules and panels may read.
pub const OPERATOR_FAMILIES: &[&Family] = &[
    REPLICAS_WANTED,
    REPLICAS_READY,
    AUTOSCALER_MAX,
    PODS_NOT_READY,
    RESTARTS,
    LAST_TERMINATION_REASON,
    INFO,
    CONDITION,
    BUILD_INFO,
    LEADER,
    RECONCILE_TOTAL,
    RECONCILE_ERRORS,
    RECONCILE_PANICS,
    RECONCILE_TIME,
    ACTIVE_WORKERS,
    QUEUE_DEPTH,
    WATCH_STALENESS,
    WATCH_FAILURES,
    APPLIES,
    STATUS_WRITES,
    PROBES,
];
