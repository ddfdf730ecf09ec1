//! Routes that show what monitoring shows: one is slow, one fails.

use std::time::Duration;

use axum::{Json, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::error::{Problem, Slug};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/slow", "slow", "Answers after 2 to 3 seconds", slow)
            .response::<SlowReply>(StatusCode::OK, "After the delay"),
        Endpoint::get("/api/error", "fail", "Always fails", error).problem(Slug::Deliberate),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Slow")]
struct SlowReply {
    message: &'static str,
    /// How long it took.
    delay_seconds: f64,
}

/// Waits 2 to 3 seconds; holds nothing while it does.
async fn slow() -> Json<SlowReply> {
    let delay = Duration::from_millis(fastrand::u64(2_000..3_000));
    tokio::time::sleep(delay).await;
    Json(SlowReply {
        message: "done",
        delay_seconds: delay.as_secs_f64(),
    })
}

async fn error() -> Problem {
    Problem::new(Slug::Deliberate, "This route always fails, so that alerts can be tried")
}
