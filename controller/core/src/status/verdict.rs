//! One condition before it has a time: its status, its reason, and a message with the fix.

use controller_api::{ConditionType, MonitoredApiStatus, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message that metav1.Condition may have, in characters.
const MAX_MESSAGE: usize = 32_768;

/// `status` of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// A condition's status, reason and message: what is the case, then what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) truth: Truth,
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl Verdict {
    pub(super) fn yes(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::True, reason, message)
    }

    pub(super) fn no(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::False, reason, message)
    }

    pub(super) fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(Truth::Unknown, reason, message)
    }

    pub(super) fn new(truth: Truth, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            truth,
            reason,
            message: message.into(),
        }
    }

    pub(super) fn is(&self, truth: Truth) -> bool {
        self.truth == truth
    }

    /// What a previous status said of it. `None`: nothing, or with a reason of another release.
    pub(super) fn before(type_: ConditionType, previous: &MonitoredApiStatus) -> Option<Self> {
        let condition = find(type_, previous)?;
        let truth = match condition.status.as_str() {
            "True" => Truth::True,
            "False" => Truth::False,
            _ => Truth::Unknown,
        };
        Some(Self {
            truth,
            reason: Reason::from_name(&condition.reason)?,
            message: condition.message.clone(),
        })
    }

    /// The condition. Its transition time moves only when its status does.
    pub(super) fn condition(
        self,
        type_: ConditionType,
        generation: i64,
        previous: &MonitoredApiStatus,
        now: Timestamp,
    ) -> Condition {
        let status = self.truth.as_str();
        let since = find(type_, previous)
            .filter(|before| before.status == status)
            .map_or_else(|| Time(seconds(now)), |before| before.last_transition_time.clone());
        Condition {
            type_: type_.as_str().to_owned(),
            status: status.to_owned(),
            reason: self.reason.as_str().to_owned(),
            message: self.message.chars().take(MAX_MESSAGE).collect(),
            observed_generation: Some(generation),
            last_transition_time: since,
        }
    }
}

fn find(type_: ConditionType, status: &MonitoredApiStatus) -> Option<&Condition> {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_.as_str())
}

/// The API server keeps whole seconds; a finer time would differ from itself after a round trip.
fn seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
