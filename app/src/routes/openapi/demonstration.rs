//! Rows of the routes that show what monitoring shows.

use axum::http::{Method, StatusCode};

use super::{operation::Operation, schemas::whole_number};
use crate::{
    compute::MAX_N,
    error::Slug,
    routes::{compute::Computation, demonstration::Slow},
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/api/slow", "slow", "Answers after 2 to 3 seconds")
            .answers::<Slow>(StatusCode::OK, "After the delay"),
        Operation::new(
            Method::GET,
            "/compute/{n}",
            "compute",
            "A Fibonacci number, computed the long way",
        )
        .about(
            "Naive recursion, O(2^n), on threads of its own at a lower priority: a bounded number of requests wait, \
                 more are refused, and everything else keeps answering.",
        )
        .path("n", "Which one", whole_number(0, MAX_N.into(), None), 20)
        .answers::<Computation>(StatusCode::OK, "The number"),
        Operation::new(Method::GET, "/api/error", "fail", "Always fails").problem(Slug::Deliberate),
    ]
}
