//! A spelling: the names, labels, units and bounds under which one page exports each metric.
//!
//! Rules and panels are built from a spelling. That of a dialect as its table has it is [`crate::DialectId::spelling`]; a
//! page whose names were changed, or a spelling by hand, is another value of the same type.

use std::borrow::Cow;

use crate::{Attribute, Conversion, Dialect, DialectRow, MetricId, MetricKind, Signal, StatusStyle, Unit};

/// The name, labels, unit and bounds of one metric on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSpelling {
    /// The metric.
    pub metric: MetricId,
    /// The family's name, as on the `# TYPE` line.
    pub name: Cow<'static, str>,
    /// The family's type.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: Unit,
    /// The names of its labels as the application exports them, without `le`, and what each stands for.
    pub labels: Vec<(Cow<'static, str>, Attribute)>,
    /// Upper bounds of a histogram in the family's unit, ascending, without `+Inf`. Empty for anything else, and for a
    /// histogram whose bounds are not known: ask [`Self::has_buckets`] whether there are buckets at all.
    pub buckets: Cow<'static, [f64]>,
}

impl From<&DialectRow> for MetricSpelling {
    fn from(row: &DialectRow) -> Self {
        Self {
            metric: row.metric,
            name: Cow::Borrowed(row.family.name),
            kind: row.family.kind,
            unit: row.family.unit,
            labels: row
                .labels()
                .map(|(label, attribute)| (Cow::Borrowed(label), attribute))
                .collect(),
            buckets: Cow::Borrowed(row.buckets),
        }
    }
}

impl MetricSpelling {
    /// The name of the label for an attribute, if the family has one.
    #[must_use]
    pub fn label(&self, wanted: Attribute) -> Option<&str> {
        let mut labels = self.labels.iter();
        labels
            .find(|(_, attribute)| *attribute == wanted)
            .map(|(label, _)| &**label)
    }

    /// The name of the label by which requests of a path are selected: that of the route, or else that of the raw path.
    #[must_use]
    pub fn path_label(&self) -> Option<&str> {
        self.label(Attribute::Route).or_else(|| self.label(Attribute::RawPath))
    }

    /// Whether its values are counted in buckets: a percentile needs no more, whatever their bounds are.
    #[must_use]
    pub const fn has_buckets(&self) -> bool {
        matches!(self.kind, MetricKind::Histogram)
    }

    /// The upper bounds of its buckets, in the family's unit. `None`: they are not known, or it has no buckets.
    #[must_use]
    pub fn bounds(&self) -> Option<&[f64]> {
        (self.has_buckets() && !self.buckets.is_empty()).then_some(&*self.buckets)
    }

    /// The series whose values are numbers of events or levels: of a histogram or a summary its count, else the family.
    #[must_use]
    pub fn counting_series(&self) -> Cow<'_, str> {
        match self.kind {
            MetricKind::Counter | MetricKind::Gauge => Cow::Borrowed(&self.name),
            MetricKind::Histogram | MetricKind::Summary => Cow::Owned(self.count_series()),
        }
    }

    /// The series of a histogram's cumulative buckets, one for each `le`.
    #[must_use]
    pub fn bucket_series(&self) -> String {
        format!("{}_bucket", self.name)
    }

    /// The series of a histogram's sum of values.
    #[must_use]
    pub fn sum_series(&self) -> String {
        format!("{}_sum", self.name)
    }

    /// The series of a histogram's number of values.
    #[must_use]
    pub fn count_series(&self) -> String {
        format!("{}_count", self.name)
    }

    /// From the unit in which code gives the metric's values to the unit of this family.
    #[must_use]
    pub fn conversion(&self) -> Conversion {
        let between = |from| Conversion::between(from, self.unit);
        self.metric.unit().and_then(between).unwrap_or(Conversion::Unchanged)
    }
}

/// The names by which a query counts answered requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestsSeries<'a> {
    /// The series of the counter; a page without one counts with its duration histogram.
    pub series: Cow<'a, str>,
    /// Label of the HTTP method.
    pub method: Option<&'a str>,
    /// Label of the matched route template.
    pub route: Option<&'a str>,
    /// Label by which requests of a path are selected ([`MetricSpelling::path_label`]).
    pub path: Option<&'a str>,
    /// Label of the response status.
    pub status: Option<&'a str>,
    /// How the status is written.
    pub status_style: StatusStyle,
}

/// The names of the durations of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurationSeries<'a> {
    /// The histogram, or a summary, which has no buckets.
    pub histogram: &'a MetricSpelling,
    /// Label of the HTTP method.
    pub method: Option<&'a str>,
    /// Label of the matched route template.
    pub route: Option<&'a str>,
    /// Label by which requests of a path are selected ([`MetricSpelling::path_label`]).
    pub path: Option<&'a str>,
}

/// The names of a counter of errors by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorsByTypeSeries<'a> {
    /// The counter.
    pub series: &'a str,
    /// Label of the kind of error.
    pub error_type: &'a str,
}

/// How a page spells what it exports.
#[derive(Debug, Clone, PartialEq)]
pub struct Spelling {
    /// The name of the dialect, as in `spec.metrics.dialect`; of a spelling by hand [`Self::CUSTOM`].
    pub dialect: Cow<'static, str>,
    /// One for each metric that the page exports.
    pub metrics: Vec<MetricSpelling>,
    /// The form of a status label's values.
    pub status_style: StatusStyle,
    /// The status under which requests are counted whose client left before an answer, if they are counted at all.
    pub abandoned_status: Option<Cow<'static, str>>,
}

impl From<&Dialect> for Spelling {
    fn from(dialect: &Dialect) -> Self {
        Self {
            dialect: Cow::Borrowed(dialect.name),
            metrics: dialect.rows.iter().map(MetricSpelling::from).collect(),
            status_style: dialect.status_style,
            abandoned_status: dialect.abandoned_status.map(Cow::Borrowed),
        }
    }
}

impl Spelling {
    /// The dialect of a spelling by hand.
    pub const CUSTOM: &'static str = "custom";

    /// A spelling by hand: what a person says of metrics whose library has no table.
    #[must_use]
    pub fn custom(metrics: Vec<MetricSpelling>) -> Self {
        Self {
            dialect: Cow::Borrowed(Self::CUSTOM),
            metrics,
            // Nobody says whether the values are 503 or 5xx. The patterns of exact statuses, `5..` and `4..`, match both,
            // and those of classes match classes only.
            status_style: StatusStyle::Exact,
            abandoned_status: None,
        }
    }

    /// How a metric is spelled; `None` if the page does not export it.
    #[must_use]
    pub fn metric(&self, metric: MetricId) -> Option<&MetricSpelling> {
        self.metrics.iter().find(|spelling| spelling.metric == metric)
    }

    /// Whether a metric of the page answers a signal.
    #[must_use]
    pub fn answers(&self, signal: Signal) -> bool {
        let mut metrics = self.metrics.iter();
        metrics.any(|spelling| spelling.metric.signal() == Some(signal))
    }

    /// Requests by method, route and status: the counter, or else the count of the duration histogram.
    #[must_use]
    pub fn requests(&self) -> Option<RequestsSeries<'_>> {
        let counter = self.metric(MetricId::Requests);
        let counter = counter.or_else(|| self.metric(MetricId::Duration))?;
        Some(RequestsSeries {
            series: counter.counting_series(),
            method: counter.label(Attribute::Method),
            route: counter.label(Attribute::Route),
            path: counter.path_label(),
            status: counter.label(Attribute::Status),
            status_style: self.status_style,
        })
    }

    /// How a metric counted over all routes is spelled, if the page has it with the labels, but those of method and route,
    /// and the buckets of the metric itself. Only newer pages have it, so whoever reads it has to know that this page does.
    #[must_use]
    pub fn overall(&self, metric: MetricId) -> Option<&MetricSpelling> {
        let (by_route, overall) = (self.metric(metric)?, self.metric(metric.overall()?)?);
        let labels = by_route
            .labels
            .iter()
            .filter(|(_, attribute)| !attribute.is_of_endpoint());
        (labels.eq(&overall.labels) && by_route.buckets == overall.buckets).then_some(overall)
    }

    /// The label of the raw path, where requests are told apart by that and not by their route.
    #[must_use]
    pub fn raw_path(&self) -> Option<&str> {
        let requests = self.requests()?;
        match requests.route {
            Some(_) => None,
            None => requests.path,
        }
    }

    /// The durations of requests.
    #[must_use]
    pub fn duration(&self) -> Option<DurationSeries<'_>> {
        let histogram = self.metric(MetricId::Duration)?;
        Some(DurationSeries {
            histogram,
            method: histogram.label(Attribute::Method),
            route: histogram.label(Attribute::Route),
            path: histogram.path_label(),
        })
    }

    /// Errors by type.
    #[must_use]
    pub fn errors_by_type(&self) -> Option<ErrorsByTypeSeries<'_>> {
        let counter = self.metric(MetricId::ErrorsByType)?;
        Some(ErrorsByTypeSeries {
            series: &counter.name,
            error_type: counter.label(Attribute::ErrorType)?,
        })
    }
}
