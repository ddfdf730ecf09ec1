//! Condition types. Reasons and messages are decided in controller-core.

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
    /// The metrics' dialect is known.
    DialectKnown,
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
    /// The `type` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ChildrenApplied => "ChildrenApplied",
            Self::WorkloadReady => "WorkloadReady",
            Self::ServiceMatchesPods => "ServiceMatchesPods",
            Self::MonitorSelected => "MonitorSelected",
            Self::DialectKnown => "DialectKnown",
            Self::Monitored => "Monitored",
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}
