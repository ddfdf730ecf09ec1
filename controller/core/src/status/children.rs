//! `ChildrenApplied`, and the write records with their states.

use controller_api::{ChildRecord, ConditionType, Reason};

use super::{FoldInput, bounds, claim, referenced, verdict::Verdict};
use crate::{
    children::child_kind,
    kind::ChildKind,
    plan::{Applied, AppliedChild, Outcome},
};

/// The message if nothing is wrong.
const AS_WANTED: &str = "every object is as the spec wants it";

pub(super) fn verdict(input: &FoldInput<'_>) -> Verdict {
    let Some(applied) = input.applied else {
        return not_applied(input);
    };
    let mut failures: Vec<(Reason, String)> = applied.children.iter().filter_map(failure).collect();
    failures
        .sort_by(|(one, about_one), (other, about_other)| (rank(*one), about_one).cmp(&(rank(*other), about_other)));
    failures.dedup();
    if let Some((worst, _)) = failures.first() {
        let sentences: Vec<_> = failures.iter().map(|(_, sentence)| sentence.as_str()).collect();
        return Verdict::no(*worst, sentences.join("; "));
    }
    if !applied.leftovers.is_empty() {
        return Verdict::no(
            Reason::Pruning,
            format!("waiting until these are deleted: {}", names(&applied.leftovers)),
        );
    }
    let missing: Vec<_> = of_missing_crds(applied).map(ChildKind::as_str).collect();
    let mut sentence = AS_WANTED.to_owned();
    if !missing.is_empty() {
        sentence.push_str(", except kinds whose CRD is not installed (CrdMissing): ");
        sentence.push_str(&missing.join(", "));
    }
    let (by_pods, until_replaced): (Vec<_>, Vec<_>) = applied
        .in_use
        .iter()
        .cloned()
        .partition(|record| child_kind(&record.kind).is_some_and(|kind| kind.used_by_pods));
    let until = [
        (by_pods, "the rollout is complete"),
        (until_replaced, "the object that takes its place exists"),
    ];
    for (records, until) in until.iter().filter(|(records, _)| !records.is_empty()) {
        let records = names(records);
        sentence.push_str(&format!("; {records} is no longer wanted and is deleted when {until}"));
    }
    if let Some(larger) = claim::larger(input) {
        sentence.push_str(&larger);
    }
    let kept = names(&applied.kept);
    if kept.is_empty() {
        return Verdict::yes(Reason::Applied, sentence);
    }
    Verdict::yes(
        Reason::DataKept,
        format!(
            "{sentence}; {kept} is no longer wanted and stays because it holds data: delete it by hand if nobody needs the data, or set spec.storage again to use it"
        ),
    )
}

/// Kinds and names, sorted.
fn names(records: &[ChildRecord]) -> String {
    let mut names: Vec<_> = records
        .iter()
        .map(|record| format!("{} {}", record.kind, record.name))
        .collect();
    names.sort();
    names.join(", ")
}

fn not_applied(input: &FoldInput<'_>) -> Verdict {
    if input.validated.is_err() {
        return Verdict::unknown(
            Reason::SpecInvalid,
            "no object is written while the spec is invalid; what was written before stays as it is",
        );
    }
    if input.is_suspended_with_changes() {
        return Verdict::unknown(
            Reason::Suspended,
            "spec.suspend is true, so this spec is not written; the objects are those of an earlier one, if there are \
             any: remove spec.suspend to write it",
        );
    }
    if referenced::is_waited_for(input) {
        return Verdict::unknown(
            Reason::Pending,
            "no object is written, because the workload that spec.workloadRef names was never read: see WorkloadReady",
        );
    }
    match Verdict::before(ConditionType::ChildrenApplied, input.previous).filter(|_| input.suspended) {
        // A change was taken back: every record is of this spec again.
        Some(before) if before.reason == Reason::Suspended => Verdict::yes(Reason::Applied, AS_WANTED),
        Some(before) => before,
        None => Verdict::unknown(Reason::Pending, "the objects have not been written yet"),
    }
}

/// Kinds that were skipped because their CRD is not installed, in the plan's order.
pub(super) fn of_missing_crds(applied: &Applied) -> impl Iterator<Item = ChildKind> {
    applied
        .children
        .iter()
        .filter(|child| child.outcome == Outcome::CrdMissing)
        .map(|child| child.kind)
}

/// The reasons for which a child is not as wanted: the condition gives the first of these that applies.
const WORST_FIRST: [Reason; 8] = [
    Reason::Conflict,
    Reason::Forbidden,
    Reason::Invalid,
    Reason::LintFailed,
    Reason::Contested,
    Reason::Failed,
    Reason::WaitingForDeletion,
    Reason::Pending,
];

fn rank(reason: Reason) -> usize {
    WORST_FIRST
        .iter()
        .position(|worst| *worst == reason)
        .unwrap_or(WORST_FIRST.len())
}

/// How the sentence about a child begins that the operator may not write.
#[must_use]
pub fn told_as_forbidden(kind: ChildKind, name: &str) -> String {
    format!("{kind} {name}: Forbidden: ")
}

/// Why a child is not as wanted, as a reason and a sentence. `None`: it is as wanted.
fn failure(child: &AppliedChild) -> Option<(Reason, String)> {
    let place = format!("{} {}", child.kind.as_str(), child.name);
    match &child.outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::CrdMissing => None,
        Outcome::Conflict(why) => Some((Reason::Conflict, format!("{place}: Conflict: {why}"))),
        Outcome::Forbidden(why) => Some((Reason::Forbidden, told_as_forbidden(child.kind, &child.name) + why)),
        Outcome::Invalid(why) => Some((Reason::Invalid, format!("{place}: Invalid: {why}"))),
        Outcome::LintFailed(why) => Some((Reason::LintFailed, format!("{place}: LintFailed: {why}"))),
        Outcome::Contested(why) => Some((Reason::Contested, format!("{place}: Contested: {why}"))),
        Outcome::Failed(why) => Some((Reason::Failed, format!("{place}: Failed: {why}"))),
        Outcome::Waiting(why) => Some((Reason::WaitingForDeletion, format!("{place}: {why}"))),
        // It is the same for every child.
        Outcome::Pending(why) => Some((Reason::Pending, why.clone())),
    }
}

/// The state of the kinds that `Ready` needs, taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeededChildren {
    /// All as wanted.
    Applied,
    /// On the way, or failing in a way that may pass.
    Pending,
    /// Refused until a user changes something.
    Refused,
}

pub(super) fn needed_children(applied: &Applied) -> NeededChildren {
    let outcomes = || {
        applied
            .children
            .iter()
            .filter(|child| child.kind.needed_by_ready)
            .map(|child| &child.outcome)
    };
    let refused = |outcome: &Outcome| match outcome {
        Outcome::Conflict(_)
        | Outcome::Forbidden(_)
        | Outcome::Invalid(_)
        | Outcome::LintFailed(_)
        | Outcome::Contested(_)
        | Outcome::CrdMissing => true,
        Outcome::Unchanged | Outcome::Applied | Outcome::Failed(_) | Outcome::Waiting(_) | Outcome::Pending(_) => false,
    };
    if outcomes().any(refused) {
        NeededChildren::Refused
    } else if outcomes().all(Outcome::is_as_planned) {
        NeededChildren::Applied
    } else {
        NeededChildren::Pending
    }
}

/// The write records to keep: those of the plan, then what is not gone yet.
pub(super) fn records(input: &FoldInput<'_>, workload_ready: bool) -> Vec<ChildRecord> {
    let Some(applied) = input.applied else {
        return input.previous.children.clone();
    };
    let mut records: Vec<ChildRecord> = applied
        .children
        .iter()
        .filter_map(|child| {
            let state = state(child, workload_ready, input);
            child.record.clone().map(|record| ChildRecord {
                state: state.to_owned(),
                ..record
            })
        })
        .collect();
    let kept = applied.kept.iter().map(|record| ChildRecord {
        state: "Kept".to_owned(),
        ..record.clone()
    });
    let staying = applied.leftovers.iter().chain(&applied.in_use).cloned().chain(kept);
    for unplanned in staying {
        // listType=map: a key that stands twice would make the API server refuse the whole status.
        if !records
            .iter()
            .any(|record| record.kind == unplanned.kind && record.name == unplanned.name)
        {
            records.push(unplanned);
        }
    }
    // Those of the plan come first and are never cut.
    records.truncate(bounds::MAX_ITEMS);
    records
}

fn state(child: &AppliedChild, workload_ready: bool, input: &FoldInput<'_>) -> &'static str {
    match &child.outcome {
        Outcome::Unchanged | Outcome::Applied if child.kind == ChildKind::PERSISTENT_VOLUME_CLAIM => claim_state(input),
        Outcome::Unchanged | Outcome::Applied if child.kind == ChildKind::DEPLOYMENT && !workload_ready => {
            "Progressing"
        }
        Outcome::Unchanged | Outcome::Applied => "Ready",
        Outcome::Conflict(_) | Outcome::Contested(_) => "Conflict",
        Outcome::CrdMissing => "Missing",
        Outcome::Forbidden(_) | Outcome::Invalid(_) | Outcome::LintFailed(_) | Outcome::Failed(_) => "Failed",
        Outcome::Waiting(_) | Outcome::Pending(_) => "Progressing",
    }
}

fn claim_state(input: &FoldInput<'_>) -> &'static str {
    match input.workload.volume_claim.as_ref().map(|claim| claim.phase.as_str()) {
        Some("Bound") => "Ready",
        Some("Lost") => "Failed",
        Some(_) | None => "Progressing",
    }
}
