//! A page as data.

/// Names and values of labels, in the order of the page. An empty value means the same as no label.
pub type Labels = Vec<(String, String)>;

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MetricType {
    /// A number that only grows, and begins at 0 again when the process restarts.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
    /// OpenMetrics: a histogram of current values, whose counts can fall.
    GaugeHistogram,
    /// Quantiles, a sum and a count.
    Summary,
    /// OpenMetrics: labels that describe, with the value 1.
    Info,
    /// OpenMetrics: states, of which one or more are on.
    StateSet,
    /// The page does not say the type: `untyped` in Prometheus text, `unknown` in OpenMetrics.
    #[default]
    Unknown,
}

impl MetricType {
    /// All types.
    pub const ALL: &'static [Self] = &[
        Self::Counter,
        Self::Gauge,
        Self::Histogram,
        Self::GaugeHistogram,
        Self::Summary,
        Self::Info,
        Self::StateSet,
        Self::Unknown,
    ];

    /// Whether Prometheus text has the type; the others exist only in OpenMetrics.
    #[must_use]
    pub const fn is_in_text(self) -> bool {
        match self {
            Self::Counter | Self::Gauge | Self::Histogram | Self::Summary | Self::Unknown => true,
            Self::GaugeHistogram | Self::Info | Self::StateSet => false,
        }
    }

    /// The suffixes that a sample's name may add to the family's name. The empty suffix is the family's name itself.
    #[must_use]
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Gauge | Self::StateSet | Self::Unknown => &[""],
            Self::Histogram => &["_bucket", "_sum", "_count", "_created"],
            Self::GaugeHistogram => &["_bucket", "_gsum", "_gcount"],
            Self::Summary => &["", "_sum", "_count", "_created"],
            Self::Info => &["_info"],
        }
    }
}

/// A family: its metadata, and its samples in the order of the page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricFamily {
    /// The name on the `# TYPE` line; of a counter in OpenMetrics, without `_total`.
    pub name: String,
    /// The type; [`MetricType::Unknown`] if no line says it.
    pub metric_type: MetricType,
    /// The text of the `# HELP` line, if there is one.
    pub help: Option<String>,
    /// The unit of the `# UNIT` line, if there is one: OpenMetrics only.
    pub unit: Option<String>,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// The name of the series: the family's, or that with a suffix such as `_bucket`.
    pub name: String,
    /// The labels.
    pub labels: Labels,
    /// The value, in the family's unit.
    pub value: f64,
    /// Milliseconds since the epoch, if the page says when.
    pub timestamp_milliseconds: Option<i64>,
    /// OpenMetrics: an example of the values that were counted.
    pub exemplar: Option<Exemplar>,
}

impl Sample {
    /// The value of a label; `None` if the sample does not have it.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// An example of the values that a sample has counted, mostly with the trace of a request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exemplar {
    /// The labels, such as `trace_id`.
    pub labels: Labels,
    /// The value that was observed.
    pub value: f64,
    /// Milliseconds since the epoch, if the page says when.
    pub timestamp_milliseconds: Option<i64>,
}
