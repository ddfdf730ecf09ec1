//! What is promised of the API.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A promise about the API, such as that 99.9 % of the requests of 28 days are answered without a server error. The share
/// that may fail is its error budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveSpec {
    /// Its name, such as `availability`: the label `objective` of its series and alerts.
    #[schemars(length(min = 1, max = 63), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// What is promised.
    #[serde(rename = "type")]
    pub type_: ObjectiveType,
    /// Percent of the requests that must keep the promise, as text, above 0 and below 100, such as `"99.9"`.
    #[schemars(length(min = 1, max = 7), regex(pattern = "^[0-9]{1,2}([.][0-9]{1,4})?$"))]
    pub target: String,
    /// The time over which the target must be met. Prometheus must keep its data for as long. Default `28d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<ObjectiveWindow>,
    /// Which requests count. Default: all but those of `spec.metrics.excludedRoutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<ObjectiveSelector>,
    /// With fewer requests per hour than this, the objective's alerts are silent, because a ratio of so few is not
    /// meaningful. Default 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_events_per_hour: Option<i64>,
    /// For the type `Latency`: the time within which a request must be answered, such as `300ms`. It must be a bucket bound
    /// of the API's histogram, else the condition `ObjectivesEvaluated` names the nearest bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 16), regex(pattern = crate::schema::DURATION_PATTERN))]
    pub threshold: Option<String>,
    /// For the type `Custom`: the events that fail, as a counter of the API with matchers, or several joined by `+`, such as
    /// `payments_total{result="declined"}`. `rate()` and the matchers on `namespace` and `job` are added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub errors: Option<String>,
    /// For the type `Custom`: all events, written as `errors` is, such as `payments_total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub total: Option<String>,
}

/// What an objective promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ObjectiveType {
    /// Requests are answered without a server error (5xx).
    Availability,
    /// Requests are answered within `threshold`.
    Latency,
    /// Events that the API itself counts, `total`, do not fail, `errors`.
    Custom,
}

/// The time over which a target must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum ObjectiveWindow {
    /// A week.
    #[serde(rename = "7d")]
    Days7,
    /// Two weeks.
    #[serde(rename = "14d")]
    Days14,
    /// Four weeks.
    #[serde(rename = "28d")]
    Days28,
    /// A month.
    #[serde(rename = "30d")]
    Days30,
    /// A quarter of a year.
    #[serde(rename = "90d")]
    Days90,
}

impl ObjectiveWindow {
    /// As a user writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Days7 => "7d",
            Self::Days14 => "14d",
            Self::Days28 => "28d",
            Self::Days30 => "30d",
            Self::Days90 => "90d",
        }
    }
}

/// Which requests an objective counts; an empty list is none of the conditions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveSelector {
    /// Regular expressions (RE2, whole value) of routes, such as `/orders/.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 256)))]
    pub routes: Option<Vec<String>>,
    /// HTTP methods, such as `GET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 16), regex(pattern = "^[A-Z]+$")))]
    pub methods: Option<Vec<String>>,
}
