//! Labels that Prometheus or the operator attach, beside those that an application exports.

/// The namespace of a target; Alertmanager routes by it.
pub const NAMESPACE: &str = "namespace";
/// The job of a target: a MonitoredApi's name.
pub const JOB: &str = "job";
/// One target: host and port.
pub const INSTANCE: &str = "instance";
/// The upper bound of a histogram's bucket.
pub const LE: &str = "le";
/// The MonitoredApi that one of the operator's own series is about.
pub const API_NAME: &str = "name";
/// The namespace of that MonitoredApi. A Prometheus that overrides `honorLabels` replaces the label `namespace` of the
/// operator's series by the operator's own namespace; no Prometheus replaces this one.
pub const API_NAMESPACE: &str = "api_namespace";
/// Why the container of a pod ended, on one of the operator's own series.
pub const REASON: &str = "reason";
/// The name of an alert, on each alert and on `ALERTS`.
pub const ALERT_NAME: &str = "alertname";
/// `pending` or `firing`, on `ALERTS`.
pub const ALERT_STATE: &str = "alertstate";
/// How urgent an alert is.
pub const SEVERITY: &str = "severity";
/// The kind of problem that an alert reports. The routes of the offline stack's Alertmanager use it.
pub const ALERT_FAMILY: &str = "family";
/// The name of an objective, on its series and alerts.
pub const OBJECTIVE: &str = "objective";
/// Which events of an objective a series counts: [`RESULT_TOTAL`] or [`RESULT_ERROR`].
pub const RESULT: &str = "result";
/// Every event.
pub const RESULT_TOTAL: &str = "total";
/// Events that failed.
pub const RESULT_ERROR: &str = "error";
/// How fast an error budget is spent, on each alert of an objective: `14.4x`, `6x`, `3x` or `1x`.
pub const BURN_TIER: &str = "tier";
/// The uid of a MonitoredApi's dashboard, on the operator's series about what is known of it.
pub const DASHBOARD: &str = "dashboard";
