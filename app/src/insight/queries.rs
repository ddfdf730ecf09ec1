//! PromQL for each question about this service, with the metric names of the dialect in use.
//!
//! Made by the operator's own engine (`controller-rules`), so that a query here and a panel or alert there never disagree
//! on what a request or an error is. No PromQL text is put together here.

use controller_rules::{
    ApiFacts,
    promql::{Expr, PromDuration, RangeWindow, Substitution, rate},
    queries::{ApiQueries, EventLabel},
};
use metric_contract::{Conversion, Dialect, DialectRow, MetricId, MetricKind};
use schemars::JsonSchema;
use serde::Serialize;

/// A query, by what it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Query {
    /// What it answers.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// The PromQL.
    pub promql: String,
}

/// All queries that this dialect can answer, and the titles of those that it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Queries {
    /// The queries that this dialect can answer.
    pub queries: Vec<Query>,
    /// Titles of the queries for which the dialect has no metric.
    pub left_out: Vec<&'static str>,
}

/// What queries are built from.
struct QueryContext<'a> {
    dialect: &'a Dialect,
    api: ApiQueries<'a>,
    in_flight_threshold: u64,
}

/// A row of the table.
struct QueryDef {
    title: &'static str,
    unit: &'static str,
    expr: fn(&QueryContext<'_>) -> Option<Expr>,
}

/// Every query that the source systems list, and more, one row each.
const QUERIES: &[QueryDef] = &[
    QueryDef {
        title: "Request rate",
        unit: "requests per second",
        expr: |context| context.api.request_rate(&[]).ok(),
    },
    QueryDef {
        title: "Request throughput per minute",
        unit: "requests per minute",
        expr: |context| Some(context.api.request_rate(&[]).ok()?.times(60)),
    },
    QueryDef {
        title: "Requests by endpoint",
        unit: "requests per second",
        expr: |context| {
            let both = context.api.request_rate(&[EventLabel::Method, EventLabel::Route]);
            both.or_else(|_| context.api.request_rate(&[EventLabel::Route])).ok()
        },
    },
    QueryDef {
        title: "Status code distribution",
        unit: "requests per second",
        expr: |context| context.api.request_rate(&[EventLabel::Status]).ok(),
    },
    QueryDef {
        title: "Error ratio",
        unit: "ratio",
        expr: |context| {
            let all = context.api.request_rate(&[]).ok()?;
            Some(context.api.error_rate().ok()?.per(all.where_above(0)))
        },
    },
    QueryDef {
        title: "Error rate",
        unit: "requests per second",
        expr: |context| context.api.error_rate().ok(),
    },
    QueryDef {
        title: "Errors by type",
        unit: "errors per second",
        expr: |context| context.api.errors_by_type(&[EventLabel::ErrorType]).ok(),
    },
    QueryDef {
        title: "Latency P50",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(50).ok(),
    },
    QueryDef {
        title: "Latency P95",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(95).ok(),
    },
    QueryDef {
        title: "Latency P99",
        unit: "seconds",
        expr: |context| context.api.latency_quantile(99).ok(),
    },
    QueryDef {
        title: "Average latency",
        unit: "seconds",
        expr: |context| context.api.mean_latency(&[]).ok(),
    },
    QueryDef {
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
    QueryDef {
        title: "Slow request rate",
        unit: "requests per second",
        expr: |context| context.rate_of(MetricId::SlowRequests),
    },
    QueryDef {
        title: "Active requests",
        unit: "requests",
        expr: |context| context.api.in_flight().ok(),
    },
    QueryDef {
        title: "Active requests against the load threshold",
        unit: "ratio",
        expr: |context| {
            // By replica, as the alert ApiTooManyInFlight compares it.
            let by_replica = context.api.in_flight_per_replica().ok()?;
            Some(by_replica.per(context.in_flight_threshold.max(1)))
        },
    },
    QueryDef {
        title: "CPU rate",
        unit: "cores",
        expr: |context| context.rate_of(MetricId::ProcessCpu),
    },
    QueryDef {
        title: "CPU usage",
        unit: "percent",
        expr: |context| context.highest_of(MetricId::AppCpuPercent),
    },
    QueryDef {
        title: "Memory usage in MB",
        unit: "mebibytes",
        expr: |context| Some(context.sum_of(MetricId::ProcessMemory)?.per(1 << 20)),
    },
    QueryDef {
        title: "Memory usage",
        unit: "percent",
        expr: |context| context.highest_of(MetricId::AppMemoryPercent),
    },
    QueryDef {
        title: "Threads",
        unit: "threads",
        expr: |context| context.sum_of(MetricId::ProcessThreads),
    },
    QueryDef {
        title: "Open file descriptors",
        unit: "files",
        expr: |context| context.sum_of(MetricId::ProcessOpenFds),
    },
    QueryDef {
        title: "Garbage collection rate",
        unit: "collections per second",
        expr: |context| context.rate_of(MetricId::GcCollections),
    },
    QueryDef {
        title: "Active users",
        unit: "users",
        expr: |context| context.highest_of(MetricId::ActiveUsers),
    },
    QueryDef {
        title: "Database operations",
        unit: "operations per second",
        expr: |context| context.rate_of(MetricId::DatabaseOperations),
    },
    QueryDef {
        title: "Background tasks",
        unit: "steps of tasks per second",
        expr: |context| context.rate_of(MetricId::BackgroundTasks),
    },
    QueryDef {
        title: "Uptime",
        unit: "seconds",
        expr: |context| context.highest_of(MetricId::AppUptime),
    },
    QueryDef {
        title: "Targets up",
        unit: "targets",
        expr: |context| Some(context.api.targets_up()),
    },
];

impl QueryContext<'_> {
    fn sum_of(&self, metric: MetricId) -> Option<Expr> {
        let row = self.dialect.row(metric)?;
        let scope = self.api.scope();
        Some(in_unit_of_metric(
            row,
            scope.sum(scope.select(row.family.name).into(), &[]),
        ))
    }

    /// Of several replicas, the highest.
    fn highest_of(&self, metric: MetricId) -> Option<Expr> {
        let row = self.dialect.row(metric)?;
        let scope = self.api.scope();
        Some(in_unit_of_metric(
            row,
            scope.max(scope.select(row.family.name).into(), &[]),
        ))
    }

    fn rate_of(&self, metric: MetricId) -> Option<Expr> {
        let row = self.dialect.row(metric)?;
        let scope = self.api.scope();
        let rate_of = |series: &str| scope.sum(rate(scope.select(series).over(RangeWindow::RateInterval)), &[]);
        Some(match row.family.kind {
            MetricKind::Counter | MetricKind::Gauge => in_unit_of_metric(row, rate_of(row.family.name)),
            // A number of events has no unit.
            MetricKind::Histogram | MetricKind::Summary => rate_of(&row.family.count_series()),
        })
    }
}

/// The values of a family in the metric's own unit, which is the same in all dialects.
fn in_unit_of_metric(row: &DialectRow, expr: Expr) -> Expr {
    match row.conversion() {
        Conversion::Unchanged => expr,
        Conversion::Multiply(by) => expr.per(by),
        Conversion::Divide(by) => expr.times(by),
    }
}

/// The queries, over a window of so many seconds.
#[must_use]
pub fn queries(api: &ApiFacts<'_>, window_seconds: u32, in_flight_threshold: u64) -> Queries {
    let mut all = Queries {
        queries: Vec::new(),
        left_out: Vec::new(),
    };
    let Some(dialect) = api.dialect else { return all };
    let context = QueryContext {
        dialect,
        api: ApiQueries::for_panels(api),
        in_flight_threshold,
    };
    for def in QUERIES {
        match (def.expr)(&context) {
            Some(expr) => all.queries.push(Query {
                title: def.title,
                unit: def.unit,
                promql: Substitution {
                    expr: &expr,
                    window: PromDuration::from_seconds(window_seconds),
                }
                .to_string(),
            }),
            None => all.left_out.push(def.title),
        }
    }
    all
}
