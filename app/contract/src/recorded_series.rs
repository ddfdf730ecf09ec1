//! The series that our own recording rules make. They are named `level:metric:operations`, the same for every dialect.

/// A recorded series. Its name ends in the length of its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordedSeries {
    /// The labels that the rule keeps, joined by `_`.
    pub level: &'static str,
    /// The metric that the rule reads.
    pub metric: &'static str,
    /// The operation on the metric, without the window.
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

    /// The labels of its series.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.level.split('_')
    }
}

/// Requests per second of an API by status, from which every other figure of answered requests is taken.
pub const REQUESTS_BY_STATUS: RecordedSeries = RecordedSeries {
    level: "namespace_job_status",
    metric: "api_requests",
    operation: "rate",
    help: "Requests per second of an API by status, without excluded routes.",
};
/// Requests per second of an API.
pub const REQUESTS: RecordedSeries = RecordedSeries {
    level: "namespace_job",
    metric: "api_requests",
    operation: "rate",
    help: "Requests per second of an API, without excluded routes.",
};
/// Requests per second that the API answered with a server error; 0, and not missing, if there were none.
pub const ERRORS: RecordedSeries = RecordedSeries {
    level: "namespace_job",
    metric: "api_errors",
    operation: "rate",
    help: "Requests per second of an API that it answered with a server error, without excluded routes.",
};
/// The memory of the largest process of an API.
pub const MEMORY: RecordedSeries = RecordedSeries {
    level: "namespace_job",
    metric: "api_memory_bytes",
    operation: "max",
    help: "Most resident memory of one process of an API within the window.",
};
/// Requests per second by upper bound of the latency histogram.
pub const LATENCY_BUCKETS: RecordedSeries = RecordedSeries {
    level: "namespace_job_le",
    metric: "api_latency_buckets",
    operation: "rate",
    help: "Requests per second of an API by upper bound of its latency histogram, without excluded routes.",
};

/// Events per second that an objective counts: with the label `result`, all (`total`) and those that failed (`error`).
pub const OBJECTIVE_RATE: RecordedSeries = RecordedSeries {
    level: "namespace_job_objective_result",
    metric: "api_objective_events",
    operation: "rate",
    help: "Events per second that an objective counts: all (result total) and those that failed (result error).",
};
/// Events of a window that an objective counts, by `result` as [`OBJECTIVE_RATE`].
pub const OBJECTIVE_EVENTS: RecordedSeries = RecordedSeries {
    level: "namespace_job_objective_result",
    metric: "api_objective_events",
    operation: "increase",
    help: "Events of a window that an objective counts: all (result total) and those that failed (result error).",
};
/// Share of an objective's error budget that is left: 1 is the whole budget, below 0 the objective is missed.
pub const OBJECTIVE_BUDGET: RecordedSeries = RecordedSeries {
    level: "namespace_job_objective",
    metric: "api_objective_error_budget",
    operation: "remaining",
    help: "Share of an objective's error budget that is left: 1 is the whole budget, below 0 the objective is missed.",
};

/// Every recorded series.
pub const ALL: &[&RecordedSeries] = &[
    &REQUESTS_BY_STATUS,
    &REQUESTS,
    &ERRORS,
    &MEMORY,
    &LATENCY_BUCKETS,
    &OBJECTIVE_RATE,
    &OBJECTIVE_EVENTS,
    &OBJECTIVE_BUDGET,
];
