//! The condition types. What each may say stands in [`crate::Reason`]; the messages are decided in controller-core.

/// A condition of a MonitoredApi, in the order in which the chain is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The spec is valid.
    Accepted,
    /// Every child is as wanted.
    ChildrenApplied,
    /// The rollout is complete.
    WorkloadReady,
    /// Endpoints exist for the named port.
    ServiceMatchesPods,
    /// A Prometheus selects the ServiceMonitor.
    MonitorSelected,
    /// The target is up, or the series of the proxy that counts the requests are there.
    Scraped,
    /// The metrics' dialect is known.
    DialectKnown,
    /// A Prometheus selects the PrometheusRule.
    RulesSelected,
    /// Every rule evaluates.
    RulesHealthy,
    /// The dashboard's object exists with its label.
    DashboardPlaced,
    /// Every objective has rules and figures.
    ObjectivesEvaluated,
    /// The monitoring chain as a whole.
    Monitored,
    /// The MonitoredApi as a whole (kstatus).
    Ready,
    /// Work is under way (kstatus, abnormal-true).
    Reconciling,
    /// Work cannot go on without a change (kstatus, abnormal-true).
    Stalled,
}

impl ConditionType {
    /// Every condition type, in the order of the chain.
    pub const ALL: &'static [Self] = &[
        Self::Accepted,
        Self::ChildrenApplied,
        Self::WorkloadReady,
        Self::ServiceMatchesPods,
        Self::MonitorSelected,
        Self::Scraped,
        Self::DialectKnown,
        Self::RulesSelected,
        Self::RulesHealthy,
        Self::DashboardPlaced,
        Self::ObjectivesEvaluated,
        Self::Monitored,
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
    ];

    /// The `type` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ChildrenApplied => "ChildrenApplied",
            Self::WorkloadReady => "WorkloadReady",
            Self::ServiceMatchesPods => "ServiceMatchesPods",
            Self::MonitorSelected => "MonitorSelected",
            Self::Scraped => "Scraped",
            Self::DialectKnown => "DialectKnown",
            Self::RulesSelected => "RulesSelected",
            Self::RulesHealthy => "RulesHealthy",
            Self::DashboardPlaced => "DashboardPlaced",
            Self::ObjectivesEvaluated => "ObjectivesEvaluated",
            Self::Monitored => "Monitored",
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }

    /// What it means while it is True, as Markdown for `docs/reference/status.md`.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "The spec is valid.",
            Self::ChildrenApplied => "Every object of the MonitoredApi exists as the spec wants it.",
            Self::WorkloadReady => "The rollout is complete: all pods are up to date and available.",
            Self::ServiceMatchesPods => "Ready pods are behind the Service.",
            Self::MonitorSelected => "A Prometheus selects the ServiceMonitor.",
            Self::Scraped => {
                "Prometheus scrapes the API: every target of it is up. Where a proxy or a mesh counts the requests: Prometheus has its series of this workload."
            }
            Self::DialectKnown => {
                "The dialect of the metrics is known: the names of the metrics and labels that the image exports ([all dialects](dialects.md))."
            }
            Self::RulesSelected => "A Prometheus selects the PrometheusRule, so it evaluates the alerts.",
            Self::RulesHealthy => "Prometheus has loaded every rule of the API and evaluates it without an error.",
            Self::DashboardPlaced => {
                "The object that holds the dashboard exists: a ConfigMap with the label by which Grafana's sidecar finds it, or a GrafanaDashboard, with which the Grafana Operator is content."
            }
            Self::ObjectivesEvaluated => {
                "Every objective has rules, and Prometheus records what is left of its error budget. Only reported where there are objectives."
            }
            Self::Monitored => "Every link from the workload to Prometheus that can be checked holds.",
            Self::Ready => "The workload runs as the spec wants it.",
            Self::Reconciling => "Work is in progress. False when nothing is to do.",
            Self::Stalled => "Work cannot continue without a change by hand. False when nothing is wrong.",
        }
    }

    /// Where a condition that sums up others takes its reason from when it has none of its own.
    #[must_use]
    pub const fn repeats(self) -> Option<&'static str> {
        match self {
            Self::Accepted
            | Self::ChildrenApplied
            | Self::WorkloadReady
            | Self::ServiceMatchesPods
            | Self::MonitorSelected
            | Self::Scraped
            | Self::DialectKnown
            | Self::RulesSelected
            | Self::RulesHealthy
            | Self::DashboardPlaced
            | Self::ObjectivesEvaluated => None,
            Self::Monitored => Some(
                "`MonitorSelected`, `Scraped`, `DialectKnown`, `RulesSelected`, `RulesHealthy`, `DashboardPlaced` or `ObjectivesEvaluated`, the first that does not hold; a dialect that is only not known (`NotDetectedYet`) does not count",
            ),
            Self::Ready => Some(
                "`Accepted`, `ChildrenApplied`, `WorkloadReady` or `ServiceMatchesPods`, the first that does not hold",
            ),
            Self::Reconciling => Some("`Ready`"),
            Self::Stalled => Some("`Accepted` or `ChildrenApplied`"),
        }
    }
}
