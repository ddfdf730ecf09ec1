//! The metric and label names of the API's spelling, and whether it has a metric for a signal at all.

use std::borrow::Cow;

use metric_contract::{
    DurationSeries, ErrorsByTypeSeries, MetricId, MetricSpelling, RequestsSeries, Signal, Spelling, labels,
    recorded_series::RecordedSeries,
};

use super::{ApiQueries, MissingSignal};
use crate::promql::{LabelName, Matcher, Regex, RequestSeries, VectorSelector};

/// A label that distinguishes events, independent of its name in the spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventLabel {
    /// The HTTP method of counted requests.
    Method,
    /// The matched route template of counted requests.
    Route,
    /// The response status of counted requests.
    Status,
    /// The HTTP method of timed requests; a page may name it differently than on its counter.
    TimedMethod,
    /// The matched route template of timed requests.
    TimedRoute,
    /// The type of an error.
    ErrorType,
    /// The name of an objective.
    Objective,
}

impl<'a> ApiQueries<'a> {
    /// Whether there is a metric for the signal.
    #[must_use]
    pub fn answers(&self, signal: Signal) -> bool {
        match signal {
            Signal::Up | Signal::ScrapeCost => self.api.proxy.is_none(),
            Signal::ReplicasWanted
            | Signal::ReplicasReady
            | Signal::PodsNotReady
            | Signal::Restarts
            | Signal::LastTermination => self.api.target.has_operator(),
            Signal::AutoscalerMax => self.api.limits.autoscaler_max.is_some(),
            Signal::MemoryLimit => self.api.limits.memory_bytes.is_some(),
            Signal::CpuLimit => self.api.limits.cpu_millicores.is_some(),
            Signal::ScrapeTimeout => self.api.limits.scrape_timeout_millis.is_some(),
            Signal::SampleLimit => self.api.limits.scrape_samples.is_some(),
            Signal::AbandonedRequests => self.abandoned_rate().is_ok(),
            // Errors are counted by the status label of the request counter.
            Signal::Routes => self.label(EventLabel::Route).is_ok(),
            Signal::Errors => self.status_label(signal).is_ok(),
            Signal::Requests => self.requests_series(signal).is_ok(),
            Signal::Duration => self.duration_series().is_ok(),
            Signal::LatencyBuckets => self.latency_histogram().is_ok(),
            Signal::ErrorsByType => self.errors_by_type_series().is_ok(),
            Signal::InFlight
            | Signal::RequestSize
            | Signal::ResponseSize
            | Signal::Cpu
            | Signal::Memory
            | Signal::FileDescriptors
            | Signal::FileDescriptorLimit
            | Signal::SlowRequests
            | Signal::Exceptions
            | Signal::Connections
            | Signal::CacheOperations
            | Signal::BackgroundTasks
            | Signal::CpuThrottling
            | Signal::Threads
            | Signal::StartTime
            | Signal::DatabaseOperations => self.spelling(signal).is_ok_and(|spelling| spelling.answers(signal)),
        }
    }

    /// The name under which Prometheus stores a label of the page, for legends.
    ///
    /// # Errors
    /// There is no metric for the signal that has the label.
    pub fn label(&self, by: EventLabel) -> Result<LabelName, MissingSignal> {
        let label = match by {
            EventLabel::Method => {
                let requests = self.requests_series(Signal::Requests)?;
                requests.method.ok_or(MissingSignal(Signal::Requests))?
            }
            EventLabel::Route => {
                let requests = self.requests_series(Signal::Requests)?;
                requests.route.ok_or(MissingSignal(Signal::Routes))?
            }
            EventLabel::Status => self.status_label(Signal::Errors)?,
            EventLabel::TimedMethod => self.duration_series()?.method.ok_or(MissingSignal(Signal::Duration))?,
            EventLabel::TimedRoute => self.duration_series()?.route.ok_or(MissingSignal(Signal::Routes))?,
            EventLabel::ErrorType => self.errors_by_type_series()?.error_type,
            EventLabel::Objective => return Ok(LabelName::new(labels::OBJECTIVE)),
        };
        Ok(LabelName::new(&self.stored(label)))
    }

    /// The names under which Prometheus stores these labels. That of the method is left out where there is none, because a
    /// route alone is worth showing too.
    ///
    /// # Errors
    /// There is no metric for the signal that has one of the other labels.
    pub fn labels(&self, by: &[EventLabel]) -> Result<Vec<LabelName>, MissingSignal> {
        let of_method = |by: &EventLabel| matches!(by, EventLabel::Method | EventLabel::TimedMethod);
        let labels = by.iter().map(|by| (by, self.label(*by)));
        let labels = labels.filter(|(by, label)| label.is_ok() || !of_method(by));
        labels.map(|(_, label)| label).collect()
    }

    /// The label of the status of counted requests, if it answers the wanted signal.
    pub(super) fn status_label(&self, wanted: Signal) -> Result<&'a str, MissingSignal> {
        self.requests_series(wanted)?.status.ok_or(MissingSignal(wanted))
    }

    pub(super) fn spelling(&self, wanted: Signal) -> Result<&'a Spelling, MissingSignal> {
        self.api.spelling.ok_or(MissingSignal(wanted))
    }

    /// How a metric is spelled, if it answers the wanted signal.
    pub(super) fn metric(&self, wanted: Signal, metric: MetricId) -> Result<&'a MetricSpelling, MissingSignal> {
        self.spelling(wanted)?.metric(metric).ok_or(MissingSignal(wanted))
    }

    pub(super) fn requests_series(&self, wanted: Signal) -> Result<RequestsSeries<'a>, MissingSignal> {
        self.spelling(wanted)?.requests().ok_or(MissingSignal(wanted))
    }

    pub(super) fn duration_series(&self) -> Result<DurationSeries<'a>, MissingSignal> {
        self.spelling(Signal::Duration)?
            .duration()
            .ok_or(MissingSignal(Signal::Duration))
    }

    /// The durations, if they are counted in buckets.
    pub(super) fn latency_histogram(&self) -> Result<DurationSeries<'a>, MissingSignal> {
        let duration = self.duration_series()?;
        if !duration.histogram.has_buckets() {
            return Err(MissingSignal(Signal::LatencyBuckets));
        }
        Ok(duration)
    }

    pub(super) fn errors_by_type_series(&self) -> Result<ErrorsByTypeSeries<'a>, MissingSignal> {
        let missing = MissingSignal(Signal::ErrorsByType);
        self.spelling(Signal::ErrorsByType)?.errors_by_type().ok_or(missing)
    }

    pub(super) fn requests_selector(&self, wanted: Signal) -> Result<RequestSeries, MissingSignal> {
        let RequestsSeries { series, path, .. } = self.requests_series(wanted)?;
        let excluded = path.and_then(|path| self.excluded_routes(path));
        Ok(self.scope.requests(&*series).with_all(excluded))
    }

    pub(super) fn duration_selector(&self, histogram: &DurationSeries<'_>, series: &str) -> RequestSeries {
        let excluded = histogram.path.and_then(|path| self.excluded_routes(path));
        self.scope.requests(series).with_all(excluded)
    }

    pub(super) fn recorded_selector(&self, recorded: &RecordedSeries) -> VectorSelector {
        self.scope.select(&self.recorded_name(recorded))
    }

    /// The condition that a series is of no excluded route.
    pub(super) fn excluded_routes(&self, path: &str) -> Option<Matcher> {
        self.excluded()
            .map(|regex| Matcher::does_not_match(&*self.stored(path), &regex))
    }

    /// The condition that a series is of an excluded route.
    pub(super) fn only_excluded_routes(&self, path: &str) -> Option<Matcher> {
        self.excluded()
            .map(|regex| Matcher::matches(&*self.stored(path), &regex))
    }

    fn excluded(&self) -> Option<Regex> {
        Regex::any_of(self.api.excluded_routes.iter().map(|pattern| Regex::pattern(pattern)))
    }

    pub(super) fn stored<'l>(&self, label: &'l str) -> Cow<'l, str> {
        self.api.target.stored_label(label)
    }
}
