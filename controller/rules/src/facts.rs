//! What the engine needs to know about one API. The caller fills it in; the engine reads nothing itself.

use metric_contract::{LabelCondition, Spelling, TargetKind};

use crate::{objective::Objective, settings::Compat};

/// Everything that the rules and the dashboard of one API depend on, except the settings of the alerts.
#[derive(Debug, Clone, Copy)]
pub struct ApiFacts<'a> {
    /// The MonitoredApi's namespace, which is the label `namespace` of its series. A static scrape configuration must set
    /// that label on its targets.
    pub namespace: &'a str,
    /// The MonitoredApi's name, which is the label `job` of its series.
    pub name: &'a str,
    /// The names of its metrics. `None`: not known yet; then only rules and panels are made that read series of
    /// Prometheus itself and of the operator.
    pub spelling: Option<&'a Spelling>,
    /// A proxy counts its requests: the sets of conditions by which series of the proxy are this API's
    /// ([`metric_contract::Proxy::series_of`]). Then nobody scrapes the pods. `None`: the pods count them.
    pub proxy: Option<&'a [Vec<LabelCondition>]>,
    /// Every target exports also what the spelling has counted over all routes: rules, and panels that show no route,
    /// read that then. `false`: they read the series of routes, which each page of the dialect has.
    pub has_overall: bool,
    /// How Prometheus finds it, which decides which labels are stored as `exported_*`.
    pub target: TargetKind,
    /// Seconds between two scrapes; rate windows hold at least four.
    pub scrape_interval_seconds: u32,
    /// RE2 patterns, fully anchored, of routes that are never counted; they include the paths of probes and metrics.
    pub excluded_routes: &'a [String],
    /// The limits that some of its figures are compared with.
    pub limits: ApiLimits,
    /// What is promised of it: error budgets are computed for these.
    pub objectives: &'a [Objective],
    /// Whose names the figures of objectives have beside our own. `None`: nobody's.
    pub compat: Option<Compat>,
}

/// Limits that are set for an API; `None`: there is none, or it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApiLimits {
    /// Memory of the container, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processor time of the container, in thousandths of a core.
    pub cpu_millicores: Option<u64>,
    /// Time after which a scrape is given up, in milliseconds.
    pub scrape_timeout_millis: Option<u64>,
    /// Most samples of a scrape.
    pub scrape_samples: Option<u64>,
    /// Most pods that its autoscaler makes. `None` also where these are its fewest too, so that they say nothing.
    pub autoscaler_max: Option<u32>,
}
