//! A dialect: the names and labels that one instrumentation gives to each metric, and the facts that a query needs.

use crate::{DialectRow, MetricId, Proxy, Signal, Signature};

/// How a status label's values look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusStyle {
    /// `200`, `404`, `503`.
    Exact,
    /// `2xx`, `4xx`, `5xx`.
    Class,
    /// `2`, `4`, `5`: the class alone.
    ClassDigit,
}

impl StatusStyle {
    /// A status code, such as `503`, in this form.
    #[must_use]
    pub fn of_code(self, code: &str) -> String {
        let class = code.get(..1).unwrap_or_default();
        match self {
            Self::Exact => code.to_owned(),
            Self::Class => format!("{class}xx"),
            Self::ClassDigit => class.to_owned(),
        }
    }

    /// The fully anchored regular expression that matches the service's own failures.
    #[must_use]
    pub const fn server_error_regex(self) -> &'static str {
        match self {
            Self::Exact => "5..",
            Self::Class => "5xx",
            Self::ClassDigit => "5",
        }
    }

    /// The fully anchored regular expression that matches the client's failures.
    #[must_use]
    pub const fn client_error_regex(self) -> &'static str {
        match self {
            Self::Exact => "4..",
            Self::Class => "4xx",
            Self::ClassDigit => "4",
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
    /// How its pages are recognised; `None` if they are recognised as those of another dialect.
    pub signature: Option<&'static Signature>,
    /// The proxy or mesh that counts the requests; `None`: the pods do themselves.
    pub proxy: Option<&'static Proxy>,
}

impl Dialect {
    /// The row of a metric; `None` if the dialect does not export it.
    #[must_use]
    pub fn row(&self, metric: MetricId) -> Option<&'static DialectRow> {
        self.rows.iter().find(|row| row.metric == metric)
    }

    /// Which setting of the library gives what its pages lack by default, or not in a useful form, for people.
    #[must_use]
    pub fn hint(&self, wanted: Signal) -> Option<&'static str> {
        let mut hints = self.signature?.hints.iter();
        hints.find(|(signal, _)| *signal == wanted).map(|(_, hint)| *hint)
    }

    /// The row of a metric counted over all routes, if the dialect has it with the labels, but those of method and route,
    /// and the buckets of the metric itself. Only newer pages have it, so whoever reads it has to know that this page does.
    #[must_use]
    pub fn overall(&self, metric: MetricId) -> Option<&'static DialectRow> {
        let (row, overall) = (self.row(metric)?, self.row(metric.overall()?)?);
        let of_all = row.labels().filter(|(_, attribute)| !attribute.is_of_endpoint());
        let same_labels = of_all.eq(overall.labels());
        (same_labels && row.buckets == overall.buckets).then_some(overall)
    }
}
