//! What Prometheus itself and the operator know of an API: its targets, their scrapes, its pods.

use metric_contract::{
    Signal, labels,
    platform::{
        AUTOSCALER_MAX, LAST_TERMINATION_REASON, OOM_KILLED, PODS_NOT_READY, REPLICAS_READY, REPLICAS_WANTED, RESTARTS,
        SCRAPE_DURATION, SCRAPE_SAMPLES, UP,
    },
};

use super::{ApiQueries, MissingSignal, QueryResult};
use crate::promql::{Decimal, Expr, Matcher, PromDuration, VectorSelector, changes};

/// The window in which restarts are counted: the longest wait of a crash loop is five minutes, so six of them.
const RESTART_WINDOW: PromDuration = PromDuration::from_minutes(30);
/// The window in which changes of a target's state are counted.
const FLAP_WINDOW_MINUTES: u32 = 15;
/// Fewest scrapes within that window.
const FLAP_SCRAPES: u32 = 8;

impl ApiQueries<'_> {
    /// The number of targets that answer their scrapes; no series if Prometheus knows no target.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn targets_up(&self) -> QueryResult {
        let targets = self.target_series(Signal::Up, UP.name)?;
        Ok(self.scope.sum(targets.into(), &[]))
    }

    /// The number of targets that Prometheus knows.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn targets_known(&self) -> QueryResult {
        let targets = self.target_series(Signal::Up, UP.name)?;
        Ok(self.scope.count(targets.into(), &[]))
    }

    /// A series of each of the API's targets.
    fn target_series(&self, signal: Signal, name: &str) -> Result<VectorSelector, MissingSignal> {
        let is_scraped = self.api.proxy.is_none();
        is_scraped.then(|| self.scope.select(name)).ok_or(MissingSignal(signal))
    }

    /// How often the most restless target went up or down in the last quarter of an hour.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn target_changes(&self) -> QueryResult {
        let minutes = self
            .api
            .scrape_interval_seconds
            .saturating_mul(FLAP_SCRAPES)
            .div_ceil(60);
        let window = PromDuration::from_minutes(minutes.max(FLAP_WINDOW_MINUTES));
        let targets = self.target_series(Signal::Up, UP.name)?;
        Ok(self.scope.max(changes(targets.over_fixed(window)), &[]))
    }

    /// The number of wanted pods; no series if this Prometheus does not scrape the operator.
    #[must_use]
    pub fn replicas_wanted(&self) -> Expr {
        self.scope.reported(REPLICAS_WANTED, &[])
    }

    /// The number of ready pods; no series if this Prometheus does not scrape the operator.
    #[must_use]
    pub fn replicas_ready(&self) -> Expr {
        self.scope.reported(REPLICAS_READY, &[])
    }

    /// The most pods that the autoscaler makes; no series if this Prometheus does not scrape the operator.
    ///
    /// # Errors
    /// There is no autoscaler that may change the number.
    pub fn autoscaler_max(&self) -> QueryResult {
        let limit = self.api.limits.autoscaler_max;
        limit.ok_or(MissingSignal(Signal::AutoscalerMax))?;
        Ok(self.scope.reported(AUTOSCALER_MAX, &[]))
    }

    /// The number of pods that are not ready, those of a rollout that is under way among them.
    #[must_use]
    pub fn pods_not_ready(&self) -> Expr {
        self.scope.reported(PODS_NOT_READY, &[])
    }

    /// Restarts of the pods' containers in the last half hour.
    #[must_use]
    pub fn restarts(&self) -> Expr {
        self.scope.reported_increase(RESTARTS, RESTART_WINDOW)
    }

    /// The number of pods whose container ended the last time because it reached its memory limit.
    #[must_use]
    pub fn pods_oom_killed(&self) -> Expr {
        let reason = Matcher::equal(labels::REASON, OOM_KILLED);
        self.scope.reported(LAST_TERMINATION_REASON, &[reason])
    }

    /// The duration of the slowest target's last scrape, in seconds.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn scrape_seconds(&self) -> QueryResult {
        let targets = self.target_series(Signal::ScrapeCost, SCRAPE_DURATION.name)?;
        Ok(self.scope.max(targets.into(), &[]))
    }

    /// The same as a share of the time after which a scrape is given up.
    ///
    /// # Errors
    /// The time is not known, or nobody scrapes the pods.
    pub fn scrape_timeout_ratio(&self) -> QueryResult {
        let timeout = self.api.limits.scrape_timeout_millis;
        let timeout = timeout.ok_or(MissingSignal(Signal::ScrapeTimeout))?;
        Ok(self.scrape_seconds()?.per(Decimal::thousandths(timeout)))
    }

    /// Samples of the largest target's last scrape.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn scrape_samples(&self) -> QueryResult {
        let targets = self.target_series(Signal::ScrapeCost, SCRAPE_SAMPLES.name)?;
        Ok(self.scope.max(targets.into(), &[]))
    }

    /// The same as a share of the number above which a scrape fails.
    ///
    /// # Errors
    /// There is no such limit, or nobody scrapes the pods.
    pub fn sample_limit_ratio(&self) -> QueryResult {
        let limit = self.api.limits.scrape_samples;
        Ok(self
            .scrape_samples()?
            .per(limit.ok_or(MissingSignal(Signal::SampleLimit))?))
    }
}
