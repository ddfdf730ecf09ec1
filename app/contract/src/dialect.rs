//! A dialect: how one instrumentation spells each signal.

use std::{fmt, str::FromStr};

use crate::{Family, Signal, dialects};

/// Every dialect that the product knows, one variant a file in [`crate::dialects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DialectId {
    /// The reference API's own (labels `method, route, status`).
    Native,
}

impl DialectId {
    /// All dialects, in the order in which documents list them.
    pub const ALL: &'static [Self] = &[Self::Native];

    /// The id as it is written in `spec.metrics.dialect` and `METRICS_DIALECT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
        }
    }

    /// The dialect's table.
    #[must_use]
    pub const fn dialect(self) -> &'static Dialect {
        match self {
            Self::Native => &dialects::native::NATIVE,
        }
    }
}

impl fmt::Display for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A dialect's name that no table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDialect(
    /// What was asked for.
    pub String,
);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = DialectId::ALL.iter().map(|id| id.as_str()).collect();
        write!(f, "dialect {:?} is not known; known are: {}", self.0, known.join(", "))
    }
}

impl std::error::Error for UnknownDialect {}

impl FromStr for DialectId {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

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
}

/// The spelling of the request counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestsSpelling {
    /// The counter.
    pub family: &'static Family,
    /// Label of the HTTP method.
    pub method: &'static str,
    /// Label of the matched route template.
    pub route: &'static str,
    /// Label of the response status.
    pub status: &'static str,
    /// How the status is written.
    pub status_style: StatusStyle,
}

/// The spelling of the duration histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DurationSpelling {
    /// The histogram, in seconds.
    pub family: &'static Family,
    /// Label of the HTTP method.
    pub method: &'static str,
    /// Label of the matched route template.
    pub route: &'static str,
    /// Upper bounds in the family's unit, ascending, without `+Inf`.
    pub buckets: &'static [f64],
}

/// The spelling of a counter of errors by what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorsByTypeSpelling {
    /// The counter.
    pub family: &'static Family,
    /// Label of the kind of error.
    pub error_type: &'static str,
}

/// The spelling of a gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GaugeSpelling {
    /// The gauge.
    pub family: &'static Family,
}

/// The spelling of a body size histogram; its method and route labels are the duration histogram's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeSpelling {
    /// The histogram, in bytes.
    pub family: &'static Family,
    /// Upper bounds in bytes, ascending, without `+Inf`.
    pub buckets: &'static [f64],
}

/// How one instrumentation spells each signal. `None`: it does not export it.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Which one.
    pub id: DialectId,
    /// Every family that it may export, sorted as they are exported.
    pub families: &'static [&'static Family],
    /// Requests by method, route, status.
    pub requests: Option<RequestsSpelling>,
    /// Errors by type.
    pub errors_by_type: Option<ErrorsByTypeSpelling>,
    /// The duration histogram.
    pub duration: Option<DurationSpelling>,
    /// Requests in flight.
    pub in_flight: Option<GaugeSpelling>,
    /// Request body sizes.
    pub request_size: Option<SizeSpelling>,
    /// Response body sizes.
    pub response_size: Option<SizeSpelling>,
    /// Counts what the cap on series refused.
    pub series_refused: Option<&'static Family>,
    /// The route label's value when no route matched.
    pub unmatched_route: &'static str,
}

impl Dialect {
    /// The family that answers a signal, if the dialect has one.
    #[must_use]
    pub fn family(&self, signal: Signal) -> Option<&'static Family> {
        self.families
            .iter()
            .copied()
            .find(|family| family.signal == Some(signal))
    }
}
