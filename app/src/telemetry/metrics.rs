//! The API's own metrics, beside those of HTTP and of the store. All handles are made at start, so nothing is looked up
//! later.

use std::sync::Arc;

use http_instrument::{Counter, FamilyError, Gauge, HttpMetrics};
use metric_contract::{DialectId, MetricId};

use super::{Connections, CpuUsage, shown_count::ShownCount, system_stats::LatestSystemStats};
use crate::{background::BackgroundMetrics, cache::CacheMetrics, config::Config, error::Slug, store::StoreMetrics};

/// The build that is running.
#[derive(Debug, Clone, Copy)]
pub struct BuildInfo {
    /// The package's version.
    pub version: &'static str,
    /// The commit it was built from, or `unknown`.
    pub commit: &'static str,
    /// The compiler.
    pub rustc: &'static str,
}

impl BuildInfo {
    /// This build.
    pub const THIS: Self = Self {
        version: env!("CARGO_PKG_VERSION"),
        commit: env!("APP_COMMIT"),
        rustc: env!("APP_RUSTC"),
    };
}

/// Metrics of the process; clones share them.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<MetricHandles>);

#[derive(Debug)]
struct MetricHandles {
    http: HttpMetrics,
    enabled: bool,
    panics: Counter,
    errors: Vec<Counter>,
    uptime: Gauge,
    request_rate: Gauge,
    cpu: Arc<CpuUsage>,
    users: ShownCount,
    connections: Connections,
    system: LatestSystemStats,
    store: StoreMetrics,
    cache: CacheMetrics,
    background: BackgroundMetrics,
    registrations: Counter,
}

impl Metrics {
    /// Makes all handles, so that every series exists from the start. Requests of unmeasured routes (templates) are not
    /// recorded.
    ///
    /// # Errors
    /// A family does not fit, or the cap on series is reached.
    pub fn new(config: &Config, unmeasured: Vec<&'static str>) -> Result<Self, FamilyError> {
        let mut builder = HttpMetrics::builder(config.dialect)
            .excluded_routes(unmeasured)
            .slow_requests(config.slow_request)
            .exemplars(true);
        if let Some(buckets) = &config.buckets {
            builder = builder.duration_buckets(buckets.iter().copied());
        }
        let http = builder.build();
        set_info(&http, config.dialect)?;
        http.gauge(MetricId::CpuAlertThreshold, &[])?
            .set(config.thresholds.cpu_percent);
        let names = http.dialect().error_names;
        let errors = Slug::ALL
            .iter()
            .map(|slug| http.counter(MetricId::ErrorsByType, &[slug.error_name().label_value(names)]));
        for none in [
            MetricId::GcCollections,
            MetricId::GcCollected,
            MetricId::GcUncollectable,
        ] {
            // There is no garbage collector: they stay 0, in the dialect that has them.
            http.counter(none, &[])?;
        }
        Ok(Self(Arc::new(MetricHandles {
            enabled: config.metrics,
            panics: http.counter(MetricId::Panics, &[])?,
            errors: errors.collect::<Result<_, _>>()?,
            uptime: http.gauge(MetricId::AppUptime, &[])?,
            request_rate: http.gauge(MetricId::RequestRate, &[])?,
            cpu: Arc::new(CpuUsage::new(http.gauge(MetricId::AppCpuPercent, &[])?, config.dialect)),
            connections: Connections::new(http.gauge(MetricId::ActiveConnections, &[])?),
            users: ShownCount::new(http.gauge(MetricId::ActiveUsers, &[])?),
            system: LatestSystemStats::default(),
            store: StoreMetrics::new(&http)?,
            cache: CacheMetrics::new(&http)?,
            background: BackgroundMetrics::new(&http)?,
            registrations: http.counter(MetricId::UserRegistrations, &[])?,
            http,
        })))
    }

    /// The HTTP metrics and the page.
    #[must_use]
    pub fn http(&self) -> &HttpMetrics {
        &self.0.http
    }

    /// Whether metrics are recorded and served.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// The store's metrics.
    #[must_use]
    pub fn store(&self) -> StoreMetrics {
        self.0.store.clone()
    }

    /// The cache's metrics.
    #[must_use]
    pub fn cache(&self) -> CacheMetrics {
        self.0.cache.clone()
    }

    /// Background work's metrics.
    #[must_use]
    pub fn background(&self) -> BackgroundMetrics {
        self.0.background.clone()
    }

    /// Users that registered.
    #[must_use]
    pub fn registrations(&self) -> &Counter {
        &self.0.registrations
    }

    /// Handlers that panicked.
    #[must_use]
    pub fn panics(&self) -> &Counter {
        &self.0.panics
    }

    /// Time since start.
    #[must_use]
    pub fn uptime(&self) -> &Gauge {
        &self.0.uptime
    }

    /// Requests per second; the collector computes it at every interval.
    #[must_use]
    pub fn request_rate(&self) -> &Gauge {
        &self.0.request_rate
    }

    /// Percent of CPU; `GET /cpu` sets it.
    #[must_use]
    pub fn cpu(&self) -> &Arc<CpuUsage> {
        &self.0.cpu
    }

    /// Users that are active; registering, deleting and `GET /update` move it.
    #[must_use]
    pub fn active_users(&self) -> &ShownCount {
        &self.0.users
    }

    /// Open client connections.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// Figures of process, host and container as they were read last.
    #[must_use]
    pub fn system(&self) -> LatestSystemStats {
        self.0.system.clone()
    }

    /// Counts a problem that was answered.
    pub fn count_error(&self, slug: Slug) {
        if let Some(counter) = self.0.errors.get(slug as usize) {
            counter.increment();
        }
    }
}

fn set_info(http: &HttpMetrics, dialect: DialectId) -> Result<(), FamilyError> {
    let BuildInfo { version, commit, rustc } = BuildInfo::THIS;
    http.gauge(MetricId::AppInfo, &[version, commit, rustc, dialect.as_str()])?
        .set(1.0);
    Ok(())
}
