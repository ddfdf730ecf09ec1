//! Questions that people ask about an API, each with a title, and the PromQL that answers it.
//!
//! Made from the same functions as rules and panels, so that a query here and a panel or alert there never disagree on what a
//! request or an error is.

use metric_contract::{MetricId, MetricKind, Spelling};

use crate::{
    ApiFacts,
    promql::{Decimal, Expr, PromDuration, RangeWindow, Substitution, Windows, rate},
    queries::{ApiQueries, EventLabel, in_own_unit},
};

/// A query, by what it answers.
#[derive(Debug)]
pub struct NamedQuery {
    /// What it answers.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    expr: fn(&QueryContext<'_>) -> Option<Expr>,
}

/// What queries are built from.
struct QueryContext<'a> {
    spelling: &'a Spelling,
    api: ApiQueries<'a>,
    in_flight_threshold: Decimal,
}

impl NamedQuery {
    /// The PromQL for one API, with rates over `window`. `None`: the API has no metric for it, or its spelling is not known.
    /// `in_flight_threshold`: requests in flight, for each replica, that are too many; of 0 there is no share.
    #[must_use]
    pub fn promql(&self, api: &ApiFacts<'_>, window: PromDuration, in_flight_threshold: Decimal) -> Option<String> {
        let context = QueryContext {
            spelling: api.spelling?,
            api: ApiQueries::for_panels(api),
            in_flight_threshold,
        };
        let expr = (self.expr)(&context)?;
        Some(
            Substitution {
                expr: &expr,
                windows: Windows::both(window),
            }
            .to_string(),
        )
    }
}

/// Every query that the source systems list, and more, one row each.
pub const NAMED_QUERIES: &[NamedQuery] = &[
    NamedQuery {
        title: "Request rate",
        unit: "requests per second",
        expr: |context| context.api.request_rate(&[]).ok(),
    },
    NamedQuery {
        title: "Request throughput per minute",
        unit: "requests per minute",
        expr: |context| Some(context.api.request_rate(&[]).ok()?.times(60)),
    },
    NamedQuery {
        title: "Requests by endpoint",
        unit: "requests per second",
        expr: |context| {
            let both = context.api.request_rate(&[EventLabel::Method, EventLabel::Route]);
            both.or_else(|_| context.api.request_rate(&[EventLabel::Route])).ok()
        },
    },
    NamedQuery {
        title: "Status code distribution",
        unit: "requests per second",
        expr: |context| context.api.request_rate(&[EventLabel::Status]).ok(),
    },
    NamedQuery {
        title: "Error ratio",
        unit: "ratio",
        expr: |context| {
            let all = context.api.request_rate(&[]).ok()?;
            Some(context.api.error_rate().ok()?.per(all.where_above(0)))
        },
    },
    NamedQuery {
        title: "Error rate",
        unit: "requests per second",
        expr: |context| context.api.error_rate().ok(),
    },
    NamedQuery {
        title: "Errors by type",
        unit: "errors per second",
        expr: |context| context.api.errors_by_type(&[EventLabel::ErrorType]).ok(),
    },
    NamedQuery {
        title: "Latency P50",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(50).ok(),
    },
    NamedQuery {
        title: "Latency P95",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(95).ok(),
    },
    NamedQuery {
        title: "Latency P99",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(99).ok(),
    },
    NamedQuery {
        title: "Average latency",
        unit: "seconds",
        expr: |context| context.api.mean_latency(&[]).ok(),
    },
    NamedQuery {
        title: "Average latency by endpoint",
        unit: "seconds",
        expr: |context| {
            let both = context
                .api
                .mean_latency(&[EventLabel::TimedMethod, EventLabel::TimedRoute]);
            both.or_else(|_| context.api.mean_latency(&[EventLabel::TimedRoute]))
                .ok()
        },
    },
    NamedQuery {
        title: "Slow request rate",
        unit: "requests per second",
        expr: |context| context.rate_of(MetricId::SlowRequests),
    },
    NamedQuery {
        title: "Active requests",
        unit: "requests",
        expr: |context| context.api.in_flight().ok(),
    },
    NamedQuery {
        title: "Active requests against the load threshold",
        unit: "ratio",
        expr: |context| {
            // By replica, as the alert ApiTooManyInFlight compares it.
            let by_replica = context.api.in_flight_per_replica().ok()?;
            // Nothing is a share of 0.
            (context.in_flight_threshold != Decimal::whole(0)).then(|| by_replica.per(context.in_flight_threshold))
        },
    },
    NamedQuery {
        title: "CPU rate",
        unit: "cores",
        expr: |context| context.rate_of(MetricId::ProcessCpu),
    },
    NamedQuery {
        title: "CPU usage",
        unit: "percent",
        expr: |context| context.highest_of(MetricId::AppCpuPercent),
    },
    NamedQuery {
        title: "Memory usage in MB",
        unit: "mebibytes",
        expr: |context| Some(context.sum_of(MetricId::ProcessMemory)?.per(1 << 20)),
    },
    NamedQuery {
        title: "Memory usage",
        unit: "percent",
        expr: |context| context.highest_of(MetricId::AppMemoryPercent),
    },
    NamedQuery {
        title: "Threads",
        unit: "threads",
        expr: |context| context.sum_of(MetricId::ProcessThreads),
    },
    NamedQuery {
        title: "Open file descriptors",
        unit: "files",
        expr: |context| context.sum_of(MetricId::ProcessOpenFds),
    },
    NamedQuery {
        title: "Garbage collection rate",
        unit: "collections per second",
        expr: |context| context.rate_of(MetricId::GcCollections),
    },
    NamedQuery {
        title: "Active users",
        unit: "users",
        expr: |context| context.highest_of(MetricId::ActiveUsers),
    },
    NamedQuery {
        title: "Database operations",
        unit: "operations per second",
        expr: |context| context.rate_of(MetricId::DatabaseOperations),
    },
    NamedQuery {
        title: "Background tasks",
        unit: "steps of tasks per second",
        expr: |context| context.rate_of(MetricId::BackgroundTasks),
    },
    NamedQuery {
        title: "Uptime",
        unit: "seconds",
        expr: |context| context.highest_of(MetricId::AppUptime),
    },
    NamedQuery {
        title: "Targets up",
        unit: "targets",
        expr: |context| context.api.targets_up().ok(),
    },
];

impl QueryContext<'_> {
    fn sum_of(&self, metric: MetricId) -> Option<Expr> {
        let spelling = self.spelling.metric(metric)?;
        let scope = self.api.scope();
        Some(in_own_unit(
            spelling,
            scope.sum(scope.select(&*spelling.name).into(), &[]),
        ))
    }

    /// Of several replicas, the highest.
    fn highest_of(&self, metric: MetricId) -> Option<Expr> {
        let spelling = self.spelling.metric(metric)?;
        let scope = self.api.scope();
        Some(in_own_unit(
            spelling,
            scope.max(scope.select(&*spelling.name).into(), &[]),
        ))
    }

    fn rate_of(&self, metric: MetricId) -> Option<Expr> {
        let spelling = self.spelling.metric(metric)?;
        let scope = self.api.scope();
        let rate_of = |series: &str| scope.sum(rate(scope.select(series).over(RangeWindow::RateInterval)), &[]);
        Some(match spelling.kind {
            MetricKind::Counter | MetricKind::Gauge => in_own_unit(spelling, rate_of(&spelling.name)),
            // A number of events has no unit.
            MetricKind::Histogram | MetricKind::Summary => rate_of(&spelling.count_series()),
        })
    }
}
