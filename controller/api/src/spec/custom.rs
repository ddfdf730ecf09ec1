//! Metrics that no dialect has, spelled by hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The names of metrics for the dialect `custom`, as they stand on the page. At least one of `requests` and `duration`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomMetrics {
    /// The counter of answered requests. Default: the count of `duration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<CustomRequests>,
    /// The time that requests take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<CustomDuration>,
    /// The gauge of requests that are being served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<CustomInFlight>,
}

/// A counter of answered requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomRequests {
    /// Its name, such as `my_requests_total`.
    #[schemars(length(min = 1, max = 256), regex(pattern = crate::schema::METRIC_NAME_PATTERN))]
    pub name: String,
    /// What its labels are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<CustomLabels>,
}

/// A histogram or a summary of the time that requests take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomDuration {
    /// Its name without `_bucket`, `_sum` and `_count`, such as `my_latency_ms`.
    #[schemars(length(min = 1, max = 256), regex(pattern = crate::schema::METRIC_NAME_PATTERN))]
    pub name: String,
    /// Default `Histogram`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<CustomDurationType>,
    /// Default `Seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<CustomUnit>,
    /// What its labels are called. That of the status is read only without `requests`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<CustomLabels>,
}

/// A gauge of requests that are being served.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomInFlight {
    /// Its name, such as `my_active`.
    #[schemars(length(min = 1, max = 256), regex(pattern = crate::schema::METRIC_NAME_PATTERN))]
    pub name: String,
}

/// Names of labels as the application exports them. What needs a label that is left out is left out too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomLabels {
    /// The label of the HTTP method, such as `verb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = crate::schema::LABEL_NAME_PATTERN))]
    pub method: Option<String>,
    /// The label of the route as a template (`/orders/{id}`), such as `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = crate::schema::LABEL_NAME_PATTERN))]
    pub route: Option<String>,
    /// The label of the response's status, such as `code`. Its values are codes (`503`) or classes (`5xx`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = crate::schema::LABEL_NAME_PATTERN))]
    pub status: Option<String>,
}

/// How durations are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CustomDurationType {
    /// In buckets, so that there are percentiles.
    #[default]
    Histogram,
    /// As a sum and a count.
    Summary,
}

/// The unit of durations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(description = "")]
pub enum CustomUnit {
    /// Seconds.
    #[default]
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
}
