//! The PrometheusRule: recording rules and alerts that fit the dialect.

use controller_rules::ApiFacts;
use metric_contract::TargetKind;
use serde_json::{Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow, copies_nothing,
    object::{Meta, body, object},
    service_monitor::MONITORING_ON,
    unexplained,
};
use crate::{
    plan::ApiRef,
    validate::{Metrics, ValidApi},
};

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::PrometheusRule,
    group: "monitoring.coreos.com",
    version: "v1",
    name: "PrometheusRule",
    plural: "prometheusrules",
    optional: true,
    core: false,
    wave: 1,
    holds_data: false,
    turned_on: MONITORING_ON,
    explain: unexplained,
    copied_from: copies_nothing,
    build,
};

/// What the rules engine has to know of the API.
pub(crate) fn facts<'a>(owner: &'a ApiRef, metrics: &'a Metrics) -> ApiFacts<'a> {
    ApiFacts {
        namespace: &owner.namespace,
        name: &owner.name,
        dialect: metrics.dialect.map(metric_contract::DialectId::dialect),
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: metrics.interval_seconds,
        excluded_routes: &metrics.excluded_routes,
    }
}

/// Alerts that were left out, each with the signal that the dialect lacks.
pub(super) fn missing(api: &ValidApi) -> Vec<String> {
    let omitted = api
        .monitoring
        .iter()
        .flat_map(|monitoring| &monitoring.rules.omitted_alerts);
    omitted
        .map(|omitted| format!("{}: {}", omitted.alert, omitted.signal.name()))
        .collect()
}

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let Some(monitoring) = &input.api.monitoring else {
        return Vec::new();
    };
    let rules = &monitoring.rules;
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
