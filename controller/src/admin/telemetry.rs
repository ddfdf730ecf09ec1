//! The operator's own metrics: counted here, written as text for a scrape. Their names come from the contract.
//!
//! There is no registry with handles, because the label values are few and known in advance, and the series of ten thousand MonitoredApis are
//! written straight from one map.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_api::ConditionType;
use controller_core::facts::PodFacts;
use controller_core::pod_figures::{PodFigures, RestartCounter};
use controller_rules::dashboard_uid;
use exposition::{Format, MetricType, Writer};
use metric_contract::{Family, MetricKind, platform};

use crate::cache::namespaced_name::NamespacedName;

/// Value of the label `controller`.
pub(crate) const CONTROLLER: &str = "monitoredapi";

/// Bounds in seconds: from a reconcile without requests to the deadline.
const TIME_BUCKETS: [f64; 14] = [
    0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 180.0,
];

/// The metric series of one MonitoredApi.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ApiSeries {
    /// Pods that the workload should have.
    pub(crate) wanted: Option<i32>,
    /// Pods that are ready.
    pub(crate) ready: Option<i32>,
    /// Most pods that its autoscaler makes. `None`: there is none.
    pub(crate) autoscaler_max: Option<i32>,
    /// Figures of its pods.
    pub(crate) pods: PodFigures,
    pub(crate) dialect: Option<Arc<str>>,
    /// Status of each of the [`SUMMARY`], where it has the condition.
    pub(crate) conditions: [Option<ConditionStatus>; SUMMARY.len()],
}

/// The conditions of a MonitoredApi that have a series.
pub(crate) const SUMMARY: [ConditionType; 3] = [ConditionType::Ready, ConditionType::Monitored, ConditionType::Stalled];

/// Status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl ConditionStatus {
    /// Reads it; any other text is `Unknown`.
    pub(crate) fn new(text: &str) -> Self {
        match text {
            "True" => Self::True,
            "False" => Self::False,
            _ => Self::Unknown,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; TIME_BUCKETS.len()],
    sum: f64,
    count: u64,
}

/// Family and label values, in the family's order.
type Series = (&'static str, Vec<&'static str>);

/// All metrics of the operator.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    counters: Mutex<BTreeMap<Series, u64>>,
    time: Mutex<Histogram>,
    active: AtomicUsize,
    /// Boxed, because a hash table keeps as many free places as it has entries.
    apis: Mutex<HashMap<NamespacedName, Box<ApiEntry>>>,
}

/// What is kept for the series of one MonitoredApi.
#[derive(Debug, Default)]
struct ApiEntry {
    series: ApiSeries,
    restarts: RestartCounter,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reconcile in progress; counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Active<'a>(&'a Telemetry);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Telemetry {
    /// Adds one to a counter.
    pub(crate) fn count(&self, family: &'static Family, labels: &[&'static str]) {
        debug_assert_eq!(labels.len(), family.labels.len(), "{}", family.name);
        *lock(&self.counters).entry((family.name, labels.to_vec())).or_default() += 1;
    }

    /// Records how long a reconcile took.
    pub(crate) fn record_duration(&self, span: Duration) {
        let seconds = span.as_secs_f64();
        let mut time = lock(&self.time);
        time.sum += seconds;
        time.count += 1;
        for (bucket, bound) in time.buckets.iter_mut().zip(TIME_BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
    }

    /// Counts a reconcile as in progress until the returned guard is dropped.
    pub(crate) fn begin(&self) -> Active<'_> {
        self.active.fetch_add(1, Ordering::Relaxed);
        Active(self)
    }

    /// Sets the series of a MonitoredApi, and counts the restarts of its pods since the last time.
    pub(crate) fn set_series(&self, key: &NamespacedName, series: ApiSeries, pods: &[PodFacts]) {
        let mut apis = lock(&self.apis);
        let entry = apis.entry(key.clone()).or_default();
        entry.series = series;
        entry.restarts.observe(pods);
    }

    /// Removes the series of a MonitoredApi that is gone.
    pub(crate) fn remove_series(&self, key: &NamespacedName) {
        lock(&self.apis).remove(key);
    }

    /// Removes the series of every MonitoredApi.
    pub(crate) fn remove_all_series(&self) {
        lock(&self.apis).clear();
    }

    /// Writes these metrics to the page. Others, such as those of the queue, are added by the caller.
    pub(crate) fn write(&self, page: &mut Page) {
        self.write_counters(page);
        self.write_time(page);
        page.family(platform::ACTIVE_WORKERS);
        page.count(
            platform::ACTIVE_WORKERS,
            &[CONTROLLER],
            self.active.load(Ordering::Relaxed),
        );
        self.write_apis(page);
    }

    fn write_counters(&self, page: &mut Page) {
        let counters = lock(&self.counters);
        for family in [
            platform::RECONCILE_TOTAL,
            platform::RECONCILE_ERRORS,
            platform::RECONCILE_PANICS,
            platform::APPLIES,
            platform::STATUS_WRITES,
            platform::PROBES,
        ] {
            page.family(family);
            let from = (family.name, Vec::new());
            for ((name, labels), value) in counters.range(from..) {
                if *name != family.name {
                    break;
                }
                page.sample(family, "", labels, *value as f64);
            }
        }
    }

    fn write_time(&self, page: &mut Page) {
        let time = lock(&self.time);
        let family = platform::RECONCILE_TIME;
        page.family(family);
        for (count, bound) in time.buckets.iter().zip(TIME_BUCKETS) {
            page.bucket(family, CONTROLLER, &bound.to_string(), *count);
        }
        page.bucket(family, CONTROLLER, "+Inf", time.count);
        page.sample(family, "_sum", &[CONTROLLER], time.sum);
        page.sample(family, "_count", &[CONTROLLER], time.count as f64);
    }

    fn write_apis(&self, page: &mut Page) {
        let apis = lock(&self.apis);
        let mut sorted: Vec<_> = apis.iter().map(|(key, entry)| (key, &**entry)).collect();
        sorted.sort_by_key(|(key, _)| *key);
        page.family(platform::INFO);
        for (key, entry) in &sorted {
            let dialect = entry.series.dialect.as_deref().unwrap_or_default();
            let dashboard = dashboard_uid(&key.namespace, &key.name);
            page.about(platform::INFO, key, &[dialect, &dashboard], 1);
        }
        page.family(platform::CONDITION);
        for (key, entry) in &sorted {
            for (condition, status) in SUMMARY.iter().zip(entry.series.conditions) {
                if let Some(status) = status {
                    page.about(platform::CONDITION, key, &[condition.as_str(), status.as_str()], 1);
                }
            }
        }
        write_each(page, platform::REPLICAS_WANTED, &sorted, |entry| {
            Some(entry.series.wanted?.into())
        });
        write_each(page, platform::REPLICAS_READY, &sorted, |entry| {
            Some(entry.series.ready?.into())
        });
        write_each(page, platform::AUTOSCALER_MAX, &sorted, |entry| {
            Some(entry.series.autoscaler_max?.into())
        });
        // Without a workload there are no pods to count.
        write_each(page, platform::PODS_NOT_READY, &sorted, |entry| {
            entry.series.wanted.map(|_| entry.series.pods.not_ready.into())
        });
        write_each(page, platform::RESTARTS, &sorted, |entry| {
            entry.series.wanted.map(|_| entry.restarts.total() as f64)
        });
        page.family(platform::LAST_TERMINATION_REASON);
        for (key, entry) in &sorted {
            for (reason, pods) in entry.series.pods.terminations() {
                page.about(platform::LAST_TERMINATION_REASON, key, &[reason], pods);
            }
        }
    }
}

/// Writes a family with one series for each MonitoredApi that has a value.
fn write_each(
    page: &mut Page,
    family: &Family,
    apis: &[(&NamespacedName, &ApiEntry)],
    value: impl Fn(&ApiEntry) -> Option<f64>,
) {
    page.family(family);
    for (key, entry) in apis {
        if let Some(value) = value(entry) {
            page.about(family, key, &[], value);
        }
    }
}

/// A page in Prometheus's text format: families of the contract, written by [`exposition::Writer`].
#[derive(Debug)]
pub(crate) struct Page(Writer);

impl Default for Page {
    fn default() -> Self {
        Self(Writer::new(Format::Text))
    }
}

impl Page {
    /// Begins a family.
    pub(crate) fn family(&mut self, family: &Family) {
        let metric_type = match family.kind {
            MetricKind::Counter => MetricType::Counter,
            MetricKind::Gauge => MetricType::Gauge,
            MetricKind::Histogram => MetricType::Histogram,
            MetricKind::Summary => MetricType::Summary,
        };
        self.0.family(family.name, metric_type, family.help);
    }

    /// Writes a sample of a family; `suffix` is a histogram's `_sum` or `_count`, or empty.
    pub(crate) fn sample<S: AsRef<str>>(&mut self, family: &Family, suffix: &str, values: &[S], value: impl Into<f64>) {
        let name = format!("{}{suffix}", family.name);
        self.0.sample(&name, labels(family, values), value.into());
    }

    /// Writes a sample about a MonitoredApi; `more` are the values of the labels after those that name it.
    fn about(&mut self, family: &Family, key: &NamespacedName, more: &[&str], value: impl Into<f64>) {
        let named = [&*key.namespace, &*key.namespace, &*key.name];
        let values: Vec<_> = named.into_iter().chain(more.iter().copied()).collect();
        self.sample(family, "", &values, value);
    }

    /// Writes a sample that counts things.
    pub(crate) fn count(&mut self, family: &Family, values: &[&str], count: usize) {
        self.sample(family, "", values, count as f64);
    }

    fn bucket(&mut self, family: &Family, controller: &str, bound: &str, count: u64) {
        let values = [controller];
        let labels = labels(family, &values).chain([(metric_contract::labels::LE, bound)]);
        self.0.sample(&family.bucket_series(), labels, count as f64);
    }

    pub(crate) fn into_text(self) -> String {
        self.0.finish()
    }
}

fn labels<'a, S: AsRef<str>>(
    family: &Family,
    values: &'a [S],
) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a, S> {
    let names = family.labels.iter().copied();
    names.zip(values.iter().map(AsRef::as_ref))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(telemetry: &Telemetry) -> String {
        let mut page = Page::default();
        telemetry.write(&mut page);
        page.into_text()
    }

    #[test]
    fn a_counter_is_written_under_its_family_with_its_labels() {
        let telemetry = Telemetry::default();
        telemetry.count(platform::APPLIES, &["Deployment", "applied"]);
        telemetry.count(platform::APPLIES, &["Deployment", "applied"]);
        assert!(text(&telemetry).contains("monitored_api_applies_total{kind=\"Deployment\",result=\"applied\"} 2\n"));
    }

    #[test]
    fn the_series_of_a_monitored_api_go_with_it() {
        let telemetry = Telemetry::default();
        let key = NamespacedName::new("shop", "orders");
        telemetry.set_series(
            &key,
            ApiSeries {
                wanted: Some(3),
                ready: Some(2),
                ..ApiSeries::default()
            },
            &[],
        );
        assert!(
            text(&telemetry).contains(
                "monitored_api_replicas_ready{namespace=\"shop\",api_namespace=\"shop\",name=\"orders\"} 2\n"
            )
        );
        telemetry.remove_series(&key);
        assert!(!text(&telemetry).contains("orders"));
    }

    #[test]
    fn only_an_api_with_an_autoscaler_has_a_maximum() {
        let telemetry = Telemetry::default();
        for (name, autoscaler_max) in [("orders", Some(4)), ("carts", None)] {
            let series = ApiSeries {
                autoscaler_max,
                ..ApiSeries::default()
            };
            telemetry.set_series(&NamespacedName::new("shop", name), series, &[]);
        }
        let text = text(&telemetry);
        let lines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("monitored_api_autoscaler_max{"))
            .collect();
        assert_eq!(
            lines,
            [r#"monitored_api_autoscaler_max{namespace="shop",api_namespace="shop",name="orders"} 4"#]
        );
    }

    #[test]
    fn an_api_is_known_with_the_uid_of_its_dashboard_even_if_that_is_a_hash() {
        let telemetry = Telemetry::default();
        let long = NamespacedName::new("shop", &"a".repeat(50));
        for key in [&NamespacedName::new("shop", "orders"), &long] {
            telemetry.set_series(key, ApiSeries::default(), &[]);
        }
        let text = text(&telemetry);
        assert!(
            text.contains("name=\"orders\",dialect=\"\",dashboard=\"shop_orders\"} 1\n"),
            "{text}"
        );
        let hashed = format!("dashboard=\"{}\"", dashboard_uid("shop", &long.name));
        assert!(text.contains(&hashed), "{text}");
    }

    #[test]
    fn the_histogram_is_cumulative() {
        let telemetry = Telemetry::default();
        telemetry.record_duration(Duration::from_millis(2));
        telemetry.record_duration(Duration::from_secs(60));
        let text = text(&telemetry);
        assert!(text.contains("time_seconds_bucket{controller=\"monitoredapi\",le=\"0.005\"} 1\n"));
        assert!(text.contains("time_seconds_bucket{controller=\"monitoredapi\",le=\"+Inf\"} 2\n"));
    }

    #[test]
    fn label_values_are_escaped() {
        let mut page = Page::default();
        page.sample(platform::BUILD_INFO, "", &["a\"b\\c\nd"], 1);
        assert_eq!(
            page.into_text(),
            "monitored_api_build_info{version=\"a\\\"b\\\\c\\nd\"} 1\n"
        );
    }
}
