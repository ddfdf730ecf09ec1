//! Which transitions of the status are published as events. A status that stays as it is gives none.

use controller_api::{ConditionType, MonitoredApiStatus, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::foreign_text::cut;

/// Kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Things are as they should be.
    Normal,
    /// A person should look.
    Warning,
}

impl EventType {
    /// The `type` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// An event to publish on the MonitoredApi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// Its type.
    pub type_: EventType,
    /// Its reason: of a warning, the condition's reason; else the condition's type.
    pub reason: &'static str,
    /// Its note, at most 1024 bytes: the condition's message.
    pub note: String,
    /// Its action: the condition's type.
    pub action: ConditionType,
}

/// Longest note that the API server takes, in bytes.
const MAX_NOTE: usize = 1024;

/// Conditions whose failure is an event. The others repeat one of these.
const PUBLISHED: [ConditionType; 10] = [
    ConditionType::Accepted,
    ConditionType::ChildrenApplied,
    ConditionType::WorkloadReady,
    ConditionType::ServiceMatchesPods,
    ConditionType::MonitorSelected,
    ConditionType::Scraped,
    ConditionType::DialectKnown,
    ConditionType::RulesSelected,
    ConditionType::RulesHealthy,
    ConditionType::DashboardPlaced,
];

/// Conditions whose failure is an event even of a new MonitoredApi: its author must fix them.
const FOR_THE_AUTHOR: [ConditionType; 2] = [ConditionType::Accepted, ConditionType::ChildrenApplied];

/// The events for the step from the status `before` to `now`.
///
/// Publishing costs a write. Of a new MonitoredApi only problems that its author must fix are published, because pods
/// that are still starting are expected; and a condition that repeats another one is skipped.
#[must_use]
pub fn events(before: &MonitoredApiStatus, now: &MonitoredApiStatus) -> Vec<EventSpec> {
    let is_new = before.conditions.is_empty();
    let transitions = PUBLISHED
        .into_iter()
        .filter_map(|type_| transition(type_, before, now))
        .chain(became_ready(before, now));
    let mut events: Vec<EventSpec> = Vec::new();
    for event in transitions {
        let repeated = events
            .iter()
            .any(|other| other.reason == event.reason && other.note == event.note);
        if !repeated && (!is_new || FOR_THE_AUTHOR.contains(&event.action)) {
            events.push(event);
        }
    }
    events
}

/// The event for one condition: it fails now for another reason than before, or it does not fail any more.
fn transition(type_: ConditionType, before: &MonitoredApiStatus, now: &MonitoredApiStatus) -> Option<EventSpec> {
    let before = find(type_, before);
    let now = find(type_, now)?;
    let reason = Reason::from_name(&now.reason)?;
    let warning = || Some(event(EventType::Warning, reason.as_str(), now, type_));
    let same_reason = before.is_some_and(|before| before.reason == now.reason);
    if reason == Reason::DataKept && now.status == "True" && !same_reason {
        return warning();
    }
    match (before.is_some_and(fails), fails(now)) {
        (true, true) if same_reason => None,
        (_, true) => warning(),
        (true, false) if now.status == "True" => Some(event(EventType::Normal, type_.as_str(), now, type_)),
        (true | false, false) => None,
    }
}

fn fails(condition: &Condition) -> bool {
    condition.status == "False" && !Reason::from_name(&condition.reason).is_some_and(Reason::is_passing)
}

/// The event for `Ready` becoming True.
fn became_ready(before: &MonitoredApiStatus, now: &MonitoredApiStatus) -> Option<EventSpec> {
    let type_ = ConditionType::Ready;
    let was_ready = find(type_, before).is_some_and(|before| before.status == "True");
    let now = find(type_, now).filter(|now| now.status == "True" && !was_ready)?;
    Some(event(EventType::Normal, type_.as_str(), now, type_))
}

fn event(type_: EventType, reason: &'static str, condition: &Condition, action: ConditionType) -> EventSpec {
    EventSpec {
        type_,
        reason,
        note: cut(&condition.message, MAX_NOTE).to_owned(),
        action,
    }
}

fn find(condition: ConditionType, status: &MonitoredApiStatus) -> Option<&Condition> {
    status.conditions.iter().find(|entry| entry.type_ == condition.as_str())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    use super::*;

    fn condition(type_: ConditionType, truth: &str, reason: Reason, message: &str) -> Condition {
        Condition {
            type_: type_.as_str().to_owned(),
            status: truth.to_owned(),
            reason: reason.as_str().to_owned(),
            message: message.to_owned(),
            observed_generation: Some(1),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
        }
    }

    fn status(conditions: &[(ConditionType, &str, Reason)]) -> MonitoredApiStatus {
        MonitoredApiStatus {
            conditions: conditions
                .iter()
                .map(|(type_, truth, reason)| condition(*type_, truth, *reason, &format!("about {}", reason.as_str())))
                .collect(),
            ..MonitoredApiStatus::default()
        }
    }

    fn published(before: &MonitoredApiStatus, now: &MonitoredApiStatus) -> Vec<(EventType, &'static str)> {
        events(before, now)
            .into_iter()
            .map(|event| (event.type_, event.reason))
            .collect()
    }

    const WORKLOAD: ConditionType = ConditionType::WorkloadReady;

    #[test]
    fn a_failure_is_published_once_and_its_end_too() {
        let well = status(&[(WORKLOAD, "True", Reason::RolloutComplete)]);
        let ill = status(&[(WORKLOAD, "False", Reason::ImageRunsAsRoot)]);
        assert_eq!(published(&well, &ill), [(EventType::Warning, "ImageRunsAsRoot")]);
        assert_eq!(published(&ill, &ill), []);
        assert_eq!(published(&ill, &well), [(EventType::Normal, "WorkloadReady")]);
    }

    #[test]
    fn another_reason_of_the_same_failure_is_published() {
        let before = status(&[(WORKLOAD, "False", Reason::ImagePullBackOff)]);
        let after = status(&[(WORKLOAD, "False", Reason::CrashLoopBackOff)]);
        assert_eq!(published(&before, &after), [(EventType::Warning, "CrashLoopBackOff")]);
    }

    #[test]
    fn the_normal_course_of_a_rollout_is_not_published() {
        let well = status(&[(WORKLOAD, "True", Reason::RolloutComplete)]);
        let rolling = status(&[(WORKLOAD, "False", Reason::RolloutInProgress)]);
        assert_eq!(published(&well, &rolling), []);
        assert_eq!(published(&rolling, &well), []);
    }

    #[test]
    fn becoming_ready_is_published() {
        let before = status(&[(ConditionType::Ready, "False", Reason::RolloutInProgress)]);
        let ready = status(&[(ConditionType::Ready, "True", Reason::Ready)]);
        assert_eq!(published(&before, &ready), [(EventType::Normal, "Ready")]);
    }

    #[test]
    fn kept_data_is_a_warning_though_its_condition_is_true() {
        let children = ConditionType::ChildrenApplied;
        let before = status(&[(children, "True", Reason::Applied)]);
        let kept = status(&[(children, "True", Reason::DataKept)]);
        assert_eq!(published(&before, &kept), [(EventType::Warning, "DataKept")]);
        assert_eq!(published(&kept, &kept), []);
    }

    #[test]
    fn of_a_new_object_only_what_its_author_must_fix_is_published() {
        let now = status(&[
            (ConditionType::ChildrenApplied, "False", Reason::Conflict),
            (WORKLOAD, "False", Reason::ImagePullBackOff),
            (ConditionType::Ready, "True", Reason::Ready),
        ]);
        assert_eq!(
            published(&MonitoredApiStatus::default(), &now),
            [(EventType::Warning, "Conflict")]
        );
    }

    #[test]
    fn two_conditions_that_say_the_same_are_one_event() {
        let before = status(&[
            (WORKLOAD, "True", Reason::RolloutComplete),
            (ConditionType::Ready, "True", Reason::Ready),
        ]);
        let now = status(&[
            (WORKLOAD, "False", Reason::CrashLoopBackOff),
            (ConditionType::Ready, "False", Reason::CrashLoopBackOff),
        ]);
        assert_eq!(published(&before, &now).len(), 1);
        let unscraped = status(&[
            (ConditionType::Accepted, "False", Reason::InvalidSpec),
            (ConditionType::ChildrenApplied, "False", Reason::InvalidSpec),
        ]);
        assert_eq!(published(&now, &unscraped).len(), 1);
    }

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let long = MonitoredApiStatus {
            conditions: vec![condition(
                ConditionType::Accepted,
                "False",
                Reason::InvalidSpec,
                &"é".repeat(2000),
            )],
            ..MonitoredApiStatus::default()
        };
        let events = events(&MonitoredApiStatus::default(), &long);
        assert_eq!(
            events.iter().map(|event| event.note.len()).collect::<Vec<_>>(),
            [MAX_NOTE]
        );
    }
}
