//! PromQL for each thing that one wants to know of this service, in the words of the dialect in use.
//!
//! Made by the operator's own engine (`controller-rules`), so that a query here and a panel or alert there never disagree
//! on what a request or an error is. No PromQL text is put together here.

use controller_rules::{
    ApiFacts,
    promql::{Expr, PromDuration, RangeWindow, Substitution, rate},
    queries::{ApiQueries, EventLabel},
};
use metric_contract::{Dialect, MetricId, MetricKind};
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
    /// What can be asked.
    pub queries: Vec<Query>,
    /// What cannot: the dialect has no metric for it.
    pub left_out: Vec<&'static str>,
}

/// What a query is made of.
struct Words<'a> {
    dialect: &'a Dialect,
    api: ApiQueries<'a>,
    in_flight_threshold: u64,
}

/// A row of the table.
struct Def {
    title: &'static str,
    unit: &'static str,
    expr: fn(&Words<'_>) -> Option<Expr>,
}

/// Every query that the source systems list, and more, one row each.
const QUERIES: &[Def] = &[
    Def {
        title: "Request rate",
        unit: "requests per second",
        expr: |words| words.api.request_rate(&[]).ok(),
    },
    Def {
        title: "Request throughput per minute",
        unit: "requests per minute",
        expr: |words| Some(words.api.request_rate(&[]).ok()?.times(60)),
    },
    Def {
        title: "Requests by endpoint",
        unit: "requests per second",
        expr: |words| {
            let both = words.api.request_rate(&[EventLabel::Method, EventLabel::Route]);
            both.or_else(|_| words.api.request_rate(&[EventLabel::Route])).ok()
        },
    },
    Def {
        title: "Status code distribution",
        unit: "requests per second",
        expr: |words| words.api.request_rate(&[EventLabel::Status]).ok(),
    },
    Def {
        title: "Error ratio",
        unit: "ratio",
        expr: |words| {
            let all = words.api.request_rate(&[]).ok()?;
            Some(words.api.error_rate().ok()?.per(all.above(0)))
        },
    },
    Def {
        title: "Error rate",
        unit: "requests per second",
        expr: |words| words.api.error_rate().ok(),
    },
    Def {
        title: "Errors by type",
        unit: "errors per second",
        expr: |words| words.api.errors_by_type(&[EventLabel::ErrorType]).ok(),
    },
    Def {
        title: "Latency P50",
        unit: "seconds",
        expr: |words| words.api.latency_quantile(50).ok(),
    },
    Def {
        title: "Latency P95",
        unit: "seconds",
        expr: |words| words.api.latency_quantile(95).ok(),
    },
    Def {
        title: "Latency P99",
        unit: "seconds",
        expr: |words| words.api.latency_quantile(99).ok(),
    },
    Def {
        title: "Average latency",
        unit: "seconds",
        expr: |words| words.api.mean_latency(&[]).ok(),
    },
    Def {
        title: "Average latency by endpoint",
        unit: "seconds",
        expr: |words| {
            let both = words
                .api
                .mean_latency(&[EventLabel::TimedMethod, EventLabel::TimedRoute]);
            both.or_else(|_| words.api.mean_latency(&[EventLabel::TimedRoute])).ok()
        },
    },
    Def {
        title: "Slow request rate",
        unit: "requests per second",
        expr: |words| words.rate_of(MetricId::SlowRequests),
    },
    Def {
        title: "Active requests",
        unit: "requests",
        expr: |words| words.api.in_flight().ok(),
    },
    Def {
        title: "Active requests against the load threshold",
        unit: "ratio",
        expr: |words| Some(words.api.in_flight().ok()?.per(words.in_flight_threshold.max(1))),
    },
    Def {
        title: "CPU rate",
        unit: "cores",
        expr: |words| words.rate_of(MetricId::ProcessCpu),
    },
    Def {
        title: "CPU usage",
        unit: "percent",
        expr: |words| words.highest_of(MetricId::AppCpuPercent),
    },
    Def {
        title: "Memory usage in MB",
        unit: "mebibytes",
        expr: |words| Some(words.sum_of(MetricId::ProcessMemory)?.per(1 << 20)),
    },
    Def {
        title: "Memory usage",
        unit: "percent",
        expr: |words| words.highest_of(MetricId::AppMemoryPercent),
    },
    Def {
        title: "Threads",
        unit: "threads",
        expr: |words| words.sum_of(MetricId::ProcessThreads),
    },
    Def {
        title: "Open file descriptors",
        unit: "files",
        expr: |words| words.sum_of(MetricId::ProcessOpenFds),
    },
    Def {
        title: "Garbage collection rate",
        unit: "collections per second",
        expr: |words| words.rate_of(MetricId::GcCollections),
    },
    Def {
        title: "Active users",
        unit: "users",
        expr: |words| words.highest_of(MetricId::ActiveUsers),
    },
    Def {
        title: "Database operations",
        unit: "operations per second",
        expr: |words| words.rate_of(MetricId::DatabaseOperations),
    },
    Def {
        title: "Background tasks",
        unit: "steps of tasks per second",
        expr: |words| words.rate_of(MetricId::BackgroundTasks),
    },
    Def {
        title: "Uptime",
        unit: "seconds",
        expr: |words| words.highest_of(MetricId::AppUptime),
    },
    Def {
        title: "Targets up",
        unit: "targets",
        expr: |words| Some(words.api.targets_up()),
    },
];

impl Words<'_> {
    fn sum_of(&self, metric: MetricId) -> Option<Expr> {
        let family = self.dialect.row(metric)?.family;
        let scope = self.api.scope();
        Some(scope.sum(scope.select(family.name).into(), &[]))
    }

    /// Of several replicas, the highest.
    fn highest_of(&self, metric: MetricId) -> Option<Expr> {
        let family = self.dialect.row(metric)?.family;
        let scope = self.api.scope();
        Some(scope.max(scope.select(family.name).into(), &[]))
    }

    fn rate_of(&self, metric: MetricId) -> Option<Expr> {
        let family = self.dialect.row(metric)?.family;
        let series = match family.kind {
            MetricKind::Counter | MetricKind::Gauge => family.name.to_owned(),
            MetricKind::Histogram | MetricKind::Summary => family.count_series(),
        };
        let scope = self.api.scope();
        Some(scope.sum(rate(scope.select(&series).over(RangeWindow::RateInterval)), &[]))
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
    let words = Words {
        dialect,
        api: ApiQueries::for_panels(api),
        in_flight_threshold,
    };
    for def in QUERIES {
        match (def.expr)(&words) {
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
