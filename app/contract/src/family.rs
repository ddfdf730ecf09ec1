//! One metric family as data.

/// The type on the `# TYPE` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A number that only grows, and begins at 0 again when the process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
    /// A sum and a count, without quantiles.
    Summary,
}

impl MetricKind {
    /// The word on the `# TYPE` line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// The unit of a family's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// A plain number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Nanoseconds.
    Nanoseconds,
    /// Bytes.
    Bytes,
    /// 0 to 1.
    Ratio,
    /// 0 to 100.
    Percent,
}

/// A metric family: the content of its `# HELP` and `# TYPE` lines, and the labels of its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The family's name, as on the `# TYPE` line.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// The unit of its values.
    pub unit: Unit,
    /// Label names in the order in which values are given, without `le`.
    pub labels: &'static [&'static str],
    /// The `# HELP` text, one sentence.
    pub help: &'static str,
}

impl Family {
    /// The series of a histogram's cumulative buckets, one for each `le`.
    #[must_use]
    pub fn bucket_series(&self) -> String {
        format!("{}_bucket", self.name)
    }
}
