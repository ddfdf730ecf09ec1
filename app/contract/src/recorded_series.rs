//! Series that our own recording rules make: `level:metric:operations`, one spelling whatever the dialect.

/// A recorded series. Its name ends in the length of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedSeries {
    /// The labels that are left, joined by `_`.
    pub level: &'static str,
    /// What is counted.
    pub metric: &'static str,
    /// What was done to it, without the window.
    pub operation: &'static str,
    /// One sentence for documents.
    pub help: &'static str,
}

impl RecordedSeries {
    /// The series' name for a window such as `5m`.
    #[must_use]
    pub fn name(&self, window: &str) -> String {
        format!("{}:{}:{}{window}", self.level, self.metric, self.operation)
    }
}

/// Requests per second of an API.
pub const REQUESTS: RecordedSeries = RecordedSeries {
    level: "namespace_job",
    metric: "api_requests",
    operation: "rate",
    help: "Requests per second of an API, without excluded routes.",
};
/// Requests per second that failed by the API's fault; 0, not missing, where none did.
pub const ERRORS: RecordedSeries = RecordedSeries {
    level: "namespace_job",
    metric: "api_errors",
    operation: "rate",
    help: "Requests per second of an API that it answered with a server error, without excluded routes.",
};
/// Requests per second by upper bound of the latency histogram.
pub const LATENCY_BUCKETS: RecordedSeries = RecordedSeries {
    level: "namespace_job_le",
    metric: "api_latency_buckets",
    operation: "rate",
    help: "Requests per second of an API by upper bound of its latency histogram, without excluded routes.",
};
