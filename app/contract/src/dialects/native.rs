//! `native`: the reference API's own names. Metrics that source system S4 has are named as there, but for the route's
//! label: it is `route`, because `endpoint` would collide with a label that a ServiceMonitor adds.
//!
//! Other dialects use rows of this table for metrics that they name in the same way.

use crate::{
    Dialect, DialectRow, ErrorNames, Form, Mark, MetricId, Prefix, Signature, StatusStyle, Unit, dialect_row::rows,
};

/// Upper bounds of the duration histogram, seconds. Changing one breaks latency objectives that name it.
pub const DURATION_BUCKETS_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the body size histograms, bytes.
pub const SIZE_BUCKETS_BYTES: &[f64] = &[100.0, 1_000.0, 10_000.0, 100_000.0, 1_000_000.0];
/// The route label's value for a request that matched no route.
pub const UNMATCHED_ROUTE: &str = "unmatched";

// What the HTTP layer records.
rows! {
    HTTP_REQUESTS: Requests "http_requests_total" Counter Count {"method": Method, "route": Route, "status": Status}
        "HTTP requests answered, by method, route template and status.";
    HTTP_REQUEST_DURATION: Duration "http_request_duration_seconds" Histogram Seconds {"method": Method, "route": Route}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response.";
    HTTP_REQUESTS_IN_PROGRESS: InFlight "http_requests_in_progress" Gauge Count {"method": Method, "route": Route}
        "HTTP requests being served now.";
    HTTP_REQUEST_SIZE: RequestSize "http_request_size_bytes" Histogram Bytes {"method": Method, "route": Route}
        [SIZE_BUCKETS_BYTES] "Size of HTTP request bodies.";
    HTTP_RESPONSE_SIZE: ResponseSize "http_response_size_bytes" Histogram Bytes {"method": Method, "route": Route}
        [SIZE_BUCKETS_BYTES] "Size of HTTP response bodies.";
    HTTP_REQUESTS_BY_STATUS: RequestsByClass "http_requests_by_status_total" Counter Count
        {"status_class": StatusClass, "method": Method}
        "HTTP requests answered, by class of status and method.";
    HTTP_SLOW_REQUESTS: SlowRequests "http_slow_requests_total" Counter Count {"method": Method, "route": Route}
        "HTTP requests that took longer than the threshold for slow ones.";
    HTTP_EXCEPTIONS: Exceptions "http_exceptions_total" Counter Count {"exception_type": Exception, "route": Route}
        "Request handlers that panicked or failed with an error of their own, by what it was.";
    HTTP_SERIES_REFUSED: SeriesRefused "http_series_refused_total" Counter Count {}
        "Requests recorded under the unmatched route because the cap on series was reached.";
}

// The same over all routes, from newer builds: where every target exports them, rules read these, so that what they cost
// does not grow with the routes. A page of the dialect may lack them.
rows! {
    HTTP_REQUESTS_OVERALL: RequestsOverall "http_requests_overall_total" Counter Count {"status": Status}
        "HTTP requests answered, of all routes, by status.";
    HTTP_REQUEST_DURATION_OVERALL: DurationOverall "http_request_duration_overall_seconds" Histogram Seconds {}
        [DURATION_BUCKETS_SECONDS] "Time from the arrival of a request to the end of its response, of all routes.";
    HTTP_REQUESTS_IN_PROGRESS_OVERALL: InFlightOverall "http_requests_in_progress_overall" Gauge Count {}
        "HTTP requests being served now, of all routes.";
    HTTP_SLOW_REQUESTS_OVERALL: SlowRequestsOverall "http_slow_requests_overall_total" Counter Count {}
        "HTTP requests that took longer than the threshold for slow ones, of all routes.";
    HTTP_EXCEPTIONS_OVERALL: ExceptionsOverall "http_exceptions_overall_total" Counter Count {"exception_type": Exception}
        "Request handlers that panicked or failed with an error of their own, of all routes, by what it was.";
}

// What the service itself exports about its requests.
rows! {
    HTTP_REQUEST_RATE: RequestRate "http_request_rate_per_second" Gauge Count {}
        "HTTP requests answered per second over the last minute.";
    HTTP_PANICS: Panics "http_panics_total" Counter Count {}
        "Request handlers that panicked; each was answered with 500.";
    API_ERRORS: ErrorsByType "api_errors_total" Counter Count {"error_type": ErrorType}
        "Errors answered to clients, by type.";
    APP_REQUESTS: RequestsServed "app_requests_total" Counter Count {}
        "HTTP requests answered, of all routes but probes, metrics and documents.";
    ACTIVE_CONNECTIONS: ActiveConnections "active_connections" Gauge Count {}
        "Open client connections.";
}

// Business.
rows! {
    DATABASE_OPERATIONS: DatabaseOperations "database_operations_total" Counter Count
        {"operation": Operation, "table": Table, "status": OperationResult}
        "Operations on the store, by operation, table and outcome.";
    DATABASE_OPERATION_DURATION: DatabaseOperationDuration "database_operation_duration_seconds" Histogram Seconds
        {"operation": Operation, "table": Table} [DURATION_BUCKETS_SECONDS]
        "Time taken by operations on the store.";
    DATABASE_CONNECTIONS: DatabaseConnections "database_connections" Gauge Count {"state": State}
        "Connections to the store, idle and used.";
    DATABASE_CONNECTIONS_MAX: DatabaseConnectionsMax "database_connections_max" Gauge Count {}
        "Most connections to the store that there may be.";
    CACHE_OPERATIONS: CacheOperations "cache_operations_total" Counter Count {"operation": Operation, "result": OperationResult}
        "Operations on the cache, by operation and result.";
    CACHE_ENTRIES: CacheEntries "cache_entries" Gauge Count {}
        "Entries in the cache.";
    BACKGROUND_TASKS: BackgroundTasks "background_tasks_total" Counter Count {"task_type": TaskType, "status": TaskStatus}
        "Background tasks that were queued, started, succeeded, failed or dropped.";
    BACKGROUND_TASK_DURATION: BackgroundTaskDuration "background_task_duration_seconds" Histogram Seconds
        {"task_type": TaskType} [DURATION_BUCKETS_SECONDS]
        "Time taken by background tasks.";
    BACKGROUND_QUEUE_LENGTH: BackgroundQueueLength "background_queue_length" Gauge Count {}
        "Background tasks that wait.";
    APP_ACTIVE_USERS: ActiveUsers "app_active_users" Gauge Count {}
        "Users that are active now.";
    USER_REGISTRATIONS: UserRegistrations "user_registrations_total" Counter Count {}
        "Users that registered.";
    AUTH_EVENTS: AuthEvents "auth_events_total" Counter Count {"event": Event, "result": OperationResult}
        "Logins and the like, by event and result.";
    EXTERNAL_REQUESTS: ExternalRequests "external_requests_total" Counter Count
        {"service": Service, "status": ServiceStatus}
        "Requests to other services, by service and status.";
    EXTERNAL_REQUEST_DURATION: ExternalRequestDuration "external_request_duration_seconds" Histogram Seconds
        {"service": Service} [DURATION_BUCKETS_SECONDS]
        "Time taken by requests to other services.";
    ORDERS: Orders "orders_total" Counter Count {"status": OrderStatus}
        "Orders, by where they are in their life.";
    REVENUE: RevenueMinorUnits "revenue_minor_units_total" Counter Count {"currency": Currency}
        "Revenue, in the smallest unit of the currency.";
}

// The process.
rows! {
    PROCESS_CPU: ProcessCpu "process_cpu_seconds_total" Counter Seconds {}
        "User and system CPU time spent by the process.";
    PROCESS_MEMORY: ProcessMemory "process_resident_memory_bytes" Gauge Bytes {}
        "Resident memory of the process.";
    PROCESS_VIRTUAL_MEMORY: ProcessVirtualMemory "process_virtual_memory_bytes" Gauge Bytes {}
        "Virtual memory of the process.";
    PROCESS_START_TIME: ProcessStartTime "process_start_time_seconds" Gauge Seconds {}
        "When the process started, in seconds since the epoch.";
    PROCESS_OPEN_FDS: ProcessOpenFds "process_open_fds" Gauge Count {}
        "Open file descriptors of the process.";
    PROCESS_MAX_FDS: ProcessMaxFds "process_max_fds" Gauge Count {}
        "Limit on open file descriptors of the process.";
    PROCESS_THREADS: ProcessThreads "process_threads" Gauge Count {}
        "Threads of the process.";
    APP_INFO: AppInfo "app_info" Gauge Count
        {"version": Version, "commit": Commit, "rustc": Compiler, "dialect": DialectName}
        "Always 1; the labels tell what is running.";
    APP_UPTIME: AppUptime "app_uptime_seconds" Gauge Seconds {}
        "Time since the process started serving.";
    APP_CPU: AppCpuPercent "app_cpu_usage_percent" Gauge Percent {}
        "Processor use in percent of what the process may have; once /cpu was called, what it was told.";
    APP_CORES: AvailableCores "app_cpu_cores" Gauge Count {}
        "Processor cores that the process may use: the container's quota, or those of the machine.";
    APP_MEMORY: AppMemoryPercent "app_memory_usage_percent" Gauge Percent {}
        "Memory use in percent of the container's limit, or of the host where there is none.";
    MEMORY_ALERT_THRESHOLD: MemoryAlertThreshold "memory_alert_threshold_bytes" Gauge Bytes {}
        "Memory use of the process from which an alert is due.";
    CPU_ALERT_THRESHOLD: CpuAlertThreshold "cpu_alert_threshold_percent" Gauge Percent {}
        "Processor use from which an alert is due.";
}

// The host, the container, the runtime.
rows! {
    HOST_CPU: HostCpuPercent "host_cpu_usage_percent" Gauge Percent {}
        "Processor use of the host.";
    HOST_LOAD: HostLoadAverage "host_load_average_1m" Gauge Count {}
        "Tasks of the host that run or wait for a processor, on average over one minute.";
    HOST_MEMORY_USED: HostMemoryUsed "host_memory_used_bytes" Gauge Bytes {}
        "Memory in use on the host.";
    HOST_MEMORY_TOTAL: HostMemoryTotal "host_memory_size_bytes" Gauge Bytes {}
        "Memory of the host.";
    CONTAINER_MEMORY_LIMIT: ContainerMemoryLimit "cgroup_memory_limit_bytes" Gauge Bytes {}
        "Memory limit of the container; no series where it has none.";
    CONTAINER_MEMORY_USED: ContainerMemoryUsed "cgroup_memory_usage_bytes" Gauge Bytes {}
        "Memory in use in the container.";
    CONTAINER_CPU_LIMIT: ContainerCpuLimit "cgroup_cpu_limit_cores" Gauge Count {}
        "Processor cores that the container may use; no series where it has no quota.";
    CONTAINER_CPU_PERIODS: ContainerCpuPeriods "cgroup_cpu_periods_total" Counter Count {}
        "Periods of the container's processor quota.";
    CONTAINER_CPU_THROTTLED_PERIODS: ContainerCpuThrottledPeriods "cgroup_cpu_throttled_periods_total" Counter Count {}
        "Periods in which the container was throttled.";
    CONTAINER_CPU_THROTTLED: ContainerCpuThrottled "cgroup_cpu_throttled_seconds_total" Counter Seconds {}
        "Time for which the container was throttled.";
    CONTAINER_OOM_KILLS: ContainerOomKills "cgroup_oom_kills_total" Counter Count {}
        "Processes of the container that were killed for want of memory.";
    ALLOCATOR_USED: AllocatorUsed "allocator_used_bytes" Gauge Bytes {}
        "Memory that the program has from the allocator.";
    ALLOCATOR_HELD: AllocatorHeld "allocator_held_bytes" Gauge Bytes {}
        "Memory that the allocator has from the operating system; what is not used it keeps for later.";
    RUNTIME_WORKERS: RuntimeWorkers "tokio_workers" Gauge Count {}
        "Worker threads of the asynchronous runtime.";
    RUNTIME_TASKS: RuntimeTasks "tokio_alive_tasks" Gauge Count {}
        "Tasks of the asynchronous runtime that have not ended.";
    RUNTIME_QUEUE_DEPTH: RuntimeQueueDepth "tokio_global_queue_depth" Gauge Count {}
        "Tasks that wait in the runtime's global queue.";
    RUNTIME_BUSY: RuntimeBusy "tokio_busy_seconds_total" Counter Seconds {}
        "Time for which the runtime's workers were busy.";
}

/// Every row, in the order of the page.
pub const ROWS: &[DialectRow] = &[
    HTTP_REQUESTS_OVERALL,
    HTTP_REQUEST_DURATION_OVERALL,
    HTTP_REQUESTS_IN_PROGRESS_OVERALL,
    HTTP_SLOW_REQUESTS_OVERALL,
    HTTP_EXCEPTIONS_OVERALL,
    HTTP_REQUESTS,
    HTTP_REQUEST_DURATION,
    HTTP_REQUESTS_IN_PROGRESS,
    HTTP_REQUEST_SIZE,
    HTTP_RESPONSE_SIZE,
    HTTP_REQUESTS_BY_STATUS,
    HTTP_SLOW_REQUESTS,
    HTTP_EXCEPTIONS,
    HTTP_SERIES_REFUSED,
    HTTP_REQUEST_RATE,
    HTTP_PANICS,
    API_ERRORS,
    APP_REQUESTS,
    ACTIVE_CONNECTIONS,
    DATABASE_OPERATIONS,
    DATABASE_OPERATION_DURATION,
    DATABASE_CONNECTIONS,
    DATABASE_CONNECTIONS_MAX,
    CACHE_OPERATIONS,
    CACHE_ENTRIES,
    BACKGROUND_TASKS,
    BACKGROUND_TASK_DURATION,
    BACKGROUND_QUEUE_LENGTH,
    APP_ACTIVE_USERS,
    USER_REGISTRATIONS,
    AUTH_EVENTS,
    EXTERNAL_REQUESTS,
    EXTERNAL_REQUEST_DURATION,
    ORDERS,
    REVENUE,
    PROCESS_CPU,
    PROCESS_MEMORY,
    PROCESS_VIRTUAL_MEMORY,
    PROCESS_START_TIME,
    PROCESS_OPEN_FDS,
    PROCESS_MAX_FDS,
    PROCESS_THREADS,
    APP_INFO,
    APP_UPTIME,
    APP_CPU,
    APP_CORES,
    APP_MEMORY,
    MEMORY_ALERT_THRESHOLD,
    CPU_ALERT_THRESHOLD,
    HOST_CPU,
    HOST_LOAD,
    HOST_MEMORY_USED,
    HOST_MEMORY_TOTAL,
    CONTAINER_MEMORY_LIMIT,
    CONTAINER_MEMORY_USED,
    CONTAINER_CPU_LIMIT,
    CONTAINER_CPU_PERIODS,
    CONTAINER_CPU_THROTTLED_PERIODS,
    CONTAINER_CPU_THROTTLED,
    CONTAINER_OOM_KILLS,
    ALLOCATOR_USED,
    ALLOCATOR_HELD,
    RUNTIME_WORKERS,
    RUNTIME_TASKS,
    RUNTIME_QUEUE_DEPTH,
    RUNTIME_BUSY,
];

/// The rows but those over all routes, which stand first in [`ROWS`].
pub const ROWS_WITHOUT_OVERALL: &[DialectRow] = ROWS.split_at(5).1;

/// How its pages are recognised.
const SIGNATURE: Signature = Signature::of(
    Prefix::Fixed,
    &[
        Form::of(HTTP_REQUESTS),
        Form::of(HTTP_REQUEST_DURATION),
        Form::of(HTTP_REQUESTS_IN_PROGRESS),
        Form::of(HTTP_REQUESTS_OVERALL).known_by(&[Mark::Name]),
        Form::of(HTTP_REQUEST_DURATION_OVERALL).known_by(&[Mark::Name]),
    ],
)
.together(&[MetricId::Requests, MetricId::Duration, MetricId::InFlight]);

/// The dialect's table.
pub const NATIVE: Dialect = Dialect {
    name: "native",
    title: "the reference API",
    rows: ROWS,
    lacks: &[],
    status_style: StatusStyle::Exact,
    abandoned_status: Some("499"),
    error_names: ErrorNames::Slugs,
    unmatched_route: UNMATCHED_ROUTE,
    signature: Some(&SIGNATURE),
    proxy: None,
};

impl MetricId {
    /// The unit in which code gives the metric's values, whatever the dialect: that of its family in the dialect `native`.
    /// `None` for a metric that `native` does not export.
    #[must_use]
    pub fn unit(self) -> Option<Unit> {
        Some(NATIVE.row(self)?.family.unit)
    }
}
