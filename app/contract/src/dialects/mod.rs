//! The dialects, one file each. What the source systems and the libraries export is taken from their documents and source;
//! where a table differs from them, its file says so.

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

use crate::{Dialect, DialectId};

impl DialectId {
    /// The dialect's table.
    #[must_use]
    pub const fn dialect(self) -> &'static Dialect {
        match self {
            Self::Native => &native::NATIVE,
            Self::S0 => &s0::S0,
            Self::S1 => &s1::S1,
            Self::S2Instrumentator => &s2_instrumentator::S2_INSTRUMENTATOR,
            Self::S2Manual => &s2_manual::S2_MANUAL,
            Self::S2Advanced => &s2_advanced::S2_ADVANCED,
            Self::S3 => &s3::S3,
            Self::S4 => &s4::S4,
            Self::Otel => &otel::OTEL,
            Self::Micrometer => &micrometer::MICROMETER,
            Self::AxumPrometheus => &axum_prometheus::AXUM_PROMETHEUS,
        }
    }
}
