//! From facts and settings to rule groups.

use std::collections::BTreeMap;

use metric_contract::{
    Dialect, Signal,
    labels::{ALERT_FAMILY, SEVERITY},
};

use super::{
    ActiveAlert, ActiveAlerts, AlertCondition, AlertFamily, ThresholdUnit, active_alerts, runbook_url,
    template::AnnotationValues,
};
use crate::{
    AlertSettings, AlertingRule, ApiFacts, FieldError, OmittedAlert, Rule, RuleGroup, RuleSet, dashboard_uid,
    promql::Expr,
    queries::{ApiQueries, MissingSignal},
    recording::build_recordings,
};

/// Builds the rules of one API, the recording rules first and then the alerts by family, and names the alerts that are
/// left out.
///
/// # Errors
/// Everything in the settings that cannot be used, and thresholds that this API's metrics can never exceed.
pub fn build_rules(api: &ApiFacts<'_>, settings: &AlertSettings) -> Result<RuleSet, Vec<FieldError>> {
    let ActiveAlerts { alerts, mut errors } = active_alerts(settings);
    errors.extend(alerts.iter().filter_map(|alert| beyond_the_buckets(api, alert)));
    if !errors.is_empty() {
        return Err(errors);
    }
    let queries = ApiQueries::for_rules(api);
    let mut omitted_alerts = Vec::new();
    let mut built = Vec::new();
    for alert in alerts {
        match expression(api, &queries, &alert) {
            Ok(expr) => built.push((alert, expr)),
            Err(MissingSignal(signal)) => omitted_alerts.push(OmittedAlert {
                alert: alert.def.name,
                signal,
            }),
        }
    }
    Ok(RuleSet {
        groups: groups(api, settings, &queries, built),
        omitted_alerts,
    })
}

/// The alert's condition, or the first of its signals for which there is no metric, or none with a bucket above the
/// threshold: an alert that can never fire would only look like protection.
fn expression(api: &ApiFacts<'_>, queries: &ApiQueries<'_>, alert: &ActiveAlert) -> Result<Expr, MissingSignal> {
    if let Some(signal) = alert.def.signals.iter().find(|signal| !queries.answers(**signal)) {
        return Err(MissingSignal(*signal));
    }
    if largest_bucket_below(api, alert).is_some() {
        return Err(MissingSignal(Signal::Duration));
    }
    match alert.def.condition {
        AlertCondition::Plain(build) => build(queries),
        AlertCondition::Threshold { default, build, .. } => build(queries, alert.threshold.unwrap_or(default)),
    }
}

fn groups(
    api: &ApiFacts<'_>,
    settings: &AlertSettings,
    queries: &ApiQueries<'_>,
    built: Vec<(ActiveAlert, Expr)>,
) -> Vec<RuleGroup> {
    let recordings = build_recordings(queries, built.iter().map(|(_, expr)| expr));
    let mut groups = Vec::new();
    if !recordings.is_empty() {
        groups.push(RuleGroup {
            name: format!("{}.recording", api.name),
            rules: recordings.into_iter().map(Rule::Recording).collect(),
        });
    }
    let uid = dashboard_uid(api.namespace, api.name);
    let mut families = BTreeMap::<AlertFamily, Vec<Rule>>::new();
    for (alert, expr) in built {
        let family = families.entry(alert.def.family).or_default();
        family.push(Rule::Alerting(rule(api, settings, &uid, alert, expr)));
    }
    groups.extend(families.into_iter().map(|(family, rules)| RuleGroup {
        name: format!("{}.{}", api.name, family.as_str()),
        rules,
    }));
    groups
}

fn rule(
    api: &ApiFacts<'_>,
    settings: &AlertSettings,
    dashboard_uid: &str,
    alert: ActiveAlert,
    expr: Expr,
) -> AlertingRule {
    let def = alert.def;
    let mut labels = alert.labels;
    labels.insert(SEVERITY.to_owned(), alert.severity);
    labels.insert(ALERT_FAMILY.to_owned(), def.family.as_str().to_owned());
    let unit = def.threshold_unit();
    let values = AnnotationValues {
        api: format!("{}/{}", api.namespace, api.name),
        value: unit.unwrap_or(ThresholdUnit::Count).value_template(),
        threshold: unit
            .zip(alert.threshold)
            .map_or_else(String::new, |(unit, value)| unit.text(value)),
        for_: alert.for_.to_string(),
    };
    let mut description = values.fill(def.description);
    let runbook_url = runbook_url(settings, def.name);
    if runbook_url.is_none() {
        description.push_str(&format!(" Runbook: docs/runbooks/{}.md of monitored-api.", def.name));
    }
    let annotations = [
        ("summary", values.fill(def.summary)),
        ("description", description),
        // Grafana links an alert to its panel only if it finds both.
        ("__dashboardUid__", dashboard_uid.to_owned()),
        ("__panelId__", def.panel.id().to_string()),
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

/// The error of a user's latency threshold at or above the largest bucket: a quantile is never above that bucket.
fn beyond_the_buckets(api: &ApiFacts<'_>, alert: &ActiveAlert) -> Option<FieldError> {
    let (path, threshold) = alert.threshold_path.as_ref().zip(alert.threshold)?;
    let (dialect, largest) = largest_bucket_below(api, alert)?;
    Some(FieldError {
        path: path.clone(),
        message: format!(
            "{} is not a valid threshold, because the largest bucket of dialect {} ends at {largest}s and a percentile is \
             never above it: use less, for example 500ms",
            ThresholdUnit::Duration.text(threshold),
            dialect.name,
        ),
    })
}

/// The dialect and its largest bucket, in seconds, if the alert compares a latency with a threshold that is not below it.
fn largest_bucket_below<'a>(api: &ApiFacts<'a>, alert: &ActiveAlert) -> Option<(&'a Dialect, f64)> {
    let is_latency =
        alert.def.signals.contains(&Signal::Duration) && alert.def.threshold_unit() == Some(ThresholdUnit::Duration);
    let dialect = api.dialect.filter(|_| is_latency)?;
    let largest = *dialect.duration()?.buckets.last()?;
    (alert.threshold?.to_f64() >= largest).then_some((dialect, largest))
}
