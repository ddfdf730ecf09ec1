//! What Prometheus itself and the operator know of an API: its targets, their scrapes, its pods.

use metric_contract::{
    Signal, labels,
    platform::{
        AUTOSCALER_MAX, LAST_TERMINATION_REASON, OOM_KILLED, PODS_NOT_READY, REPLICAS_READY, REPLICAS_WANTED, RESTARTS,
        SCRAPE_DURATION, SCRAPE_SAMPLES, UP,
    },
};

use super::{ApiQueries, MissingSignal, QueryResult};
use crate::promql::{Decimal, Expr, Matcher, PromDuration, changes};

/// The window in which restarts are counted: the longest wait of a crash loop is five minutes, so six of them.
const RESTART_WINDOW: PromDuration = PromDuration::from_minutes(30);
/// The window in which changes of a target's state are counted.
const FLAP_WINDOW_MINUTES: u32 = 15;
/// Fewest scrapes within that window.
const FLAP_SCRAPES: u32 = 8;

impl ApiQueries<'_> {
    /// The number of targets that answer their scrapes; no series if Prometheus knows no target.
    #[must_use]
    pub fn targets_up(&self) -> Expr {
        self.scope.sum(self.scope.select(UP.name).into(), &[])
    }

    /// The number of targets that Prometheus knows.
    #[must_use]
    pub fn targets_known(&self) -> Expr {
        self.scope.count(self.scope.select(UP.name).into(), &[])
    }

    /// How often the most restless target went up or down in the last quarter of an hour.
    #[must_use]
    pub fn target_changes(&self) -> Expr {
        let minutes = self
            .api
            .scrape_interval_seconds
            .saturating_mul(FLAP_SCRAPES)
            .div_ceil(60);
        let window = PromDuration::from_minutes(minutes.max(FLAP_WINDOW_MINUTES));
        self.scope
            .max(changes(self.scope.select(UP.name).over_fixed(window)), &[])
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
    #[must_use]
    pub fn scrape_seconds(&self) -> Expr {
        self.scope.max(self.scope.select(SCRAPE_DURATION.name).into(), &[])
    }

    /// The same as a share of the time after which a scrape is given up.
    ///
    /// # Errors
    /// The time is not known.
    pub fn scrape_timeout_ratio(&self) -> QueryResult {
        let timeout = self.api.limits.scrape_timeout_millis;
        let timeout = timeout.ok_or(MissingSignal(Signal::ScrapeTimeout))?;
        Ok(self.scrape_seconds().per(Decimal::thousandths(timeout)))
    }

    /// Samples of the largest target's last scrape.
    #[must_use]
    pub fn scrape_samples(&self) -> Expr {
        self.scope.max(self.scope.select(SCRAPE_SAMPLES.name).into(), &[])
    }

    /// The same as a share of the number above which a scrape fails.
    ///
    /// # Errors
    /// There is no such limit.
    pub fn sample_limit_ratio(&self) -> QueryResult {
        let limit = self.api.limits.scrape_samples;
        Ok(self
            .scrape_samples()
            .per(limit.ok_or(MissingSignal(Signal::SampleLimit))?))
    }
}
