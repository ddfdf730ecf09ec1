//! The identity of each metric, the same in every dialect.
//!
//! Code that counts something names a [`MetricId`] and gives the values of its [`MetricId::attributes`], in their
//! order:
//!
//! ```text
//! let hits = metrics.counter(MetricId::CacheOperations, &["get", "hit"])?;
//! hits.increment();
//! ```
//!
//! The dialect's table ([`crate::Dialect::rows`]) gives the metric its family, labels, unit and bounds. If the table has no
//! row for the metric, the handle works and its series are not exported, so the code need not check. To add a metric: a
//! row here, one in `dialects/native.rs`, and one in each dialect that has it.

use crate::{Attribute, Signal};

macro_rules! metric_ids {
    ($($(#[$doc:meta])* $id:ident [$($attribute:ident),*] $($signal:ident)?;)*) => {
        /// A metric, independent of its name in a dialect.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MetricId {
            $($(#[$doc])* $id,)*
        }

        impl MetricId {
            /// All metrics.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// Its name, as this type has it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => stringify!($id),)*
                }
            }

            /// The labels of a handle, in the order in which their values are given. Empty for a metric without labels,
            /// and for one that the HTTP layer records itself, where the dialect chooses the labels
            /// ([`MetricId::recorded_by_layer`]).
            #[must_use]
            pub const fn attributes(self) -> &'static [Attribute] {
                match self {
                    $(Self::$id => &[$(Attribute::$attribute),*],)*
                }
            }

            /// The signal that the metric provides, if a rule or a panel uses it.
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
    /// Answered requests.
    Requests [] Requests;
    /// Answered requests of all routes, by status.
    RequestsOverall [];
    /// Time from a request's arrival to the end of its response.
    Duration [] Duration;
    /// The duration of requests over all routes; where the library does so, in finer buckets.
    DurationOverall [];
    /// The longest duration of a request in the last one to two minutes.
    DurationMax [];
    /// Requests being served now.
    InFlight [] InFlight;
    /// Requests of all routes that are being served now.
    InFlightOverall [];
    /// Size of request bodies.
    RequestSize [] RequestSize;
    /// Size of response bodies.
    ResponseSize [] ResponseSize;
    /// Requests that were answered with a 4xx or 5xx.
    RequestErrors [];
    /// Requests by class of status.
    RequestsByClass [];
    /// Requests that took longer than the threshold for slow ones.
    SlowRequests [] SlowRequests;
    /// Requests of all routes that took longer than the threshold for slow ones.
    SlowRequestsOverall [];
    /// Handlers that panicked or failed with an error of their own.
    Exceptions [] Exceptions;
    /// Handlers of all routes that panicked or failed with an error of their own.
    ExceptionsOverall [];
    /// All requests of recorded routes, as one number.
    RequestsServed [];
    /// Requests and handles for which the cap on series left no room.
    SeriesRefused [];

    // What the service itself exports about its requests.
    /// Requests per second over a sliding window.
    RequestRate [];
    /// Handlers that panicked.
    Panics [];
    /// Errors answered to clients, by type.
    ErrorsByType [ErrorType] ErrorsByType;
    /// Open client connections.
    ActiveConnections [] Connections;

    // Business.
    /// Operations on the database.
    DatabaseOperations [Operation, Table, OperationResult] DatabaseOperations;
    /// Time that operations on the database took.
    DatabaseOperationDuration [Operation, Table];
    /// Connections to the database, idle and used.
    DatabaseConnections [State];
    /// The limit on connections to the database.
    DatabaseConnectionsMax [];
    /// Operations on the cache.
    CacheOperations [Operation, OperationResult] CacheOperations;
    /// Entries in the cache.
    CacheEntries [];
    /// Background tasks, by status.
    BackgroundTasks [TaskType, TaskStatus] BackgroundTasks;
    /// Time that background tasks took.
    BackgroundTaskDuration [TaskType];
    /// Background tasks that wait.
    BackgroundQueueLength [];
    /// Users that are active now.
    ActiveUsers [];
    /// Users that registered.
    UserRegistrations [];
    /// Logins and other events of authentication.
    AuthEvents [Event, OperationResult];
    /// Requests to other services.
    ExternalRequests [Service, ServiceStatus];
    /// Time that requests to other services took.
    ExternalRequestDuration [Service];
    /// Orders, by status.
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
    ProcessMaxFds [] FileDescriptorLimit;
    /// Threads of the process.
    ProcessThreads [] Threads;
    /// The version, commit and compiler of the running program, with the value 1.
    AppInfo [Version, Commit, Compiler, DialectName];
    /// Time since the process started serving.
    AppUptime [];
    /// Processor use in percent of the process's limit, or the value that a client set last.
    AppCpuPercent [];
    /// Processor cores that the process may use.
    AvailableCores [];
    /// Memory use in percent of the process's limit.
    AppMemoryPercent [];
    /// The memory use above which there is an alert.
    MemoryAlertThreshold [];
    /// The processor use above which there is an alert.
    CpuAlertThreshold [];

    // The host.
    /// Processor use of the host.
    HostCpuPercent [];
    /// Tasks of the host that run or wait for a processor, on average over one minute.
    HostLoadAverage [];
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
    ContainerCpuThrottledPeriods [] CpuThrottling;
    /// Time for which the container was throttled.
    ContainerCpuThrottled [];
    /// Processes of the container that the kernel killed because memory ran out.
    ContainerOomKills [];

    // The runtime.
    /// Memory that the program has allocated.
    AllocatorUsed [];
    /// Memory that the allocator holds from the operating system.
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
    /// The same metric counted over all routes, if there is one: a dialect that exports it has a number of series for it
    /// that does not grow with the routes.
    #[must_use]
    pub const fn overall(self) -> Option<Self> {
        match self {
            Self::Requests => Some(Self::RequestsOverall),
            Self::Duration => Some(Self::DurationOverall),
            Self::InFlight => Some(Self::InFlightOverall),
            Self::SlowRequests => Some(Self::SlowRequestsOverall),
            Self::Exceptions => Some(Self::ExceptionsOverall),
            _ => None,
        }
    }

    /// Whether the HTTP layer records the metric itself. Then there is no handle for it, and the dialect chooses its
    /// labels from the attributes of request and response.
    #[must_use]
    pub const fn recorded_by_layer(self) -> bool {
        (self as usize) <= (Self::SeriesRefused as usize)
    }
}
