//! When a MonitoredApi is looked at again, as data; the shell only obeys.

use std::time::Duration;

use crate::{
    facts::WorkloadFacts,
    plan::{Applied, Outcome},
    status::{is_pending, unready_pods},
};

/// How often a conflict is looked at again: foreign objects are not watched, so no event says that one is gone. It
/// costs one read, and no write while the object is there.
pub const CONFLICT_RECHECK: Duration = Duration::from_secs(20);
/// How often a refusal or a missing permission is tried again: no event says that a person fixed it.
pub const REFUSAL_RECHECK: Duration = Duration::from_secs(120);
/// How often we look whether an object on its way out is gone. A watch notices too, so this is the safety net.
pub const DELETION_RECHECK: Duration = Duration::from_secs(10);
/// How often a cluster that is not ready for an object yet is tried again.
pub const PENDING_RECHECK: Duration = Duration::from_secs(5);

/// How often a workload is looked at again while its reason comes from an event, which no watch brings: a pod that runs
/// and is not ready, or a claim without a volume.
pub const EVENT_RECHECK: Duration = Duration::from_secs(30);
/// The same for a claim that has no event yet: the first one comes some moments after it.
pub const NO_EVENT_RECHECK: Duration = Duration::from_secs(5);

/// When a MonitoredApi that was just worked on is due again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Only when something happens to it.
    OnEvent,
    /// After this time, or when something happens to it.
    After(Duration),
    /// Soon, and later each time it fails again: the queue keeps the count.
    Backoff,
    /// Never: it is gone.
    Forget,
}

/// When to look again: what became of the plan (`None`: nothing was applied) decides, else what the workload waits for.
#[must_use]
pub fn requeue(applied: Option<&Applied>, workload: &WorkloadFacts) -> Requeue {
    match applied.map_or(Requeue::OnEvent, after_apply) {
        Requeue::OnEvent => after_observation(workload),
        due => due,
    }
}

fn after_apply(applied: &Applied) -> Requeue {
    let children = applied.children.iter().map(|child| after(&child.outcome));
    let leftovers = applied.leftovers.iter().map(|_| Requeue::After(DELETION_RECHECK));
    children.chain(leftovers).fold(Requeue::OnEvent, sooner)
}

fn after_observation(workload: &WorkloadFacts) -> Requeue {
    match workload.volume_claim.as_ref().filter(|claim| is_pending(claim)) {
        Some(claim) if claim.latest_event.is_none() => Requeue::After(NO_EVENT_RECHECK),
        Some(_) => Requeue::After(EVENT_RECHECK),
        None if unready_pods(&workload.pods).next().is_some() => Requeue::After(EVENT_RECHECK),
        None => Requeue::OnEvent,
    }
}

const fn after(outcome: &Outcome) -> Requeue {
    match outcome {
        Outcome::Unchanged | Outcome::Applied => Requeue::OnEvent,
        Outcome::Conflict(_) => Requeue::After(CONFLICT_RECHECK),
        Outcome::Forbidden(_) | Outcome::Invalid(_) => Requeue::After(REFUSAL_RECHECK),
        // The watch of the kind notices when its CRD arrives.
        Outcome::CrdMissing => Requeue::OnEvent,
        Outcome::Waiting(_) => Requeue::After(DELETION_RECHECK),
        Outcome::Pending(_) => Requeue::After(PENDING_RECHECK),
        Outcome::Failed(_) => Requeue::Backoff,
    }
}

fn sooner(one: Requeue, other: Requeue) -> Requeue {
    match (one, other) {
        (Requeue::Backoff, _) | (_, Requeue::Backoff) => Requeue::Backoff,
        (Requeue::OnEvent | Requeue::Forget, rest) | (rest, Requeue::OnEvent | Requeue::Forget) => rest,
        (Requeue::After(one), Requeue::After(other)) => Requeue::After(one.min(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        facts::{PodFacts, VolumeClaimFacts},
        kind::ChildKind,
        plan::AppliedChild,
    };

    fn applied(outcomes: &[Outcome]) -> Applied {
        Applied {
            children: outcomes
                .iter()
                .map(|outcome| AppliedChild {
                    kind: ChildKind::SERVICE,
                    name: "orders".to_owned(),
                    outcome: outcome.clone(),
                    record: None,
                })
                .collect(),
            ..Applied::default()
        }
    }

    const CALM: WorkloadFacts = WorkloadFacts {
        deployment: None,
        pods: Vec::new(),
        ready_endpoints: None,
        volume_claim: None,
    };

    fn of(outcomes: &[Outcome]) -> Requeue {
        requeue(Some(&applied(outcomes)), &CALM)
    }

    #[test]
    fn a_converged_resource_waits_for_a_change() {
        assert_eq!(of(&[Outcome::Unchanged, Outcome::Applied]), Requeue::OnEvent);
    }

    #[test]
    fn a_spec_that_is_invalid_or_suspended_waits_for_its_author() {
        assert_eq!(requeue(None, &CALM), Requeue::OnEvent);
    }

    #[test]
    fn a_missing_crd_costs_nothing_and_a_conflict_is_looked_at_again() {
        assert_eq!(of(&[Outcome::CrdMissing]), Requeue::OnEvent);
        let outcomes = [Outcome::Conflict(String::new()), Outcome::CrdMissing];
        assert_eq!(of(&outcomes), Requeue::After(CONFLICT_RECHECK));
    }

    #[test]
    fn a_failed_request_backs_off_whatever_else_happened() {
        let outcomes = [
            Outcome::CrdMissing,
            Outcome::Failed("timed out".to_owned()),
            Outcome::Applied,
        ];
        assert_eq!(of(&outcomes), Requeue::Backoff);
    }

    #[test]
    fn a_state_that_only_an_event_explains_is_checked_again() {
        let claim = |phase: &str, event: Option<&str>| WorkloadFacts {
            volume_claim: Some(VolumeClaimFacts {
                phase: phase.to_owned(),
                latest_event: event.map(str::to_owned),
                ..VolumeClaimFacts::default()
            }),
            ..CALM
        };
        let pod = |phase: &str, ready| WorkloadFacts {
            pods: vec![PodFacts {
                phase: phase.to_owned(),
                ready,
                ..PodFacts::default()
            }],
            ..CALM
        };
        let cases = [
            (claim("Pending", None), Requeue::After(NO_EVENT_RECHECK)),
            (claim("Pending", Some("waiting")), Requeue::After(EVENT_RECHECK)),
            (claim("Bound", None), Requeue::OnEvent),
            (pod("Running", false), Requeue::After(EVENT_RECHECK)),
            (pod("Running", true), Requeue::OnEvent),
            (pod("Pending", false), Requeue::OnEvent),
        ];
        for (workload, due) in cases {
            assert_eq!(
                requeue(Some(&applied(&[Outcome::Unchanged])), &workload),
                due,
                "{workload:?}"
            );
            // What became of the plan comes first.
            let failed = applied(&[Outcome::Failed(String::new())]);
            assert_eq!(requeue(Some(&failed), &workload), Requeue::Backoff);
        }
    }
}
