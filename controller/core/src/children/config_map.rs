//! The dashboard, as a ConfigMap that Grafana's sidecar reads.

use controller_rules::generate_dashboard;
use serde_json::Map;

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, object},
};
use crate::{
    intent::GeneratedField,
    kind::{ChildKind, ChildKindDef, Group},
    omission,
    violation::Violations,
};

impl ChildKind {
    /// The dashboard, as a ConfigMap for Grafana's sidecar.
    pub const CONFIG_MAP: Self = Self::new(&ChildKindDef::new(Group::CORE, "ConfigMap", "configmaps").enabled_when(
        "(!has(object.spec.monitoring) || !has(object.spec.monitoring.enabled) || object.spec.monitoring.enabled) && \
         (!has(object.spec.dashboard) || !has(object.spec.dashboard.enabled) || object.spec.dashboard.enabled)",
    ));
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::CONFIG_MAP,
    build,
};

/// Annotation in which Grafana's sidecar looks for the folder.
const FOLDER: &str = "grafana_folder";

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let api = input.api;
    let Some(settings) = api
        .monitoring
        .as_ref()
        .and_then(|monitoring| monitoring.dashboard.as_ref())
    else {
        return;
    };
    let facts = input.rule_facts();
    let dashboard = generate_dashboard(&facts, &api.alerts);
    built
        .omissions
        .extend(omission::of_dashboard(dashboard.omitted_panels(), facts.dialect));
    let owner = &api.owner;
    let meta = OwnMetadata {
        labels: settings.object_labels.clone(),
        annotations: settings
            .folder
            .iter()
            .map(|folder| (FOLDER.to_owned(), folder.clone()))
            .collect(),
    };
    let name = format!("{}-dashboard", owner.name);
    let mut child = object(ROW.kind, owner, name, meta, Map::new());
    child.findings = dashboard.findings().to_vec();
    child.intent = child.intent.with(GeneratedField::Dashboard, dashboard.json(&facts));
    built.children.push(child);
}
