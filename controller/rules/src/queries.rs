//! The vocabulary of queries: what one wants to know of an API, in the words of its dialect.
//!
//! Alerts, recordings and panels are all made of these, so they can never disagree on what a request or an error is.

mod spelling;

pub use spelling::By;

use metric_contract::{
    Signal, labels,
    platform::{ALERTS, REPLICAS_READY, REPLICAS_WANTED, SCRAPE_DURATION, UP},
    recorded_series::RecordedSeries,
};

use crate::{
    ApiFacts,
    promql::{
        Decimal, Expr, LabelName, Matcher, PromDuration, Regex, Scope, Window, histogram_quantile, increase, rate,
    },
};

/// The shortest window over which rules take rates.
const RULE_WINDOW_SECONDS: u32 = 300;
/// A rate window holds at least four scrapes: with fewer, one lost scrape leaves nothing to take a rate of.
const SCRAPES_PER_WINDOW: u32 = 4;

/// A signal that no metric of the API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no metric answers the signal {}", .0.name())]
pub struct Missing(
    /// The signal.
    pub Signal,
);

/// An expression, or the signal for want of which it cannot be built.
pub type Built = Result<Expr, Missing>;

/// One API's series.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    api: &'a ApiFacts<'a>,
    scope: Scope,
    window: Window,
}

impl<'a> Series<'a> {
    /// For rules: rates over 5 minutes, or over four scrapes if that is longer.
    #[must_use]
    pub fn for_rules(api: &'a ApiFacts<'a>) -> Self {
        Self {
            api,
            scope: Scope::new(api.namespace, api.name),
            window: Window::Fixed(rule_window(api)),
        }
    }

    /// For panels: rates over `$__rate_interval`.
    #[must_use]
    pub fn for_panels(api: &'a ApiFacts<'a>) -> Self {
        Self {
            api,
            scope: Scope::new(api.namespace, api.name),
            window: Window::RateInterval,
        }
    }

    /// What every query is pinned to.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Targets that answer their scrapes; no series if Prometheus knows no target.
    #[must_use]
    pub fn targets_up(&self) -> Expr {
        self.scope.sum(self.scope.select(UP.name).into(), &[])
    }

    /// Targets that Prometheus knows.
    #[must_use]
    pub fn targets_known(&self) -> Expr {
        self.scope.count(self.scope.select(UP.name).into(), &[])
    }

    /// Pods that there should be; no series where this Prometheus does not scrape the operator.
    #[must_use]
    pub fn replicas_wanted(&self) -> Expr {
        self.scope.reported(REPLICAS_WANTED)
    }

    /// Pods that are ready; no series where this Prometheus does not scrape the operator.
    #[must_use]
    pub fn replicas_ready(&self) -> Expr {
        self.scope.reported(REPLICAS_READY)
    }

    /// Seconds that the slowest target's last scrape took.
    #[must_use]
    pub fn scrape_seconds(&self) -> Expr {
        self.scope.max(self.scope.select(SCRAPE_DURATION.name).into(), &[])
    }

    /// Alerts of the API that fire; 0, not missing, while there are targets.
    #[must_use]
    pub fn alerts_firing(&self) -> Expr {
        let firing = self
            .scope
            .select(ALERTS.name)
            .with(Matcher::equal(labels::ALERT_STATE, "firing"));
        or_zero(self.scope.count(firing.into(), &[]), self.targets_known())
    }

    /// Requests per second.
    ///
    /// # Errors
    /// [`Signal::Requests`] is not answered.
    pub fn request_rate(&self, by: &[By]) -> Built {
        let requests = self.requests_selector(Signal::Requests)?;
        Ok(self.scope.sum(rate(requests.over(self.window)), &self.labels(by)?))
    }

    /// Requests within all that the dashboard shows.
    ///
    /// # Errors
    /// [`Signal::Requests`] is not answered.
    pub fn requests_shown(&self, by: &[By]) -> Built {
        let requests = self.requests_selector(Signal::Requests)?;
        Ok(self
            .scope
            .sum(increase(requests.over(Window::DashboardRange)), &self.labels(by)?))
    }

    /// Requests per second that failed by the API's fault; 0 where there are requests and none failed, even if no
    /// failure has ever been counted.
    ///
    /// # Errors
    /// [`Signal::Errors`] is not answered.
    pub fn error_rate(&self) -> Built {
        let spelling = self.requests_spelling(Signal::Errors)?;
        let failed = Regex::pattern(spelling.status_style.server_error_regex());
        let errors = self
            .requests_selector(Signal::Errors)?
            .with(Matcher::matches(&*self.stored(spelling.status), &failed));
        Ok(or_zero(
            self.scope.sum(rate(errors.over(self.window)), &[]),
            self.request_rate(&[])?,
        ))
    }

    /// Errors per second by what went wrong.
    ///
    /// # Errors
    /// [`Signal::ErrorsByType`] is not answered.
    pub fn errors_by_type(&self, by: &[By]) -> Built {
        let errors = self.scope.select(self.errors_by_type_spelling()?.family.name);
        Ok(self.scope.sum(rate(errors.over(self.window)), &self.labels(by)?))
    }

    /// Seconds within which so many hundredths of the requests were answered, from this API's own histogram.
    ///
    /// # Errors
    /// [`Signal::Duration`] is not answered.
    pub fn latency_quantile(&self, percent: u64) -> Built {
        Ok(histogram_quantile(
            Decimal::hundredths(percent),
            self.latency_buckets()?,
        ))
    }

    /// Per second, requests by upper bound of the latency histogram.
    ///
    /// # Errors
    /// [`Signal::Duration`] is not answered.
    pub fn latency_buckets(&self) -> Built {
        let spelling = self.duration_spelling()?;
        let buckets = self.duration_selector(&spelling, &spelling.family.bucket_series());
        Ok(self
            .scope
            .sum(rate(buckets.over(self.window)), &[LabelName::new(labels::LE)]))
    }

    /// Mean seconds of a request; nothing where there were no requests.
    ///
    /// # Errors
    /// [`Signal::Duration`] is not answered.
    pub fn mean_latency(&self, by: &[By]) -> Built {
        let spelling = self.duration_spelling()?;
        let by = self.labels(by)?;
        let per_second = |series: String| {
            let range = self.duration_selector(&spelling, &series).over(self.window);
            self.scope.sum(rate(range), &by)
        };
        let count = per_second(spelling.family.count_series());
        Ok(per_second(spelling.family.sum_series()).per(count.above(0)))
    }

    /// Requests being served right now.
    ///
    /// # Errors
    /// [`Signal::InFlight`] is not answered.
    pub fn in_flight(&self) -> Built {
        let spelling = self
            .dialect(Signal::InFlight)?
            .in_flight()
            .ok_or(Missing(Signal::InFlight))?;
        // A scrape is itself a request in flight, so the routes that never count must not count here either.
        let excluded = spelling.route.and_then(|route| self.excluded_routes(route));
        let selector = self.scope.select(spelling.family.name).with_all(excluded);
        Ok(self.scope.sum(selector.into(), &[]))
    }

    /// A series that our recording rules make, taken as the highest, so that rules that were loaded twice do not count twice.
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

    /// The recorded bucket that holds every request: the number of requests of a histogram.
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

    /// `per_second` holds at least so many events within the window of the rules.
    #[must_use]
    pub fn at_least_events(&self, per_second: Expr, events: u64) -> Expr {
        per_second.times(rule_window(self.api).seconds()).at_least(events)
    }
}

/// `value`, or 0 where there is a `base` but no value.
fn or_zero(value: Expr, base: Expr) -> Expr {
    value.or(Expr::from(0).times(base))
}

/// The window over which the rules of an API take rates.
fn rule_window(api: &ApiFacts<'_>) -> PromDuration {
    let minutes = api
        .scrape_interval_seconds
        .saturating_mul(SCRAPES_PER_WINDOW)
        .div_ceil(60);
    PromDuration::from_minutes(minutes.max(RULE_WINDOW_SECONDS / 60))
}
