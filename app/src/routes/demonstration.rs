//! Routes that show what monitoring shows: one is slow, one fails.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::{
    error::{Problem, Slug},
    state::AppState,
};

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

/// Waits 2 to 3 seconds. A bounded number of requests do, because each takes the place of another request meanwhile.
async fn slow(State(state): State<AppState>) -> Result<Json<SlowReply>, Problem> {
    let _permit = state.slow_permits().try_acquire_owned().map_err(|_| {
        let detail = "As many slow requests are being served as may be; try again";
        Problem::new(Slug::Overloaded, detail)
    })?;
    let delay = Duration::from_millis(fastrand::u64(2_000..3_000));
    tokio::time::sleep(delay).await;
    Ok(Json(SlowReply {
        message: "done",
        delay_seconds: delay.as_secs_f64(),
    }))
}

async fn error() -> Problem {
    Problem::new(Slug::Deliberate, "This route always fails, so that alerts can be tried")
}
