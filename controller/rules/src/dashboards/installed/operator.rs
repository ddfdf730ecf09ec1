//! The operator's own dashboard.

use metric_contract::{
    labels::{ALERT_FAMILY, ALERT_STATE, LE, SEVERITY},
    platform,
};

use super::{InstalledPanel, InstalledRow, query};
use crate::{
    dashboards::{Colour, ColourStep, GrafanaUnit, Visualization},
    operator::{ERROR_WINDOW, FAMILY, HARMLESS_ERRORS, STALE_SECONDS},
    promql::{
        AggregateOp, ChosenScope, Decimal, Expr, Matcher, RangeSelector, RangeWindow, histogram_quantile, increase,
        rate,
    },
};

/// The chosen operator.
const OPERATOR: ChosenScope = ChosenScope::Operator;
/// The label of one replica.
const POD: &str = "pod";

const fn step(colour: Colour, from: u64) -> ColourStep {
    ColourStep {
        colour,
        from: Some(Decimal::whole(from)),
        alert: None,
    }
}

const ANY_IS_GOOD: &[ColourStep] = &[step(Colour::Red, 0), step(Colour::Green, 1)];
const ANY_IS_BAD: &[ColourStep] = &[step(Colour::Red, 1)];
/// The thresholds of the operator's alerts.
const ERROR_STEPS: &[ColourStep] = &[step(Colour::Yellow, HARMLESS_ERRORS)];
const STALE_STEPS: &[ColourStep] = &[step(Colour::Yellow, STALE_SECONDS)];

/// A panel with lines and without colours and runbooks.
const PANEL: InstalledPanel = InstalledPanel {
    id: 0,
    title: "",
    description: "",
    unit: GrafanaUnit::Short,
    visualization: Visualization::Lines,
    steps: &[],
    width: 6,
    no_value: "no data",
    labels: &[],
    queries: Vec::new(),
    alerts: &[],
};
/// The same with one large value.
const STAT: InstalledPanel = InstalledPanel {
    id: 0,
    title: "",
    description: "",
    unit: GrafanaUnit::Short,
    visualization: Visualization::Stat,
    steps: &[],
    width: 4,
    no_value: "no data",
    labels: &[],
    queries: Vec::new(),
    alerts: &[],
};

pub(super) fn rows() -> Vec<InstalledRow> {
    vec![now(), reconciles(), api_server(), process()]
}

fn now() -> InstalledRow {
    let firing = OPERATOR_ALERTS
        .select(platform::ALERTS.name)
        .with(Matcher::equal(ALERT_STATE, "firing"))
        .with(Matcher::equal(ALERT_FAMILY, FAMILY));
    InstalledRow {
        id: 1001,
        title: "Now",
        panels: vec![
            InstalledPanel {
                id: 1,
                title: "Replicas up",
                description: "Replicas of the operator that answered their last scrape.",
                steps: ANY_IS_GOOD,
                queries: vec![query("", now_of(platform::UP.name, AggregateOp::Sum, &[]))],
                alerts: &["MonitoredApiOperatorDown"],
                ..STAT
            },
            InstalledPanel {
                id: 2,
                title: "Leading",
                description: "Replicas that hold the Lease. Only that one works, so it is 1; for a moment it may be 0 when another \
                              one takes over.",
                steps: ANY_IS_GOOD,
                queries: vec![query("", now_of(platform::LEADER.name, AggregateOp::Sum, &[]))],
                alerts: &["MonitoredApiOperatorNotLeading"],
                ..STAT
            },
            InstalledPanel {
                id: 3,
                title: "Version",
                description: "Versions of the operator that run, and how many replicas of each. During an update there are two.",
                queries: vec![query(
                    "{{version}}",
                    now_of(platform::BUILD_INFO.name, AggregateOp::Count, &["version"]),
                )],
                ..STAT
            },
            InstalledPanel {
                id: 4,
                title: "MonitoredApis",
                description: "MonitoredApis that this operator looks after.",
                no_value: "0",
                queries: vec![query(
                    "",
                    OPERATOR
                        .reported(platform::INFO, &[], &[], &[])
                        .grouped(AggregateOp::Count, &[]),
                )],
                ..STAT
            },
            InstalledPanel {
                id: 5,
                title: "Alerts firing",
                description: "Alerts about the operator in its namespace that are firing now, by severity.",
                steps: ANY_IS_BAD,
                no_value: "0",
                queries: vec![query(
                    "{{severity}}",
                    Expr::from(firing).grouped(AggregateOp::Count, &[SEVERITY]),
                )],
                ..STAT
            },
        ],
    }
}

/// Alerts about the operator in its namespace; an alert about a kind of object has no job of its own.
const OPERATOR_ALERTS: ChosenScope = ChosenScope::Apis;

fn reconciles() -> InstalledRow {
    InstalledRow {
        id: 1002,
        title: "Reconciles",
        panels: vec![
            InstalledPanel {
                id: 6,
                title: "Reconciles by result",
                description: "Reconciles per second, by result.",
                unit: GrafanaUnit::PerSecond,
                visualization: Visualization::StackedBars,
                queries: vec![query(
                    "{{result}}",
                    rate_of(platform::RECONCILE_TOTAL.name, &["result"]),
                )],
                ..PANEL
            },
            InstalledPanel {
                id: 7,
                title: "Errors by class",
                description: "Reconciles of the last quarter of an hour that ended with an error, by class, and those that panicked. \
                              A few are harmless. From the dashed line on an alert becomes pending.",
                steps: ERROR_STEPS,
                no_value: "none",
                queries: vec![
                    query("{{class}}", recent(platform::RECONCILE_ERRORS.name, &["class"])),
                    query("panics", recent(platform::RECONCILE_PANICS.name, &[])),
                ],
                alerts: &["MonitoredApiOperatorReconcileErrors"],
                ..PANEL
            },
            InstalledPanel {
                id: 8,
                title: "Reconcile time P50/P95/P99",
                description: "Time within which half, 95 % and 99 % of the reconciles ended, interpolated between the bounds of the \
                              histogram.",
                unit: GrafanaUnit::Seconds,
                queries: vec![
                    query("P50", reconcile_time(50)),
                    query("P95", reconcile_time(95)),
                    query("P99", reconcile_time(99)),
                ],
                ..PANEL
            },
            InstalledPanel {
                id: 9,
                title: "Queue",
                description: "MonitoredApis that are due, and reconciles under way. A queue that does not empty means that the \
                              operator can't keep up.",
                queries: vec![
                    query("due", now_of(platform::QUEUE_DEPTH.name, AggregateOp::Max, &[])),
                    query(
                        "under way",
                        now_of(platform::ACTIVE_WORKERS.name, AggregateOp::Max, &[]),
                    ),
                ],
                ..PANEL
            },
        ],
    }
}

fn api_server() -> InstalledRow {
    InstalledRow {
        id: 1003,
        title: "API server",
        panels: vec![
            InstalledPanel {
                id: 10,
                title: "Watch staleness",
                description: "Time since the API server was last heard about each watched kind. From the dashed line on an alert \
                              becomes pending.",
                unit: GrafanaUnit::Seconds,
                steps: STALE_STEPS,
                queries: vec![query(
                    "{{kind}}",
                    now_of(platform::WATCH_STALENESS.name, AggregateOp::Max, &["kind"]),
                )],
                alerts: &["MonitoredApiOperatorWatchStale"],
                ..PANEL
            },
            InstalledPanel {
                id: 11,
                title: "Watch failures",
                description: "Lists and watches of the last quarter of an hour that failed, by kind and class of error.",
                no_value: "none",
                queries: vec![query(
                    "{{kind}} {{class}}",
                    recent(platform::WATCH_FAILURES.name, &["kind", "class"]),
                )],
                alerts: &["MonitoredApiOperatorWatchStale"],
                ..PANEL
            },
            InstalledPanel {
                id: 12,
                title: "Applies",
                description: "Requests per second to write an object of a MonitoredApi, by kind and result.",
                unit: GrafanaUnit::PerSecond,
                visualization: Visualization::StackedBars,
                queries: vec![query(
                    "{{kind}} {{result}}",
                    rate_of(platform::APPLIES.name, &["kind", "result"]),
                )],
                ..PANEL
            },
            InstalledPanel {
                id: 13,
                title: "Status writes",
                description: "Requests per second to write the status of a MonitoredApi, by result.",
                unit: GrafanaUnit::PerSecond,
                visualization: Visualization::StackedBars,
                queries: vec![query("{{result}}", rate_of(platform::STATUS_WRITES.name, &["result"]))],
                ..PANEL
            },
        ],
    }
}

fn process() -> InstalledRow {
    InstalledRow {
        id: 1004,
        title: "Process",
        panels: vec![
            InstalledPanel {
                id: 14,
                title: "CPU",
                description: "Processor cores that each replica uses.",
                width: 12,
                queries: vec![query("{{pod}}", rate_of(platform::PROCESS_CPU.name, &[POD]))],
                ..PANEL
            },
            InstalledPanel {
                id: 15,
                title: "Memory",
                description: "Resident memory of each replica. At the limit of the container the kernel kills it.",
                unit: GrafanaUnit::Bytes,
                width: 12,
                queries: vec![query(
                    "{{pod}}",
                    now_of(platform::PROCESS_MEMORY.name, AggregateOp::Max, &[POD]),
                )],
                ..PANEL
            },
        ],
    }
}

fn now_of(metric: &str, op: AggregateOp, by: &[&str]) -> Expr {
    Expr::from(OPERATOR.select(metric)).grouped(op, by)
}

fn rate_of(metric: &str, by: &[&str]) -> Expr {
    rate(over_rate_interval(metric)).grouped(AggregateOp::Sum, by)
}

/// How much a counter grew within the window of the alert about errors.
fn recent(metric: &str, by: &[&str]) -> Expr {
    increase(OPERATOR.select(metric).over_fixed(ERROR_WINDOW)).grouped(AggregateOp::Sum, by)
}

fn reconcile_time(percent: u64) -> Expr {
    let buckets = rate(over_rate_interval(&platform::RECONCILE_TIME.bucket_series()));
    histogram_quantile(Decimal::hundredths(percent), buckets.grouped(AggregateOp::Sum, &[LE]))
}

fn over_rate_interval(metric: &str) -> RangeSelector {
    OPERATOR.select(metric).over(RangeWindow::RateInterval)
}
