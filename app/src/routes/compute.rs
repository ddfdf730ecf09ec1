//! `GET /compute/{n}`: a computation that takes a core for seconds, while everything else keeps answering.

use std::str::FromStr as _;

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{endpoint::Endpoint, schemas};
use crate::{
    compute::MAX_N,
    error::{Problem, Slug, Violation},
    state::AppState,
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(
            "/compute/{n}",
            "compute",
            "A Fibonacci number, computed the long way",
            compute,
        )
        .about(
            "Naive recursion, O(2^n), on threads of its own at a lower priority: a bounded number of requests wait, \
                 more are refused, and everything else keeps answering.",
        )
        .path("n", "Which one", schemas::whole_number(0, MAX_N.into(), None), 20)
        .response::<Computation>(StatusCode::OK, "The number"),
    ]
}

/// A Fibonacci number, computed the long way.
#[derive(Serialize, JsonSchema)]
struct Computation {
    /// Which one.
    n: u32,
    /// The number.
    result: u64,
    /// Time that the computation took, without waiting, in milliseconds.
    processing_time_ms: f64,
}

async fn compute(
    State(state): State<AppState>,
    FibonacciIndex(n): FibonacciIndex,
) -> Result<Json<Computation>, Problem> {
    let computed = state.compute_pool().fibonacci(n).await.map_err(|error| {
        tracing::debug!(error = %error, "a computation was refused");
        Problem::new(Slug::Overloaded, "The queue of computations is full; try again")
    })?;
    Ok(Json(Computation {
        n,
        result: computed.result,
        processing_time_ms: computed.took.as_secs_f64() * 1e3,
    }))
}

/// The `{n}` of the path.
struct FibonacciIndex(u32);

impl<S: Send + Sync> FromRequestParts<S> for FibonacciIndex {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let n = path.ok().and_then(|Path(text)| u32::from_str(&text).ok());
        n.filter(|n| *n <= MAX_N).map(Self).ok_or_else(|| {
            Problem::invalid(vec![Violation {
                index: None,
                field: "n",
                detail: format!("not a valid number: use a whole number from 0 to {MAX_N}"),
            }])
        })
    }
}
