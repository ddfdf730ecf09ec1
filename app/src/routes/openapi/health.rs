//! Rows of the probes.

use axum::http::StatusCode;

use super::operation::Operation;
use crate::routes::health::{Health, Verdict};

pub(super) fn operations() -> Vec<Operation> {
    let verdict = |path, id, summary| {
        Operation::open(path, id, summary)
            .answers::<Verdict>(StatusCode::OK, "Yes")
            .answers::<Verdict>(StatusCode::SERVICE_UNAVAILABLE, "No, and why")
    };
    vec![
        Operation::open(
            "/health",
            "health",
            "Whether the process answers, and what time it is there",
        )
        .answers::<Health>(StatusCode::OK, "It does"),
        verdict(
            "/health/live",
            "live",
            "Whether the process can serve; never asks the store",
        ),
        verdict("/health/ready", "ready", "Whether to send requests here"),
        verdict("/health/startup", "startup", "Whether the start is over"),
    ]
}
