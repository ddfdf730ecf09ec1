//! The alerts about the operator itself, and about MonitoredApis that it cannot monitor: one row each in [`ALERTS`], with a
//! runbook in `docs/runbooks` and a unit test in `controller/rules/tests/promtool`.
//!
//! The chart installs them once, so they know no single API. The operator is the target of [`OperatorTarget`].

use std::collections::BTreeMap;

use metric_contract::{
    labels::{ALERT_FAMILY, JOB, NAMESPACE, SEVERITY},
    platform::{CONDITION, LEADER, RECONCILE_ERRORS, UP, WATCH_STALENESS},
};

use crate::{
    AlertingRule, Rule, RuleGroup, RuleSet, Severity,
    promql::{ApiScope, Expr, LabelName, Matcher, PromDuration, absent, increase},
};

/// The value of the label `family` of these alerts.
pub(crate) const FAMILY: &str = "operator";
/// The name of their group.
const GROUP: &str = "monitored-api.operator";
/// Seconds without an answer about a kind after which its watch counts as stale: several relists of a watch that is cut at
/// once, and far less than the half hour after which everything is listed again.
pub(crate) const STALE_SECONDS: u64 = 600;
/// The window in which failed reconciles are counted.
pub(crate) const ERROR_WINDOW: PromDuration = PromDuration::from_minutes(15);
/// Failed reconciles of one class in that window above which somebody is told; a cluster that is upgraded refuses one or two. The
/// count is extrapolated, so three that happened are above it.
pub(crate) const HARMLESS_ERRORS: u64 = 3;

/// The labels by which Prometheus knows the operator.
#[derive(Debug, Clone, Copy)]
pub struct OperatorTarget<'a> {
    /// The namespace that it runs in.
    pub namespace: &'a str,
    /// The name of its Service.
    pub job: &'a str,
}

/// An alert about the operator.
#[derive(Debug, Clone, Copy)]
pub struct OperatorAlert {
    /// Its name; also the name of its runbook and of its unit test.
    pub name: &'static str,
    /// How urgent it is.
    pub severity: Severity,
    /// How long the condition must hold.
    pub for_: PromDuration,
    /// One sentence that does not change while the alert fires: a template of Prometheus.
    pub summary: &'static str,
    /// What happens and what follows from it: a template of Prometheus.
    pub description: &'static str,
    expr: fn(&ApiScope) -> Expr,
}

/// Every alert about the operator.
pub const ALERTS: &[OperatorAlert] = &[
    OperatorAlert {
        name: "MonitoredApiOperatorDown",
        severity: Severity::Warning,
        for_: PromDuration::from_minutes(10),
        summary: "No replica of the operator monitored-api answers Prometheus",
        description: "For ten minutes Prometheus has read the metrics of no replica of the operator. The APIs keep running. \
                      Changes of MonitoredApis may not be carried out, and alerts that need figures of pods are silent.",
        expr: |operator| absent(operator.sum(operator.select(UP.name).into(), &[]).where_above(0)),
    },
    OperatorAlert {
        name: "MonitoredApiOperatorNotLeading",
        severity: Severity::Warning,
        for_: PromDuration::from_minutes(5),
        summary: "No replica of the operator monitored-api leads",
        description: "Replicas of the operator run, and for five minutes none has held the Lease. The APIs keep running. \
                      Changes of MonitoredApis are not carried out until one leads.",
        expr: |operator| operator.max(operator.select(LEADER.name).into(), &[]).where_below(1),
    },
    OperatorAlert {
        name: "MonitoredApiOperatorWatchStale",
        severity: Severity::Warning,
        for_: PromDuration::from_minutes(5),
        summary: "The operator monitored-api hears nothing about objects of the kind {{ $labels.kind }}",
        description: "The API server last answered the operator about the kind {{ $labels.kind }} \
                      {{ $value | humanizeDuration }} ago. What happens to objects of this kind is noticed late or not at all.",
        expr: |operator| {
            let kind = [LabelName::new("kind")];
            operator
                .max(operator.select(WATCH_STALENESS.name).into(), &kind)
                .where_above(STALE_SECONDS)
        },
    },
    OperatorAlert {
        name: "MonitoredApiOperatorReconcileErrors",
        severity: Severity::Warning,
        for_: PromDuration::from_minutes(20),
        summary: "The operator monitored-api keeps failing to carry out MonitoredApis ({{ $labels.class }})",
        description: "In a quarter of an hour {{ $value | humanize }} reconciles ended with an error of the class \
                      {{ $labels.class }}. The MonitoredApis that they concern may not be as their specs want them.",
        expr: |operator| {
            let errors = increase(operator.select(RECONCILE_ERRORS.name).over_fixed(ERROR_WINDOW));
            operator
                .sum(errors, &[LabelName::new("class")])
                .where_above(HARMLESS_ERRORS)
        },
    },
    OperatorAlert {
        name: "MonitoredApiNotMonitored",
        severity: Severity::Warning,
        for_: PromDuration::from_minutes(30),
        summary: "{{ $labels.namespace }}/{{ $labels.job }} is not monitored",
        description: "For half an hour the condition Monitored of the MonitoredApi {{ $labels.namespace }}/{{ $labels.job }} has \
                      been False: its alerts cannot be relied on. `kubectl describe monitoredapi` says which link is broken and \
                      what to do.",
        expr: |operator| {
            let condition = [Matcher::equal("type", "Monitored")];
            let status = [Matcher::equal("status", "False")];
            operator.reported_of_all(CONDITION, &condition, &status).where_above(0)
        },
    },
];

/// The rules about the operator. No annotation names where the runbooks are: only the chart knows.
#[must_use]
pub fn build_operator_rules(operator: OperatorTarget<'_>) -> RuleSet {
    let scope = ApiScope::new(operator.namespace, operator.job);
    let rules = ALERTS.iter().map(|alert| Rule::Alerting(rule(alert, &scope, operator)));
    RuleSet {
        groups: vec![RuleGroup {
            name: GROUP.to_owned(),
            interval: None,
            rules: rules.collect(),
        }],
        omitted_alerts: Vec::new(),
        omitted_objectives: Vec::new(),
    }
}

fn rule(alert: &OperatorAlert, scope: &ApiScope, operator: OperatorTarget<'_>) -> AlertingRule {
    let expr = (alert.expr)(scope);
    let mut labels = BTreeMap::from([
        (SEVERITY.to_owned(), alert.severity.as_str().to_owned()),
        (ALERT_FAMILY.to_owned(), FAMILY.to_owned()),
    ]);
    // What is absent has no labels, and Alertmanager routes by the namespace.
    if expr.is_absent() {
        labels.insert(NAMESPACE.to_owned(), operator.namespace.to_owned());
        labels.insert(JOB.to_owned(), operator.job.to_owned());
    }
    AlertingRule {
        alert: alert.name.to_owned(),
        expr,
        for_: alert.for_,
        keep_firing_for: None,
        labels,
        annotations: [("summary", alert.summary), ("description", alert.description)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    }
}
