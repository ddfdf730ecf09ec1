//! The dashboard, as a GrafanaDashboard that the Grafana Operator puts into Grafana.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    BuildInput, BuildOutput, ChildKindRow, dashboard,
    object::{OwnMetadata, body, monitoring_on, object},
};
use crate::{
    from_live::DashboardObject,
    kind::{ChildKind, ChildKindDef, Group, Watch},
    violation::Violations,
};

impl ChildKind {
    /// The dashboard, for the Grafana Operator.
    ///
    /// Its author needs the permission to create one only where the spec asks for this kind. With the form `Auto` they need the one
    /// for ConfigMaps, by which they can put dashboards into Grafana too: most authors have no permission for a kind that most
    /// clusters do not serve.
    pub const GRAFANA_DASHBOARD: Self = Self::new(
        &ChildKindDef::new(Group::GRAFANA_OPERATOR, "GrafanaDashboard", "grafanadashboards")
            .optional()
            .watched(Watch::Whole)
            .enabled_when(concat!(
                "(",
                monitoring_on!(),
                ") && has(object.spec.dashboard) && (!has(object.spec.dashboard.enabled) || object.spec.dashboard.enabled) && \
                 has(object.spec.dashboard.form) && object.spec.dashboard.form == 'GrafanaDashboard'",
            ))
            .explained_by(explain),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::GRAFANA_DASHBOARD,
    build,
};

/// `spec` of a GrafanaDashboard.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    /// Grafana is seldom in the namespace of the API.
    allow_cross_namespace_import: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<&'a str>,
    instance_selector: InstanceSelector<'a>,
    json: Value,
}

/// Without labels it selects every Grafana of the Grafana Operator.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceSelector<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    match_labels: &'a BTreeMap<String, String>,
}

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let Some(dashboard) = dashboard::build(DashboardObject::GrafanaDashboard, input, built) else {
        return;
    };
    let settings = dashboard.settings;
    let spec = Spec {
        allow_cross_namespace_import: true,
        folder: settings.folder.as_deref(),
        instance_selector: InstanceSelector {
            match_labels: &settings.instance_labels,
        },
        json: dashboard.json.value(),
    };
    let meta = OwnMetadata::labels(settings.object_labels.clone());
    let body = body([("spec", json!(spec))]);
    let mut child = object(ROW.kind, &input.api.owner, dashboard.name, meta, body);
    child.findings = dashboard.findings;
    built.children.push(child);
}

fn explain(message: &str) -> Option<&'static str> {
    message.contains("instanceSelector is immutable").then_some(
        "the Grafana Operator does not allow another instanceSelector: delete this GrafanaDashboard, and it is made anew with the \
         labels in defaults.grafanaInstanceLabels",
    )
}
