//! Rows of the routes that show what monitoring shows.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::{
    operation::Operation,
    schemas::{id, text, whole_number},
};
use crate::{
    compute::MAX_N,
    error::Slug,
    routes::{
        compute::Computation,
        demonstration::Slow,
        items::Echo,
        legacy::{CpuSet, MAX_PERCENT, MAX_USERS, UsersSet},
    },
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/items/{item_id}", "readItem", "Says what it was asked")
            .path("item_id", "Any whole number", id(), 1)
            .query("q", "Any text", text())
            .answers::<Echo>(StatusCode::OK, "What was asked"),
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
        Operation::new(Method::GET, "/update", "setUsers", "Set the number of active users")
            .query("users", "How many", whole_number(0, MAX_USERS, None))
            .required(42)
            .answers::<UsersSet>(StatusCode::OK, "It is set"),
        Operation::new(Method::GET, "/cpu", "setCpu", "Set the CPU usage that the metrics show")
            .about("In the dialects `native` and `s4`; in every other one the figure is always what was measured.")
            .query(
                "value",
                "Percent",
                json!({"type": "number", "minimum": 0, "maximum": MAX_PERCENT}),
            )
            .required(12.5)
            .answers::<CpuSet>(StatusCode::OK, "It is set"),
        Operation::new(Method::GET, "/api/error", "fail", "Always fails").problem(Slug::Deliberate),
    ]
}
