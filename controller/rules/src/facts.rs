//! What the engine has to know of one API. Nothing here is read from anywhere: the drivers fill it in.

use metric_contract::{Dialect, TargetKind};

/// Everything that rules and dashboards of one API depend on, apart from the alerts' settings.
#[derive(Debug, Clone, Copy)]
pub struct ApiFacts<'a> {
    /// The MonitoredApi's namespace, and the `namespace` label of every series of it. Whoever writes a static scrape
    /// configuration must set that label on its targets.
    pub namespace: &'a str,
    /// The MonitoredApi's name, and the `job` label of every series of it.
    pub name: &'a str,
    /// How its metrics are spelled. `None`: not known yet, so that only rules and panels of Prometheus's own and the
    /// operator's series are made.
    pub dialect: Option<&'a Dialect>,
    /// How Prometheus finds it: decides which labels are stored as `exported_*`.
    pub target: TargetKind,
    /// Seconds between two scrapes; rate windows hold at least four.
    pub scrape_interval_seconds: u32,
    /// RE2 patterns, fully anchored, of route values that never count (probe and metrics paths among them).
    pub excluded_routes: &'a [String],
}
