//! Bounds the work of requests for analysis: `/metrics/*`, `/config/alerting` and `/health/detailed`.
//!
//! They are not admitted as API requests are, so that they answer under overload, and each costs milliseconds of CPU. So
//! only a few run at the same time, and each keeps its place for a while after its answer: however many are asked for,
//! they take a part of one core, and API requests, probes and scrapes have the rest.

use std::time::{Duration, Instant};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{
    error::{Problem, Slug},
    state::AppState,
};

/// How long a request waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer than its answer took a request keeps its place: with two places, half a core is in use at most.
const PAUSE_FACTOR: u32 = 3;
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// Runs a request when there is a place for it, or answers 503.
pub(super) async fn bound(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let places = state.analysis_permits();
    let Ok(Ok(place)) = tokio::time::timeout(PATIENCE, places.acquire_owned()).await else {
        let detail = "Too many requests for analysis are being served; try again";
        return Problem::new(Slug::Overloaded, detail).into_response();
    };
    let started = Instant::now();
    let response = next.run(request).await;
    let pause = started.elapsed().saturating_mul(PAUSE_FACTOR).min(MAX_PAUSE);
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        drop(place);
    });
    response
}
