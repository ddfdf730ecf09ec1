//! Rows of the probes.

use axum::http::StatusCode;

use super::operation::Operation;
use crate::{
    insight::health::Detailed,
    routes::health::{Health, Verdict},
};

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
        Operation::open("/health/detailed", "detailedHealth", "How each part does, figures and thresholds")
            .about(
                "`unhealthy` (503) if the store does not answer within a second, timers do not run or migrations have \
                 not ended; `degraded` (200) if a figure is above its threshold, the collector has not run for three of \
                 its intervals, or the service is stopping; else `healthy`.",
            )
            .answers::<Detailed>(StatusCode::OK, "Healthy or degraded")
            .answers::<Detailed>(StatusCode::SERVICE_UNAVAILABLE, "Unhealthy"),
    ]
}
