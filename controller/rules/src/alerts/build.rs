//! From facts and settings to rule groups.

use std::collections::BTreeMap;

use metric_contract::{
    Signal,
    labels::{ALERT_FAMILY, SEVERITY},
};

use super::{AlertFamily, Condition, InForce, Resolved, ThresholdUnit, resolve, runbook_url, template::Words};
use crate::{
    AlertSettings, AlertingRule, ApiFacts, FieldError, LeftOut, Rule, RuleGroup, RuleSet,
    dashboards::dashboard_uid,
    promql::Expr,
    recording::build_recordings,
    series::{Missing, Series},
};

/// The rules of one API: recordings first, then the alerts by family.
///
/// # Errors
/// Everything in the settings that cannot be used, and thresholds that this API's metrics can never pass.
pub fn build_rules(api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<RuleSet, Vec<FieldError>> {
    let Resolved { alerts, mut errors } = resolve(settings);
    errors.extend(alerts.iter().filter_map(|alert| beyond_the_buckets(api, alert)));
    if !errors.is_empty() {
        return Err(errors);
    }
    let series = Series::for_rules(api);
    let mut left_out = Vec::new();
    let mut built = Vec::new();
    for alert in alerts {
        match expression(&series, &alert) {
            Ok(expr) => built.push((alert, expr)),
            Err(Missing(signal)) => left_out.push(LeftOut {
                alert: alert.def.name,
                signal,
            }),
        }
    }
    Ok(RuleSet {
        groups: groups(api, settings, &series, &built),
        left_out,
    })
}

/// The alert's condition, or the first of its signals that nothing answers.
fn expression(series: &Series<'_>, alert: &InForce) -> Result<Expr, Missing> {
    if let Some(signal) = alert.def.signals.iter().find(|signal| !series.answers(**signal)) {
        return Err(Missing(*signal));
    }
    match alert.def.condition {
        Condition::Plain(build) => build(series),
        Condition::Threshold { default, build, .. } => build(series, alert.threshold.unwrap_or(default)),
    }
}

fn groups(
    api: &ApiFacts<'_>,
    settings: &AlertSettings,
    series: &Series<'_>,
    built: &[(InForce, Expr)],
) -> Vec<RuleGroup> {
    let recordings = build_recordings(series, built.iter().map(|(_, expr)| expr));
    let recordings = RuleGroup {
        name: format!("{}.recording", api.name),
        rules: recordings.into_iter().map(Rule::Recording).collect(),
    };
    let families = AlertFamily::ALL.iter().map(|family| RuleGroup {
        name: format!("{}.{}", api.name, family.as_str()),
        rules: built
            .iter()
            .filter(|(alert, _)| alert.def.family == *family)
            .map(|(alert, expr)| Rule::Alerting(rule(api, settings, alert, expr)))
            .collect(),
    });
    [recordings]
        .into_iter()
        .chain(families)
        .filter(|group| !group.rules.is_empty())
        .collect()
}

fn rule(api: &ApiFacts<'_>, settings: &AlertSettings, alert: &InForce, expr: &Expr) -> AlertingRule {
    let def = alert.def;
    let mut labels = alert.labels.clone();
    labels.insert(SEVERITY.to_owned(), alert.severity.clone());
    labels.insert(ALERT_FAMILY.to_owned(), def.family.as_str().to_owned());
    let unit = def.threshold_unit();
    let words = Words {
        api: format!("{}/{}", api.namespace, api.name),
        value: unit.unwrap_or(ThresholdUnit::Count).value_template(),
        threshold: unit
            .zip(alert.threshold)
            .map_or_else(String::new, |(unit, value)| unit.words(value)),
        for_: alert.for_.to_string(),
    };
    let annotations = [
        ("summary", words.fill(def.summary)),
        ("description", words.fill(def.description)),
        ("runbook_url", runbook_url(settings, def.name)),
        // Grafana links an alert to its panel only if it finds both.
        ("__dashboardUid__", dashboard_uid(api.namespace, api.name)),
        ("__panelId__", def.panel.id().to_string()),
    ];
    AlertingRule {
        alert: def.name.to_owned(),
        expr: expr.clone(),
        for_: alert.for_,
        keep_firing_for: alert.keep_firing_for,
        labels,
        annotations: annotations
            .map(|(name, text)| (name.to_owned(), text))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

/// A latency threshold at or above the largest bucket can never be passed: a quantile stops there.
fn beyond_the_buckets(api: &ApiFacts<'_>, alert: &InForce) -> Option<FieldError> {
    let (path, threshold) = alert.threshold_path.as_ref().zip(alert.threshold)?;
    let is_latency =
        alert.def.signals.contains(&Signal::Duration) && alert.def.threshold_unit() == Some(ThresholdUnit::Duration);
    let dialect = api.dialect.filter(|_| is_latency)?;
    let largest = *dialect.duration()?.buckets.last()?;
    (threshold.to_f64() >= largest).then(|| FieldError {
        path: path.clone(),
        message: format!(
            "{} would never be passed: the largest bucket of dialect {} ends at {largest}s; write less",
            ThresholdUnit::Duration.words(threshold),
            dialect.id,
        ),
    })
}
