//! Routes that show what monitoring shows: one is slow, one fails.

use std::{hash::BuildHasher, time::Duration};

use axum::{
    Json,
    http::{Method, StatusCode},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::Resource;
use crate::error::{Problem, Slug};

pub(super) fn resource() -> Resource {
    Resource::default()
        .at("/api/slow", &[(Method::GET, StatusCode::OK)], get(slow))
        .at(
            "/api/error",
            &[(Method::GET, StatusCode::INTERNAL_SERVER_ERROR)],
            get(error),
        )
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Slow {
    message: &'static str,
    /// How long it took.
    delay_seconds: f64,
}

/// Waits 2 to 3 seconds; holds nothing while it does.
async fn slow() -> Json<Slow> {
    // Each RandomState differs from the one before it: random enough to spread load.
    let spread = std::hash::RandomState::new().hash_one(()) % 1_000;
    let delay = Duration::from_secs(2) + Duration::from_millis(spread);
    tokio::time::sleep(delay).await;
    Json(Slow {
        message: "done",
        delay_seconds: delay.as_secs_f64(),
    })
}

async fn error() -> Problem {
    Problem::new(Slug::Deliberate, "This route always fails, so that alerts can be tried")
}
