//! When a MonitoredApi is looked at again, as data; the shell only obeys.

use std::time::Duration;

use controller_api::ChildRecord;

use crate::{
    plan::{Applied, Outcome},
    validate::Violation,
};

/// How often a conflict is looked at again: foreign objects are not watched, so nothing tells that one is gone. It
/// costs one read, and no write while the object is there.
pub const CONFLICT_RECHECK: Duration = Duration::from_secs(20);
/// How often a refusal or a missing permission is tried again: nothing tells that a person fixed it.
pub const REFUSAL_RECHECK: Duration = Duration::from_secs(120);
/// How often we look whether an object on its way out is gone. A watch tells, so this is the safety net.
pub const DELETION_RECHECK: Duration = Duration::from_secs(10);

/// When to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Only when something changes.
    Wait,
    /// After this time, or when something changes.
    After(Duration),
    /// Soon, and later each time it fails again: the shell keeps the count.
    Backoff,
}

/// Why a reconcile did not reach its end: bounded, for metric labels and event reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The spec has violations.
    InvalidSpec,
    /// An object of a child's name is not ours.
    Conflict,
    /// The operator lacks a permission.
    Forbidden,
    /// The API server refuses an object.
    InvalidObject,
    /// An optional kind's CRD is not installed.
    CrdMissing,
    /// A request failed in a way that may pass.
    Transient,
}

impl ErrorClass {
    /// All classes.
    pub const ALL: [Self; 6] = [
        Self::InvalidSpec,
        Self::Conflict,
        Self::Forbidden,
        Self::InvalidObject,
        Self::CrdMissing,
        Self::Transient,
    ];

    /// As metric label and as event reason.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidSpec => "InvalidSpec",
            Self::Conflict => "Conflict",
            Self::Forbidden => "Forbidden",
            Self::InvalidObject => "InvalidObject",
            Self::CrdMissing => "CrdMissing",
            Self::Transient => "Transient",
        }
    }

    /// The class of an outcome; `None` for one that is no error.
    #[must_use]
    pub const fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Unchanged | Outcome::Applied | Outcome::Waiting => None,
            Outcome::Conflict(_) => Some(Self::Conflict),
            Outcome::CrdMissing => Some(Self::CrdMissing),
            Outcome::Forbidden(_) => Some(Self::Forbidden),
            Outcome::Invalid(_) => Some(Self::InvalidObject),
            Outcome::Failed(_) => Some(Self::Transient),
        }
    }
}

/// When to look again, from what became of the plan (or of the validation).
#[must_use]
pub fn requeue(applied: Result<&Applied, &[Violation]>) -> Requeue {
    // A spec with violations waits for its author: every change of it wakes us.
    let Ok(applied) = applied else { return Requeue::Wait };
    let mut wakes: Vec<Requeue> = applied.children.iter().map(|child| after(&child.outcome)).collect();
    wakes.extend(
        applied
            .leftovers
            .iter()
            .map(|_: &ChildRecord| Requeue::After(DELETION_RECHECK)),
    );
    wakes.into_iter().fold(Requeue::Wait, sooner)
}

const fn after(outcome: &Outcome) -> Requeue {
    match outcome {
        Outcome::Unchanged | Outcome::Applied => Requeue::Wait,
        Outcome::Conflict(_) => Requeue::After(CONFLICT_RECHECK),
        Outcome::Forbidden(_) | Outcome::Invalid(_) => Requeue::After(REFUSAL_RECHECK),
        // The watch of the kind tells when its CRD arrives.
        Outcome::CrdMissing => Requeue::Wait,
        Outcome::Waiting => Requeue::After(DELETION_RECHECK),
        Outcome::Failed(_) => Requeue::Backoff,
    }
}

fn sooner(one: Requeue, other: Requeue) -> Requeue {
    match (one, other) {
        (Requeue::Backoff, _) | (_, Requeue::Backoff) => Requeue::Backoff,
        (Requeue::Wait, rest) | (rest, Requeue::Wait) => rest,
        (Requeue::After(one), Requeue::After(other)) => Requeue::After(one.min(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{children::ChildKind, plan::AppliedChild};

    fn applied(outcomes: &[Outcome]) -> Applied {
        Applied {
            children: outcomes
                .iter()
                .map(|outcome| AppliedChild {
                    kind: ChildKind::Service,
                    name: "orders".to_owned(),
                    outcome: outcome.clone(),
                    record: None,
                })
                .collect(),
            ..Applied::default()
        }
    }

    #[test]
    fn a_converged_resource_waits_for_a_change() {
        assert_eq!(
            requeue(Ok(&applied(&[Outcome::Unchanged, Outcome::Applied]))),
            Requeue::Wait
        );
    }

    #[test]
    fn an_invalid_spec_waits_for_its_author() {
        assert_eq!(requeue(Err(&[])), Requeue::Wait);
    }

    #[test]
    fn a_missing_crd_costs_nothing_and_a_conflict_is_looked_at_again() {
        assert_eq!(requeue(Ok(&applied(&[Outcome::CrdMissing]))), Requeue::Wait);
        let applied = applied(&[Outcome::Conflict(String::new()), Outcome::CrdMissing]);
        assert_eq!(requeue(Ok(&applied)), Requeue::After(CONFLICT_RECHECK));
    }

    #[test]
    fn a_failed_request_backs_off_whatever_else_happened() {
        let applied = applied(&[
            Outcome::CrdMissing,
            Outcome::Failed("timed out".to_owned()),
            Outcome::Applied,
        ]);
        assert_eq!(requeue(Ok(&applied)), Requeue::Backoff);
    }
}
