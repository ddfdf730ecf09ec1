//! Recording rules under the names of Sloth, so that dashboards made for it show our objectives.
//!
//! Fifteen an objective, as Sloth makes them. With them our own series of the budget that is left is not recorded: the same
//! figure would be there twice.

use std::collections::BTreeMap;

use metric_contract::{
    labels::OBJECTIVE,
    sloth::{self, NAMES_OF_VERSION, SEVERITY_PAGE, SEVERITY_TICKET},
};

use crate::{
    Objective, RecordingRule, Severity,
    promql::{Decimal, Expr, PromDuration},
    queries::{ApiQueries, sloth_ratio_name},
};

/// Value of the label [`sloth::MODE`].
const MODE: &str = "monitored-api";
/// Value of the label [`sloth::SPEC`].
const SPEC: &str = "monitoredapi.io/v1alpha1";

/// The rules of one objective under Sloth's names.
#[derive(Debug)]
pub(super) struct SlothRules {
    /// Those over short windows and those that never change, evaluated as often as the alerts.
    pub(super) often: Vec<RecordingRule>,
    /// Those over the objective's whole window, evaluated with our own.
    pub(super) budgets: Vec<RecordingRule>,
}

/// Builds the rules of one objective. They read what our own rules record.
pub(super) fn build_sloth(queries: &ApiQueries<'_>, objective: &Objective) -> SlothRules {
    let identity = identity(queries, objective);
    let rule = |record: &str, expr: Expr, window: Option<&str>| {
        let window = window.map(|window| (sloth::WINDOW.to_owned(), window.to_owned()));
        RecordingRule {
            record: record.to_owned(),
            expr,
            labels: identity.clone().into_iter().chain(window).collect(),
        }
    };
    let constant = |record: &str, value: Decimal| {
        let (expr, labels) = queries.sloth_constant(value);
        let mut rule = rule(record, expr, None);
        rule.labels.extend(labels);
        rule
    };
    let of_window = |(minutes, window): (u32, &str)| {
        let expr = queries.sloth_ratio(&objective.name, PromDuration::from_minutes(minutes));
        rule(&sloth_ratio_name(window), expr, Some(window))
    };
    let [(_, shortest), ..] = sloth::WINDOWS;
    let current = queries.sloth_current_burn_rate(objective);
    let days = Decimal::whole(u64::from(objective.window.days()));
    let mut info = constant(sloth::INFO, Decimal::whole(1));
    info.labels.extend(about(objective));
    let mut often: Vec<_> = sloth::WINDOWS.into_iter().map(of_window).collect();
    often.extend([
        rule(sloth::CURRENT_BURN_RATE, current, Some(shortest)),
        constant(sloth::OBJECTIVE_RATIO, objective.target.per_hundred()),
        constant(sloth::ERROR_BUDGET, objective.budget()),
        constant(sloth::PERIOD_DAYS, days),
        info,
    ]);
    let period = objective.window.spelled_by_sloth();
    let budgets = vec![
        rule(
            &sloth_ratio_name(period),
            queries.sloth_period_ratio(objective),
            Some(period),
        ),
        rule(
            sloth::PERIOD_BURN_RATE,
            queries.sloth_period_burn_rate(objective),
            Some(period),
        ),
        rule(
            sloth::BUDGET_REMAINING,
            queries.objective_budget(objective),
            Some(period),
        ),
    ];
    SlothRules { often, budgets }
}

/// The labels by which Sloth's series and alerts tell objectives apart. Neither namespaces nor names hold a dot, so no two
/// objectives of a cluster have the same.
pub(super) fn sloth_identity(queries: &ApiQueries<'_>, objective: &Objective) -> [(String, String); 3] {
    let service = queries.dotted_name();
    [
        (sloth::ID.to_owned(), format!("{service}.{}", objective.name)),
        (sloth::SERVICE.to_owned(), service),
        (sloth::SLO.to_owned(), objective.name.clone()),
    ]
}

/// Sloth's word for the urgency of an alert.
pub(super) fn sloth_severity(severity: Severity) -> (String, String) {
    let word = match severity {
        Severity::Critical => SEVERITY_PAGE,
        Severity::Warning => SEVERITY_TICKET,
    };
    (sloth::SEVERITY.to_owned(), word.to_owned())
}

fn identity(queries: &ApiQueries<'_>, objective: &Objective) -> BTreeMap<String, String> {
    [(OBJECTIVE.to_owned(), objective.name.clone())]
        .into_iter()
        .chain(sloth_identity(queries, objective))
        .collect()
}

/// What only the series about the objective itself tells.
fn about(objective: &Objective) -> [(String, String); 4] {
    [
        (sloth::MODE, MODE.to_owned()),
        (sloth::VERSION, NAMES_OF_VERSION.to_owned()),
        (sloth::SPEC, SPEC.to_owned()),
        (sloth::OBJECTIVE, objective.target.to_string()),
    ]
    .map(|(label, value)| (label.to_owned(), value))
}
