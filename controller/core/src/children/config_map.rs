//! The dashboard, as a ConfigMap that Grafana's sidecar reads.

use controller_rules::build_dashboard;
use serde_json::{Value, json};

use super::{
    BuildInput, ChildKind, ChildKindRow, copies_nothing,
    object::{Meta, body, object},
    prometheus_rule::facts,
    unexplained,
};

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::ConfigMap,
    group: "",
    version: "v1",
    name: "ConfigMap",
    plural: "configmaps",
    optional: false,
    core: false,
    wave: 1,
    holds_data: false,
    turned_on: "(!has(object.spec.monitoring) || !has(object.spec.monitoring.enabled) || \
                object.spec.monitoring.enabled) && (!has(object.spec.dashboard) || \
                !has(object.spec.dashboard.enabled) || object.spec.dashboard.enabled)",
    explain: unexplained,
    copied_from: copies_nothing,
    build,
};

/// Annotation in which Grafana's sidecar looks for the folder.
const FOLDER: &str = "grafana_folder";

/// Panels that are left out, each with the signal that the dialect lacks.
pub(super) fn missing(input: &BuildInput<'_>) -> Vec<String> {
    let monitoring = input.api.monitoring.as_ref();
    let Some(monitoring) = monitoring.filter(|monitoring| monitoring.dashboard.is_some()) else {
        return Vec::new();
    };
    build_dashboard(&facts(input.owner, &input.api.metrics), &monitoring.alerts)
        .omitted_panels()
        .iter()
        .map(|panel| format!("panel {}: {}", panel.title, panel.signal.name()))
        .collect()
}

fn build(input: &BuildInput<'_>) -> Vec<(String, Value)> {
    let Some(monitoring) = &input.api.monitoring else {
        return Vec::new();
    };
    let Some(settings) = &monitoring.dashboard else {
        return Vec::new();
    };
    let dashboard = build_dashboard(&facts(input.owner, &input.api.metrics), &monitoring.alerts);
    let Ok(mut json) = serde_json::to_string_pretty(&dashboard) else {
        return Vec::new();
    };
    json.push('\n');
    // The sidecar writes the files of all namespaces into one directory: the name says whose it is.
    let file = format!("{}-{}.json", input.owner.namespace, input.owner.name);
    let meta = Meta {
        labels: settings.object_labels.clone(),
        annotations: settings
            .folder
            .iter()
            .map(|folder| (FOLDER.to_owned(), folder.clone()))
            .collect(),
    };
    let name = format!("{}-dashboard", input.owner.name);
    vec![object(
        &ROW,
        input.owner,
        name,
        meta,
        body([("data", json!({file: json}))]),
    )]
}
