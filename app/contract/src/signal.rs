//! What one wants to know of an HTTP API, whatever the instrumentation calls it.

/// A question that a dialect, or the platform, may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Requests, counted by method, route and status.
    Requests,
    /// Requests that failed by the service's fault (5xx).
    Errors,
    /// Errors by what went wrong, not by status.
    ErrorsByType,
    /// Time from the request's arrival to the end of the response.
    Duration,
    /// Requests being served right now.
    InFlight,
    /// Size of request bodies.
    RequestSize,
    /// Size of response bodies.
    ResponseSize,
    /// CPU time of the process.
    Cpu,
    /// Resident memory of the process.
    Memory,
    /// Open file descriptors of the process.
    FileDescriptors,
    /// Threads of the process.
    Threads,
    /// When the process started.
    StartTime,
    /// Operations on a database.
    DatabaseOperations,
    /// Whether the last scrape succeeded (Prometheus's own `up`).
    Up,
    /// What a scrape costs: duration and samples.
    ScrapeCost,
    /// Pods that the workload should have.
    ReplicasWanted,
    /// Pods that are ready.
    ReplicasReady,
}

impl Signal {
    /// The name used in conditions, `status.metrics.missing` and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::ErrorsByType => "errors by type",
            Self::Duration => "latency",
            Self::InFlight => "in flight",
            Self::RequestSize => "request size",
            Self::ResponseSize => "response size",
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::FileDescriptors => "file descriptors",
            Self::Threads => "threads",
            Self::StartTime => "start time",
            Self::DatabaseOperations => "database operations",
            Self::Up => "up",
            Self::ScrapeCost => "scrape cost",
            Self::ReplicasWanted => "replicas wanted",
            Self::ReplicasReady => "replicas ready",
        }
    }
}
