//! The overview of all MonitoredApis.

use std::slice::from_ref;

use metric_contract::{
    labels::{ALERT_FAMILY, ALERT_NAME, ALERT_STATE, DASHBOARD, JOB, LE, NAMESPACE, OBJECTIVE, SEVERITY},
    platform,
    recorded_series::{ERRORS, LATENCY_BUCKETS, OBJECTIVE_BUDGET, REQUESTS},
    sloth,
};

use super::{InstalledPanel, InstalledRow, column, query};
use crate::{
    ObjectiveWindow,
    alerts::AlertFamily,
    dashboards::{
        Colour, ColourStep, GrafanaUnit, Visualization,
        column::{ColumnLink, LabelColumn},
    },
    operator::FAMILY,
    promql::{
        AggregateOp, ChosenScope, Decimal, Expr, Matcher, PromDuration, Regex, VectorSelector, histogram_quantile,
        max_over_time,
    },
};

/// The APIs of the chosen namespaces.
const APIS: ChosenScope = ChosenScope::Apis;
/// The labels of an API.
const API: &[&str] = &[NAMESPACE, JOB];
/// Most APIs in one list; more can't be read.
const MOST_APIS: u64 = 10;
const DAY: PromDuration = PromDuration::from_minutes(24 * 60);
/// An API in a legend.
const API_LEGEND: &str = "{{namespace}}/{{job}}";

const API_COLUMNS: [LabelColumn; 2] = [label(NAMESPACE, "Namespace"), label(JOB, "API")];
const OVERVIEW_COLUMNS: &[LabelColumn] = &[
    API_COLUMNS[0],
    API_COLUMNS[1],
    LabelColumn {
        label: DASHBOARD,
        title: "Dashboard",
        link: Some(ColumnLink {
            title: "Open the API's dashboard",
            url: "/d/${__value.raw}?${datasource:queryparam}&${__url_time_range}",
        }),
    },
    label("dialect", "Dialect"),
];
const ALERT_COLUMNS: &[LabelColumn] = &[
    API_COLUMNS[0],
    API_COLUMNS[1],
    LabelColumn {
        label: ALERT_NAME,
        title: "Alert",
        link: Some(ColumnLink {
            title: "Runbook",
            url: "RUNBOOK_BASE_URL/${__value.raw}.md",
        }),
    },
    label(SEVERITY, "Severity"),
];
const CONDITION_COLUMNS: &[LabelColumn] = &[API_COLUMNS[0], API_COLUMNS[1], label("status", "Monitored")];

const fn label(label: &'static str, title: &'static str) -> LabelColumn {
    LabelColumn {
        label,
        title,
        link: None,
    }
}

const fn step(colour: Colour, from: Decimal) -> ColourStep {
    ColourStep {
        colour,
        from: Some(from),
        alert: None,
    }
}

const ANY_IS_BAD: &[ColourStep] = &[step(Colour::Red, Decimal::whole(1))];
const ERROR_STEPS: &[ColourStep] = &[
    step(Colour::Yellow, Decimal::hundredths(2)),
    step(Colour::Red, Decimal::hundredths(5)),
];
const BUDGET_STEPS: &[ColourStep] = &[
    step(Colour::Red, Decimal::ZERO),
    step(Colour::Yellow, Decimal::hundredths(10)),
    step(Colour::Green, Decimal::hundredths(50)),
];
const SPENT_STEPS: &[ColourStep] = &[
    step(Colour::Yellow, Decimal::hundredths(5)),
    step(Colour::Red, Decimal::hundredths(20)),
];

/// A panel without colours, columns and runbooks, of ordinary width.
const PANEL: InstalledPanel = InstalledPanel {
    id: 0,
    title: "",
    description: "",
    unit: GrafanaUnit::Short,
    visualization: Visualization::Stat,
    steps: &[],
    width: 6,
    no_value: "no data",
    labels: &[],
    queries: Vec::new(),
    alerts: &[],
};

pub(super) fn rows() -> Vec<InstalledRow> {
    vec![now(), table(), worst(), traffic(), troubles()]
}

fn now() -> InstalledRow {
    InstalledRow {
        id: 1001,
        title: "Now",
        panels: vec![
            InstalledPanel {
                id: 1,
                title: "MonitoredApis",
                description: "MonitoredApis that the operator looks after. Empty if this Prometheus does not scrape the operator.",
                queries: vec![query("", info().grouped(AggregateOp::Count, &[]))],
                ..PANEL
            },
            InstalledPanel {
                id: 2,
                title: "Monitored",
                description: "MonitoredApis that Prometheus scrapes, whose rules it evaluates and whose alerts it sends.",
                no_value: "0",
                queries: vec![query(
                    "",
                    monitored(&Matcher::equal("status", "True")).grouped(AggregateOp::Count, &[]),
                )],
                ..PANEL
            },
            InstalledPanel {
                id: 3,
                title: "Not monitored",
                description: "MonitoredApis whose alerts cannot be relied on (False), or of which that is not known (Unknown). They \
                              are listed below.",
                steps: ANY_IS_BAD,
                no_value: "0",
                queries: vec![query(
                    "{{status}}",
                    not_monitored().grouped(AggregateOp::Count, &["status"]),
                )],
                alerts: &["MonitoredApiNotMonitored"],
                ..PANEL
            },
            InstalledPanel {
                id: 4,
                title: "Alerts firing",
                description: "Alerts of the MonitoredApis and of the operator that are firing now, by severity.",
                steps: ANY_IS_BAD,
                no_value: "0",
                queries: vec![query(
                    "{{severity}}",
                    firing(&[FAMILY]).grouped(AggregateOp::Count, &[SEVERITY]),
                )],
                ..PANEL
            },
        ],
    }
}

fn table() -> InstalledRow {
    let replicas = |family| APIS.reported(family, &[], &[], &[]);
    let budget = Expr::from(APIS.recorded(&OBJECTIVE_BUDGET))
        .grouped(AggregateOp::Min, API)
        .or(Expr::from(budget_by_sloths_name()).grouped(AggregateOp::Min, API));
    let queries = vec![
        query("", info()),
        column("Ready", GrafanaUnit::Short, &[], replicas(platform::REPLICAS_READY)),
        column("Wanted", GrafanaUnit::Short, &[], replicas(platform::REPLICAS_WANTED)),
        column("Requests", GrafanaUnit::RequestsPerSecond, &[], requests()),
        column("Errors", GrafanaUnit::PercentUnit, ERROR_STEPS, error_ratio()),
        column("P95", GrafanaUnit::Seconds, &[], p95()),
        column(
            "Alerts",
            GrafanaUnit::Short,
            ANY_IS_BAD,
            firing(&[]).grouped(AggregateOp::Count, API),
        ),
        column("Budget left", GrafanaUnit::PercentUnit, BUDGET_STEPS, budget),
    ];
    InstalledRow {
        id: 1002,
        title: "APIs",
        panels: vec![InstalledPanel {
            id: 5,
            title: "APIs",
            description: "Each MonitoredApi with its pods, its requests per second, the share that failed (5xx), the time within \
                          which 95 % were answered, its firing alerts, and what is left of the smallest error budget of its \
                          objectives. A cell is empty where the API has no metric for it, no objective, or no firing alert. \
                          Dashboard leads to the API's own dashboard.",
            visualization: Visualization::Table,
            width: 24,
            labels: OVERVIEW_COLUMNS,
            queries,
            ..PANEL
        }],
    }
}

fn worst() -> InstalledRow {
    let list = InstalledPanel {
        visualization: Visualization::Bars,
        width: 8,
        ..PANEL
    };
    InstalledRow {
        id: 1003,
        title: "Worst APIs",
        panels: vec![
            InstalledPanel {
                id: 6,
                title: "Error ratio",
                description: "The APIs that answered the largest share of their requests with a server error (5xx).",
                unit: GrafanaUnit::PercentUnit,
                steps: ERROR_STEPS,
                queries: vec![query(API_LEGEND, error_ratio().highest(MOST_APIS))],
                ..list.clone()
            },
            InstalledPanel {
                id: 7,
                title: "Latency P95",
                description: "The APIs with the longest time within which 95 % of the requests were answered.",
                unit: GrafanaUnit::Seconds,
                queries: vec![query(API_LEGEND, p95().highest(MOST_APIS))],
                ..list.clone()
            },
            InstalledPanel {
                id: 8,
                title: "Error budget spent in a day",
                description: "The objectives that spent the largest share of their error budget since it was highest within the \
                              last day.",
                unit: GrafanaUnit::PercentUnit,
                steps: SPENT_STEPS,
                no_value: "no objectives",
                queries: vec![query(
                    "{{namespace}}/{{job}} {{objective}}",
                    budget_spent().highest(MOST_APIS),
                )],
                ..list
            },
        ],
    }
}

fn traffic() -> InstalledRow {
    let by_namespace = |of: Expr| of.grouped(AggregateOp::Sum, &[NAMESPACE]);
    let ratio = by_namespace(errors()).per(by_namespace(requests()).where_above(0));
    let lines = InstalledPanel {
        visualization: Visualization::Lines,
        width: 12,
        ..PANEL
    };
    InstalledRow {
        id: 1004,
        title: "Traffic",
        panels: vec![
            InstalledPanel {
                id: 9,
                title: "Requests by namespace",
                description: "Requests per second of all APIs of each namespace. Probes and scrapes are not counted.",
                unit: GrafanaUnit::RequestsPerSecond,
                queries: vec![query("{{namespace}}", by_namespace(requests()))],
                ..lines.clone()
            },
            InstalledPanel {
                id: 10,
                title: "Error ratio by namespace",
                description: "Share of the requests of each namespace that were answered with a server error (5xx). A gap means \
                              that there were no requests.",
                unit: GrafanaUnit::PercentUnit,
                steps: ERROR_STEPS,
                queries: vec![query("{{namespace}}", ratio)],
                ..lines
            },
        ],
    }
}

fn troubles() -> InstalledRow {
    let list = InstalledPanel {
        visualization: Visualization::Table,
        width: 12,
        no_value: "none",
        ..PANEL
    };
    let alerts = firing(&[FAMILY]).grouped(AggregateOp::Count, &[NAMESPACE, JOB, ALERT_NAME, SEVERITY]);
    InstalledRow {
        id: 1005,
        title: "Troubles",
        panels: vec![
            InstalledPanel {
                id: 11,
                title: "Firing alerts",
                description: "Alerts of the MonitoredApis and of the operator that are firing now. Count: how often, such as once \
                              for each objective.",
                labels: ALERT_COLUMNS,
                queries: vec![column("Count", GrafanaUnit::Short, &[], alerts)],
                ..list.clone()
            },
            InstalledPanel {
                id: 12,
                title: "APIs that are not monitored",
                description: "MonitoredApis whose condition Monitored is not True. The reason stands in the MonitoredApi itself: \
                              `kubectl describe monitoredapi` says which link is broken and what to do.",
                labels: CONDITION_COLUMNS,
                queries: vec![query("", not_monitored())],
                alerts: &["MonitoredApiNotMonitored"],
                ..list
            },
        ],
    }
}

/// One for each API, with its dialect and the uid of its dashboard.
fn info() -> Expr {
    APIS.reported(platform::INFO, &[], &[], &["dialect", DASHBOARD])
}

/// One for each API whose condition Monitored has this status.
fn monitored(status: &Matcher) -> Expr {
    let condition = [Matcher::equal("type", "Monitored")];
    APIS.reported(platform::CONDITION, &condition, from_ref(status), &["status"])
}

fn not_monitored() -> Expr {
    monitored(&Matcher::matches("status", &Regex::pattern("False|Unknown")))
}

/// Requests per second of each API.
fn requests() -> Expr {
    Expr::from(APIS.recorded(&REQUESTS)).grouped(AggregateOp::Max, API)
}

/// Requests per second of each API that it answered with a server error.
fn errors() -> Expr {
    Expr::from(APIS.recorded(&ERRORS)).grouped(AggregateOp::Max, API)
}

fn error_ratio() -> Expr {
    errors().per(requests().where_above(0))
}

fn p95() -> Expr {
    let buckets = Expr::from(APIS.recorded(&LATENCY_BUCKETS)).grouped(AggregateOp::Max, &[NAMESPACE, JOB, LE]);
    histogram_quantile(Decimal::hundredths(95), buckets)
}

/// What each objective lost of its error budget since it was highest within the last day. The length of an objective's window
/// stands in the name of its series, and one function can't read two names of one objective.
fn budget_spent() -> Expr {
    let own = ObjectiveWindow::ALL
        .iter()
        .map(|window| APIS.select(OBJECTIVE_BUDGET.name(window.as_str()).as_str()));
    let spent = own.chain([budget_by_sloths_name()]).map(|left| {
        let of_objective = |of: Expr| of.grouped(AggregateOp::Max, &[NAMESPACE, JOB, OBJECTIVE]);
        let highest = max_over_time(left.clone().over_fixed(DAY));
        of_objective(highest).minus(of_objective(left.into()))
    });
    spent.reduce(Expr::or).unwrap_or_else(|| Expr::from(0))
}

/// What is left of each error budget where the rules record it under Sloth's name. Rules that Sloth itself made have no label
/// of ours.
fn budget_by_sloths_name() -> VectorSelector {
    let ours = Matcher::matches(OBJECTIVE, &Regex::pattern(".+"));
    APIS.select(sloth::BUDGET_REMAINING).with(ours)
}

/// The alerts of APIs, and those of other `families`, that are firing.
fn firing(families: &[&str]) -> Expr {
    let of_apis = AlertFamily::ALL.iter().map(|family| family.as_str());
    let families = of_apis.chain(families.iter().copied()).map(Regex::literal);
    let family = Regex::any_of(families).map(|families| Matcher::matches(ALERT_FAMILY, &families));
    APIS.select(platform::ALERTS.name)
        .with(Matcher::equal(ALERT_STATE, "firing"))
        .with_all(family)
        .into()
}
