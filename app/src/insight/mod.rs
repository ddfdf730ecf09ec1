//! The service's report on itself, from its own metrics: summary, alerts, score, trends, queries, export.
//!
//! All of it is computed from the live registry and from the history when it is requested. API requests do not pass
//! through here, and never take the one lock that is here. Never touches the store.

pub mod alerting;
pub mod alerts;
pub mod business;
pub mod health;
pub mod page;
pub mod queries;
pub mod request_stats;
pub mod score;
pub mod signals;
pub mod summary;
pub mod trends;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use controller_rules::{ApiFacts, ApiLimits};
use http_instrument::{Gauge, HttpMetrics};
use metric_contract::{Spelling, TargetKind};
use tokio::time::MissedTickBehavior;

use self::{
    alerts::{Alert, Alerts},
    request_stats::RequestStats,
    score::Score,
    signals::{HealthSignal, SignalReading, WINDOW, signals},
    summary::ServiceSummary,
    trends::Trend,
};
use crate::{
    config::{Config, Thresholds},
    telemetry::{
        Metrics,
        history::{EndpointSample, History, MAX_ENDPOINTS, RequestCounts, Sample, Window},
        system, system_stats,
    },
};

/// Time over which the gauge of requests per second is computed.
const RATE_WINDOW: Duration = Duration::from_secs(60);

/// The service's report on itself; clones share it.
#[derive(Debug, Clone)]
pub struct SelfReport(Arc<ReportInner>);

#[derive(Debug)]
struct ReportInner {
    http: HttpMetrics,
    system: system_stats::LatestSystemStats,
    request_rate: Gauge,
    bounds: Vec<f64>,
    thresholds: Thresholds,
    interval: Duration,
    started: Instant,
    /// [`SelfReport::unusable`].
    unusable: OnceLock<Vec<(&'static str, String)>>,
    collected: Mutex<CollectorState>,
}

#[derive(Debug)]
struct CollectorState {
    history: History,
    alerts: Alerts,
    sampled_at: Option<Duration>,
}

/// How the service performed over [`WINDOW`].
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Figures of process, host and container.
    pub system: system_stats::SystemStats,
    /// The signals, each with its value and threshold.
    pub signals: [SignalReading; HealthSignal::ALL.len()],
    /// Since the process started.
    pub now: Duration,
    /// Time since the history took its last sample; `None` before the first.
    pub since_sample: Option<Duration>,
}

impl SelfReport {
    /// Makes a report with an empty history.
    #[must_use]
    pub fn new(config: &Config, metrics: &Metrics) -> Self {
        let http = *metrics.http();
        Self(Arc::new(ReportInner {
            http,
            system: metrics.system(),
            request_rate: metrics.request_rate().clone(),
            bounds: http.duration_bounds(),
            thresholds: config.thresholds,
            interval: config.metrics_collection_interval,
            started: Instant::now(),
            unusable: OnceLock::new(),
            collected: Mutex::new(CollectorState {
                history: History::new(config.metrics_collection_interval),
                alerts: Alerts::default(),
                sampled_at: None,
            }),
        }))
    }

    fn collected(&self) -> MutexGuard<'_, CollectorState> {
        self.0.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thresholds in force.
    #[must_use]
    pub fn thresholds(&self) -> &Thresholds {
        &self.0.thresholds
    }

    /// Thresholds that no alert rule can use, by setting.
    #[must_use]
    pub fn threshold_problems(&self) -> Vec<String> {
        self.unusable().iter().map(|(_, problem)| problem.clone()).collect()
    }

    /// Why no rule can use the threshold of this alert. `None`: one can.
    #[must_use]
    pub fn threshold_problem(&self, alert: &str) -> Option<&str> {
        let mut unusable = self.unusable().iter();
        unusable
            .find(|(of, _)| *of == alert)
            .map(|(_, problem)| problem.as_str())
    }

    /// The alerts whose threshold no rule can use. Metrics and thresholds never change, so they are looked for once.
    fn unusable(&self) -> &[(&'static str, String)] {
        self.0.unusable.get_or_init(|| self.find_unusable())
    }

    fn find_unusable(&self) -> Vec<(&'static str, String)> {
        let spelling = Spelling::from(self.0.http.dialect());
        // Namespace and names do not matter: only the thresholds and the spelling do.
        let api = ApiFacts {
            namespace: "default",
            name: "monitored-app",
            spelling: Some(&spelling),
            proxy: None,
            has_overall: false,
            target: TargetKind::Static,
            scrape_interval_seconds: 15,
            excluded_routes: &[],
            limits: ApiLimits::default(),
            objectives: &[],
            compat: None,
        };
        alerting::unusable(&api, &self.0.thresholds)
    }

    /// How often the history takes a sample.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.0.interval
    }

    /// Memory above which an alert is due, bytes.
    #[must_use]
    pub fn memory_threshold(&self) -> Option<u64> {
        system::memory_threshold(self.0.thresholds.memory_bytes, &self.0.system.get())
    }

    /// Takes a sample of the registry now.
    fn sample(&self) -> Sample {
        let shared = &self.0;
        let system = shared.system.get();
        let mut total = RequestCounts::default();
        let mut in_flight = 0;
        let mut endpoints = Vec::new();
        for endpoint in shared.http.endpoints() {
            let counts = RequestCounts {
                requests: endpoint.requests,
                server_errors: endpoint.server_errors,
                nanoseconds: endpoint.nanoseconds,
                buckets: endpoint.buckets.into(),
            };
            total.add(&counts);
            in_flight += endpoint.in_flight;
            if endpoints.len() < MAX_ENDPOINTS {
                endpoints.push(Arc::new(EndpointSample {
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

    /// The window of this length that ends now, and the sample at its end.
    #[must_use]
    pub fn window(&self, length: Duration) -> (Window, Sample) {
        let now = self.sample();
        (self.collected().history.window(length, &now), now)
    }

    /// Adds a sample to the history, and updates the request rate and the alerts.
    pub fn collect(&self) {
        let now = self.sample();
        let recent = {
            let mut collected = self.collected();
            collected.sampled_at = Some(now.at);
            let recent = collected.history.window(RATE_WINDOW, &now);
            collected.history.push(now);
            recent
        };
        let stats = RequestStats::of(&recent.total, recent.length, &self.0.bounds);
        self.0.request_rate.set(stats.rate_per_second);
        let _ = self.alerts();
    }

    /// Collects at every interval, forever.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(self.0.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.collect();
        }
    }

    /// Assesses the last [`WINDOW`].
    #[must_use]
    pub fn state(&self) -> Assessment {
        let (window, now) = self.window(WINDOW);
        let system = self.0.system.get();
        let stats = RequestStats::of(&window.total, window.length, &self.0.bounds);
        Assessment {
            signals: signals(&self.0.thresholds, &stats, now.in_flight, &system),
            system,
            now: now.at,
            since_sample: self.collected().sampled_at.map(|at| now.at.saturating_sub(at)),
        }
    }

    /// The summary of the last `length`, and the assessment.
    #[must_use]
    pub fn summary(&self, length: Duration) -> (ServiceSummary, Assessment) {
        let (window, now) = self.window(length);
        let state = self.state();
        let uptime = now.at.as_secs_f64();
        let summary = ServiceSummary::of(&window, &self.0.bounds, now.in_flight, uptime, &state.system);
        (summary, state)
    }

    /// The alert conditions, evaluated now, and the time since the process started.
    #[must_use]
    pub fn alerts(&self) -> (Vec<Alert>, Duration) {
        let state = self.state();
        let alerts = self.collected().alerts.evaluate(&state.signals, state.now);
        (alerts, state.now)
    }

    /// The score.
    #[must_use]
    pub fn score(&self) -> Score {
        score::score(&self.state().signals)
    }

    /// The trends over the history, the time that it covers, and what to do about them.
    #[must_use]
    pub fn trends(&self) -> (Duration, Vec<Trend>, Vec<String>) {
        let state = self.state();
        let (span, trends) = {
            let collected = self.collected();
            let samples: Vec<_> = collected.history.samples().collect();
            trends::trends(&samples, &self.0.bounds)
        };
        let said = trends::recommendations(&trends, &state.signals, state.system.memory_limit_bytes());
        (span, trends, said)
    }
}
