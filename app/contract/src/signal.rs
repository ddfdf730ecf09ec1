//! What rules and panels need to know of an HTTP API, independent of the names of its metrics.

/// One thing to know of an API. Metrics of a dialect or of the platform provide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Requests, counted by method, route and status.
    Requests,
    /// Requests that the service answered with a server error (5xx).
    Errors,
    /// Errors by type, for example `not-found`, rather than by status.
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
    /// The cost of a scrape: duration and samples.
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
