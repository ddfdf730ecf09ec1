//! The names of the dialects.

use std::{fmt, str::FromStr};

/// Every dialect that the product knows, one variant a file in [`crate::dialects`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DialectId {
    /// The reference API's own (labels `method, route, status`).
    Native,
    /// Source system S0.
    S0,
    /// Source system S1.
    S1,
    /// Source system S2 with prometheus-fastapi-instrumentator.
    S2Instrumentator,
    /// Source system S2 with metrics that it makes itself.
    S2Manual,
    /// Source system S2 with its advanced middleware.
    S2Advanced,
    /// Source system S3.
    S3,
    /// Source system S4.
    S4,
    /// OpenTelemetry's stable semantic conventions for HTTP.
    Otel,
    /// Micrometer, as Spring Boot sets it up.
    Micrometer,
    /// The crate axum-prometheus.
    AxumPrometheus,
}

impl DialectId {
    /// All dialects, in the order in which documents list them.
    pub const ALL: &'static [Self] = &[
        Self::Native,
        Self::S0,
        Self::S1,
        Self::S2Instrumentator,
        Self::S2Manual,
        Self::S2Advanced,
        Self::S3,
        Self::S4,
        Self::Otel,
        Self::Micrometer,
        Self::AxumPrometheus,
    ];

    /// The id as it is written in `spec.metrics.dialect` and `METRICS_DIALECT`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::S0 => "s0",
            Self::S1 => "s1",
            Self::S2Instrumentator => "s2-instrumentator",
            Self::S2Manual => "s2-manual",
            Self::S2Advanced => "s2-advanced",
            Self::S3 => "s3",
            Self::S4 => "s4",
            Self::Otel => "otel",
            Self::Micrometer => "micrometer",
            Self::AxumPrometheus => "axum-prometheus",
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
