//! Rows of the routes that show what monitoring shows.

use axum::http::{Method, StatusCode};

use super::operation::Operation;
use crate::{error::Slug, routes::demonstration::Slow};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/api/slow", "slow", "Answers after 2 to 3 seconds")
            .answers::<Slow>(StatusCode::OK, "After the delay"),
        Operation::new(Method::GET, "/api/error", "fail", "Always fails").problem(Slug::Deliberate),
    ]
}
