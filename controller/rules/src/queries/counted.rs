//! What an API counts over all routes that are not excluded.
//!
//! Where the targets are known to export a metric over all routes beside that of each route, it is read there: then the cost
//! of a query does not grow with the routes. That number has the excluded routes in it, so theirs are subtracted, which reads
//! the series of these routes alone.

use std::borrow::Cow;

use metric_contract::{DurationSeries, MetricId, MetricSpelling, Signal};

use super::{ApiQueries, MissingSignal};
use crate::promql::{Expr, LabelName, Matcher, RangeWindow, RequestSeries, VectorSelector, rate};

/// The series in which something is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted<'a> {
    /// The series of each route.
    by_route: Cow<'a, str>,
    /// The label by which requests of a path are selected.
    path: Option<&'a str>,
    /// The series over all routes.
    overall: Option<Cow<'a, str>>,
}

impl<'a> ApiQueries<'a> {
    /// The sum of what `value` makes of the series with the `chosen` labels, `by` some of them, without excluded routes.
    pub(super) fn sum_counted(
        &self,
        counted: &Counted<'_>,
        chosen: &[Matcher],
        by: &[LabelName],
        value: impl Fn(VectorSelector) -> Expr,
    ) -> Expr {
        let sum = |series: RequestSeries| {
            self.scope
                .sum_requests(series.with_all(chosen.iter().cloned()), &value, by)
        };
        let by_route = self.scope.requests(&*counted.by_route);
        let Some(overall) = &counted.overall else {
            let excluded = counted.path.and_then(|path| self.excluded_routes(path));
            return sum(by_route.with_all(excluded));
        };
        let all = || sum(self.scope.requests(&**overall));
        match counted.path.and_then(|path| self.only_excluded_routes(path)) {
            None => all(),
            Some(excluded) => all().minus(sum(by_route.with(excluded))).or(all()),
        }
    }

    /// Events per second, within the window of these queries.
    pub(super) fn rate(&self) -> impl Fn(VectorSelector) -> Expr + use<> {
        let window: RangeWindow = self.window;
        move |series| rate(series.over(window))
    }

    /// The row of a metric over all routes, if it can be read.
    fn overall(&self, metric: MetricId) -> Option<&'a MetricSpelling> {
        let spelling = self.api.spelling.filter(|_| self.api.has_overall);
        spelling?.overall(metric)
    }

    /// Answered requests.
    pub(super) fn counted_requests(&self, wanted: Signal) -> Result<Counted<'a>, MissingSignal> {
        let requests = self.requests_series(wanted)?;
        Ok(Counted {
            by_route: requests.series,
            path: requests.path,
            overall: self.overall(MetricId::Requests).map(MetricSpelling::counting_series),
        })
    }

    /// The buckets of the latency histogram.
    pub(super) fn counted_buckets(&self) -> Result<Counted<'a>, MissingSignal> {
        let DurationSeries { histogram, path, .. } = self.latency_histogram()?;
        let buckets = |of: &MetricSpelling| of.bucket_series().into();
        Ok(Counted {
            by_route: buckets(histogram),
            path,
            overall: self.overall(MetricId::Duration).map(buckets),
        })
    }

    /// A metric; of a histogram, its count.
    pub(super) fn counted_metric(&self, signal: Signal, metric: MetricId) -> Result<Counted<'a>, MissingSignal> {
        let by_route = self.metric(signal, metric)?;
        Ok(Counted {
            by_route: by_route.counting_series(),
            path: by_route.path_label(),
            overall: self.overall(metric).map(MetricSpelling::counting_series),
        })
    }
}
