//! The queries that are asked for all MonitoredApis at once. Their number does not depend on how many there are.

/// Targets by namespace, job and whether they are up.
pub const TARGETS: &str = "count_values by (namespace, job) (\"up\", up)";

/// Targets with an address that is scraped by more than one job.
pub const SCRAPED_TWICE: &str = "group by (instance, namespace, job) (up) and on (instance) \
     (count by (instance) (group by (instance, namespace, job) (up)) > 1)";

/// Firing alerts by namespace and job.
pub const FIRING: &str = "count by (namespace, job) (ALERTS{alertstate=\"firing\"})";
