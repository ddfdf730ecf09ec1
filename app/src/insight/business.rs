//! `GET /metrics/custom`: current values of the business metrics, also of those that the dialect does not export.

use http_instrument::HttpMetrics;
use metric_contract::MetricId;
use schemars::JsonSchema;
use serde::Serialize;

/// Current values. `null`: this process does not count it, or there is nothing yet to compute a ratio from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Custom")]
pub struct BusinessValues {
    /// Open client connections.
    active_connections: Option<f64>,
    /// Requests answered, without probes and metrics.
    total_requests: u64,
    /// Share of look-ups in the cache that found something, 0 to 1.
    cache_hit_rate: Option<f64>,
    /// Entries in the cache.
    cache_entries: Option<f64>,
    /// Users that are active.
    active_users: Option<f64>,
    /// Users that registered.
    user_registrations: Option<f64>,
    /// Operations on the store.
    database_operations: Option<f64>,
    /// Those of them that failed.
    database_errors: Option<f64>,
    /// Background tasks that wait.
    background_queue_length: Option<f64>,
    /// Background tasks by status.
    background_tasks: BackgroundTasks,
    /// Requests to other services.
    external_requests: Option<f64>,
    /// Logins and the like.
    auth_events: Option<f64>,
    /// Orders.
    orders: Option<f64>,
    /// Revenue in the currency's smallest unit.
    revenue_minor_units: Option<f64>,
}

/// Background tasks since the start, by status.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BackgroundTasks {
    queued: Option<f64>,
    started: Option<f64>,
    succeeded: Option<f64>,
    failed: Option<f64>,
    dropped: Option<f64>,
}

impl BusinessValues {
    /// The values now.
    #[must_use]
    pub fn now(http: &HttpMetrics) -> Self {
        let sum = |metric| http.sum(metric, None);
        let tasks = |status| http.sum(MetricId::BackgroundTasks, Some(status));
        let hits = http.sum(MetricId::CacheOperations, Some("hit")).unwrap_or(0.0);
        let misses = http.sum(MetricId::CacheOperations, Some("miss")).unwrap_or(0.0);
        let looked_up = hits + misses;
        Self {
            active_connections: sum(MetricId::ActiveConnections),
            total_requests: http.endpoints().iter().map(|endpoint| endpoint.requests).sum(),
            cache_hit_rate: (looked_up > 0.0).then(|| hits / looked_up),
            cache_entries: sum(MetricId::CacheEntries),
            active_users: sum(MetricId::ActiveUsers),
            user_registrations: sum(MetricId::UserRegistrations),
            database_operations: sum(MetricId::DatabaseOperations),
            database_errors: http.sum(MetricId::DatabaseOperations, Some("error")),
            background_queue_length: sum(MetricId::BackgroundQueueLength),
            background_tasks: BackgroundTasks {
                queued: tasks("queued"),
                started: tasks("started"),
                succeeded: tasks("succeeded"),
                failed: tasks("failed"),
                dropped: tasks("dropped"),
            },
            external_requests: sum(MetricId::ExternalRequests),
            auth_events: sum(MetricId::AuthEvents),
            orders: sum(MetricId::Orders),
            revenue_minor_units: sum(MetricId::RevenueMinorUnits),
        }
    }
}
