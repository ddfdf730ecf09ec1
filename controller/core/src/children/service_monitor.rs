//! The ServiceMonitor: what makes a Prometheus scrape the workload. Only the fields that we send are typed here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow, PORT_HTTP, PORT_METRICS, copies_nothing,
    object::{Meta, body, labels, object, selector_labels},
    service::scraped,
    unexplained,
};
use crate::validate::{Metrics, ValidApi};

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::ServiceMonitor,
    group: "monitoring.coreos.com",
    version: "v1",
    name: "ServiceMonitor",
    plural: "servicemonitors",
    optional: true,
    core: false,
    wave: 1,
    holds_data: false,
    turned_on: MONITORING_ON,
    explain: unexplained,
    copied_from: copies_nothing,
    build,
};

/// The spec turns monitoring on: it does unless it says no.
pub(super) const MONITORING_ON: &str =
    "!has(object.spec.monitoring) || !has(object.spec.monitoring.enabled) || object.spec.monitoring.enabled";

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

/// One endpoint. `honorLabels` stays off: a workload must not say for whom it speaks.
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

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    if input.api.monitoring.is_none() {
        return Vec::new();
    }
    let name = &input.owner.name;
    let Metrics {
        path,
        interval,
        timeout,
        sample_limit,
        body_size_limit,
        label_limit,
        ..
    } = &input.api.metrics;
    let mut match_labels = selector_labels(name);
    match_labels.extend(scraped());
    let spec = Spec {
        selector: Selector { match_labels },
        endpoints: [Endpoint {
            port: if input.api.metrics_apart() {
                PORT_METRICS
            } else {
                PORT_HTTP
            },
            path,
            interval,
            scrape_timeout: timeout,
            // The job is the MonitoredApi's name, whichever Service is scraped: every rule pins it.
            relabelings: [Relabeling {
                action: "replace",
                target_label: "job",
                replacement: name,
            }],
        }],
        sample_limit: *sample_limit,
        label_limit: *label_limit,
        body_size_limit,
    };
    let meta = Meta {
        labels: own_labels(input.api),
        ..Meta::default()
    };
    vec![object(
        &ROW,
        input.owner,
        name.clone(),
        meta,
        body([("spec", json!(spec))]),
    )]
}

fn own_labels(api: &ValidApi) -> BTreeMap<String, String> {
    api.monitoring
        .as_ref()
        .map(|monitoring| monitoring.object_labels.clone())
        .unwrap_or_default()
}

/// All labels of the ServiceMonitor, by which a Prometheus selects it.
#[must_use]
pub fn monitor_labels(api: &ValidApi) -> BTreeMap<String, String> {
    let mut all = own_labels(api);
    all.extend(labels(&api.owner.name));
    all
}
