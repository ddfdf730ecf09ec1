//! The child table: one row for each kind of object. Watches, apply order, pruning, RBAC, the admission policy and the
//! documents follow from it.

mod config_map;
pub mod dashboard;
pub mod deployment;
mod grafana_dashboard;
mod horizontal_pod_autoscaler;
mod object;
mod persistent_volume_claim;
mod prometheus_rule;
pub mod service;
mod service_account;
pub mod service_monitor;

use controller_rules::{ApiFacts, GeneratedRules};

use crate::{
    facts::Facts,
    from_live::{DashboardObject, FromLive},
    kind::ChildKind,
    omission::Omission,
    plan::{AppliedChild, Decision, Outcome, PlannedChild},
    valid::ValidApi,
    violation::Violations,
};

/// Builds the objects of one kind into `BuildOutput`: complete intents, owner reference included. What is wrong with the
/// result is a violation.
type Build = fn(&BuildInput<'_>, &mut BuildOutput, &mut Violations);

/// One row of [`CHILD_KINDS`].
struct ChildKindRow {
    kind: ChildKind,
    build: Build,
}

/// Every kind of object that the operator writes.
const CHILD_KINDS: &[ChildKindRow] = &[
    service_account::ROW,
    persistent_volume_claim::ROW,
    service::ROW,
    service_monitor::ROW,
    prometheus_rule::ROW,
    config_map::ROW,
    grafana_dashboard::ROW,
    deployment::ROW,
    horizontal_pod_autoscaler::ROW,
];

/// Every kind of object that the operator writes, in the order of the table.
pub fn child_kinds() -> impl ExactSizeIterator<Item = ChildKind> {
    CHILD_KINDS.iter().map(|row| row.kind)
}

/// The kind of that name. `None`: not one of ours, or one of a later release.
#[must_use]
pub fn child_kind(name: &str) -> Option<ChildKind> {
    child_kinds().find(|kind| kind.as_str() == name)
}

/// What the children are built from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuildInput<'a> {
    /// The valid spec.
    pub(crate) api: &'a ValidApi,
    /// Its rules.
    pub(crate) rules: &'a GeneratedRules,
    /// What is taken from the cluster. Builders see no other fact.
    pub(crate) live: &'a FromLive,
}

impl<'a> BuildInput<'a> {
    /// What the rules engine has to know.
    fn rule_facts(&self) -> ApiFacts<'a> {
        self.api.rule_facts_with(self.live.reads_overall)
    }
}

/// What a plan of this spec takes from the cluster.
pub(crate) fn from_live(api: &ValidApi, facts: &Facts) -> FromLive {
    let own_workload = api.workload_ref.is_none();
    let live_replicas = facts.live_replicas.filter(|_| own_workload);
    let prescribed = deployment::prescribed_replicas(api, live_replicas);
    let copied = deployment::copied_replicas(prescribed, live_replicas);
    FromLive {
        replicas: prescribed.or(copied),
        replicas_copied_from: copied
            .or_else(|| deployment::first_replicas(api, live_replicas))
            .and(facts.deployment_version.clone()),
        claim_size: persistent_volume_claim::size_to_ask_for(api, facts),
        reads_overall: api.reads_overall(facts),
        dashboard: DashboardObject::of(api, facts),
        page: api.page.clone(),
        workload: facts.workload.clone().filter(|_| api.workload_ref.is_some()),
    }
}

/// What the builders made.
#[derive(Debug, Default)]
pub(crate) struct BuildOutput {
    /// The objects, in apply order.
    pub(crate) children: Vec<PlannedChild>,
    /// Alerts, objectives and panels that are left out; sorted.
    pub(crate) omissions: Vec<Omission>,
}

/// Builds every object that should exist. Kinds whose CRD is missing are part of it: whether they can be written is
/// found out when they are applied.
pub(crate) fn build(input: &BuildInput<'_>, violations: &mut Violations) -> BuildOutput {
    let mut built = BuildOutput::default();
    let own_workload = input.api.workload_ref.is_none();
    for row in CHILD_KINDS
        .iter()
        .filter(|row| own_workload || !row.kind.of_own_workload)
    {
        (row.build)(input, &mut built, violations);
    }
    if !own_workload {
        built.omissions.iter_mut().for_each(Omission::set_in_the_workload);
    }
    for child in &mut built.children {
        object::add_labels(child, &input.api.object_labels);
    }
    built.children.sort_by_key(|child| child.kind.wave);
    built.omissions.sort();
    built.omissions.dedup();
    built
}

/// What became of a child that must not be written after what became of the earlier ones. `None`: it may be written.
///
/// - No pod may mount a volume that may belong to another owner: what it writes there could not be undone. Nor may it run as
///   another owner's ServiceAccount, with rights that its author lacks. So both must be as wanted, whatever the reason that
///   they are not.
/// - Where the API server did not answer for an object that the workload needs, the rest would wait just as long.
#[must_use]
pub fn blocked_by(kind: ChildKind, decision: &Decision, earlier: &[AppliedChild]) -> Option<Outcome> {
    if *decision == Decision::Skip {
        return None;
    }
    if unanswered(earlier) {
        return Some(Outcome::Failed(
            "not tried, because the API server did not answer for another object in time".to_owned(),
        ));
    }
    if kind != ChildKind::DEPLOYMENT {
        return None;
    }
    // The claim first: its data is what could be lost.
    let used = [
        (ChildKind::PERSISTENT_VOLUME_CLAIM, "mount"),
        (ChildKind::SERVICE_ACCOUNT, "run as"),
    ];
    used.into_iter().find_map(|(kind, verb)| {
        let child = earlier.iter().find(|child| child.kind == kind)?;
        held_back(child, verb)
    })
}

/// Whether the API server gave no answer in time for an object that the workload needs.
#[must_use]
pub fn unanswered(applied: &[AppliedChild]) -> bool {
    applied
        .iter()
        .any(|child| child.kind.needed_by_ready && child.outcome.is_unanswered())
}

/// What becomes of the Deployment whose pods use an object: `verb` says how. `None`: it may be written.
fn held_back(used: &AppliedChild, verb: &str) -> Option<Outcome> {
    let AppliedChild { kind, name, .. } = used;
    let sentence = |why: &str| {
        format!("not written, because its pods would {verb} the {kind} {name}, {why}: see the sentence about it")
    };
    Some(match &used.outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Contested(_) => return None,
        Outcome::Conflict(_) => Outcome::Conflict(sentence("which belongs to another owner")),
        Outcome::Forbidden(_) => Outcome::Forbidden(sentence("which the operator is not permitted to write")),
        Outcome::Invalid(_) => Outcome::Invalid(sentence("which the API server refuses as it is wanted")),
        Outcome::Failed(_) | Outcome::LintFailed(_) | Outcome::CrdMissing => {
            Outcome::Failed(sentence("which could not be written"))
        }
        Outcome::Waiting(_) => Outcome::Waiting(sentence("and an old one of this name is still being deleted")),
        Outcome::Pending(why) => Outcome::Pending(why.clone()),
    })
}

#[cfg(test)]
mod tests;
