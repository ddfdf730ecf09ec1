//! Draws the series that a Prometheus would have of an API: pods that live for a while, and what they count meanwhile, in the
//! names of the API's spelling and with the labels of its targets.

use std::{collections::BTreeMap, fmt::Write as _};

use metric_contract::{Attribute, LabelCondition, MetricId, MetricKind, MetricSpelling, Spelling, TargetKind, labels};

use crate::{ApiFacts, ApiLimits};

/// A part of a series' life.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// There is no sample.
    Missing,
    /// The value stays.
    Hold(f64),
    /// The value grows by so much a minute, from the given one.
    Grow(f64, f64),
}

/// From this minute until before that minute.
pub type Span = (u32, u32);

/// Bytes of memory of a healthy process whose container has no limit.
const HEALTHY_MEMORY: f64 = 64.0 * 1024.0 * 1024.0;
/// Cores that a healthy process uses whose container has no limit.
const HEALTHY_CORES: f64 = 0.05;
/// When a healthy process started: ten days before the test begins, in seconds.
const LONG_AGO: f64 = -864_000.0;

/// Upper bounds that are drawn of a histogram whose own are not known, in seconds: from those of Prometheus' clients to far beyond
/// the threshold of any alert on latency.
const ASSUMED_BOUNDS_SECONDS: [f64; 10] = [0.005, 0.05, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 3_600.0, 86_400.0];

/// The series of one API.
#[derive(Debug)]
pub struct Drawing<'a> {
    namespace: String,
    name: String,
    spelling: Option<&'a Spelling>,
    target: TargetKind,
    /// The conditions by which series of a proxy are the API's, the first set of them. `None`: its pods count the requests.
    proxy: Option<&'a [LabelCondition]>,
    /// Metrics over all routes are drawn beside those of routes.
    has_overall: bool,
    limits: ApiLimits,
    minutes: u32,
    interval: u32,
    /// Whether whole bounds of buckets are written as by Prometheus 2: `1`, not `1.0`.
    pub bounds_without_point: bool,
    series: Vec<(String, String)>,
}

impl<'a> Drawing<'a> {
    /// An empty drawing of so many minutes, with a sample every `interval` seconds.
    #[must_use]
    pub fn new(api: &ApiFacts<'a>, minutes: u32, interval: u32) -> Self {
        Self {
            namespace: api.namespace.to_owned(),
            name: api.name.to_owned(),
            spelling: api.spelling,
            target: api.target,
            proxy: api.proxy.and_then(|sets| sets.first()).map(Vec::as_slice),
            has_overall: api.has_overall,
            limits: api.limits,
            minutes,
            interval: interval.max(1),
            bounds_without_point: false,
            series: Vec::new(),
        }
    }

    /// Every series with its values, in promtool's notation.
    #[must_use]
    pub fn series(&self) -> &[(String, String)] {
        &self.series
    }

    /// The whole time.
    #[must_use]
    pub const fn whole(&self) -> Span {
        (0, self.minutes)
    }

    /// Seconds between two samples.
    #[must_use]
    pub const fn interval(&self) -> u32 {
        self.interval
    }

    /// The limits of the API.
    #[must_use]
    pub const fn limits(&self) -> ApiLimits {
        self.limits
    }

    /// The page's name of a metric, if it has it.
    #[must_use]
    pub fn name_of(&self, id: MetricId) -> Option<&'a str> {
        Some(&*self.metric_spelling(id)?.name)
    }

    /// A part whose values are in a metric's own unit, in the unit of the page.
    #[must_use]
    pub fn in_unit_of(&self, id: MetricId, part: Part) -> Part {
        let Some(spelling) = self.metric_spelling(id) else {
            return part;
        };
        let to_unit = |value| spelling.conversion().convert(value);
        match part {
            Part::Missing => Part::Missing,
            Part::Hold(value) => Part::Hold(to_unit(value)),
            Part::Grow(from, per_minute) => Part::Grow(to_unit(from), to_unit(per_minute)),
        }
    }

    fn metric_spelling(&self, id: MetricId) -> Option<&'a MetricSpelling> {
        self.spelling?.metric(id)
    }

    /// Whether a proxy counts the requests.
    #[must_use]
    pub const fn is_behind_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// The labels of a pod as a target; where a proxy counts the requests, those of the proxy's series about the API.
    #[must_use]
    pub fn pod(&self, name: &str) -> String {
        if let Some(conditions) = self.proxy {
            return of_proxy(name, conditions, None);
        }
        let (namespace, job) = (&self.namespace, &self.name);
        let target = format!(r#"namespace="{namespace}", job="{job}", instance="{name}:8000""#);
        match self.target {
            TargetKind::Static => target,
            TargetKind::ServiceMonitor => {
                format!(r#"{target}, pod="{name}", service="{job}", container="api", endpoint="metrics""#)
            }
        }
    }

    /// Requests a minute to others behind the same proxy, each of which lacks one of the labels by which the API's series are known.
    pub fn neighbours(&mut self, status: &str, seconds: f64, per_minute: f64) {
        let conditions = self.proxy.unwrap_or_default();
        let span = self.whole();
        for without in 0..conditions.len() {
            let neighbour = of_proxy("a", conditions, Some(without));
            self.answered(&neighbour, span, status, per_minute);
            self.timed(&neighbour, span, seconds, per_minute);
        }
    }

    /// Adds a series. `parts` follow each other, each for so many minutes.
    pub fn add(&mut self, metric: &str, labels: &str, parts: &[(u32, Part)]) {
        let mut values = String::new();
        for (minutes, part) in parts {
            let samples = minutes * 60 / self.interval;
            if samples == 0 {
                continue;
            }
            // promtool adds the first value to the number of repetitions.
            let more = samples - 1;
            // Writing to a String does not fail.
            let _ = match part {
                Part::Missing => write!(values, "_x{samples} "),
                Part::Hold(value) => write!(values, "{value}x{more} "),
                Part::Grow(from, per_minute) => {
                    let step = per_minute * f64::from(self.interval) / 60.0;
                    write!(values, "{from}+{step}x{more} ")
                }
            };
        }
        let series = format!("{metric}{{{labels}}}");
        let spelling = self.spelling.filter(|_| self.has_overall);
        let all = spelling.and_then(|spelling| overall_part(spelling, &series, self.series.len()));
        if let Some(all) = all {
            self.series.push((all, values.clone()));
        }
        self.series.push((series, values));
    }

    /// Adds a series that exists within a span only.
    pub fn within(&mut self, metric: &str, labels: &str, (from, to): Span, part: Part) {
        self.add(metric, labels, &[(from, Part::Missing), (to - from, part)]);
    }

    /// Adds a series that is 0 and 1 by turns, from scrape to scrape.
    pub fn alternate(&mut self, metric: &str, labels: &str) {
        let samples = self.minutes * 60 / self.interval;
        let values: Vec<_> = (0..samples).map(|sample| (sample % 2).to_string()).collect();
        self.series.push((format!("{metric}{{{labels}}}"), values.join(" ")));
    }

    /// Adds a metric of a pod under the page's name, if the page has it. `values`: those of its labels; others get one that
    /// any metric may have. `part` is in the metric's own unit.
    pub fn metric(&mut self, id: MetricId, pod: &str, values: &[(Attribute, &str)], span: Span, part: Part) {
        let Some(spelling) = self.metric_spelling(id) else {
            return;
        };
        let mut labels = pod.to_owned();
        // What names the workload is there already.
        let is_condition = |label: &str| self.proxy.unwrap_or_default().iter().any(|of| of.label == label);
        for (label, attribute) in spelling.labels.iter().filter(|(label, _)| !is_condition(label)) {
            let given = values.iter().find(|(of, _)| of == attribute).map(|(_, value)| *value);
            let value = match attribute {
                Attribute::Constant(value) => value,
                Attribute::Method => given.unwrap_or("GET"),
                Attribute::Route | Attribute::RawPath => given.unwrap_or("/orders"),
                _ => given.unwrap_or("any"),
            };
            // Writing to a String does not fail.
            let _ = write!(labels, r#", {}="{value}""#, self.target.stored_label(label));
        }
        self.within(&spelling.counting_series(), &labels, span, self.in_unit_of(id, part));
    }

    /// A pod that answers its scrapes and uses little of everything.
    pub fn healthy(&mut self, pod: &str, span: Span) {
        self.healthy_but(pod, span, &[]);
    }

    /// The same, but for these metrics of Prometheus or of the process, which have other values.
    pub fn healthy_but(&mut self, pod: &str, span: Span, but: &[(&str, Part)]) {
        let tenth = |limit: Option<f64>, otherwise: f64| limit.map_or(otherwise, |limit| (limit / 10.0).min(otherwise));
        let limits = self.limits;
        let scrape_seconds = limits.scrape_timeout_millis.map(|millis| float(millis) / 1_000.0);
        for (metric, value) in [
            ("up", 1.0),
            ("scrape_duration_seconds", tenth(scrape_seconds, 0.05)),
            (
                "scrape_samples_post_metric_relabeling",
                tenth(limits.scrape_samples.map(float), 500.0),
            ),
        ] {
            self.unless_in(but, metric, pod, span, Part::Hold(value));
        }
        let memory = limits.memory_bytes.map_or(HEALTHY_MEMORY, |bytes| float(bytes) / 4.0);
        let cores = limits
            .cpu_millicores
            .map_or(HEALTHY_CORES, |millis| float(millis) / 10_000.0);
        for (id, part) in [
            (MetricId::ProcessMemory, Part::Hold(memory)),
            (MetricId::ProcessOpenFds, Part::Hold(20.0)),
            (MetricId::ProcessMaxFds, Part::Hold(1_024.0)),
            (MetricId::ProcessThreads, Part::Hold(8.0)),
            (MetricId::ProcessStartTime, Part::Hold(LONG_AGO)),
            (MetricId::ActiveConnections, Part::Hold(5.0)),
            (MetricId::ContainerCpuThrottledPeriods, Part::Hold(0.0)),
            (MetricId::ProcessCpu, Part::Grow(0.0, cores * 60.0)),
            (MetricId::ContainerCpuPeriods, Part::Grow(0.0, 600.0)),
        ] {
            let name = self.name_of(id);
            if name.is_some_and(|name| !but.iter().any(|(other, _)| *other == name)) {
                self.metric(id, pod, &[], span, part);
            }
        }
        for (metric, part) in but {
            self.within(metric, pod, span, *part);
        }
    }

    fn unless_in(&mut self, but: &[(&str, Part)], metric: &str, pod: &str, span: Span, part: Part) {
        if !but.iter().any(|(other, _)| *other == metric) {
            self.within(metric, pod, span, part);
        }
    }

    /// Requests a minute that a pod answers with a status.
    pub fn answered(&mut self, pod: &str, span: Span, status: &str, per_minute: f64) {
        self.counted(
            pod,
            status,
            &[(span.0, Part::Missing), (span.1 - span.0, Part::Grow(0.0, per_minute))],
        );
    }

    /// The counter of one status, drawn part by part.
    pub fn counted(&mut self, pod: &str, status: &str, parts: &[(u32, Part)]) {
        let Some(requests) = self.spelling.and_then(Spelling::requests) else {
            return;
        };
        let status = &*requests.status_style.of_code(status);
        let labels = [
            (requests.method, "GET"),
            (requests.path, "/orders"),
            (requests.status, status),
        ];
        let labels = self.labelled(pod, labels);
        let metric = requests.series.into_owned();
        self.add(&metric, &labels, parts);
    }

    /// The labels of a pod as a target, and those of the page that have a name, as they are stored.
    fn labelled<const N: usize>(&self, pod: &str, labels: [(Option<&str>, &str); N]) -> String {
        let labels = labels.into_iter().filter_map(|(label, value)| Some((label?, value)));
        labels.fold(pod.to_owned(), |all, (label, value)| {
            format!(r#"{all}, {}="{value}""#, self.target.stored_label(label))
        })
    }

    /// Requests a minute that a pod answers within `seconds`.
    pub fn timed(&mut self, pod: &str, (from, to): Span, seconds: f64, per_minute: f64) {
        let Some(duration) = self.spelling.and_then(Spelling::duration) else {
            return;
        };
        let labels = self.labelled(pod, [(duration.method, "GET"), (duration.path, "/orders")]);
        let to_unit = |seconds| duration.histogram.conversion().convert(seconds);
        let seconds = to_unit(seconds);
        let assumed = ASSUMED_BOUNDS_SECONDS.map(to_unit);
        let assumed = assumed.as_slice();
        let without = if duration.histogram.has_buckets() { assumed } else { &[] };
        let bounds = duration.histogram.bounds().unwrap_or(without).iter();
        let bounds = bounds.map(|bound| (*bound, format!("{bound:?}")));
        for (bound, text) in bounds.chain([(f64::INFINITY, "+Inf".to_owned())]) {
            let text = if self.bounds_without_point {
                text.trim_end_matches(".0")
            } else {
                &text
            };
            let labels = format!(r#"{labels}, le="{text}""#);
            let part = if seconds <= bound {
                Part::Grow(0.0, per_minute)
            } else {
                Part::Hold(0.0)
            };
            self.within(&duration.histogram.bucket_series(), &labels, (from, to), part);
        }
    }

    /// A healthy pod that answers so many requests a minute in 50 ms, all of them with 200.
    pub fn serving(&mut self, name: &str, span: Span, per_minute: f64) -> String {
        let pod = self.pod(name);
        self.healthy(&pod, span);
        self.answered(&pod, span, "200", per_minute);
        self.timed(&pod, span, 0.05, per_minute);
        pod
    }

    /// What the operator reports of the API.
    pub fn reported(&mut self, metric: &str, more_labels: &str, parts: &[(u32, Part)]) {
        let labels = format!(
            r#"namespace="monitored-api", api_namespace="{}", name="{}", job="monitored-api", pod="op-1"{more_labels}"#,
            self.namespace, self.name
        );
        self.add(metric, &labels, parts);
    }

    /// The operator reports so many pods, all of them ready, the whole time.
    pub fn replicas(&mut self, count: f64) {
        let whole = self.minutes;
        for (metric, value) in [
            ("monitored_api_replicas_wanted", count),
            ("monitored_api_replicas_ready", count),
            ("monitored_api_pods_not_ready", 0.0),
            ("monitored_api_restarts_total", 0.0),
        ] {
            self.reported(metric, "", &[(whole, Part::Hold(value))]);
        }
        self.autoscaler();
    }

    /// The operator reports the maximum of the autoscaler, if there is one.
    pub fn autoscaler(&mut self) {
        if let Some(max) = self.limits.autoscaler_max {
            let part = Part::Hold(f64::from(max));
            self.reported("monitored_api_autoscaler_max", "", &[(self.minutes, part)]);
        }
    }
}

/// The labels of a proxy's series: those of its targets, and over them those that the conditions ask for, but for the one of this
/// number.
fn of_proxy(target: &str, conditions: &[LabelCondition], broken: Option<usize>) -> String {
    let mut all = BTreeMap::from(
        [
            (labels::NAMESPACE, "proxies"),
            (labels::JOB, "proxy"),
            ("service", "proxy-metrics"),
            ("container", "proxy"),
            ("endpoint", "metrics"),
        ]
        .map(|(label, value)| (label.to_owned(), value.to_owned())),
    );
    all.insert("pod".to_owned(), format!("proxy-{target}"));
    all.insert(labels::INSTANCE.to_owned(), format!("proxy-{target}:9090"));
    for (index, LabelCondition { label, is, values }) in conditions.iter().enumerate() {
        let value = values.first().map(String::as_str).unwrap_or_default();
        let value = match (*is, broken == Some(index)) {
            (true, false) | (false, true) => value.to_owned(),
            (true, true) | (false, false) => format!("other-{value}"),
        };
        all.insert(label.clone(), value);
    }
    let all = all.into_iter().filter(|(_, value)| !value.is_empty());
    let all: Vec<_> = all.map(|(label, value)| format!("{label}={value:?}")).collect();
    all.join(", ")
}

/// Limits are far below the integers that a float can't hold.
#[expect(clippy::cast_precision_loss, reason = "limits are far below 2^52")]
pub(super) const fn float(limit: u64) -> f64 {
    limit as f64
}

/// The part of a series over all routes that a series of one route adds up to, if the page exports such. Its label `part`
/// keeps the parts apart, so that their values need not be added up here.
#[must_use]
pub fn overall_part(spelling: &Spelling, series: &str, part: usize) -> Option<String> {
    let (metric, labels) = series.split_once('{')?;
    let named = |id: &MetricId| {
        let (by_route, overall) = (spelling.metric(*id)?, spelling.overall(*id)?);
        let (name, all) = match by_route.kind {
            MetricKind::Histogram => (by_route.bucket_series(), overall.bucket_series()),
            MetricKind::Counter | MetricKind::Gauge | MetricKind::Summary => {
                (by_route.name.to_string(), overall.name.to_string())
            }
        };
        (name == metric).then_some((by_route, all))
    };
    let (by_route, all) = MetricId::ALL.iter().find_map(named)?;
    let of_endpoint = |label: &&str| {
        let names = [Attribute::Method, Attribute::Route].map(|attribute| by_route.label(attribute));
        let own = |name: &str| label.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        names.into_iter().flatten().any(own)
    };
    let labels: Vec<_> = labels
        .trim_end_matches('}')
        .split(", ")
        .filter(|label| !of_endpoint(label))
        .collect();
    Some(format!("{all}{{{}, part=\"{part}\"}}", labels.join(", ")))
}
