//! The ServiceMonitor, by which a Prometheus finds and scrapes the workload. Only the fields that we send are typed here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, labels, monitoring_on, object, selector_labels},
    service::scraped,
};
use crate::{
    kind::{ChildKind, ChildKindDef, Group, PORT_HTTP, PORT_METRICS},
    valid::{Metrics, ValidApi},
    violation::Violations,
};

impl ChildKind {
    /// The ServiceMonitor, by which a Prometheus finds the workload.
    pub const SERVICE_MONITOR: Self = Self::new(
        &ChildKindDef::new(Group::PROMETHEUS_OPERATOR, "ServiceMonitor", "servicemonitors")
            .optional()
            .enabled_when(monitoring_on!()),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::SERVICE_MONITOR,
    build,
};

/// `spec` of a ServiceMonitor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    selector: Selector,
    endpoints: [Endpoint<'a>; 1],
    sample_limit: i64,
    label_limit: i64,
    body_size_limit: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

/// One endpoint. `honorLabels` stays off: a workload must not set the labels that say which target a sample is from.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    port: &'static str,
    path: &'a str,
    interval: &'a str,
    scrape_timeout: &'a str,
    relabelings: [Relabeling<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Relabeling<'a> {
    action: &'static str,
    target_label: &'static str,
    replacement: &'a str,
}

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let api = input.api;
    if !api.is_scraped() {
        return;
    }
    let meta = OwnMetadata::labels(own_labels(api));
    let fields = body([("spec", json!(spec(api)))]);
    built
        .children
        .push(object(ROW.kind, &api.owner, api.owner.name.clone(), meta, fields));
}

fn spec(api: &ValidApi) -> Spec<'_> {
    let name = &api.owner.name;
    let Metrics {
        path,
        interval,
        timeout,
        sample_limit,
        body_size_limit,
        label_limit,
        ..
    } = &api.metrics;
    let mut match_labels = selector_labels(name);
    match_labels.extend(scraped());
    Spec {
        selector: Selector { match_labels },
        endpoints: [Endpoint {
            port: if api.metrics_apart() { PORT_METRICS } else { PORT_HTTP },
            path,
            interval,
            scrape_timeout: timeout,
            // The job is the MonitoredApi's name, whichever Service is scraped: every rule selects by it.
            relabelings: [Relabeling {
                action: "replace",
                target_label: "job",
                replacement: name,
            }],
        }],
        sample_limit: *sample_limit,
        label_limit: *label_limit,
        body_size_limit,
    }
}

fn own_labels(api: &ValidApi) -> BTreeMap<String, String> {
    api.monitoring
        .as_ref()
        .map(|monitoring| monitoring.object_labels.clone())
        .unwrap_or_default()
}

/// All labels of the ServiceMonitor and of the PrometheusRule, by which a Prometheus selects them.
#[must_use]
pub fn monitoring_labels(api: &ValidApi) -> BTreeMap<String, String> {
    let mut all = api.object_labels.clone();
    all.extend(own_labels(api));
    all.extend(labels(&api.owner.name));
    all
}
