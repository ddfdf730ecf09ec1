//! What a handle is asked for, and why there may be none.

use std::fmt;

use metric_contract::{Family, MetricId, MetricKind};

/// The metric or family that a handle is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKey {
    /// A metric of the contract. The dialect gives it its name and labels; label values are given in the order of
    /// [`MetricId::attributes`].
    Metric(MetricId),
    /// A family that the service defines. It has the same name and labels in every dialect.
    Family(&'static Family),
}

impl From<MetricId> for MetricKey {
    fn from(metric: MetricId) -> Self {
        Self::Metric(metric)
    }
}

impl From<&'static Family> for MetricKey {
    fn from(family: &'static Family) -> Self {
        Self::Family(family)
    }
}

impl fmt::Display for MetricKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(metric) => write!(f, "{metric:?}"),
            Self::Family(family) => f.write_str(family.name),
        }
    }
}

/// The reasons why there is no handle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FamilyError {
    /// The number of label values is wrong.
    #[error("{what}: {given} is not a valid number of label values: use {wanted}")]
    Labels {
        /// What was asked for.
        what: MetricKey,
        /// The number of its labels.
        wanted: usize,
        /// The number of values that were given.
        given: usize,
    },
    /// The family is of another type than the handle.
    #[error("{what}: this metric is a {is:?}, not a {wanted:?}")]
    Kind {
        /// What was asked for.
        what: MetricKey,
        /// The family's type.
        is: MetricKind,
        /// The type of the handle that was asked for.
        wanted: MetricKind,
    },
    /// The layer records the metric itself.
    #[error("{what}: the HTTP layer records this metric itself, so there is no handle for it")]
    RecordedByLayer {
        /// What was asked for.
        what: MetricKey,
    },
    /// Another metric of this name is in [`HttpMetrics::registry`](crate::HttpMetrics::registry).
    #[error("{what}: another metric of this name is on the page already: give one of them another name")]
    NameTaken {
        /// What was asked for.
        what: MetricKey,
    },
    /// The page has as many series as [`Builder::max_series`](crate::Builder::max_series) allows.
    #[error("{what}: the page has no room for another series: raise max_series, or use fewer label values")]
    Full {
        /// What was asked for.
        what: MetricKey,
    },
}
