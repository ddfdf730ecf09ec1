//! Which transitions of the status are worth an event. Transitions only: a status that stays gives none.

use controller_api::{ConditionType, MonitoredApiStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::status::DATA_KEPT;

/// Kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Things are as they should be.
    Normal,
    /// A person should look.
    Warning,
}

/// An event to publish on the MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// Its type.
    pub type_: EventType,
    /// Its reason: the condition's reason, or a word for the transition.
    pub reason: String,
    /// Its note, at most 1024 bytes.
    pub note: String,
    /// What was done, as the API wants it: the condition's type.
    pub action: &'static str,
}

/// Longest note that the API server takes, in bytes.
const MAX_NOTE: usize = 1024;

/// Conditions whose failure is an event. The others follow from them.
const TOLD: [ConditionType; 5] = [
    ConditionType::Accepted,
    ConditionType::ChildrenApplied,
    ConditionType::WorkloadReady,
    ConditionType::ServiceMatchesPods,
    ConditionType::MonitorSelected,
];

/// Reasons of a failure that passes by itself: what every start and every rollout goes through.
const PASSING: [&str; 8] = [
    "ContainerCreating",
    "NoDeployment",
    "NoEndpoints",
    "NoReadyPods",
    "NotReadyYet",
    "Pruning",
    "RolloutInProgress",
    "WaitingForDeletion",
];

/// The events that tell how `new` differs from `previous`.
#[must_use]
pub fn events(previous: &MonitoredApiStatus, new: &MonitoredApiStatus) -> Vec<EventSpec> {
    let told = TOLD.into_iter().filter_map(|type_| transition(type_, previous, new));
    told.chain(ready(previous, new)).collect()
}

/// Something fails now, for another reason than before; or it does not fail any more.
fn transition(type_: ConditionType, previous: &MonitoredApiStatus, new: &MonitoredApiStatus) -> Option<EventSpec> {
    let before = find(type_, previous);
    let now = find(type_, new)?;
    if now.reason == DATA_KEPT && now.status == "True" && before.is_none_or(|before| before.reason != DATA_KEPT) {
        return Some(event(EventType::Warning, now.reason.clone(), now, type_));
    }
    match (before.filter(|before| fails(before)), fails(now)) {
        (Some(before), true) if before.reason == now.reason => None,
        (_, true) => Some(event(EventType::Warning, now.reason.clone(), now, type_)),
        (Some(_), false) if now.status == "True" => {
            Some(event(EventType::Normal, type_.as_str().to_owned(), now, type_))
        }
        (Some(_) | None, false) => None,
    }
}

fn fails(condition: &Condition) -> bool {
    condition.status == "False" && !PASSING.contains(&condition.reason.as_str())
}

/// The whole became ready.
fn ready(previous: &MonitoredApiStatus, new: &MonitoredApiStatus) -> Option<EventSpec> {
    let type_ = ConditionType::Ready;
    let was_ready = find(type_, previous).is_some_and(|before| before.status == "True");
    let now = find(type_, new).filter(|now| now.status == "True" && !was_ready)?;
    Some(event(EventType::Normal, type_.as_str().to_owned(), now, type_))
}

fn event(type_: EventType, reason: String, condition: &Condition, action: ConditionType) -> EventSpec {
    EventSpec {
        type_,
        reason,
        note: cut(&condition.message),
        action: action.as_str(),
    }
}

fn find(condition: ConditionType, status: &MonitoredApiStatus) -> Option<&Condition> {
    status.conditions.iter().find(|entry| entry.type_ == condition.as_str())
}

fn cut(message: &str) -> String {
    let mut end = message.len().min(MAX_NOTE);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    use super::*;

    fn status(type_: ConditionType, truth: &str, reason: &str, message: &str) -> MonitoredApiStatus {
        MonitoredApiStatus {
            conditions: vec![Condition {
                type_: type_.as_str().to_owned(),
                status: truth.to_owned(),
                reason: reason.to_owned(),
                message: message.to_owned(),
                observed_generation: Some(1),
                last_transition_time: Time(Timestamp::UNIX_EPOCH),
            }],
            ..MonitoredApiStatus::default()
        }
    }

    fn told(before: &MonitoredApiStatus, after: &MonitoredApiStatus) -> Vec<(EventType, String)> {
        events(before, after)
            .into_iter()
            .map(|event| (event.type_, event.reason))
            .collect()
    }

    #[test]
    fn a_failure_is_told_once_and_its_end_too() {
        let workload = ConditionType::WorkloadReady;
        let well = status(workload, "True", "RolloutComplete", "all pods are up to date");
        let ill = status(workload, "False", "ImageRunsAsRoot", "the image runs as root");
        assert_eq!(told(&well, &ill), [(EventType::Warning, "ImageRunsAsRoot".to_owned())]);
        assert_eq!(told(&ill, &ill), []);
        assert_eq!(told(&ill, &well), [(EventType::Normal, "WorkloadReady".to_owned())]);
    }

    #[test]
    fn another_reason_of_the_same_failure_is_told() {
        let workload = ConditionType::WorkloadReady;
        let before = status(workload, "False", "ImagePullBackOff", "no such image");
        let after = status(workload, "False", "CrashLoopBackOff", "exits with code 1");
        assert_eq!(
            told(&before, &after),
            [(EventType::Warning, "CrashLoopBackOff".to_owned())]
        );
    }

    #[test]
    fn what_every_rollout_goes_through_is_not_told() {
        let workload = ConditionType::WorkloadReady;
        let well = status(workload, "True", "RolloutComplete", "all pods are up to date");
        let rolling = status(workload, "False", "RolloutInProgress", "1 of 3 pods are up to date");
        assert_eq!(told(&well, &rolling), []);
        assert_eq!(told(&rolling, &well), []);
    }

    #[test]
    fn becoming_ready_is_told() {
        let ready = status(ConditionType::Ready, "True", "Ready", "the workload runs as wanted");
        assert_eq!(
            told(&MonitoredApiStatus::default(), &ready),
            [(EventType::Normal, "Ready".to_owned())]
        );
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let long = status(ConditionType::Accepted, "False", "InvalidSpec", &"é".repeat(2000));
        let events = events(&MonitoredApiStatus::default(), &long);
        assert_eq!(
            events.iter().map(|event| event.note.len()).collect::<Vec<_>>(),
            [MAX_NOTE]
        );
    }
}
