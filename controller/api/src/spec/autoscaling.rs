//! Between which bounds an autoscaler sets the number of pods, and by what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A HorizontalPodAutoscaler that sets the number of pods; `replicas` is then ignored. It adds pods while one of its targets is
/// exceeded, and removes them when they all allow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutoscalingSpec {
    /// The fewest pods, at least 1. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10_000))]
    pub min_replicas: Option<i32>,
    /// The most pods, at least `minReplicas`. While more would be needed for a quarter of an hour, `ApiAutoscalerAtMax` fires.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_replicas: i32,
    /// The CPU time that the pods shall use on average, in percent of what they request. It needs a CPU request for every
    /// container, and metrics-server in the cluster. Default 80 without `targetRequestsPerSecond`, else none.
    #[serde(
        default,
        rename = "targetCPUUtilizationPercentage",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 1, max = 100_000))]
    pub target_cpu_utilization_percentage: Option<i32>,
    /// The requests per second that a pod shall serve on average, as text, above 0, such as `"50"`. It needs monitoring, a metrics dialect
    /// with a counter of requests, and prometheus-adapter with its default rules in the cluster. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 11), regex(pattern = crate::schema::RATE_PATTERN))]
    pub target_requests_per_second: Option<String>,
}
