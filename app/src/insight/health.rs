//! `GET /health/detailed`: the health of each part, and of the whole. Pure.
//!
//! The rule: `unhealthy` (503) if a part without which no request can be answered well is down: the store does not answer
//! within a second, timers do not run, or migrations have not ended. `degraded` (200) if it answers but not as it should:
//! a figure is above its threshold, the collector has not run for three of its intervals, or the service is stopping.
//! Else `healthy` (200).

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Assessment,
    signals::{HealthSignal, SignalReading},
    summary::SystemSummary,
};
use crate::state::Phase;

/// Intervals that the collector may miss.
const MISSED_INTERVALS: u32 = 3;

/// The health of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Health")]
pub enum HealthStatus {
    /// It works as it should.
    Healthy,
    /// It works, but not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// What `GET /health/detailed` answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Detailed")]
pub struct DetailedHealth {
    /// The verdict: that of the worst component.
    status: HealthStatus,
    /// The time here.
    timestamp: Timestamp,
    /// The package's version.
    version: &'static str,
    /// Time since the process started.
    uptime_seconds: f64,
    /// Each part.
    components: Components,
    /// Each figure that has a threshold.
    thresholds: Vec<SignalThreshold>,
    /// Process, host and container.
    system: SystemSummary,
}

/// The parts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Components {
    store: StoreHealth,
    collector: CollectorHealth,
    background_tasks: BackgroundHealth,
    serving: Component,
    thresholds: Component,
}

/// The health of a part, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Component {
    status: HealthStatus,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Store")]
struct StoreHealth {
    #[serde(flatten)]
    component: Component,
    /// Time until the store answered; `null` if it did not answer within a second.
    answered_in_seconds: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Collector")]
struct CollectorHealth {
    #[serde(flatten)]
    component: Component,
    /// Time since the history took its last sample.
    seconds_since_sample: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Background")]
struct BackgroundHealth {
    #[serde(flatten)]
    component: Component,
    /// Time since timers last ran; they run every second.
    seconds_since_heartbeat: f64,
    /// Tasks of the runtime that have not ended.
    runtime_tasks: usize,
    /// Background tasks that wait.
    queue_length: Option<f64>,
}

/// A figure and its threshold.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Threshold")]
struct SignalThreshold {
    signal: HealthSignal,
    value: Option<f64>,
    threshold: Option<f64>,
    exceeded: bool,
}

/// Facts about the parts that their health follows from.
#[derive(Debug, Clone, Copy)]
pub struct HealthFacts {
    /// How long the store took to answer; `None`: it did not, within a second.
    pub store: Option<Duration>,
    /// Where the process is in its life.
    pub phase: Phase,
    /// Whether timers run.
    pub timers_run: bool,
    /// Time since timers last ran.
    pub since_heartbeat: Duration,
    /// How often the collector runs; `None`: metrics are turned off.
    pub interval: Option<Duration>,
    /// Background tasks that wait.
    pub queue_length: Option<f64>,
    /// Tasks of the runtime that have not ended.
    pub tasks: usize,
}

/// The status and the document.
#[must_use]
pub fn detailed(
    parts: &HealthFacts,
    state: &Assessment,
    timestamp: Timestamp,
    version: &'static str,
) -> (StatusCode, DetailedHealth) {
    let components = components(parts, state);
    let Components {
        store,
        collector,
        background_tasks,
        serving,
        thresholds,
    } = &components;
    let all = [
        store.component,
        collector.component,
        background_tasks.component,
        *serving,
        *thresholds,
    ];
    let status = all.map(|component| component.status).into_iter().max();
    let status = status.unwrap_or(HealthStatus::Healthy);
    let document = DetailedHealth {
        status,
        timestamp,
        version,
        uptime_seconds: state.now.as_secs_f64(),
        components,
        thresholds: state.signals.iter().map(threshold).collect(),
        system: SystemSummary::of(&state.system),
    };
    let code = match status {
        HealthStatus::Healthy | HealthStatus::Degraded => StatusCode::OK,
        HealthStatus::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, document)
}

fn components(parts: &HealthFacts, state: &Assessment) -> Components {
    let component = |status, reason| Component { status, reason };
    let store = match (parts.phase, parts.store) {
        (Phase::Starting, _) => component(HealthStatus::Unhealthy, "migrations have not ended"),
        (Phase::Serving | Phase::Draining, Some(_)) => component(HealthStatus::Healthy, "answers"),
        (Phase::Serving | Phase::Draining, None) => {
            component(HealthStatus::Unhealthy, "does not answer within a second")
        }
    };
    let background = if parts.timers_run {
        component(HealthStatus::Healthy, "timers run")
    } else {
        component(HealthStatus::Unhealthy, "timers do not run")
    };
    let thresholds = if state.signals.iter().any(SignalReading::is_exceeded) {
        component(HealthStatus::Degraded, "a figure is above its threshold")
    } else {
        component(HealthStatus::Healthy, "no figure is above its threshold")
    };
    Components {
        store: StoreHealth {
            component: store,
            answered_in_seconds: parts.store.map(|time| time.as_secs_f64()),
        },
        collector: CollectorHealth {
            component: collector(parts.interval, state.since_sample),
            seconds_since_sample: state.since_sample.map(|time| time.as_secs_f64()),
        },
        background_tasks: BackgroundHealth {
            component: background,
            seconds_since_heartbeat: parts.since_heartbeat.as_secs_f64(),
            runtime_tasks: parts.tasks,
            queue_length: parts.queue_length,
        },
        serving: match parts.phase {
            Phase::Starting => component(HealthStatus::Unhealthy, "starting"),
            Phase::Serving => component(HealthStatus::Healthy, "serving"),
            Phase::Draining => component(HealthStatus::Degraded, "stopping"),
        },
        thresholds,
    }
}

fn collector(interval: Option<Duration>, since_sample: Option<Duration>) -> Component {
    let (status, reason) = match (interval, since_sample) {
        (None, _) => (HealthStatus::Healthy, "metrics are turned off"),
        (Some(_), None) => (HealthStatus::Healthy, "has not run yet"),
        (Some(interval), Some(since)) if since > interval.saturating_mul(MISSED_INTERVALS) => {
            (HealthStatus::Degraded, "has not run for three of its intervals")
        }
        (Some(_), Some(_)) => (HealthStatus::Healthy, "runs"),
    };
    Component { status, reason }
}

fn threshold(reading: &SignalReading) -> SignalThreshold {
    SignalThreshold {
        signal: reading.signal,
        value: reading.value,
        threshold: reading.threshold,
        exceeded: reading.is_exceeded(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::system_stats::SystemStats;

    fn parts() -> HealthFacts {
        HealthFacts {
            store: Some(Duration::from_millis(1)),
            phase: Phase::Serving,
            timers_run: true,
            since_heartbeat: Duration::ZERO,
            interval: Some(Duration::from_secs(5)),
            queue_length: None,
            tasks: 3,
        }
    }

    fn state(in_flight: f64) -> Assessment {
        let reading = |signal| SignalReading {
            signal,
            value: Some(in_flight),
            threshold: Some(10.0),
            worst: Some(20.0),
        };
        Assessment {
            system: SystemStats::default(),
            signals: [HealthSignal::InFlight; 5].map(reading),
            now: Duration::from_secs(60),
            since_sample: Some(Duration::from_secs(4)),
        }
    }

    fn verdict(parts: &HealthFacts, state: &Assessment) -> (u16, HealthStatus) {
        let (status, document) = detailed(parts, state, Timestamp::UNIX_EPOCH, "1");
        (status.as_u16(), document.status)
    }

    #[test]
    fn a_service_that_does_as_it_should_is_healthy() {
        assert_eq!(verdict(&parts(), &state(1.0)), (200, HealthStatus::Healthy));
    }

    #[test]
    fn an_impaired_api_is_degraded_and_still_answers_200() {
        let degraded = (200, HealthStatus::Degraded);
        assert_eq!(verdict(&parts(), &state(11.0)), degraded);
        let stale = Assessment {
            since_sample: Some(Duration::from_secs(16)),
            ..state(1.0)
        };
        assert_eq!(verdict(&parts(), &stale), degraded);
        let stopping = HealthFacts {
            phase: Phase::Draining,
            ..parts()
        };
        assert_eq!(verdict(&stopping, &state(1.0)), degraded);
    }

    #[test]
    fn an_api_that_cannot_serve_is_unhealthy_and_answers_503() {
        let unhealthy = (503, HealthStatus::Unhealthy);
        for broken in [
            HealthFacts { store: None, ..parts() },
            HealthFacts {
                timers_run: false,
                ..parts()
            },
            HealthFacts {
                phase: Phase::Starting,
                ..parts()
            },
        ] {
            assert_eq!(verdict(&broken, &state(11.0)), unhealthy);
        }
    }
}
