//! The dashboard, as a ConfigMap that Grafana's sidecar reads.

use serde_json::Map;

use super::{
    BuildInput, BuildOutput, ChildKindRow, dashboard,
    object::{OwnMetadata, monitoring_on, object},
};
use crate::{
    from_live::DashboardObject,
    intent::GeneratedField,
    kind::{ChildKind, ChildKindDef, Group},
    violation::Violations,
};

impl ChildKind {
    /// The dashboard, as a ConfigMap for Grafana's sidecar.
    pub const CONFIG_MAP: Self = Self::new(&ChildKindDef::new(Group::CORE, "ConfigMap", "configmaps").enabled_when(concat!(
        "(",
        monitoring_on!(),
        ") && (!has(object.spec.dashboard) || !has(object.spec.dashboard.enabled) || object.spec.dashboard.enabled) && \
         (!has(object.spec.dashboard) || !has(object.spec.dashboard.form) || object.spec.dashboard.form != 'GrafanaDashboard')",
    )));
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::CONFIG_MAP,
    build,
};

/// Annotation in which Grafana's sidecar looks for the folder.
const FOLDER: &str = "grafana_folder";

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let Some(dashboard) = dashboard::build(DashboardObject::ConfigMap, input, built) else {
        return;
    };
    let settings = dashboard.settings;
    let meta = OwnMetadata {
        labels: settings.object_labels.clone(),
        annotations: settings
            .folder
            .iter()
            .map(|folder| (FOLDER.to_owned(), folder.clone()))
            .collect(),
    };
    let mut child = object(ROW.kind, &input.api.owner, dashboard.name, meta, Map::new());
    child.findings = dashboard.findings;
    child.intent = child.intent.with(GeneratedField::Dashboard, dashboard.json);
    built.children.push(child);
}
