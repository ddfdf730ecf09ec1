//! What the service makes of its own metrics: summary, alerts, score, trends, queries, export.
//!
//! All of it is computed from the live registry and from the history, when somebody asks. Nothing here is on the way of a
//! request, and the one lock here is one that no request takes. Never touches the store.

pub mod alerting;
pub mod alerts;
pub mod custom;
pub mod figures;
pub mod health;
pub mod page;
pub mod queries;
pub mod readings;
pub mod score;
pub mod summary;
pub mod trends;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use http_instrument::{Gauge, HttpMetrics};
use tokio::time::MissedTickBehavior;

use self::{
    alerts::{Alert, Alerts},
    figures::Figures,
    readings::{Reading, Subject, WINDOW, readings},
    score::Score,
    summary::Summary,
    trends::Trend,
};
use crate::{
    config::{Config, Thresholds},
    telemetry::{
        Metrics,
        history::{Counts, Endpoint, History, MAX_ENDPOINTS, Sample, Window},
        system,
    },
};

/// Over how long the gauge of requests per second looks back.
const RATE_WINDOW: Duration = Duration::from_secs(60);

/// The service's view of itself; a clone is the same.
#[derive(Debug, Clone)]
pub struct Insight(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    http: HttpMetrics,
    system: system::Latest,
    request_rate: Gauge,
    bounds: Vec<f64>,
    thresholds: Thresholds,
    interval: Duration,
    started: Instant,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    history: History,
    alerts: Alerts,
    sampled_at: Option<Duration>,
}

/// How the service does over [`WINDOW`].
#[derive(Debug, Clone)]
pub struct State {
    /// Figures of process, host and container.
    pub system: system::Figures,
    /// What is judged.
    pub readings: [Reading; Subject::ALL.len()],
    /// Since the process started.
    pub now: Duration,
    /// Time since the history took its last sample; `None` before the first.
    pub since_sample: Option<Duration>,
}

impl Insight {
    /// A view that knows nothing yet.
    #[must_use]
    pub fn new(config: &Config, metrics: &Metrics) -> Self {
        let http = *metrics.http();
        Self(Arc::new(Shared {
            http,
            system: metrics.system(),
            request_rate: metrics.request_rate().clone(),
            bounds: http.duration_bounds(),
            thresholds: config.thresholds,
            interval: config.metrics_collection_interval,
            started: Instant::now(),
            kept: Mutex::new(Kept {
                history: History::new(config.metrics_collection_interval),
                alerts: Alerts::default(),
                sampled_at: None,
            }),
        }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thresholds in force.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        &self.0.thresholds
    }

    /// How often the history takes a sample.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.0.interval
    }

    /// Memory from which an alert is due, bytes.
    #[must_use]
    pub fn memory_threshold(&self) -> Option<u64> {
        system::memory_threshold(self.0.thresholds.memory_bytes, &self.0.system.get())
    }

    /// What is known at this moment.
    fn sample(&self) -> Sample {
        let shared = &self.0;
        let system = shared.system.get();
        let mut total = Counts::default();
        let mut in_flight = 0;
        let mut endpoints = Vec::new();
        for endpoint in shared.http.endpoints() {
            let counts = Counts {
                requests: endpoint.requests,
                server_errors: endpoint.server_errors,
                nanoseconds: endpoint.nanoseconds,
                buckets: endpoint.buckets.into(),
            };
            total.add(&counts);
            in_flight += endpoint.in_flight;
            if endpoints.len() < MAX_ENDPOINTS {
                endpoints.push(Arc::new(Endpoint {
                    method: endpoint.method,
                    route: endpoint.route,
                    counts,
                    in_flight: endpoint.in_flight,
                }));
            }
        }
        Sample {
            at: shared.started.elapsed(),
            total,
            in_flight,
            cpu_percent: system.cpu_percent,
            memory_bytes: system.memory_bytes(),
            endpoints: endpoints.into(),
        }
    }

    /// What happened in the time up to now, and what is known now.
    #[must_use]
    pub fn window(&self, length: Duration) -> (Window, Sample) {
        let now = self.sample();
        (self.kept().history.window(length, &now), now)
    }

    /// Takes a sample into the history, and brings what follows from it up to date.
    pub fn collect(&self) {
        let now = self.sample();
        let recent = {
            let mut kept = self.kept();
            kept.sampled_at = Some(now.at);
            let recent = kept.history.window(RATE_WINDOW, &now);
            kept.history.push(now);
            recent
        };
        let figures = Figures::of(&recent.total, recent.length, &self.0.bounds);
        self.0.request_rate.set(figures.rate_per_second);
        let _ = self.alerts();
    }

    /// Collects now and then for ever.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(self.0.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.collect();
        }
    }

    /// How the service does.
    #[must_use]
    pub fn state(&self) -> State {
        let (window, now) = self.window(WINDOW);
        let system = self.0.system.get();
        let figures = Figures::of(&window.total, window.length, &self.0.bounds);
        State {
            readings: readings(&self.0.thresholds, &figures, now.in_flight, &system),
            system,
            now: now.at,
            since_sample: self.kept().sampled_at.map(|at| now.at.saturating_sub(at)),
        }
    }

    /// The summary of the last so many seconds, and what is judged.
    #[must_use]
    pub fn summary(&self, length: Duration) -> (Summary, State) {
        let (window, now) = self.window(length);
        let state = self.state();
        let uptime = now.at.as_secs_f64();
        let summary = Summary::of(&window, &self.0.bounds, now.in_flight, uptime, &state.system);
        (summary, state)
    }

    /// The alert conditions, evaluated now, and the time since the process started.
    #[must_use]
    pub fn alerts(&self) -> (Vec<Alert>, Duration) {
        let state = self.state();
        let alerts = self.kept().alerts.evaluate(&state.readings, state.now);
        (alerts, state.now)
    }

    /// The score.
    #[must_use]
    pub fn score(&self) -> Score {
        score::score(&self.state().readings)
    }

    /// The trends over the history, the time that it covers, and what to do about them.
    #[must_use]
    pub fn trends(&self) -> (Duration, Vec<Trend>, Vec<String>) {
        let state = self.state();
        let (span, trends) = {
            let kept = self.kept();
            let samples: Vec<_> = kept.history.samples().collect();
            trends::trends(&samples, &self.0.bounds)
        };
        let said = trends::recommendations(&trends, &state.readings, state.system.memory_limit_bytes());
        (span, trends, said)
    }
}
