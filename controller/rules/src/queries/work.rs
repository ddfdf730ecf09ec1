//! What an API does besides answering: database, cache, background tasks. Each as events per second.

use metric_contract::{Attribute, MetricId, Signal};

use super::{ApiQueries, QueryResult, or_zero};
use crate::promql::{Expr, rate};

impl ApiQueries<'_> {
    /// Handlers per second that panicked or failed with an error of their own.
    ///
    /// # Errors
    /// [`Signal::Exceptions`] has no metric.
    pub fn exception_rate(&self) -> QueryResult {
        self.event_rate(Signal::Exceptions, MetricId::Exceptions)
    }

    /// Requests per second that took longer than the service's own threshold for slow ones.
    ///
    /// # Errors
    /// [`Signal::SlowRequests`] has no metric.
    pub fn slow_request_rate(&self) -> QueryResult {
        self.event_rate(Signal::SlowRequests, MetricId::SlowRequests)
    }

    /// Operations on the database per second.
    ///
    /// # Errors
    /// [`Signal::DatabaseOperations`] has no metric.
    pub fn database_rate(&self) -> QueryResult {
        self.event_rate(Signal::DatabaseOperations, MetricId::DatabaseOperations)
    }

    /// Failed operations on the database per second.
    ///
    /// # Errors
    /// [`Signal::DatabaseOperations`] has no metric that says how they ended.
    pub fn database_error_rate(&self) -> QueryResult {
        self.chosen_rate(
            Signal::DatabaseOperations,
            MetricId::DatabaseOperations,
            Attribute::OperationResult,
            &["error"],
        )
    }

    /// Lookups in the cache per second.
    ///
    /// # Errors
    /// [`Signal::CacheOperations`] has no metric that says how they ended.
    pub fn cache_lookup_rate(&self) -> QueryResult {
        self.chosen_rate(
            Signal::CacheOperations,
            MetricId::CacheOperations,
            Attribute::OperationResult,
            &["hit", "miss"],
        )
    }

    /// Lookups per second that the cache could answer; 0 if there are lookups and none was.
    ///
    /// # Errors
    /// [`Signal::CacheOperations`] has no metric that says how they ended.
    pub fn cache_hit_rate(&self) -> QueryResult {
        let hits = self.chosen_rate(
            Signal::CacheOperations,
            MetricId::CacheOperations,
            Attribute::OperationResult,
            &["hit"],
        )?;
        Ok(or_zero(hits, self.cache_lookup_rate()?))
    }

    /// Background tasks per second that ended, or were dropped because the queue was full.
    ///
    /// # Errors
    /// [`Signal::BackgroundTasks`] has no metric that says how they ended.
    pub fn ended_task_rate(&self) -> QueryResult {
        self.task_rate(&["succeeded", "failed", "dropped"])
    }

    /// Background tasks per second that failed, or were dropped because the queue was full.
    ///
    /// # Errors
    /// [`Signal::BackgroundTasks`] has no metric that says how they ended.
    pub fn failed_task_rate(&self) -> QueryResult {
        self.task_rate(&["failed", "dropped"])
    }

    /// `per_second`, or 0 while there are targets and nothing was counted: a series is often made by the first event.
    ///
    /// # Errors
    /// Nobody scrapes the pods.
    pub fn zero_if_none(&self, per_second: Expr) -> QueryResult {
        Ok(or_zero(per_second, self.targets_known()?))
    }

    fn task_rate(&self, statuses: &[&str]) -> QueryResult {
        let (signal, metric) = (Signal::BackgroundTasks, MetricId::BackgroundTasks);
        self.chosen_rate(signal, metric, Attribute::TaskStatus, statuses)
    }

    fn event_rate(&self, signal: Signal, metric: MetricId) -> QueryResult {
        Ok(self.sum_counted(&self.counted_metric(signal, metric)?, &[], &[], self.rate()))
    }

    /// Events per second of which an attribute has one of these values.
    fn chosen_rate(&self, signal: Signal, metric: MetricId, attribute: Attribute, values: &[&str]) -> QueryResult {
        let chosen = self.one_of(signal, metric, attribute, values)?;
        let counter = self.metric_selector(signal, metric)?.with(chosen);
        Ok(self.scope.sum(rate(counter.over(self.window)), &[]))
    }
}
