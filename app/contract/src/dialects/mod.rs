//! The dialects, one file each, and the table that names them. What the source systems and the libraries export is taken
//! from their documents and source; where a table differs from them, its file says so.
//!
//! To add a dialect: a file here, its `pub mod`, and its row in the table below.

use std::{fmt, str::FromStr};

use crate::Dialect;

pub mod axum_prometheus;
pub mod micrometer;
pub mod native;
pub mod otel;
pub mod s0;
pub mod s1;
pub mod s2_advanced;
pub mod s2_instrumentator;
pub mod s2_manual;
pub mod s3;
pub mod s4;

macro_rules! dialects {
    ($($id:ident $name:literal $module:ident::$table:ident $title:literal;)*) => {
        /// Every dialect that the product knows, one variant a file in [`crate::dialects`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DialectId {
            $(#[doc = concat!("`", $name, "`: ", $title, ".")] $id,)*
        }

        impl DialectId {
            /// All dialects, in the order in which documents list them.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The id as it is written in `spec.metrics.dialect` and `METRICS_DIALECT`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)*
                }
            }

            /// What exports metrics in this dialect, for people: the framework, the library, and where it was seen.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$id => $title,)*
                }
            }

            /// The dialect's table.
            #[must_use]
            pub const fn dialect(self) -> &'static Dialect {
                match self {
                    $(Self::$id => &$module::$table,)*
                }
            }
        }
    };
}

dialects! {
    Native "native" native::NATIVE "the reference API";
    S0 "s0" s0::S0 "FastAPI, metrics by method, endpoint and handler (source system s0)";
    S1 "s1" s1::S1 "Python service, latency by endpoint without the method (source system s1)";
    S2Instrumentator "s2-instrumentator" s2_instrumentator::S2_INSTRUMENTATOR
        "FastAPI, prometheus-fastapi-instrumentator with exact status codes (source system s2)";
    S2Manual "s2-manual" s2_manual::S2_MANUAL "FastAPI, metrics made with prometheus_client (source system s2)";
    S2Advanced "s2-advanced" s2_advanced::S2_ADVANCED "FastAPI, middleware with API versions (source system s2)";
    S3 "s3" s3::S3 "FastAPI, prometheus-fastapi-instrumentator with its default settings (source system s3)";
    S4 "s4" s4::S4 "Python service, metrics by method and route (source system s4)";
    Otel "otel" otel::OTEL "OpenTelemetry, stable semantic conventions for HTTP";
    Micrometer "micrometer" micrometer::MICROMETER "Spring Boot 3, Micrometer";
    AxumPrometheus "axum-prometheus" axum_prometheus::AXUM_PROMETHEUS "axum, the crate axum-prometheus";
}

impl fmt::Display for DialectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A dialect's name that no table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownDialect(
    /// The name.
    pub String,
);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = DialectId::ALL.iter().map(|id| id.as_str()).collect();
        write!(
            f,
            "{:?} is not a valid dialect: use one of {}",
            self.0,
            known.join(", ")
        )
    }
}

impl std::error::Error for UnknownDialect {}

impl FromStr for DialectId {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::ALL.iter().copied();
        all.find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}
