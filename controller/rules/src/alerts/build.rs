//! From facts and settings to rule groups.

use std::collections::BTreeMap;

use metric_contract::{
    Signal, Spelling, TargetKind,
    labels::{ALERT_FAMILY, SEVERITY},
};

use super::{
    ActiveAlert, ActiveAlerts, AlertCondition, AlertDef, AlertFamily, ThresholdUnit, active_alerts, runbook_url,
    template::AnnotationValues,
};
use crate::{
    AlertGap, AlertSettings, AlertingRule, ApiFacts, FieldError, OmittedAlert, PanelId, RecordingRule, Rule, RuleGroup,
    RuleSet, Severity, dashboard_uid,
    objective::ObjectiveGap,
    objectives::{Burn, ObjectiveRules, build_objectives},
    promql::{Decimal, Expr, PromDuration},
    queries::{ApiQueries, MissingSignal},
    recording::build_recordings,
};

/// The rows of the table of alerts that read series of a week ago.
const AGAINST_A_WEEK_AGO: [&str; 3] = ["ApiLatencyRegression", "ApiTrafficDrop", "ApiTrafficSpike"];

/// How often what is left of an error budget is computed: it changes slowly, and reads a long window.
const BUDGET_INTERVAL: PromDuration = PromDuration::from_minutes(5);

/// Builds the rules of one API, the recording rules first and then the alerts by family, and names the alerts that are
/// left out.
///
/// # Errors
/// Everything in the settings that cannot be used. A threshold that this API's metrics can never exceed is none: its alert is
/// left out ([`check_thresholds`]).
pub fn build_rules(api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<RuleSet, Vec<FieldError>> {
    let ActiveAlerts { alerts, errors } = active_alerts(settings);
    if !errors.is_empty() {
        return Err(errors);
    }
    let queries = ApiQueries::for_rules(api);
    let mut omitted_alerts = Vec::new();
    let mut built = Vec::new();
    let objectives = build_objectives(api, &queries);
    for alert in alerts {
        if matches!(alert.def.condition, AlertCondition::Objectives) {
            omitted_alerts.extend(without_signal(alert.def, &objectives));
            built.extend(objectives.burns.iter().map(|burn| Built::of_objective(&alert, burn)));
            continue;
        }
        match expression(api, &queries, &alert) {
            Ok(expr) => built.push(Built::new(alert, expr)),
            Err(AlertGap::MissingSignal(signal)) if MissingSignal(signal).is_of_a_feature_turned_off() => {}
            Err(gap) => omitted_alerts.push(OmittedAlert {
                alert: alert.def.name,
                gap,
            }),
        }
    }
    Ok(RuleSet {
        omitted_objectives: objectives.omitted.clone(),
        groups: groups(api, settings, &queries, objectives, built),
        omitted_alerts,
    })
}

/// The thresholds in the settings that this API's metrics can never exceed. A mistake where the author names the dialect; where a
/// page of a running pod shows the bounds it is not, because a pod must not be able to make a spec invalid.
#[must_use]
pub fn check_thresholds(api: &ApiFacts<'_>, settings: &AlertSettings) -> Vec<FieldError> {
    if settings.overrides.is_empty() {
        return Vec::new();
    }
    let ActiveAlerts { alerts, errors: _ } = active_alerts(settings);
    alerts
        .iter()
        .filter_map(|alert| beyond_the_buckets(api, alert))
        .collect()
}

/// The alert's condition, or the first reason for which there can be none.
fn expression(api: &ApiFacts<'_>, queries: &ApiQueries<'_>, alert: &ActiveAlert) -> Result<Expr, AlertGap> {
    if let Some(signal) = alert.def.signals.iter().find(|signal| !queries.answers(**signal)) {
        return Err(AlertGap::MissingSignal(*signal));
    }
    if let Some(Unreachable { threshold, largest, .. }) = unreachable_threshold(api, alert) {
        return Err(AlertGap::BucketsEndBelow { threshold, largest });
    }
    let built = match alert.def.condition {
        AlertCondition::Objectives => Err(MissingSignal(Signal::Requests)),
        AlertCondition::Plain(build) => build(queries),
        AlertCondition::Threshold { default, build, .. } => build(queries, alert.threshold.unwrap_or(default)),
    };
    built.map_err(|MissingSignal(signal)| AlertGap::MissingSignal(signal))
}

/// The alerts of an API that compare it with the same hour a week ago: without data of that time they never fire.
#[must_use]
pub fn alerts_against_a_week_ago(api: &ApiFacts<'_>, settings: &AlertSettings) -> Vec<&'static str> {
    let queries = ApiQueries::for_rules(api);
    let ActiveAlerts { alerts, .. } = active_alerts(settings);
    let defs = alerts.into_iter().map(|alert| alert.def);
    defs.filter(|def| AGAINST_A_WEEK_AGO.contains(&def.name))
        .filter(|def| def.signals.iter().all(|signal| queries.answers(*signal)))
        .map(|def| def.name)
        .collect()
}

fn groups(
    api: &ApiFacts<'_>,
    settings: &AlertSettings,
    queries: &ApiQueries<'_>,
    objectives: ObjectiveRules,
    built: Vec<Built>,
) -> Vec<RuleGroup> {
    let ObjectiveRules {
        counts,
        compat,
        budgets,
        burns: _,
        omitted: _,
    } = objectives;
    let readers = built.iter().map(|built| &built.expr);
    let mut recordings = build_recordings(queries, readers.chain(counts.iter().map(|rule| &rule.expr)));
    recordings.extend(counts);
    let mut groups = Vec::new();
    groups.extend(recording_group(format!("{}.recording", api.name), None, recordings));
    groups.extend(recording_group(format!("{}.compat", api.name), None, compat));
    groups.extend(recording_group(
        format!("{}.budget", api.name),
        Some(BUDGET_INTERVAL),
        budgets,
    ));
    let uid = dashboard_uid(api.namespace, api.name);
    let mut families = BTreeMap::<AlertFamily, Vec<Rule>>::new();
    for built in built {
        let family = families.entry(built.alert.def.family).or_default();
        family.push(Rule::Alerting(rule(api, settings, &uid, built)));
    }
    groups.extend(families.into_iter().map(|(family, rules)| RuleGroup {
        name: format!("{}.{}", api.name, family.as_str()),
        interval: None,
        rules,
    }));
    groups
}

/// The group of these rules, if there are any.
fn recording_group(name: String, interval: Option<PromDuration>, rules: Vec<RecordingRule>) -> Option<RuleGroup> {
    (!rules.is_empty()).then(|| RuleGroup {
        name,
        interval,
        rules: rules.into_iter().map(Rule::Recording).collect(),
    })
}

/// The alert as left out, if there are objectives and none has a metric.
fn without_signal(def: &AlertDef, objectives: &ObjectiveRules) -> Option<OmittedAlert> {
    if !objectives.counts.is_empty() {
        return None;
    }
    objectives.omitted.iter().find_map(|omitted| match omitted.gap {
        ObjectiveGap::MissingSignal(signal) => Some(OmittedAlert {
            alert: def.name,
            gap: AlertGap::MissingSignal(signal),
        }),
        ObjectiveGap::NoMethodLabel
        | ObjectiveGap::NoRouteLabel
        | ObjectiveGap::BoundsUnknown
        | ObjectiveGap::NotABucketBound { .. } => None,
    })
}

/// An alert with its condition.
struct Built {
    alert: ActiveAlert,
    expr: Expr,
    severity: Severity,
    /// Labels that only this alert of the row has.
    labels: BTreeMap<String, String>,
    /// Placeholders that only this alert's texts have.
    texts: Vec<(&'static str, String)>,
}

impl Built {
    fn new(alert: ActiveAlert, expr: Expr) -> Self {
        Self {
            severity: alert.def.severity,
            alert,
            expr,
            labels: BTreeMap::new(),
            texts: Vec::new(),
        }
    }

    fn of_objective(alert: &ActiveAlert, burn: &Burn) -> Self {
        Self {
            severity: burn.tier.severity,
            alert: alert.clone(),
            expr: burn.expr.clone(),
            labels: burn.labels.clone(),
            texts: burn.texts.clone(),
        }
    }
}

fn rule(api: &ApiFacts<'_>, settings: &AlertSettings, dashboard_uid: &str, built: Built) -> AlertingRule {
    let Built {
        alert,
        expr,
        severity,
        labels: own_labels,
        texts,
    } = built;
    let def = alert.def;
    let mut labels = alert.labels;
    labels.extend(own_labels);
    let severity = alert.severity.unwrap_or_else(|| severity.as_str().to_owned());
    labels.insert(SEVERITY.to_owned(), severity);
    labels.insert(ALERT_FAMILY.to_owned(), def.family.as_str().to_owned());
    let unit = def.threshold_unit().or_else(|| unit_of_value(def.condition));
    let values = AnnotationValues {
        api: format!("{}/{}", api.namespace, api.name),
        value: unit.unwrap_or(ThresholdUnit::Count).value_template(),
        threshold: unit
            .zip(alert.threshold)
            .map_or_else(String::new, |(unit, value)| unit.text(value)),
        for_: alert.for_.to_string(),
        others: texts,
    };
    let mut description = values.fill(def.description);
    let runbook_url = runbook_url(settings, def.name);
    if runbook_url.is_none() {
        description.push_str(&runbook_without_address(api.target, def.name));
    }
    let annotations = [
        ("summary", values.fill(def.summary)),
        ("description", description),
        // Grafana links an alert to its panel only if it finds both.
        ("__dashboardUid__", dashboard_uid.to_owned()),
        ("__panelId__", panel_of(api, def).id().to_string()),
    ];
    let annotations = annotations
        .into_iter()
        .chain(runbook_url.map(|url| ("runbook_url", url)));
    AlertingRule {
        alert: def.name.to_owned(),
        expr,
        for_: alert.for_,
        keep_firing_for: alert.keep_firing_for,
        labels,
        annotations: annotations.map(|(name, text)| (name.to_owned(), text)).collect(),
    }
}

/// Where the runbook of an alert is found while nobody says where the runbooks are.
fn runbook_without_address(target: TargetKind, alert: &str) -> String {
    match target {
        TargetKind::ServiceMonitor => {
            format!(" Runbook: the operator monitored-api serves it at /runbooks/{alert}, beside its /metrics.")
        }
        TargetKind::Static => format!(" Runbook: monitored-api explain {alert} prints it."),
    }
}

/// The panel that shows what an alert is about. Pods that nobody scrapes are no targets, so how many are ready is shown then.
const fn panel_of(api: &ApiFacts<'_>, def: &AlertDef) -> PanelId {
    match def.panel {
        PanelId::TargetsUp if api.proxy.is_some() => PanelId::Replicas,
        panel => panel,
    }
}

/// The unit of an alert's value, where it has one and no threshold.
const fn unit_of_value(condition: AlertCondition) -> Option<ThresholdUnit> {
    match condition {
        AlertCondition::Objectives => Some(ThresholdUnit::Ratio),
        AlertCondition::Plain(_) | AlertCondition::Threshold { .. } => None,
    }
}

/// The error of a user's latency threshold at or above the largest bucket: a quantile is never above that bucket.
fn beyond_the_buckets(api: &ApiFacts<'_>, alert: &ActiveAlert) -> Option<FieldError> {
    let path = alert.threshold_path.as_ref()?;
    let Unreachable {
        spelling,
        threshold,
        largest,
    } = unreachable_threshold(api, alert)?;
    Some(FieldError {
        path: path.clone(),
        message: format!(
            "{} is not a valid threshold, because the largest bucket of dialect {} ends at {largest}s and a percentile is \
             never above it: use less, for example 500ms",
            ThresholdUnit::Duration.text(threshold),
            spelling.dialect,
        ),
    })
}

/// A threshold that no percentile of a page's histogram can exceed, both in seconds.
struct Unreachable<'a> {
    spelling: &'a Spelling,
    threshold: Decimal,
    /// Where the largest bucket ends.
    largest: Decimal,
}

/// The threshold of an alert that compares a latency with it, if it is not below the largest bucket.
fn unreachable_threshold<'a>(api: &ApiFacts<'a>, alert: &ActiveAlert) -> Option<Unreachable<'a>> {
    let is_latency = alert.def.signals.contains(&Signal::LatencyBuckets)
        && alert.def.threshold_unit() == Some(ThresholdUnit::Duration);
    let spelling = api.spelling.filter(|_| is_latency)?;
    let threshold = alert.threshold?;
    let histogram = spelling.duration()?.histogram;
    let largest = histogram.conversion().undo(*histogram.buckets.last()?);
    let largest: Decimal = largest.to_string().parse().ok()?;
    (threshold.to_f64() >= largest.to_f64()).then_some(Unreachable {
        spelling,
        threshold,
        largest,
    })
}
