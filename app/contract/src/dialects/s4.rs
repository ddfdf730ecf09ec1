//! `s4`: source system S4. Families and labels are those of native, which were taken from S4; it has none over all
//! routes. The values of `error_type` differ: S4 has the exception that its framework throws, native the slug of the
//! problem document.

use super::native;
use crate::{Dialect, ErrorNames};

/// The dialect's table.
pub const S4: Dialect = Dialect {
    name: "s4",
    title: "Python service, metrics by method and route (source system s4)",
    rows: native::ROWS_WITHOUT_OVERALL,
    error_names: ErrorNames::Exceptions,
    signature: None,
    ..native::NATIVE
};
