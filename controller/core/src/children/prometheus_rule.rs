//! The PrometheusRule: recording rules and alerts that fit the dialect.

use controller_rules::{ApiFacts, FieldError, RuleSet, build_rules};
use metric_contract::TargetKind;
use serde_json::{Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow,
    object::{Meta, body, object},
    service_monitor::MONITORING_ON,
};
use crate::validate::ValidApi;

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::PrometheusRule,
    group: "monitoring.coreos.com",
    version: "v1",
    name: "PrometheusRule",
    plural: "prometheusrules",
    optional: true,
    core: false,
    wave: 1,
    turned_on: MONITORING_ON,
    build,
};

/// What the rules engine has to know of the API.
pub(super) fn facts(api: &ValidApi) -> ApiFacts<'_> {
    ApiFacts {
        namespace: &api.owner.namespace,
        name: &api.owner.name,
        dialect: api.metrics.dialect.map(metric_contract::DialectId::dialect),
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: api.metrics.interval_seconds,
        excluded_routes: &api.metrics.excluded_routes,
    }
}

fn rules(api: &ValidApi) -> Option<Result<RuleSet, Vec<FieldError>>> {
    let monitoring = api.monitoring.as_ref()?;
    Some(build_rules(&facts(api), &monitoring.alerts))
}

/// What keeps the rules from being built. Part of validation, so that a plan can always be made of a valid spec.
#[must_use]
pub fn check(api: &ValidApi) -> Vec<FieldError> {
    rules(api).and_then(Result::err).unwrap_or_default()
}

/// Alerts that were left out, each with the signal that the dialect lacks; sorted.
#[must_use]
pub fn missing(api: &ValidApi) -> Vec<String> {
    let Some(Ok(rules)) = rules(api) else { return Vec::new() };
    let mut missing: Vec<_> = rules
        .left_out
        .iter()
        .map(|left_out| format!("{}: {}", left_out.alert, left_out.signal.name()))
        .collect();
    missing.sort();
    missing.dedup();
    missing
}

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let (Some(monitoring), Some(Ok(rules))) = (&input.api.monitoring, rules(input.api)) else {
        return Vec::new();
    };
    if rules.groups.is_empty() {
        return Vec::new();
    }
    let meta = Meta {
        labels: monitoring.object_labels.clone(),
        ..Meta::default()
    };
    vec![object(
        &ROW,
        input.owner,
        input.owner.name.clone(),
        meta,
        body([("spec", json!(rules))]),
    )]
}
