//! The queries of an API: one function for each question, with the metric and label names of the API's spelling.
//!
//! Alerts, recording rules and panels are all built from these, so they always agree on what a request or an error is.

mod counted;
mod history;
mod objective;
mod platform;
mod resources;
mod sloth;
mod spelling;
mod work;

pub use objective::EventResult;
pub(crate) use sloth::sloth_ratio_name;
pub use spelling::EventLabel;

use metric_contract::{
    Conversion, MetricId, MetricSpelling, Signal, StatusStyle, labels,
    platform::ALERTS,
    recorded_series::{REQUESTS, REQUESTS_BY_STATUS, RecordedSeries},
};

use crate::{
    ApiFacts,
    promql::{
        ApiScope, Decimal, Expr, LabelName, Matcher, PromDuration, RangeWindow, Regex, VectorSelector,
        histogram_quantile, increase, vector,
    },
};

/// The shortest window over which rules take rates.
const RULE_WINDOW_SECONDS: u32 = 300;
/// A rate window holds at least four scrapes: with fewer, one lost scrape could leave no rate.
const SCRAPES_PER_WINDOW: u32 = 4;

/// A signal for which the API has no metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the API has no metric for the signal {}", .0.name())]
pub struct MissingSignal(
    /// The signal.
    pub Signal,
);

impl MissingSignal {
    /// Whether nothing is missing: an API without an autoscaler has no maximum to show, or to compare with.
    pub(crate) const fn is_of_a_feature_turned_off(self) -> bool {
        // Whether their scrapes succeed is no question of pods that nobody scrapes, because a proxy counts their requests.
        matches!(self.0, Signal::AutoscalerMax | Signal::Up | Signal::ScrapeCost)
    }
}

/// An expression, or the signal whose metric is missing.
pub type QueryResult = Result<Expr, MissingSignal>;

/// The queries of one API.
#[derive(Debug, Clone)]
pub struct ApiQueries<'a> {
    api: &'a ApiFacts<'a>,
    scope: ApiScope,
    window: RangeWindow,
}

impl<'a> ApiQueries<'a> {
    /// Queries for rules, with rates over 5 minutes or four scrapes, whichever is longer.
    #[must_use]
    pub fn for_rules(api: &'a ApiFacts<'a>) -> Self {
        Self::over(api, RangeWindow::Fixed(rule_window(api)))
    }

    /// Queries for panels, with rates over `$__rate_interval`.
    #[must_use]
    pub fn for_panels(api: &'a ApiFacts<'a>) -> Self {
        Self::over(api, RangeWindow::RateInterval)
    }

    fn over(api: &'a ApiFacts<'a>, window: RangeWindow) -> Self {
        let scope = ApiScope::new(api.namespace, api.name);
        Self {
            api,
            scope: scope.behind_proxy(api.proxy.unwrap_or_default()),
            window,
        }
    }

    /// The labels that every query selects.
    #[must_use]
    pub const fn scope(&self) -> &ApiScope {
        &self.scope
    }

    /// The number of firing alerts; 0, not missing, while there are targets, or where nobody scrapes the pods.
    #[must_use]
    pub fn alerts_firing(&self) -> Expr {
        let firing = self
            .scope
            .select(ALERTS.name)
            .with(Matcher::equal(labels::ALERT_STATE, "firing"));
        let firing = self.scope.count(firing.into(), &[]);
        match self.targets_known() {
            Ok(known) => or_zero(firing, known),
            Err(MissingSignal(_)) => firing.or(self.scope.with_own_labels(vector(Decimal::ZERO))),
        }
    }

    /// Namespace and name of the API in one word.
    #[must_use]
    pub(crate) fn dotted_name(&self) -> String {
        format!("{}.{}", self.api.namespace, self.api.name)
    }

    /// Requests per second.
    ///
    /// # Errors
    /// [`Signal::Requests`] has no metric.
    pub fn request_rate(&self, by: &[EventLabel]) -> QueryResult {
        let labels = self.labels(by)?;
        let of_routes = by.iter().any(|label| *label != EventLabel::Status);
        if of_routes {
            let requests = self.requests_selector(Signal::Requests)?;
            return Ok(self.scope.sum_requests(requests, self.rate(), &labels));
        }
        Ok(self.sum_counted(&self.counted_requests(Signal::Requests)?, &[], &labels, self.rate()))
    }

    /// The number of requests in the time range that the dashboard shows.
    ///
    /// # Errors
    /// [`Signal::Requests`] has no metric.
    pub fn requests_shown(&self, by: &[EventLabel]) -> QueryResult {
        let requests = self.requests_selector(Signal::Requests)?;
        let shown = |series: VectorSelector| increase(series.over(RangeWindow::DashboardRange));
        Ok(self.scope.sum_requests(requests, shown, &self.labels(by)?))
    }

    /// Requests per second with any status.
    ///
    /// # Errors
    /// [`Signal::Requests`] has no metric.
    pub fn answered_rate(&self) -> QueryResult {
        if self.requests_series(Signal::Requests)?.status.is_none() {
            return self.request_rate(&[]);
        }
        self.rate_of_statuses(Signal::Requests, |_, _| Vec::new())
    }

    /// Requests per second that the API failed to serve (5xx); 0 if there are requests and none failed, even if no failure
    /// has ever been counted.
    ///
    /// # Errors
    /// [`Signal::Errors`] has no metric.
    pub fn error_rate(&self) -> QueryResult {
        let errors = self.rate_of_statuses(Signal::Errors, |style, status| {
            vec![Matcher::matches(status, &Regex::pattern(style.server_error_regex()))]
        })?;
        let all = match self.window {
            RangeWindow::Fixed(_) => self.recorded(&REQUESTS),
            RangeWindow::RateInterval | RangeWindow::DashboardRange => self.request_rate(&[])?,
        };
        Ok(or_zero(errors, all))
    }

    /// Requests per second that the API refused as the client's mistake (4xx), without those whose client left.
    ///
    /// # Errors
    /// [`Signal::Errors`] has no metric.
    pub fn client_error_rate(&self) -> QueryResult {
        let abandoned = self.spelling(Signal::Errors)?.abandoned_status.as_deref();
        self.rate_of_statuses(Signal::Errors, |style, status| {
            let failed = Matcher::matches(status, &Regex::pattern(style.client_error_regex()));
            let abandoned = abandoned.map(|abandoned| Matcher::not_equal(status, abandoned));
            [failed].into_iter().chain(abandoned).collect()
        })
    }

    /// Requests per second whose client left before an answer.
    ///
    /// # Errors
    /// [`Signal::AbandonedRequests`] has no metric.
    pub fn abandoned_rate(&self) -> QueryResult {
        let missing = MissingSignal(Signal::AbandonedRequests);
        let abandoned = self.spelling(missing.0)?.abandoned_status.as_deref().ok_or(missing)?;
        self.rate_of_statuses(missing.0, |_, status| vec![Matcher::equal(status, abandoned)])
    }

    /// Requests per second with the statuses that `chosen` selects, given the form of the status and its label.
    ///
    /// Rules read what they recorded by status a moment ago: so each counts from the same numbers, and the routes' own
    /// series are read once in an evaluation.
    fn rate_of_statuses(&self, signal: Signal, chosen: impl FnOnce(StatusStyle, &str) -> Vec<Matcher>) -> QueryResult {
        let counter = self.requests_series(signal)?;
        let status = self.stored(self.status_label(signal)?);
        let chosen = chosen(counter.status_style, &status);
        Ok(match self.window {
            RangeWindow::Fixed(_) => {
                let recorded = self.recorded_selector(&REQUESTS_BY_STATUS).with_all(chosen);
                let by_status = self.scope.max(recorded.into(), &[LabelName::new(&status)]);
                self.scope.sum(by_status, &[])
            }
            RangeWindow::RateInterval | RangeWindow::DashboardRange => {
                self.sum_counted(&self.counted_requests(signal)?, &chosen, &[], self.rate())
            }
        })
    }

    /// Errors per second by type.
    ///
    /// # Errors
    /// [`Signal::ErrorsByType`] has no metric.
    pub fn errors_by_type(&self, by: &[EventLabel]) -> QueryResult {
        let errors = self.scope.requests(self.errors_by_type_series()?.series);
        Ok(self.scope.sum_requests(errors, self.rate(), &self.labels(by)?))
    }

    /// The given percentile of the latency, in seconds, from the API's own histogram.
    ///
    /// # Errors
    /// [`Signal::LatencyBuckets`] has no metric.
    pub fn latency_quantile(&self, percent: u64) -> QueryResult {
        self.quantile_of(percent, self.latency_buckets()?)
    }

    /// The given percentile of recorded latencies, in seconds.
    ///
    /// # Errors
    /// [`Signal::LatencyBuckets`] has no metric.
    pub fn recorded_quantile(&self, recorded: &RecordedSeries, percent: u64) -> QueryResult {
        self.quantile_of(percent, self.recorded_buckets(recorded))
    }

    /// The given percentile, in seconds, of requests by upper bound of the latency histogram's buckets.
    fn quantile_of(&self, percent: u64, buckets: Expr) -> QueryResult {
        let quantile = histogram_quantile(Decimal::hundredths(percent), buckets);
        Ok(in_own_unit(self.latency_histogram()?.histogram, quantile))
    }

    /// Requests per second by upper bound of the latency histogram's buckets, in the histogram's unit.
    ///
    /// # Errors
    /// [`Signal::LatencyBuckets`] has no metric.
    pub fn latency_buckets(&self) -> QueryResult {
        let le = [LabelName::new(labels::LE)];
        Ok(self.sum_counted(&self.counted_buckets()?, &[], &le, self.rate()))
    }

    /// The mean duration of a request, in seconds; no series if there were no requests.
    ///
    /// # Errors
    /// [`Signal::Duration`] has no metric.
    pub fn mean_latency(&self, by: &[EventLabel]) -> QueryResult {
        let duration = self.duration_series()?;
        let by = self.labels(by)?;
        let per_second = |series: String| {
            let series = self.duration_selector(&duration, &series);
            self.scope.sum_requests(series, self.rate(), &by)
        };
        let count = per_second(duration.histogram.count_series());
        let mean = per_second(duration.histogram.sum_series()).per(count.where_above(0));
        Ok(in_own_unit(duration.histogram, mean))
    }

    /// The number of requests that are being served.
    ///
    /// # Errors
    /// [`Signal::InFlight`] has no metric.
    pub fn in_flight(&self) -> QueryResult {
        // A scrape is itself a request in flight, so the excluded routes must not be counted here either.
        let gauge = self.counted_metric(Signal::InFlight, MetricId::InFlight)?;
        Ok(self.sum_counted(&gauge, &[], &[], Expr::from))
    }

    /// The number of requests that a replica is serving, on average over the replicas that are up; where nobody scrapes them, over
    /// those that are ready.
    ///
    /// # Errors
    /// [`Signal::InFlight`] has no metric.
    pub fn in_flight_per_replica(&self) -> QueryResult {
        let replicas = match self.targets_up() {
            Ok(up) => up,
            // A proxy has requests in flight while no pod is ready.
            Err(MissingSignal(_)) => self.replicas_ready().where_above(0),
        };
        Ok(self.in_flight()?.per(replicas))
    }

    /// A series of our recording rules. Of several such series the highest is taken, so that rules that are loaded twice
    /// are not counted twice.
    #[must_use]
    pub fn recorded(&self, recorded: &RecordedSeries) -> Expr {
        self.scope.max(self.recorded_selector(recorded).into(), &[])
    }

    /// The recorded buckets of the latency histogram.
    #[must_use]
    pub fn recorded_buckets(&self, recorded: &RecordedSeries) -> Expr {
        self.scope
            .max(self.recorded_selector(recorded).into(), &[LabelName::new(labels::LE)])
    }

    /// The recorded bucket `+Inf`, which counts every request of the histogram.
    #[must_use]
    pub fn recorded_bucket_total(&self, recorded: &RecordedSeries) -> Expr {
        let all = self
            .recorded_selector(recorded)
            .with(Matcher::equal(labels::LE, "+Inf"));
        self.scope.max(all.into(), &[])
    }

    /// The name of a recorded series in this API's rules.
    #[must_use]
    pub fn recorded_name(&self, recorded: &RecordedSeries) -> String {
        recorded.name(&rule_window(self.api).to_string())
    }

    /// The number of events within the window of the rules.
    #[must_use]
    pub fn events(&self, per_second: Expr) -> Expr {
        per_second.times(rule_window(self.api).seconds())
    }

    /// `part` as a share of `all`, both per second; no series if there were fewer than this number of events of all within
    /// the window of the rules. Reads each side once.
    #[must_use]
    pub fn share_of_enough(&self, part: Expr, all: Expr, events: u64) -> Expr {
        self.events(part).per(self.at_least_events(all, events))
    }

    /// Keeps `per_second` if it is at least this number of events within the window of the rules.
    #[must_use]
    pub fn at_least_events(&self, per_second: Expr, events: u64) -> Expr {
        self.events(per_second).where_at_least(events)
    }
}

/// `value`, or 0 if there is a `base` but no `value`.
fn or_zero(value: Expr, base: Expr) -> Expr {
    value.or(Expr::from(0).times(base))
}

/// Values of a family in the metric's own unit, which is the same whatever the page's unit is.
pub(crate) fn in_own_unit(spelling: &MetricSpelling, values: Expr) -> Expr {
    match spelling.conversion() {
        Conversion::Unchanged => values,
        Conversion::Multiply(by) => values.per(by),
        Conversion::Divide(by) => values.times(by),
    }
}

/// The window over which the rules of an API take rates.
fn rule_window(api: &ApiFacts<'_>) -> PromDuration {
    let minutes = api
        .scrape_interval_seconds
        .saturating_mul(SCRAPES_PER_WINDOW)
        .div_ceil(60);
    PromDuration::from_minutes(minutes.max(RULE_WINDOW_SECONDS / 60))
}
