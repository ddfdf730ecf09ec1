//! The PrometheusRule: recording rules and alerts that fit the dialect.

use serde_json::Map;

use super::{
    BuildInput, BuildOutput, ChildKindRow,
    object::{OwnMetadata, monitoring_on, object},
};
use crate::{
    intent::GeneratedField,
    kind::{ChildKind, ChildKindDef, Group},
    omission,
    violation::Violations,
};

impl ChildKind {
    /// Recording rules and alerts.
    pub const PROMETHEUS_RULE: Self = Self::new(
        &ChildKindDef::new(Group::PROMETHEUS_OPERATOR, "PrometheusRule", "prometheusrules")
            .optional()
            .enabled_when(monitoring_on!()),
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
    let rules = input.rules;
    let facts = input.rule_facts();
    built.omissions.extend(omission::of_rules(rules, facts.spelling));
    let Some(spec) = rules.spec(&facts) else {
        return;
    };
    let owner = &input.api.owner;
    let meta = OwnMetadata::labels(monitoring.object_labels.clone());
    let mut child = object(ROW.kind, owner, owner.name.clone(), meta, Map::new());
    child.findings = rules.findings().to_vec();
    child.intent = child.intent.with(GeneratedField::Rules, spec);
    built.children.push(child);
}
