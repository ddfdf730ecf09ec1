//! `s3`: source system S3, which is prometheus-fastapi-instrumentator as it comes (status by class) with its gauge of
//! requests in progress turned on. S3's own queries ask for `status=~"5.."`, which `5xx` matches as well.

use super::{native, s2_instrumentator as instrumentator};
use crate::{Dialect, ErrorNames, StatusStyle, dialect_row::rows};

rows! {
    IN_PROGRESS: InFlight "http_requests_inprogress" Gauge Count {} "HTTP requests being served now.";
}

/// The dialect's table.
pub const S3: Dialect = Dialect {
    name: "s3",
    title: "FastAPI, prometheus-fastapi-instrumentator with its default settings (source system s3)",
    rows: &[
        instrumentator::REQUESTS,
        instrumentator::DURATION,
        instrumentator::DURATION_OVERALL,
        IN_PROGRESS,
        instrumentator::REQUEST_SIZE,
        instrumentator::RESPONSE_SIZE,
        native::HTTP_SERIES_REFUSED,
        native::PROCESS_CPU,
        native::PROCESS_MEMORY,
        native::PROCESS_VIRTUAL_MEMORY,
        native::PROCESS_START_TIME,
        native::PROCESS_OPEN_FDS,
        native::PROCESS_MAX_FDS,
    ],
    lacks: &[],
    status_style: StatusStyle::Class,
    abandoned_status: None,
    error_names: ErrorNames::Exceptions,
    unmatched_route: instrumentator::UNMATCHED,
    signature: None,
    proxy: None,
};
