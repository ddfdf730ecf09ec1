//! The PrometheusRule: recording rules and alerts that fit the dialect.

use serde_json::json;

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, body, object},
    service_monitor::MONITORING_ON,
};
use crate::{
    kind::{ChildKind, ChildKindDef, Group},
    violation::Violations,
};

impl ChildKind {
    /// Recording rules and alerts.
    pub const PROMETHEUS_RULE: Self = Self::new(
        &ChildKindDef::new(Group::PROMETHEUS_OPERATOR, "PrometheusRule", "prometheusrules")
            .optional()
            .enabled_when(MONITORING_ON),
    );
}

pub(super) const ROW: ChildKindRow = ChildKindRow {
    kind: ChildKind::PROMETHEUS_RULE,
    build,
};

fn build(input: &BuildInput<'_>, built: &mut BuildOutput, _: &mut Violations) {
    let Some(monitoring) = &input.api.monitoring else {
        return;
    };
    let omitted = input.rules.omitted_alerts.iter();
    built
        .missing
        .extend(omitted.map(|omitted| format!("{}: {}", omitted.alert, omitted.signal.name())));
    let omitted = input.rules.omitted_objectives.iter();
    built
        .missing
        .extend(omitted.map(|omitted| format!("objective {}: {}", omitted.objective, omitted.gap)));
    if input.rules.groups.is_empty() {
        return;
    }
    let owner = &input.api.owner;
    let meta = OwnMetadata::labels(monitoring.object_labels.clone());
    let fields = body([("spec", json!(input.rules))]);
    built
        .children
        .push(object(ROW.kind, owner, owner.name.clone(), meta, fields));
}
