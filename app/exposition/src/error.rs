//! Why a page is refused.

/// The error in the first line for which a page is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ReadError {
    /// The line's number, from 1. An error of the whole page has the number of the last line.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

impl Reason {
    /// Whether the page exceeds a limit of the reader, and may be one that Prometheus takes.
    #[must_use]
    pub const fn is_of_limits(&self) -> bool {
        matches!(
            self,
            Self::TooManyBytes(_)
                | Self::TooManySamples(_)
                | Self::TooManyFamilies(_)
                | Self::TooMuchMetadata(_)
                | Self::TooManyLabels(_)
        )
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The page is longer than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the page has more than {0} bytes")]
    TooManyBytes(usize),
    /// The page has more samples than [`Limits::samples`](crate::Limits::samples).
    #[error("the page has more than {0} samples")]
    TooManySamples(usize),
    /// The page has more families than [`Limits::samples`](crate::Limits::samples).
    #[error("the page has more than {0} families")]
    TooManyFamilies(usize),
    /// The families have longer names and texts than [`Limits::metadata`](crate::Limits::metadata).
    #[error("the names and help texts of the page's families have more than {0} bytes")]
    TooMuchMetadata(usize),
    /// The sample has more labels than [`Limits::labels`](crate::Limits::labels).
    #[error("the sample has more than {0} labels")]
    TooManyLabels(usize),
    /// The line holds bytes that are not UTF-8.
    #[error("the line is not valid UTF-8")]
    Utf8,
    /// A metric name was expected.
    #[error("{0:?} does not begin with a valid metric name: use letters, digits, _ and :, or quote it in braces")]
    MetricName(String),
    /// A sample has two names, or a quoted name and a label of the same meaning.
    #[error("the sample has more than one metric name")]
    SecondMetricName,
    /// A label name was expected.
    #[error("{0:?} does not begin with a valid label name: use letters, digits and _, or quote it")]
    LabelName(String),
    /// A label stands twice on one sample.
    #[error("the label {0:?} stands twice on one sample")]
    LabelTwice(String),
    /// The format wants a certain character, and the line has another one.
    #[error("{found:?} stands where {wanted} was expected")]
    Expected {
        /// What the format wants.
        wanted: &'static str,
        /// The rest of the line.
        found: String,
    },
    /// A quoted text has no end on its line.
    #[error("a quoted text does not end on its line")]
    UnendedText,
    /// The value of a sample or exemplar is not a number.
    #[error("{0:?} is not a valid value: use a number, NaN, +Inf or -Inf")]
    Value(String),
    /// The timestamp is not valid in the format.
    #[error("{0:?} is not a valid timestamp: use {1}")]
    Timestamp(String, &'static str),
    /// The type does not exist in the format.
    #[error("{0:?} is not a valid metric type: use {1}")]
    MetricType(String, &'static str),
    /// OpenMetrics: the family's name does not end in its unit.
    #[error("the unit {unit:?} is not the suffix of the family {family:?}")]
    Unit {
        /// The family.
        family: String,
        /// Its unit.
        unit: String,
    },
    /// OpenMetrics: a line is empty.
    #[error("the line is empty, which OpenMetrics does not allow")]
    EmptyLine,
    /// OpenMetrics: a comment is not one of HELP, TYPE, UNIT and EOF.
    #[error("{0:?} is not a valid comment: OpenMetrics has only # HELP, # TYPE, # UNIT and # EOF")]
    Comment(String),
    /// OpenMetrics: something follows `# EOF`.
    #[error("something follows # EOF")]
    AfterEof,
    /// OpenMetrics: the page has no end, so it may be cut off.
    #[error("the page does not end with # EOF")]
    NoEof,
}
