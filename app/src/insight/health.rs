//! `GET /health/detailed`: how each part does, and the verdict. Pure.
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
    State,
    readings::{Reading, Subject},
    summary::SystemSummary,
};
use crate::state::Phase;

/// Intervals that the collector may miss.
const MISSED_INTERVALS: u32 = 3;

/// How a part does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should.
    Healthy,
    /// It works, but not as it should.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// What `GET /health/detailed` answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Detailed {
    /// The verdict: that of the worst component.
    status: Health,
    /// The time here.
    timestamp: Timestamp,
    /// The package's version.
    version: &'static str,
    /// Time since the process started.
    uptime_seconds: f64,
    /// Each part.
    components: Components,
    /// Each figure that has a threshold.
    thresholds: Vec<Threshold>,
    /// Process, host and container.
    system: SystemSummary,
}

/// The parts.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Components {
    store: Store,
    collector: Collector,
    background_tasks: Background,
    serving: Component,
    thresholds: Component,
}

/// How a part does, and why one says so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
struct Component {
    status: Health,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Store {
    #[serde(flatten)]
    component: Component,
    /// `null`: it did not, within a second.
    answered_in_seconds: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Collector {
    #[serde(flatten)]
    component: Component,
    /// Time since the history took its last sample.
    seconds_since_sample: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Background {
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
struct Threshold {
    signal: Subject,
    value: Option<f64>,
    threshold: Option<f64>,
    exceeded: bool,
}

/// What is known of the parts.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
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
pub fn detailed(parts: &Parts, state: &State, timestamp: Timestamp, version: &'static str) -> (StatusCode, Detailed) {
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
    let status = status.unwrap_or(Health::Healthy);
    let document = Detailed {
        status,
        timestamp,
        version,
        uptime_seconds: state.now.as_secs_f64(),
        components,
        thresholds: state.readings.iter().map(threshold).collect(),
        system: SystemSummary::of(&state.system),
    };
    let code = match status {
        Health::Healthy | Health::Degraded => StatusCode::OK,
        Health::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, document)
}

fn components(parts: &Parts, state: &State) -> Components {
    let component = |status, reason| Component { status, reason };
    let store = match (parts.phase, parts.store) {
        (Phase::Starting, _) => component(Health::Unhealthy, "migrations have not ended"),
        (Phase::Serving | Phase::Draining, Some(_)) => component(Health::Healthy, "answers"),
        (Phase::Serving | Phase::Draining, None) => component(Health::Unhealthy, "does not answer within a second"),
    };
    let background = if parts.timers_run {
        component(Health::Healthy, "timers run")
    } else {
        component(Health::Unhealthy, "timers do not run")
    };
    let thresholds = if state.readings.iter().any(Reading::is_exceeded) {
        component(Health::Degraded, "a figure is above its threshold")
    } else {
        component(Health::Healthy, "no figure is above its threshold")
    };
    Components {
        store: Store {
            component: store,
            answered_in_seconds: parts.store.map(|time| time.as_secs_f64()),
        },
        collector: Collector {
            component: collector(parts.interval, state.since_sample),
            seconds_since_sample: state.since_sample.map(|time| time.as_secs_f64()),
        },
        background_tasks: Background {
            component: background,
            seconds_since_heartbeat: parts.since_heartbeat.as_secs_f64(),
            runtime_tasks: parts.tasks,
            queue_length: parts.queue_length,
        },
        serving: match parts.phase {
            Phase::Starting => component(Health::Unhealthy, "starting"),
            Phase::Serving => component(Health::Healthy, "serving"),
            Phase::Draining => component(Health::Degraded, "stopping"),
        },
        thresholds,
    }
}

fn collector(interval: Option<Duration>, since_sample: Option<Duration>) -> Component {
    let (status, reason) = match (interval, since_sample) {
        (None, _) => (Health::Healthy, "metrics are turned off"),
        (Some(_), None) => (Health::Healthy, "has not run yet"),
        (Some(interval), Some(since)) if since > interval.saturating_mul(MISSED_INTERVALS) => {
            (Health::Degraded, "has not run for three of its intervals")
        }
        (Some(_), Some(_)) => (Health::Healthy, "runs"),
    };
    Component { status, reason }
}

fn threshold(reading: &Reading) -> Threshold {
    Threshold {
        signal: reading.subject,
        value: reading.value,
        threshold: reading.threshold,
        exceeded: reading.is_exceeded(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::system::Figures;

    fn parts() -> Parts {
        Parts {
            store: Some(Duration::from_millis(1)),
            phase: Phase::Serving,
            timers_run: true,
            since_heartbeat: Duration::ZERO,
            interval: Some(Duration::from_secs(5)),
            queue_length: None,
            tasks: 3,
        }
    }

    fn state(in_flight: f64) -> State {
        let reading = |subject| Reading {
            subject,
            value: Some(in_flight),
            threshold: Some(10.0),
            worst: Some(20.0),
        };
        State {
            system: Figures::default(),
            readings: [Subject::InFlight; 5].map(reading),
            now: Duration::from_secs(60),
            since_sample: Some(Duration::from_secs(4)),
        }
    }

    fn verdict(parts: &Parts, state: &State) -> (u16, Health) {
        let (status, document) = detailed(parts, state, Timestamp::UNIX_EPOCH, "1");
        (status.as_u16(), document.status)
    }

    #[test]
    fn a_service_that_does_as_it_should_is_healthy() {
        assert_eq!(verdict(&parts(), &state(1.0)), (200, Health::Healthy));
    }

    #[test]
    fn what_works_but_not_as_it_should_is_degraded_and_still_200() {
        let degraded = (200, Health::Degraded);
        assert_eq!(verdict(&parts(), &state(11.0)), degraded);
        let stale = State {
            since_sample: Some(Duration::from_secs(16)),
            ..state(1.0)
        };
        assert_eq!(verdict(&parts(), &stale), degraded);
        let stopping = Parts {
            phase: Phase::Draining,
            ..parts()
        };
        assert_eq!(verdict(&stopping, &state(1.0)), degraded);
    }

    #[test]
    fn what_cannot_answer_is_unhealthy_and_503() {
        let unhealthy = (503, Health::Unhealthy);
        for broken in [
            Parts { store: None, ..parts() },
            Parts {
                timers_run: false,
                ..parts()
            },
            Parts {
                phase: Phase::Starting,
                ..parts()
            },
        ] {
            assert_eq!(verdict(&broken, &state(11.0)), unhealthy);
        }
    }
}
