//! Whether a refusal is believed: an API server that just started refuses everybody for some seconds, until it has read the
//! roles. What a person would have to change is told only when the refusal stands.

use controller_api::{ConditionType, MonitoredApiStatus};
use jiff::Timestamp;

use crate::{
    plan::{AppliedChild, Outcome},
    requeue::PENDING_RECHECK,
};

/// What is said of a first refusal.
const DOUBTED: &str = "the API server refuses an object as not permitted: it is tried once more in a few seconds";

/// Turns a refusal that did not stand before into one that is tried once more soon. `status`: what the status said before this
/// attempt.
pub fn doubt(child: &mut AppliedChild, status: &MonitoredApiStatus, now: Timestamp) {
    let refused = matches!(child.outcome, Outcome::Forbidden(_));
    if refused && !stands(child, status, now) {
        child.outcome = Outcome::Pending(DOUBTED.to_owned());
    }
}

/// Whether the child was refused before: told as such, or doubted for long enough.
fn stands(child: &AppliedChild, status: &MonitoredApiStatus, now: Timestamp) -> bool {
    let name = ConditionType::ChildrenApplied.as_str();
    let mut conditions = status.conditions.iter();
    let Some(before) = conditions.find(|condition| condition.type_ == name && condition.status == "False") else {
        return false;
    };
    let told = crate::status::told_as_forbidden(child.kind, &child.name);
    let waited = now.duration_since(before.last_transition_time.0).unsigned_abs() >= PENDING_RECHECK;
    before.message.contains(&told) || (before.message.contains(DOUBTED) && waited)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

    use super::*;
    use crate::kind::ChildKind;

    const SINCE: &str = "2026-11-21T08:00:00Z";

    fn status(truth: &str, message: &str) -> MonitoredApiStatus {
        MonitoredApiStatus {
            conditions: vec![Condition {
                type_: "ChildrenApplied".to_owned(),
                status: truth.to_owned(),
                reason: "Pending".to_owned(),
                message: message.to_owned(),
                observed_generation: Some(1),
                last_transition_time: Time(SINCE.parse().unwrap()),
            }],
            ..MonitoredApiStatus::default()
        }
    }

    /// What becomes of a refusal of the Service orders, so many seconds after the condition's last transition.
    fn after(status: &MonitoredApiStatus, seconds: i64) -> Outcome {
        let mut child = AppliedChild {
            kind: ChildKind::SERVICE,
            name: "orders".to_owned(),
            outcome: Outcome::Forbidden("no".to_owned()),
            record: None,
        };
        let since: Timestamp = SINCE.parse().unwrap();
        let now = since.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
        doubt(&mut child, status, now);
        child.outcome
    }

    #[test]
    fn a_refusal_is_believed_once_it_stands_for_some_seconds() {
        let believed = Outcome::Forbidden("no".to_owned());
        let doubted = Outcome::Pending(DOUBTED.to_owned());
        let cases = [
            (MonitoredApiStatus::default(), 0, &doubted),
            (status("True", "every object is as the spec wants it"), 100, &doubted),
            (status("False", DOUBTED), 1, &doubted),
            (status("False", DOUBTED), 5, &believed),
            (status("False", "Service orders: Forbidden: no"), 0, &believed),
            // Of another object.
            (status("False", "Deployment orders: Forbidden: no"), 100, &doubted),
            (status("False", "Service orders-metrics: Forbidden: no"), 100, &doubted),
        ];
        for (status, seconds, expected) in cases {
            assert_eq!(after(&status, seconds), *expected, "{seconds} s after {status:?}");
        }
    }

    #[test]
    fn outcomes_other_than_refusals_stay_as_they_are() {
        for outcome in [
            Outcome::Applied,
            Outcome::Invalid("no".to_owned()),
            Outcome::Failed("no".to_owned()),
        ] {
            let mut child = AppliedChild {
                kind: ChildKind::SERVICE,
                name: "orders".to_owned(),
                outcome: outcome.clone(),
                record: None,
            };
            doubt(&mut child, &MonitoredApiStatus::default(), Timestamp::UNIX_EPOCH);
            assert_eq!(child.outcome, outcome);
        }
    }
}
