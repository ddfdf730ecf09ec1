//! The past of an API, from its recorded series: the last hour, and the same hour a week ago.
//!
//! A recorded series holds rates over the window of the rules, so its values one window apart count each event once.

use metric_contract::{labels, recorded_series::RecordedSeries};

use super::{ApiQueries, QueryResult, rule_window};
use crate::promql::{Expr, LabelName, Matcher, PromDuration, RangeSelector, avg_over_time, sum_over_time};

const HOUR: PromDuration = PromDuration::from_minutes(60);
const WEEK: PromDuration = PromDuration::from_minutes(7 * 24 * 60);

impl ApiQueries<'_> {
    /// The number of events of the last hour.
    #[must_use]
    pub fn events_of_last_hour(&self, recorded: &RecordedSeries) -> Expr {
        let sum = self.scope.max(sum_over_time(self.hour(recorded)), &[]);
        sum.times(self.step().seconds())
    }

    /// How many windows of the rules the last hour has.
    #[must_use]
    pub fn windows_of_last_hour(&self) -> u64 {
        HOUR.millis().div_ceil(self.step().millis().max(1))
    }

    /// Events per second in the same hour a week ago.
    #[must_use]
    pub fn rate_a_week_ago(&self, recorded: &RecordedSeries) -> Expr {
        self.scope.max(avg_over_time(self.hour(recorded).before(WEEK)), &[])
    }

    /// A percentile of the latency in the same hour a week ago, in seconds; all requests of that hour count alike.
    ///
    /// # Errors
    /// [`Signal::LatencyBuckets`](metric_contract::Signal::LatencyBuckets) has no metric.
    pub fn latency_a_week_ago(&self, recorded: &RecordedSeries, percent: u64) -> QueryResult {
        let buckets = sum_over_time(self.hour(recorded).before(WEEK));
        let buckets = self.scope.max(buckets, &[LabelName::new(labels::LE)]);
        self.quantile_of(percent, buckets)
    }

    /// Timed requests of the same hour a week ago.
    #[must_use]
    pub fn timed_requests_a_week_ago(&self, recorded: &RecordedSeries) -> Expr {
        let all = Matcher::equal(labels::LE, "+Inf");
        let selector = self.recorded_selector(recorded).with(all);
        let hour = selector.over_fixed(HOUR.max(self.step())).every(self.step());
        let sum = self.scope.max(sum_over_time(hour.before(WEEK)), &[]);
        sum.times(self.step().seconds())
    }

    /// The time between two values of a recorded series that have no event in common.
    pub(super) fn step(&self) -> PromDuration {
        rule_window(self.api)
    }

    fn hour(&self, recorded: &RecordedSeries) -> RangeSelector {
        let hour = HOUR.max(self.step());
        self.recorded_selector(recorded).over_fixed(hour).every(self.step())
    }
}
