//! What an API counts over all routes that are not excluded.
//!
//! Where the targets are known to export a metric over all routes beside that of each route, it is read there: then the cost
//! of a query does not grow with the routes. That number has the excluded routes in it, so theirs are subtracted, which reads
//! the series of these routes alone.

use metric_contract::{Attribute, Dialect, DialectRow, Family, MetricId, MetricKind, Signal};

use super::{ApiQueries, MissingSignal};
use crate::promql::{Expr, LabelName, Matcher, RangeWindow, VectorSelector, rate};

/// The series in which something is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counted {
    /// The series of each route.
    by_route: String,
    /// The label of the route.
    route: Option<&'static str>,
    /// The series over all routes.
    overall: Option<String>,
}

impl Counted {
    fn new(row: &DialectRow, overall: Option<&DialectRow>, series: impl Fn(&Family) -> String) -> Self {
        Self {
            by_route: series(row.family),
            route: row.label(Attribute::Route),
            overall: overall.map(|row| series(row.family)),
        }
    }
}

impl ApiQueries<'_> {
    /// The sum of what `value` makes of the series with the `chosen` labels, `by` some of them, without excluded routes.
    pub(super) fn sum_counted(
        &self,
        counted: &Counted,
        chosen: &[Matcher],
        by: &[LabelName],
        value: impl Fn(VectorSelector) -> Expr,
    ) -> Expr {
        let sum = |series: VectorSelector| self.scope.sum(value(series.with_all(chosen.iter().cloned())), by);
        let by_route = self.scope.select(&counted.by_route);
        let Some(overall) = &counted.overall else {
            let excluded = counted.route.and_then(|route| self.excluded_routes(route));
            return sum(by_route.with_all(excluded));
        };
        let all = || sum(self.scope.select(overall));
        match counted.route.and_then(|route| self.only_excluded_routes(route)) {
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
    fn overall(&self, dialect: &Dialect, metric: MetricId) -> Option<&'static DialectRow> {
        self.api.has_overall.then(|| dialect.overall(metric)).flatten()
    }

    /// Answered requests.
    pub(super) fn counted_requests(&self, wanted: Signal) -> Result<Counted, MissingSignal> {
        let requests = self.requests_series(wanted)?;
        let overall = self.overall(self.dialect(wanted)?, MetricId::Requests);
        Ok(Counted {
            by_route: requests.series.into_owned(),
            route: Some(requests.route),
            overall: overall.map(|row| row.family.name.to_owned()),
        })
    }

    /// The buckets of the latency histogram.
    pub(super) fn counted_buckets(&self) -> Result<Counted, MissingSignal> {
        let histogram = self.duration_series()?;
        let overall = self.overall(self.dialect(Signal::Duration)?, MetricId::Duration);
        Ok(Counted {
            by_route: histogram.family.bucket_series(),
            route: Some(histogram.route),
            overall: overall.map(|row| row.family.bucket_series()),
        })
    }

    /// A metric; of a histogram, its count.
    pub(super) fn counted_metric(&self, signal: Signal, metric: MetricId) -> Result<Counted, MissingSignal> {
        let dialect = self.dialect(signal)?;
        let row = dialect.row(metric).ok_or(MissingSignal(signal))?;
        Ok(Counted::new(
            row,
            self.overall(dialect, metric),
            |family| match family.kind {
                MetricKind::Counter | MetricKind::Gauge => family.name.to_owned(),
                MetricKind::Histogram | MetricKind::Summary => family.count_series(),
            },
        ))
    }
}
