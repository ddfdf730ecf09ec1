//! When a MonitoredApi is looked at again, as data; the shell only obeys.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::{
    facts::{Reference, WorkloadFacts},
    plan::{Applied, Outcome},
    status::{claim_to_look_up, unready_pods},
};

/// How often a conflict is looked at again: foreign objects are not watched, so no event says that one is gone. It
/// costs one read, and no write while the object is there.
pub const CONFLICT_RECHECK: Duration = Duration::from_secs(20);
/// How often a refusal or a missing permission is tried again: no event says that a person fixed it.
pub const REFUSAL_RECHECK: Duration = Duration::from_secs(120);
/// How often an object that somebody else keeps changing is looked at again: whether it may be written back, or the other
/// one gave up.
pub const CONTEST_RECHECK: Duration = Duration::from_secs(60);
/// How often we look whether an object that is being deleted is gone. A watch notices it too, so this is a safety net.
pub const DELETION_RECHECK: Duration = Duration::from_secs(10);
/// How often a cluster that is not ready for an object yet is tried again.
pub const PENDING_RECHECK: Duration = Duration::from_secs(5);

/// How soon a workload is looked at again while its reason comes from an event, which no watch brings: a pod that runs and
/// is not ready, or a claim without a volume. The API server has no index for events, so the longer it has been so, the
/// longer is the wait: a quarter of that time.
pub const EVENT_RECHECK: Duration = Duration::from_secs(30);
/// The same for a claim that has no event yet: the first one comes some moments after it.
pub const NO_EVENT_RECHECK: Duration = Duration::from_secs(5);
/// The longest of these waits.
pub const LONGEST_EVENT_RECHECK: Duration = Duration::from_secs(15 * 60);

/// How soon a workload that exists already is read again, which no watch follows: while something is not well, or while it
/// changes.
pub const WORKLOAD_RECHECK: Duration = Duration::from_secs(30);
/// The same at rest.
pub const LONGEST_WORKLOAD_RECHECK: Duration = Duration::from_secs(5 * 60);
/// For how long after its last change a workload counts as changing.
const CHANGING: SignedDuration = SignedDuration::from_mins(10);

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
/// `unready_for`: how long it has waited already ([`crate::status::unready_for`]).
#[must_use]
pub fn requeue(applied: Option<&Applied>, workload: &WorkloadFacts, unready_for: Duration, now: Timestamp) -> Requeue {
    let due = match applied.map_or(Requeue::OnEvent, after_apply) {
        Requeue::OnEvent => after_observation(workload, unready_for),
        due => due,
    };
    sooner(due, after_reading(workload, now))
}

/// When a workload that exists already is read again.
fn after_reading(workload: &WorkloadFacts, now: Timestamp) -> Requeue {
    let found = match &workload.reference {
        Reference::None => return Requeue::OnEvent,
        Reference::Missing(_) | Reference::Unread(..) => return Requeue::After(WORKLOAD_RECHECK),
        Reference::Found(found) => found,
    };
    let is_well =
        found.is_well() && (found.figures.wanted == 0 || workload.ready_endpoints.is_some_and(|ready| ready > 0));
    let is_changing = found
        .changed
        .parse::<Timestamp>()
        .is_ok_and(|changed| now.duration_since(changed) < CHANGING);
    Requeue::After(if is_well && !is_changing {
        LONGEST_WORKLOAD_RECHECK
    } else {
        WORKLOAD_RECHECK
    })
}

fn after_apply(applied: &Applied) -> Requeue {
    let children = applied.children.iter().map(|child| after(&child.outcome));
    let leftovers = applied.leftovers.iter().map(|_| Requeue::After(DELETION_RECHECK));
    children.chain(leftovers).fold(Requeue::OnEvent, sooner)
}

fn after_observation(workload: &WorkloadFacts, unready_for: Duration) -> Requeue {
    let after = |shortest| Requeue::After((unready_for / 4).clamp(shortest, LONGEST_EVENT_RECHECK));
    match claim_to_look_up(workload) {
        Some(claim) if claim.latest_event.is_none() => after(NO_EVENT_RECHECK),
        Some(_) => after(EVENT_RECHECK),
        None if unready_pods(&workload.pods).next().is_some() => after(EVENT_RECHECK),
        None => Requeue::OnEvent,
    }
}

const fn after(outcome: &Outcome) -> Requeue {
    match outcome {
        Outcome::Unchanged | Outcome::Applied => Requeue::OnEvent,
        Outcome::Conflict(_) => Requeue::After(CONFLICT_RECHECK),
        Outcome::Contested(_) => Requeue::After(CONTEST_RECHECK),
        Outcome::Forbidden(_) | Outcome::Invalid(_) => Requeue::After(REFUSAL_RECHECK),
        // The watch of the kind notices when its CRD arrives. Only another spec or another release gives other rules.
        Outcome::CrdMissing | Outcome::LintFailed(_) => Requeue::OnEvent,
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
        facts::{DeploymentFacts, PodFacts, VolumeClaimFacts},
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
        reference: Reference::None,
        deployment: None,
        pods: Vec::new(),
        ready_endpoints: None,
        volume_claim: None,
    };

    fn of(outcomes: &[Outcome]) -> Requeue {
        requeue(Some(&applied(outcomes)), &CALM, Duration::ZERO, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_converged_resource_waits_for_a_change() {
        assert_eq!(of(&[Outcome::Unchanged, Outcome::Applied]), Requeue::OnEvent);
    }

    #[test]
    fn a_spec_that_is_invalid_or_suspended_waits_for_its_author() {
        assert_eq!(
            requeue(None, &CALM, Duration::ZERO, Timestamp::UNIX_EPOCH),
            Requeue::OnEvent
        );
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
        let idle = |workload| WorkloadFacts {
            deployment: Some(DeploymentFacts::default()),
            ..workload
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
            (idle(claim("Pending", None)), Requeue::OnEvent),
            (pod("Running", false), Requeue::After(EVENT_RECHECK)),
            (pod("Running", true), Requeue::OnEvent),
            (pod("Pending", false), Requeue::OnEvent),
        ];
        for (workload, due) in cases {
            assert_eq!(
                requeue(
                    Some(&applied(&[Outcome::Unchanged])),
                    &workload,
                    Duration::ZERO,
                    Timestamp::UNIX_EPOCH
                ),
                due,
                "{workload:?}"
            );
            // What became of the plan comes first.
            let failed = applied(&[Outcome::Failed(String::new())]);
            assert_eq!(
                requeue(Some(&failed), &workload, Duration::ZERO, Timestamp::UNIX_EPOCH),
                Requeue::Backoff
            );
        }
    }

    #[test]
    fn the_longer_a_workload_waits_the_rarer_its_events_are_read() {
        let unready = WorkloadFacts {
            pods: vec![PodFacts {
                phase: "Running".to_owned(),
                ..PodFacts::default()
            }],
            ..CALM
        };
        let cases = [(0, 30), (60, 30), (240, 60), (1200, 300), (1_000_000, 900)];
        for (waited, due) in cases {
            let requeue = requeue(None, &unready, Duration::from_secs(waited), Timestamp::UNIX_EPOCH);
            assert_eq!(requeue, Requeue::After(Duration::from_secs(due)), "after {waited} s");
        }
    }

    #[test]
    fn a_workload_that_exists_already_is_read_often_while_it_changes_or_is_not_well() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let due = |changed: &str, available: i32, ready_endpoints| {
            let manifest = serde_json::json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "legacy", "generation": 1, "creationTimestamp": changed},
                "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "legacy"}}},
                "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available},
            });
            let found = crate::referenced::of_manifest(&manifest).unwrap();
            let workload = WorkloadFacts {
                reference: Reference::Found(Box::new(found)),
                ready_endpoints,
                ..CALM
            };
            requeue(None, &workload, Duration::ZERO, now)
        };
        let old = "2026-11-30T10:00:00Z";
        assert_eq!(due(old, 1, Some(1)), Requeue::After(LONGEST_WORKLOAD_RECHECK));
        assert_eq!(
            due("2026-11-30T11:55:00Z", 1, Some(1)),
            Requeue::After(WORKLOAD_RECHECK)
        );
        assert_eq!(due(old, 0, Some(1)), Requeue::After(WORKLOAD_RECHECK));
        assert_eq!(due(old, 1, Some(0)), Requeue::After(WORKLOAD_RECHECK));
        assert_eq!(due(old, 1, None), Requeue::After(WORKLOAD_RECHECK));
    }
}
