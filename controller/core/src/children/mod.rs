//! The child table: one row for each kind of object. Watches, apply order, pruning, RBAC, the admission policy and the
//! documents follow from it.

mod config_map;
pub mod deployment;
mod object;
mod persistent_volume_claim;
mod prometheus_rule;
mod row;
mod service;
mod service_account;
pub mod service_monitor;

use controller_rules::RuleSet;

use self::row::Group;
pub use self::row::{ChildKindRow, Watch};
use crate::{
    facts::Facts,
    kind::ChildKind,
    plan::{AppliedChild, Outcome, PlannedChild},
    valid::ValidApi,
    violation::Violations,
};

/// Every kind of object that the operator writes.
pub const CHILD_KINDS: &[ChildKindRow] = &[
    service_account::ROW,
    persistent_volume_claim::ROW,
    service::ROW,
    service_monitor::ROW,
    prometheus_rule::ROW,
    config_map::ROW,
    deployment::ROW,
];

/// The kind's row in [`CHILD_KINDS`].
#[must_use]
pub const fn row(kind: ChildKind) -> &'static ChildKindRow {
    match kind {
        ChildKind::ServiceAccount => &service_account::ROW,
        ChildKind::PersistentVolumeClaim => &persistent_volume_claim::ROW,
        ChildKind::Service => &service::ROW,
        ChildKind::ServiceMonitor => &service_monitor::ROW,
        ChildKind::PrometheusRule => &prometheus_rule::ROW,
        ChildKind::ConfigMap => &config_map::ROW,
        ChildKind::Deployment => &deployment::ROW,
    }
}

/// What the children are built from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildInput<'a> {
    /// The valid spec.
    pub(crate) api: &'a ValidApi,
    /// Its rules.
    pub(crate) rules: &'a RuleSet,
    /// What was read from the cluster.
    pub(crate) facts: &'a Facts,
}

/// What the builders made.
#[derive(Debug, Default)]
pub(crate) struct BuildOutput {
    /// The objects, in apply order.
    pub(crate) children: Vec<PlannedChild>,
    /// Alerts and panels that were left out, each with the signal that the dialect lacks; sorted.
    pub(crate) missing: Vec<String>,
}

/// Builds every object that should exist. Kinds whose CRD is missing are part of it: whether they can be written is
/// found out when they are applied.
pub(crate) fn build(input: &BuildInput<'_>, violations: &mut Violations) -> BuildOutput {
    let mut built = BuildOutput::default();
    for row in CHILD_KINDS {
        (row.build)(input, &mut built, violations);
    }
    built.children.sort_by_key(|child| row(child.kind).wave);
    built.missing.sort();
    built.missing.dedup();
    built
}

/// Why a child must not be written after what became of the earlier ones. `None`: it may be written.
///
/// No pod may mount a volume that belongs to somebody else: what it writes there could not be undone.
#[must_use]
pub fn blocked_by(kind: ChildKind, earlier: &[AppliedChild]) -> Option<String> {
    let foreign = |child: &&AppliedChild| {
        child.kind == ChildKind::PersistentVolumeClaim && matches!(child.outcome, Outcome::Conflict(_))
    };
    earlier
        .iter()
        .find(|child| kind == ChildKind::Deployment && foreign(child))
        .map(|claim| {
            format!(
                "not written, because its pods would mount the PersistentVolumeClaim {}, which belongs to somebody else",
                claim.name
            )
        })
}

#[cfg(test)]
mod tests;
