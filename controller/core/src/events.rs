//! Which transitions of the status are worth an event. Transitions only: a status that stays gives none.

use controller_api::{ConditionType, MonitoredApiStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

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

/// Conditions whose transitions are events. The others follow from them.
const TOLD: [ConditionType; 6] = [
    ConditionType::Accepted,
    ConditionType::ChildrenApplied,
    ConditionType::WorkloadReady,
    ConditionType::ServiceMatchesPods,
    ConditionType::MonitorSelected,
    ConditionType::Ready,
];

/// The events that tell how `new` differs from `previous`.
#[must_use]
pub fn events(previous: &MonitoredApiStatus, new: &MonitoredApiStatus) -> Vec<EventSpec> {
    TOLD.into_iter()
        .filter_map(|condition| transition(condition, previous, new))
        .collect()
}

fn transition(condition: ConditionType, previous: &MonitoredApiStatus, new: &MonitoredApiStatus) -> Option<EventSpec> {
    let before = find(condition, previous);
    let now = find(condition, new)?;
    let failed_before = before.is_some_and(|before| before.status == "False");
    match now.status.as_str() {
        // A new reason of the same failure is news too: a person waits for exactly that.
        "False" if !failed_before || before.is_some_and(|before| before.reason != now.reason) => Some(EventSpec {
            type_: if is_progress(now) {
                EventType::Normal
            } else {
                EventType::Warning
            },
            reason: now.reason.clone(),
            note: cut(&now.message),
            action: condition.as_str(),
        }),
        "True" if failed_before || (before.is_none() && condition == ConditionType::Ready) => Some(EventSpec {
            type_: EventType::Normal,
            reason: format!("{}{}", condition.as_str(), if failed_before { "Again" } else { "" }),
            note: cut(&now.message),
            action: condition.as_str(),
        }),
        _ => None,
    }
}

/// Failing in a way that passes by itself.
fn is_progress(condition: &Condition) -> bool {
    matches!(
        condition.reason.as_str(),
        "RolloutInProgress" | "Progressing" | "Reconciling" | "NoPods" | "Waiting"
    )
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
