//! A dialect: the names and labels that one instrumentation gives to each metric, and the facts that a query needs.

use std::borrow::Cow;

use crate::{Attribute, DialectRow, Family, MetricId, MetricKind, Signal};

/// How a status label's values look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusStyle {
    /// `200`, `404`, `503`.
    Exact,
    /// `2xx`, `4xx`, `5xx`.
    Class,
}

impl StatusStyle {
    /// The fully anchored regular expression that matches the service's own failures.
    #[must_use]
    pub const fn server_error_regex(self) -> &'static str {
        match self {
            Self::Exact => "5..",
            Self::Class => "5xx",
        }
    }

    /// The fully anchored regular expression that matches the client's failures.
    #[must_use]
    pub const fn client_error_regex(self) -> &'static str {
        match self {
            Self::Exact => "4..",
            Self::Class => "4xx",
        }
    }
}

/// The kind of names that the labels [`Attribute::ErrorType`] and [`Attribute::Exception`] have as values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorNames {
    /// The slug of the problem document: `not-found`.
    Slugs,
    /// The exception that the source systems' framework throws: `HTTPException`.
    Exceptions,
}

/// The names by which a query counts answered requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestsSeries {
    /// The series of the counter; a dialect without one counts with its duration histogram.
    pub series: Cow<'static, str>,
    /// Label of the HTTP method.
    pub method: Option<&'static str>,
    /// Label of the matched route template.
    pub route: &'static str,
    /// Label of the response status.
    pub status: &'static str,
    /// How the status is written.
    pub status_style: StatusStyle,
}

/// The names of the duration histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurationSeries {
    /// The histogram, in seconds.
    pub family: &'static Family,
    /// Label of the HTTP method.
    pub method: Option<&'static str>,
    /// Label of the matched route template.
    pub route: &'static str,
    /// Upper bounds in the family's unit, ascending, without `+Inf`.
    pub buckets: &'static [f64],
}

/// The names of a counter of errors by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorsByTypeSeries {
    /// The counter.
    pub family: &'static Family,
    /// Label of the kind of error.
    pub error_type: &'static str,
}

/// The names of the gauge of requests in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlightSeries {
    /// The gauge.
    pub family: &'static Family,
    /// Label of the matched route template.
    pub route: Option<&'static str>,
}

/// The names and labels that one instrumentation gives to each metric.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The name as it is written in `spec.metrics.dialect` and `METRICS_DIALECT`.
    pub name: &'static str,
    /// What exports metrics in this dialect, for people: the framework, the library, and where it was seen.
    pub title: &'static str,
    /// One row for each metric that the dialect exports, in the order of the page.
    pub rows: &'static [DialectRow],
    /// Those of the metrics requests, duration and requests in flight that it does not export. It must agree with `rows`: a
    /// row that was forgotten is thus noticed.
    pub lacks: &'static [MetricId],
    /// The form of a status label's values.
    pub status_style: StatusStyle,
    /// The status under which requests are counted whose client left before an answer, if it counts them at all.
    pub abandoned_status: Option<&'static str>,
    /// The names of errors in labels.
    pub error_names: ErrorNames,
    /// The route label's value when no route matched.
    pub unmatched_route: &'static str,
}

impl Dialect {
    /// The row of a metric; `None` if the dialect does not export it.
    #[must_use]
    pub fn row(&self, metric: MetricId) -> Option<&'static DialectRow> {
        self.rows.iter().find(|row| row.metric == metric)
    }

    /// The family that answers a signal, if the dialect has one.
    #[must_use]
    pub fn family(&self, signal: Signal) -> Option<&'static Family> {
        self.families().find(|family| family.signal == Some(signal))
    }

    /// Every family that it may export, in the order of the page.
    pub fn families(&self) -> impl Iterator<Item = &'static Family> + use<> {
        self.rows.iter().map(|row| row.family)
    }

    /// Requests by method, route and status: the counter, or else the count of a duration histogram with a status
    /// label.
    #[must_use]
    pub fn requests(&self) -> Option<RequestsSeries> {
        let row = self.row(MetricId::Requests).or_else(|| self.row(MetricId::Duration))?;
        Some(RequestsSeries {
            series: match row.family.kind {
                MetricKind::Histogram | MetricKind::Summary => Cow::Owned(row.family.count_series()),
                MetricKind::Counter | MetricKind::Gauge => Cow::Borrowed(row.family.name),
            },
            method: row.label(Attribute::Method),
            route: row.label(Attribute::Route)?,
            status: row.label(Attribute::Status)?,
            status_style: self.status_style,
        })
    }

    /// The row of a metric counted over all routes, if the dialect has it with the labels, but those of method and route,
    /// and the buckets of the metric itself. Only newer pages have it, so whoever reads it has to know that this page does.
    #[must_use]
    pub fn overall(&self, metric: MetricId) -> Option<&'static DialectRow> {
        let (row, overall) = (self.row(metric)?, self.row(metric.overall()?)?);
        let of_endpoint = |(_, attribute): &(&str, Attribute)| {
            matches!(attribute, Attribute::Method | Attribute::Route | Attribute::Handler)
        };
        let same_labels = row.labels().filter(|label| !of_endpoint(label)).eq(overall.labels());
        (same_labels && row.buckets == overall.buckets).then_some(overall)
    }

    /// The duration histogram.
    #[must_use]
    pub fn duration(&self) -> Option<DurationSeries> {
        let row = self.row(MetricId::Duration)?;
        Some(DurationSeries {
            family: row.family,
            method: row.label(Attribute::Method),
            route: row.label(Attribute::Route)?,
            buckets: row.buckets,
        })
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> Option<InFlightSeries> {
        self.row(MetricId::InFlight).map(|row| InFlightSeries {
            family: row.family,
            route: row.label(Attribute::Route),
        })
    }

    /// Errors by type.
    #[must_use]
    pub fn errors_by_type(&self) -> Option<ErrorsByTypeSeries> {
        let row = self.row(MetricId::ErrorsByType)?;
        Some(ErrorsByTypeSeries {
            family: row.family,
            error_type: row.label(Attribute::ErrorType)?,
        })
    }
}
