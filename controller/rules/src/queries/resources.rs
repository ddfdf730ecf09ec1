//! What an API's processes use, and how near that is to their limits.

use metric_contract::{Attribute, MetricId, Signal, labels, recorded_series::MEMORY};

use super::{ApiQueries, MissingSignal, QueryResult, in_own_unit};
use crate::promql::{
    Decimal, Expr, LabelName, Matcher, PromDuration, Regex, VectorSelector, count_over_time, max_over_time,
    predict_linear, rate, time,
};

/// The window over which memory must grow to count as a leak.
const LEAK_WINDOW: PromDuration = PromDuration::from_minutes(6 * 60);
/// Periods of the processor quota per second below which the share of throttled ones means nothing: 30 in five minutes.
const LEAST_PERIODS_PER_SECOND: Decimal = Decimal::hundredths(10);

impl ApiQueries<'_> {
    /// Share of its processor limit that the busiest process uses.
    ///
    /// # Errors
    /// [`Signal::Cpu`] has no metric, or there is no limit.
    pub fn cpu_ratio(&self) -> QueryResult {
        let limit = self.api.limits.cpu_millicores.ok_or(MissingSignal(Signal::CpuLimit))?;
        Ok(self.busiest_cpu()?.per(Decimal::thousandths(limit)))
    }

    /// Processor cores that the busiest process uses.
    ///
    /// # Errors
    /// [`Signal::Cpu`] has no metric.
    pub fn busiest_cpu(&self) -> QueryResult {
        let counter = self.metric_selector(Signal::Cpu, MetricId::ProcessCpu)?;
        let busiest = self.largest_process(rate(counter.over(self.window)));
        Ok(in_own_unit(self.metric(Signal::Cpu, MetricId::ProcessCpu)?, busiest))
    }

    /// Share of the periods of its processor quota in which the most throttled container had to wait.
    ///
    /// # Errors
    /// [`Signal::CpuThrottling`] has no metric.
    pub fn cpu_throttled_ratio(&self) -> QueryResult {
        let per_second = |metric| {
            let counter = self.metric_selector(Signal::CpuThrottling, metric)?;
            Ok(self.by_process(rate(counter.over(self.window))))
        };
        let periods = per_second(MetricId::ContainerCpuPeriods)?.where_at_least(LEAST_PERIODS_PER_SECOND);
        let throttled = per_second(MetricId::ContainerCpuThrottledPeriods)?;
        Ok(self.scope.max(throttled.per(periods), &[]))
    }

    /// Resident memory of the largest process, in bytes.
    ///
    /// # Errors
    /// [`Signal::Memory`] has no metric.
    pub fn largest_memory(&self) -> QueryResult {
        self.largest_gauge(Signal::Memory, MetricId::ProcessMemory)
    }

    /// Share of its memory limit that the largest process uses.
    ///
    /// # Errors
    /// [`Signal::Memory`] has no metric, or there is no limit.
    pub fn memory_ratio(&self) -> QueryResult {
        Ok(self.largest_memory()?.per(self.memory_limit()?))
    }

    /// Most memory of one process within the window of the rules, in bytes.
    ///
    /// # Errors
    /// [`Signal::Memory`] has no metric.
    pub fn most_memory(&self) -> QueryResult {
        let gauge = self.metric_selector(Signal::Memory, MetricId::ProcessMemory)?;
        Ok(self.largest_process(max_over_time(gauge.over(self.window))))
    }

    /// Where the memory of the largest process will be in `seconds` if it goes on as in the last six hours, kept only if that
    /// is above the limit. No series while a process is younger than that, because a process that starts grows too.
    ///
    /// # Errors
    /// [`Signal::Memory`] or [`Signal::StartTime`] has no metric, or there is no limit.
    pub fn memory_beyond_limit_in(&self, seconds: Decimal) -> QueryResult {
        let recorded = || {
            self.recorded_selector(&MEMORY)
                .over_fixed(LEAK_WINDOW)
                .every(self.step())
        };
        let started = self.metric_selector(Signal::StartTime, MetricId::ProcessStartTime)?;
        let youngest = time().minus(self.scope.max(started.into(), &[]));
        // A line through the values of less than half of the window leads anywhere.
        let fewest = LEAK_WINDOW
            .millis()
            .div_euclid(self.step().millis().saturating_mul(2).max(1));
        let points = self.scope.max(count_over_time(recorded()), &[]);
        let predicted = self.scope.max(predict_linear(recorded(), seconds), &[]);
        Ok(predicted
            .where_above(self.memory_limit()?)
            .and(youngest.where_above(LEAK_WINDOW.seconds()))
            .and(points.where_at_least(fewest)))
    }

    /// Share of its limit on file descriptors that the process with the fewest left has open.
    ///
    /// # Errors
    /// [`Signal::FileDescriptors`] or [`Signal::FileDescriptorLimit`] has no metric.
    pub fn file_descriptor_ratio(&self) -> QueryResult {
        let open = self.metric_selector(Signal::FileDescriptors, MetricId::ProcessOpenFds)?;
        let limit = self.metric_selector(Signal::FileDescriptorLimit, MetricId::ProcessMaxFds)?;
        let limit = self.by_process(limit.into()).where_above(0);
        Ok(self.scope.max(self.by_process(open.into()).per(limit), &[]))
    }

    /// Threads of the process with the most.
    ///
    /// # Errors
    /// [`Signal::Threads`] has no metric.
    pub fn most_threads(&self) -> QueryResult {
        self.largest_gauge(Signal::Threads, MetricId::ProcessThreads)
    }

    /// Client connections of the process with the most.
    ///
    /// # Errors
    /// [`Signal::Connections`] has no metric.
    pub fn most_connections(&self) -> QueryResult {
        self.largest_gauge(Signal::Connections, MetricId::ActiveConnections)
    }

    fn memory_limit(&self) -> Result<u64, MissingSignal> {
        self.api.limits.memory_bytes.ok_or(MissingSignal(Signal::MemoryLimit))
    }

    fn largest_gauge(&self, signal: Signal, metric: MetricId) -> QueryResult {
        Ok(self.largest_process(self.metric_selector(signal, metric)?.into()))
    }

    /// The value of the process with the highest.
    fn largest_process(&self, of: Expr) -> Expr {
        self.scope.max(self.by_process(of), &[])
    }

    /// One value for each process, whatever other labels there are.
    fn by_process(&self, of: Expr) -> Expr {
        self.scope.sum(of, &[LabelName::new(labels::INSTANCE)])
    }

    /// The series of a metric; of a histogram, those of its count.
    pub(super) fn metric_selector(&self, signal: Signal, metric: MetricId) -> Result<VectorSelector, MissingSignal> {
        let spelling = self.metric(signal, metric)?;
        let excluded = spelling.path_label().and_then(|path| self.excluded_routes(path));
        Ok(self.scope.select(&*spelling.counting_series()).with_all(excluded))
    }

    /// The condition that an attribute of a metric has one of these values.
    pub(super) fn one_of(
        &self,
        signal: Signal,
        metric: MetricId,
        attribute: Attribute,
        values: &[&str],
    ) -> Result<Matcher, MissingSignal> {
        let label = self.metric(signal, metric)?.label(attribute);
        let label = self.stored(label.ok_or(MissingSignal(signal))?);
        Ok(Matcher::matches(&*label, &Regex::pattern(&values.join("|"))))
    }
}
