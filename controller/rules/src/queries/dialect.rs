//! How the API's dialect spells what a query needs, and whether it has it at all.

use std::borrow::Cow;

use metric_contract::{
    Dialect, DurationSeries, ErrorsByTypeSeries, RequestsSeries, Signal, recorded_series::RecordedSeries,
};

use super::{Missing, Series};
use crate::promql::{LabelName, Matcher, Regex, Selector};

/// A label by which events can be told apart, whatever the dialect calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The HTTP method of counted requests.
    Method,
    /// The matched route template of counted requests.
    Route,
    /// The response status of counted requests.
    Status,
    /// The HTTP method of timed requests; a dialect may name it otherwise than on its counter.
    TimedMethod,
    /// The matched route template of timed requests.
    TimedRoute,
    /// What went wrong.
    ErrorType,
}

impl<'a> Series<'a> {
    /// Whether a metric answers the signal.
    #[must_use]
    pub fn answers(&self, signal: Signal) -> bool {
        match signal {
            Signal::Up | Signal::ScrapeCost | Signal::ReplicasWanted | Signal::ReplicasReady => true,
            // The request counter's status label tells errors.
            Signal::Requests | Signal::Errors => self.requests_spelling(signal).is_ok(),
            Signal::Duration => self.duration_spelling().is_ok(),
            Signal::InFlight => self.dialect(signal).is_ok_and(|dialect| dialect.in_flight().is_some()),
            Signal::ErrorsByType => self
                .dialect(signal)
                .is_ok_and(|dialect| dialect.errors_by_type().is_some()),
            Signal::RequestSize
            | Signal::ResponseSize
            | Signal::Cpu
            | Signal::Memory
            | Signal::FileDescriptors
            | Signal::Threads
            | Signal::StartTime
            | Signal::DatabaseOperations => self
                .dialect(signal)
                .is_ok_and(|dialect| dialect.family(signal).is_some()),
        }
    }

    /// The name under which Prometheus stores a label of the dialect, for legends.
    ///
    /// # Errors
    /// The signal that has the label is not answered.
    pub fn label(&self, by: By) -> Result<LabelName, Missing> {
        let label = match by {
            By::Method => self
                .requests_spelling(Signal::Requests)?
                .method
                .ok_or(Missing(Signal::Requests))?,
            By::Route => self.requests_spelling(Signal::Requests)?.route,
            By::Status => self.requests_spelling(Signal::Requests)?.status,
            By::TimedMethod => self.duration_spelling()?.method.ok_or(Missing(Signal::Duration))?,
            By::TimedRoute => self.duration_spelling()?.route,
            By::ErrorType => self.errors_by_type_spelling()?.error_type,
        };
        Ok(LabelName::new(&self.stored(label)))
    }

    pub(super) fn labels(&self, by: &[By]) -> Result<Vec<LabelName>, Missing> {
        by.iter().map(|by| self.label(*by)).collect()
    }

    pub(super) fn dialect(&self, wanted: Signal) -> Result<&'a Dialect, Missing> {
        self.api.dialect.ok_or(Missing(wanted))
    }

    pub(super) fn requests_spelling(&self, wanted: Signal) -> Result<RequestsSeries, Missing> {
        self.dialect(wanted)?.requests().ok_or(Missing(wanted))
    }

    pub(super) fn duration_spelling(&self) -> Result<DurationSeries, Missing> {
        self.dialect(Signal::Duration)?
            .duration()
            .ok_or(Missing(Signal::Duration))
    }

    pub(super) fn errors_by_type_spelling(&self) -> Result<ErrorsByTypeSeries, Missing> {
        let missing = Missing(Signal::ErrorsByType);
        self.dialect(Signal::ErrorsByType)?.errors_by_type().ok_or(missing)
    }

    pub(super) fn requests_selector(&self, wanted: Signal) -> Result<Selector, Missing> {
        let RequestsSeries { series, route, .. } = self.requests_spelling(wanted)?;
        Ok(self.scope.select(&*series).with_all(self.excluded_routes(route)))
    }

    pub(super) fn duration_selector(&self, spelling: &DurationSeries, series: &str) -> Selector {
        self.scope.select(series).with_all(self.excluded_routes(spelling.route))
    }

    pub(super) fn recorded_selector(&self, recorded: &RecordedSeries) -> Selector {
        self.scope.select(&self.recorded_name(recorded))
    }

    pub(super) fn excluded_routes(&self, route: &str) -> Option<Matcher> {
        let patterns = self.api.excluded_routes.iter().map(|pattern| Regex::pattern(pattern));
        Regex::any_of(patterns).map(|regex| Matcher::does_not_match(&*self.stored(route), &regex))
    }

    pub(super) fn stored<'l>(&self, label: &'l str) -> Cow<'l, str> {
        self.api.target.stored_label(label)
    }
}
