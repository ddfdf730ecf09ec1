//! `s4`: source system S4. Families and labels are native's, which were taken from it; `error_type` names the exception
//! that S4's framework throws, where native has the slug of the problem document.

use super::native;
use crate::{Dialect, ErrorNames};

/// The dialect's table.
pub const S4: Dialect = Dialect {
    name: "s4",
    title: "Python service, metrics by method and route (source system s4)",
    error_names: ErrorNames::Exceptions,
    ..native::NATIVE
};
