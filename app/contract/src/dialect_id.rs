//! The names of the dialects.

use std::{fmt, str::FromStr};

use crate::{Dialect, dialects};

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
