//! What rules and panels need to know of an HTTP API, independent of the names of its metrics.

macro_rules! signals {
    ($(#[doc = $help:literal] $signal:ident = $name:literal,)*) => {
        /// One thing to know of an API. Metrics of a dialect or of the platform provide it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Signal {
            $(#[doc = $help] $signal,)*
        }

        impl Signal {
            /// Every signal.
            pub const ALL: &'static [Self] = &[$(Self::$signal),*];

            /// The name used in conditions, `status.metrics.missing` and documents.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$signal => $name,)*
                }
            }

            /// One sentence that says what it is.
            #[must_use]
            pub fn help(self) -> &'static str {
                let text = match self {
                    $(Self::$signal => $help,)*
                };
                text.trim()
            }
        }
    };
}

signals! {
    /// Requests, counted by method, route and status.
    Requests = "requests",
    /// The route that a request was matched to, as a label of what is counted.
    Routes = "requests by route",
    /// Requests that the service answered with a server error (5xx).
    Errors = "errors",
    /// Errors by type, for example `not-found`, rather than by status.
    ErrorsByType = "errors by type",
    /// Time from the request's arrival to the end of the response.
    Duration = "latency",
    /// Upper bounds of the latency, without which no share of the requests can be told from the others.
    LatencyBuckets = "latency buckets",
    /// Requests being served right now.
    InFlight = "in flight",
    /// Requests that took longer than the service's own threshold for slow ones.
    SlowRequests = "slow requests",
    /// Handlers that panicked or failed with an error of their own.
    Exceptions = "exceptions",
    /// Requests whose client left before an answer.
    AbandonedRequests = "abandoned requests",
    /// Open client connections.
    Connections = "connections",
    /// Size of request bodies.
    RequestSize = "request size",
    /// Size of response bodies.
    ResponseSize = "response size",
    /// CPU time of the process.
    Cpu = "CPU",
    /// Resident memory of the process.
    Memory = "memory",
    /// Open file descriptors of the process.
    FileDescriptors = "file descriptors",
    /// Limit on open file descriptors of the process.
    FileDescriptorLimit = "file descriptor limit",
    /// Threads of the process.
    Threads = "threads",
    /// When the process started.
    StartTime = "start time",
    /// Operations on a database.
    DatabaseOperations = "database operations",
    /// Operations on a cache.
    CacheOperations = "cache operations",
    /// Background tasks, by status.
    BackgroundTasks = "background tasks",
    /// Share of the processor quota's periods in which the container was throttled.
    CpuThrottling = "CPU throttling",
    /// The container's memory limit: `spec.resources.limits.memory`.
    MemoryLimit = "memory limit",
    /// The container's processor limit: `spec.resources.limits.cpu`.
    CpuLimit = "CPU limit",
    /// Time after which a scrape is given up: `spec.metrics.timeout`.
    ScrapeTimeout = "scrape timeout",
    /// Most samples of a scrape: `spec.metrics.limits.samples`.
    SampleLimit = "sample limit",
    /// Whether the last scrape succeeded (Prometheus's own `up`).
    Up = "up",
    /// The cost of a scrape: duration and samples.
    ScrapeCost = "scrape cost",
    /// Pods that the workload should have.
    ReplicasWanted = "replicas wanted",
    /// Pods that are ready.
    ReplicasReady = "replicas ready",
    /// The most pods that an autoscaler makes, where it may make more than its fewest.
    AutoscalerMax = "autoscaler maximum",
    /// Pods that are not ready, those of a rollout that is under way among them.
    PodsNotReady = "pods not ready",
    /// Restarts of the pods' containers.
    Restarts = "restarts",
    /// Why the pods' containers ended the last time.
    LastTermination = "last termination",
}
