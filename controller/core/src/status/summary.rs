//! The conditions that tools wait for: `Ready`, `Reconciling`, `Stalled`, as kstatus reads them. The latter two are False
//! at rest and never both True.

use controller_api::{ConditionType, Reason};

use super::{
    FoldInput,
    children::{NeededChildren, needed_children},
    diagnosis::no_progress,
    referenced,
    verdict::{Truth, Verdict},
};
use crate::facts::Reference;

/// The verdicts that are summed up.
pub(super) struct Parts<'a> {
    pub(super) accepted: &'a Verdict,
    pub(super) children: &'a Verdict,
    pub(super) workload: &'a Verdict,
    /// `None`: no Service is wanted.
    pub(super) service: Option<&'a Verdict>,
}

/// The three verdicts.
pub(super) struct SummaryVerdicts {
    pub(super) ready: Verdict,
    pub(super) reconciling: Verdict,
    pub(super) stalled: Verdict,
}

pub(super) fn summary(input: &FoldInput<'_>, parts: &Parts<'_>) -> SummaryVerdicts {
    let ready = ready(input, parts);
    let stalled = stalled(input, parts);
    let reconciling = reconciling(input, &ready, &stalled);
    SummaryVerdicts {
        ready,
        reconciling,
        stalled,
    }
}

fn ready(input: &FoldInput<'_>, parts: &Parts<'_>) -> Verdict {
    // Of the children, only the kinds that the workload needs count.
    let core_applied = match input.applied {
        Some(applied) => needed_children(applied) == NeededChildren::Applied,
        None => parts.children.is(Truth::True),
    };
    let children = (!core_applied).then_some(parts.children);
    let needed = || {
        [Some(parts.accepted), children, Some(parts.workload), parts.service]
            .into_iter()
            .flatten()
    };
    needed()
        .find(|part| part.is(Truth::False))
        .or_else(|| needed().find(|part| part.is(Truth::Unknown)))
        .cloned()
        .unwrap_or_else(|| {
            let sentence = match input.workload.reference {
                Reference::None => "the workload runs as the spec wants it",
                Reference::Missing(_) | Reference::Unread(..) | Reference::Found(_) => "the workload runs",
            };
            Verdict::yes(Reason::Ready, sentence)
        })
}

/// Whether work cannot go on without a change by hand.
fn stalled(input: &FoldInput<'_>, parts: &Parts<'_>) -> Verdict {
    let rest = || Verdict::no(Reason::NotStalled, "nothing waits for a change by hand");
    if parts.accepted.is(Truth::False) {
        return Verdict::new(Truth::True, parts.accepted.reason, parts.accepted.message.clone());
    }
    if input.suspended {
        return rest();
    }
    if input
        .applied
        .is_some_and(|applied| needed_children(applied) == NeededChildren::Refused)
    {
        return Verdict::new(Truth::True, parts.children.reason, parts.children.message.clone());
    }
    if let Some(unusable) = input
        .workload
        .reference
        .found()
        .and_then(|found| referenced::unusable(input, found))
    {
        return Verdict::new(Truth::True, unusable.reason, unusable.message);
    }
    let deadline = input
        .workload
        .deployment
        .as_ref()
        .and_then(|deployment| deployment.progress_failed.as_ref());
    match deadline {
        Some((reason, _)) if parts.workload.is(Truth::False) => Verdict::new(
            Truth::True,
            no_progress(reason),
            format!(
                "the rollout made no progress within its deadline: {}",
                parts.workload.message
            ),
        ),
        Some(_) | None => rest(),
    }
}

fn reconciling(input: &FoldInput<'_>, ready: &Verdict, stalled: &Verdict) -> Verdict {
    if input.suspended {
        return Verdict::no(Reason::Suspended, "spec.suspend is true: no object is written");
    }
    if stalled.is(Truth::True) {
        return Verdict::no(Reason::Stalled, "work waits for a change by hand: see Stalled");
    }
    if ready.is(Truth::True) {
        return Verdict::no(Reason::Settled, "nothing is under way");
    }
    Verdict::new(Truth::True, ready.reason, ready.message.clone())
}

/// `Condition/Reason` of the first link that is False.
pub(super) fn first_failing(verdicts: &[(ConditionType, Verdict)]) -> Option<String> {
    verdicts
        .iter()
        .filter(|(type_, _)| !matches!(type_, ConditionType::Reconciling | ConditionType::Stalled))
        .find(|(_, verdict)| verdict.is(Truth::False))
        .map(|(type_, verdict)| format!("{}/{}", type_.as_str(), verdict.reason.as_str()))
}
