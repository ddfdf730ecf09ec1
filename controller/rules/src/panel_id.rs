//! The ids of the panels. Links and the annotations of old alerts contain them, so an id is never used again for another
//! panel.

macro_rules! panel_ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// A panel, by an id that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum PanelId {
            $($(#[$doc])* $name = $id,)*
        }

        impl PanelId {
            /// Every panel.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

panel_ids! {
    /// Targets up and known.
    TargetsUp = 1,
    /// Pods wanted and ready.
    Replicas = 2,
    /// The number of firing alerts.
    AlertsFiring = 3,
    /// Requests in flight.
    ActiveRequests = 4,
    /// The list of alerts.
    Alerts = 5,
    /// Requests per second.
    RequestRate = 6,
    /// Requests by status.
    RequestsByStatus = 7,
    /// Share of each endpoint.
    RequestDistribution = 8,
    /// Share of requests that failed.
    ErrorRate = 9,
    /// Errors by type.
    ErrorsByType = 10,
    /// Latency percentiles.
    Latency = 11,
    /// Mean response time of each endpoint.
    MeanLatency = 12,
    /// Duration of a scrape.
    ScrapeDuration = 13,
    /// CPU of the busiest process.
    Cpu = 14,
    /// Memory of the largest process.
    Memory = 15,
    /// Open file descriptors.
    FileDescriptors = 16,
    /// Threads.
    Threads = 17,
    /// Open client connections.
    Connections = 18,
    /// Restarts of containers.
    Restarts = 19,
    /// Samples of a scrape.
    ScrapeSamples = 20,
    /// Operations on the database.
    DatabaseOperations = 21,
    /// Lookups in the cache.
    CacheLookups = 22,
    /// Background tasks.
    BackgroundTasks = 23,
    /// What is left of the error budgets.
    ErrorBudget = 40,
    /// How fast the error budgets are spent.
    BurnRate = 41,
    /// When the error budgets are used up.
    BudgetExhaustion = 42,
}

impl PanelId {
    /// The number in the dashboard's JSON.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }
}
