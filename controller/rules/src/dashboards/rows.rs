//! The rows of an API's dashboard.

mod errors;
mod latency;
pub(super) mod objectives;
mod overview;
mod resources;
mod scrape;
mod traffic;
mod work;

use super::RowDef;

/// Every row, from the top.
pub const ROWS: &[RowDef] = &[
    overview::ROW,
    objectives::ROW,
    traffic::ROW,
    errors::ROW,
    latency::ROW,
    resources::ROW,
    work::ROW,
    scrape::ROW,
];

/// Most endpoints that one panel shows; more can't be read and slow the browser down.
const MOST_ENDPOINTS: u64 = 20;
