//! The identity of each metric, the same in every dialect.
//!
//! Code that counts something names a [`MetricId`] and gives the values of its [`MetricId::attributes`], in their order:
//!
//! ```text
//! let hits = metrics.counter(MetricId::CacheOperations, &["get", "hit"])?;
//! hits.increment();
//! ```
//!
//! The dialect's table ([`crate::Dialect::rows`]) says family, labels and bounds. Where it has no row for the metric the
//! handle works and is not exported, so the code need not check. To add a metric: a row here, one in
//! `dialects/native.rs`, and one in each dialect that has it.

use crate::{Attribute, Signal};

macro_rules! metric_ids {
    ($($(#[$doc:meta])* $id:ident [$($attribute:ident),*] $($signal:ident)?;)*) => {
        /// A metric, whatever a dialect calls it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetricId {
            $($(#[$doc])* $id,)*
        }

        impl MetricId {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The labels of a handle, in the order in which their values are given. Empty for a metric without labels,
            /// and for one that the HTTP layer records itself, where the dialect chooses the labels ([`MetricId::recorded_by_layer`]).
            #[must_use]
            pub const fn attributes(self) -> &'static [Attribute] {
                match self {
                    $(Self::$id => &[$(Attribute::$attribute),*],)*
                }
            }

            /// The signal that it answers, if a rule or a panel uses it.
            #[must_use]
            pub const fn signal(self) -> Option<Signal> {
                match self {
                    $(Self::$id => metric_ids!(@signal $($signal)?),)*
                }
            }
        }
    };
    (@signal) => { None };
    (@signal $signal:ident) => { Some(Signal::$signal) };
}

metric_ids! {
    // What the HTTP layer records.
    /// Requests, as they were answered.
    Requests [] Requests;
    /// Time from a request's arrival to the end of its response.
    Duration [] Duration;
    /// The same over all routes, in finer buckets.
    DurationOverall [];
    /// The longest of the last minutes.
    DurationMax [];
    /// Requests being served now.
    InFlight [] InFlight;
    /// Size of request bodies.
    RequestSize [] RequestSize;
    /// Size of response bodies.
    ResponseSize [] ResponseSize;
    /// Requests that were answered with a 4xx or 5xx.
    RequestErrors [];
    /// Requests by class of status.
    RequestsByClass [];
    /// Requests that took longer than the threshold for slow ones.
    SlowRequests [];
    /// Handlers that panicked or failed with an error of their own.
    Exceptions [];
    /// All requests of recorded routes, as one number.
    RequestsServed [];
    /// What the cap on series refused.
    SeriesRefused [];

    // What the service tells of its requests beside that.
    /// Requests per second over a sliding window.
    RequestRate [];
    /// Handlers that panicked.
    Panics [];
    /// Errors answered to clients, by what went wrong.
    ErrorsByType [ErrorType] ErrorsByType;
    /// Open client connections.
    ActiveConnections [];

    // Business.
    /// Operations on the database.
    DatabaseOperations [Operation, Table, OperationResult] DatabaseOperations;
    /// Time that operations on the database took.
    DatabaseOperationDuration [Operation, Table];
    /// Connections to the database, idle and used.
    DatabaseConnections [State];
    /// Most connections to the database that there may be.
    DatabaseConnectionsMax [];
    /// Operations on the cache.
    CacheOperations [Operation, OperationResult];
    /// Entries in the cache.
    CacheEntries [];
    /// Background tasks, by where they are in their life.
    BackgroundTasks [TaskType, TaskStatus];
    /// Time that background tasks took.
    BackgroundTaskDuration [TaskType];
    /// Background tasks that wait.
    BackgroundQueueLength [];
    /// Users that are active now.
    ActiveUsers [];
    /// Users that registered.
    UserRegistrations [];
    /// Logins and the like.
    AuthEvents [Event, OperationResult];
    /// Requests to other services.
    ExternalRequests [Service, ServiceStatus];
    /// Time that requests to other services took.
    ExternalRequestDuration [Service];
    /// Orders, by where they are in their life.
    Orders [OrderStatus];
    /// Revenue in the currency's smallest unit.
    RevenueMinorUnits [Currency];

    // The process.
    /// Processor time of the process.
    ProcessCpu [] Cpu;
    /// Resident memory of the process.
    ProcessMemory [] Memory;
    /// Virtual memory of the process.
    ProcessVirtualMemory [];
    /// When the process started.
    ProcessStartTime [] StartTime;
    /// Open file descriptors of the process.
    ProcessOpenFds [] FileDescriptors;
    /// Limit on open file descriptors.
    ProcessMaxFds [];
    /// Threads of the process.
    ProcessThreads [] Threads;
    /// What is running.
    AppInfo [Version, Commit, Compiler, DialectName];
    /// Time since the process started serving.
    AppUptime [];
    /// Processor use in percent of what the process may have; or what a client last said it is.
    AppCpuPercent [];
    /// Memory use in percent of what the process may have.
    AppMemoryPercent [];
    /// Memory use from which an alert is due.
    MemoryAlertThreshold [];
    /// Processor use from which an alert is due.
    CpuAlertThreshold [];

    // The host.
    /// Processor use of the host.
    HostCpuPercent [];
    /// Memory in use on the host.
    HostMemoryUsed [];
    /// Memory of the host.
    HostMemoryTotal [];

    // The container.
    /// Memory limit of the container.
    ContainerMemoryLimit [];
    /// Memory in use in the container.
    ContainerMemoryUsed [];
    /// Processor cores that the container may use.
    ContainerCpuLimit [];
    /// Periods of the container's processor quota.
    ContainerCpuPeriods [];
    /// Periods in which the container was throttled.
    ContainerCpuThrottledPeriods [];
    /// Time for which the container was throttled.
    ContainerCpuThrottled [];
    /// Processes of the container that were killed for want of memory.
    ContainerOomKills [];

    // The runtime.
    /// Memory that the program has from the allocator.
    AllocatorUsed [];
    /// Memory that the allocator has from the operating system.
    AllocatorHeld [];
    /// Worker threads of the asynchronous runtime.
    RuntimeWorkers [];
    /// Tasks of the asynchronous runtime that have not ended.
    RuntimeTasks [];
    /// Tasks that wait in the runtime's global queue.
    RuntimeQueueDepth [];
    /// Time for which the runtime's workers were busy.
    RuntimeBusy [];
    /// Collections of a garbage collector.
    GcCollections [];
    /// Objects that a garbage collector collected.
    GcCollected [];
    /// Objects that a garbage collector could not collect.
    GcUncollectable [];
}

impl MetricId {
    /// Whether the HTTP layer records it itself. There is no handle for it then, and the dialect chooses its labels from
    /// those of the request and the response.
    #[must_use]
    pub const fn recorded_by_layer(self) -> bool {
        (self as usize) <= (Self::SeriesRefused as usize)
    }
}
