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
    /// Requests that took longer than the service's own threshold for slow ones.
    SlowRequests,
    /// Handlers that panicked or failed with an error of their own.
    Exceptions,
    /// Requests whose client left before an answer.
    AbandonedRequests,
    /// Open client connections.
    Connections,
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
    /// Limit on open file descriptors of the process.
    FileDescriptorLimit,
    /// Threads of the process.
    Threads,
    /// When the process started.
    StartTime,
    /// Operations on a database.
    DatabaseOperations,
    /// Operations on a cache.
    CacheOperations,
    /// Background tasks, by status.
    BackgroundTasks,
    /// Share of the processor quota's periods in which the container was throttled.
    CpuThrottling,
    /// The container's memory limit: `spec.resources.limits.memory`.
    MemoryLimit,
    /// The container's processor limit: `spec.resources.limits.cpu`.
    CpuLimit,
    /// Time after which a scrape is given up: `spec.metrics.timeout`.
    ScrapeTimeout,
    /// Most samples of a scrape: `spec.metrics.limits.samples`.
    SampleLimit,
    /// Whether the last scrape succeeded (Prometheus's own `up`).
    Up,
    /// The cost of a scrape: duration and samples.
    ScrapeCost,
    /// Pods that the workload should have.
    ReplicasWanted,
    /// Pods that are ready.
    ReplicasReady,
    /// Pods that are not ready, those of a rollout that is under way among them.
    PodsNotReady,
    /// Restarts of the pods' containers.
    Restarts,
    /// Why the pods' containers ended the last time.
    LastTermination,
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
            Self::SlowRequests => "slow requests",
            Self::Exceptions => "exceptions",
            Self::AbandonedRequests => "abandoned requests",
            Self::Connections => "connections",
            Self::RequestSize => "request size",
            Self::ResponseSize => "response size",
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::FileDescriptors => "file descriptors",
            Self::FileDescriptorLimit => "file descriptor limit",
            Self::Threads => "threads",
            Self::StartTime => "start time",
            Self::DatabaseOperations => "database operations",
            Self::CacheOperations => "cache operations",
            Self::BackgroundTasks => "background tasks",
            Self::CpuThrottling => "CPU throttling",
            Self::MemoryLimit => "memory limit",
            Self::CpuLimit => "CPU limit",
            Self::ScrapeTimeout => "scrape timeout",
            Self::SampleLimit => "sample limit",
            Self::Up => "up",
            Self::ScrapeCost => "scrape cost",
            Self::ReplicasWanted => "replicas wanted",
            Self::ReplicasReady => "replicas ready",
            Self::PodsNotReady => "pods not ready",
            Self::Restarts => "restarts",
            Self::LastTermination => "last termination",
        }
    }
}
