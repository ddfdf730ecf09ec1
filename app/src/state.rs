//! What every request handler shares: the store, the metrics, the limits, and where the process is in its life.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;

use crate::{
    background::Background,
    cache::UserCache,
    compute::Computer,
    config::{Config, Limits},
    insight::Insight,
    store::Store,
    telemetry::{Metrics, Tracer},
};

/// Where the process is in its life; it only moves down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Migrations are running.
    Starting,
    /// Serving.
    Serving,
    /// Told to stop: serving on, while traffic is directed elsewhere.
    Draining,
}

/// Shared state; a clone is the same.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    metrics: Metrics,
    tracer: Tracer,
    computer: Computer,
    insight: Insight,
    users: UserCache,
    background: Background,
    limits: Limits,
    has_metrics_listener: bool,
    permits: Arc<Semaphore>,
    body_memory: Arc<Semaphore>,
    phase: AtomicU8,
    started: Instant,
    /// Milliseconds after `started` at which timers last ran.
    heartbeat: AtomicU64,
}

impl AppState {
    /// The state of a process that is starting. Needs a runtime, for background work.
    #[must_use]
    pub fn new(config: &Config, store: Store, metrics: Metrics, tracer: Tracer) -> Self {
        Self(Arc::new(Shared {
            users: UserCache::new(config.cache, metrics.cache()),
            background: Background::start(config.background, metrics.background()),
            store,
            insight: Insight::new(config, &metrics),
            metrics,
            tracer,
            computer: Computer::new(config.compute),
            limits: config.limits,
            has_metrics_listener: config.metrics_listen.is_some(),
            permits: Arc::new(Semaphore::new(config.limits.concurrent_requests)),
            body_memory: Arc::new(Semaphore::new(config.limits.bodies_bytes())),
            phase: AtomicU8::new(Phase::Starting as u8),
            started: Instant::now(),
            heartbeat: AtomicU64::new(0),
        }))
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// What makes spans.
    #[must_use]
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }

    /// Users that were read lately.
    #[must_use]
    pub fn users(&self) -> &UserCache {
        &self.0.users
    }

    /// Work that answers do not wait for.
    #[must_use]
    pub fn background(&self) -> &Background {
        &self.0.background
    }

    /// What computes.
    #[must_use]
    pub fn computer(&self) -> &Computer {
        &self.0.computer
    }

    /// The service's view of itself.
    #[must_use]
    pub fn insight(&self) -> &Insight {
        &self.0.insight
    }

    /// What a client may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether metrics and their analysis are served with the rest.
    #[must_use]
    pub fn serves_metrics(&self) -> bool {
        self.0.metrics.enabled() && !self.0.has_metrics_listener
    }

    /// One permit for each request that may be served now.
    #[must_use]
    pub fn permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.permits)
    }

    /// One permit for each byte of a request's body that may be kept now.
    #[must_use]
    pub fn body_memory(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.body_memory)
    }

    /// Time since the process started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Where the process is in its life.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Draining,
        }
    }

    /// Moves on; never back, so that a start that ends late does not undo a drain.
    pub fn enter(&self, phase: Phase) {
        self.0.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Notes that timers run.
    pub fn beat(&self) {
        let now = u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX);
        self.0.heartbeat.store(now, Ordering::Relaxed);
    }

    /// Time since timers last ran.
    #[must_use]
    pub fn since_heartbeat(&self) -> Duration {
        self.uptime()
            .saturating_sub(Duration::from_millis(self.0.heartbeat.load(Ordering::Relaxed)))
    }
}
