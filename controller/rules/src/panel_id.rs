//! The panels' ids. They stand in links and in the annotations of alerts that fired long ago: an id is never reused.

/// A panel, by an id that stays the same whatever is added before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum PanelId {
    /// Targets up and known.
    TargetsUp = 1,
    /// Pods wanted and ready.
    Replicas = 2,
    /// Number of alerts that fire.
    AlertsFiring = 3,
    /// Requests in flight.
    ActiveRequests = 4,
    /// The list of alerts.
    Alerts = 5,
    /// Requests per second.
    RequestRate = 6,
    /// Requests by status.
    RequestsByStatus = 7,
    /// Share of each endpoint.
    RequestDistribution = 8,
    /// Share of requests that failed.
    ErrorRate = 9,
    /// Errors by what went wrong.
    ErrorsByType = 10,
    /// Latency percentiles.
    Latency = 11,
    /// Mean response time of each endpoint.
    MeanLatency = 12,
    /// Cost of a scrape.
    ScrapeDuration = 13,
}

impl PanelId {
    /// The number in the dashboard's JSON.
    #[must_use]
    pub const fn id(self) -> u32 {
        self as u32
    }
}
