//! Draws the series of a scenario: pods that live for a while, and what they count meanwhile.

use std::fmt::Write;

use metric_contract::{Dialect, TargetKind};

use super::Scenario;
use crate::common::overall_part;

/// Upper bounds of the latency histogram that the drawn pods have, as Prometheus 3 writes them.
const BOUNDS: [(f64, &str); 8] = [
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1.0"),
    (2.5, "2.5"),
    (5.0, "5.0"),
    (10.0, "10.0"),
    (f64::INFINITY, "+Inf"),
];

/// A part of a series' life.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// There is no sample.
    Missing,
    /// The value stays.
    Hold(f64),
    /// The value grows by so much a minute, from the given one.
    Grow(f64, f64),
}

/// From this minute until before that minute.
pub(crate) type Span = (u32, u32);

/// The series of one scenario.
#[derive(Debug)]
pub(crate) struct Drawing {
    interval: u32,
    minutes: u32,
    target: TargetKind,
    dialect: &'static Dialect,
    /// Metrics over all routes are drawn beside those of routes.
    has_overall: bool,
    /// Whether whole bounds are written as by Prometheus 2: `1`, not `1.0`.
    pub(crate) bounds_without_point: bool,
    series: Vec<(String, String)>,
}

impl Drawing {
    pub(crate) fn of(scenario: &Scenario, has_overall: bool) -> Self {
        let mut drawing = Self {
            interval: scenario.interval,
            minutes: scenario.minutes,
            target: scenario.target,
            dialect: scenario.dialect.dialect(),
            has_overall,
            bounds_without_point: false,
            series: Vec::new(),
        };
        (scenario.draw)(&mut drawing);
        drawing
    }

    /// Every series with its values, in promtool's notation.
    pub(crate) fn series(&self) -> &[(String, String)] {
        &self.series
    }

    /// The whole time.
    pub(crate) const fn whole(&self) -> Span {
        (0, self.minutes)
    }

    /// The labels of a pod as a target.
    pub(crate) fn pod(&self, name: &str) -> String {
        let target = format!(r#"namespace="shop", job="orders", instance="{name}:8000""#);
        match self.target {
            TargetKind::Static => target,
            TargetKind::ServiceMonitor => {
                format!(r#"{target}, pod="{name}", service="orders", container="api", endpoint="metrics""#)
            }
        }
    }

    /// Adds a series. `parts` follow each other, each for so many minutes.
    pub(crate) fn add(&mut self, metric: &str, labels: &str, parts: &[(u32, Part)]) {
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
        let all = overall_part(self.dialect, &series, self.series.len());
        if let Some(all) = all.filter(|_| self.has_overall) {
            self.series.push((all, values.clone()));
        }
        self.series.push((series, values));
    }

    /// Adds a series that exists within a span only.
    pub(crate) fn within(&mut self, metric: &str, labels: &str, (from, to): Span, part: Part) {
        self.add(metric, labels, &[(from, Part::Missing), (to - from, part)]);
    }

    /// A pod that answers its scrapes and uses little of everything.
    pub(crate) fn healthy(&mut self, pod: &str, span: Span) {
        self.healthy_but(pod, span, &[]);
    }

    /// The same, but for these metrics, which have other values.
    pub(crate) fn healthy_but(&mut self, pod: &str, span: Span, but: &[(&str, Part)]) {
        for (metric, value) in [
            ("up", 1.0),
            ("scrape_duration_seconds", 0.05),
            ("scrape_samples_post_metric_relabeling", 500.0),
            ("process_resident_memory_bytes", 64.0 * 1024.0 * 1024.0),
            ("process_open_fds", 20.0),
            ("process_max_fds", 1024.0),
            ("process_threads", 8.0),
            ("process_start_time_seconds", -864_000.0),
            ("active_connections", 5.0),
            ("cgroup_cpu_throttled_periods_total", 0.0),
        ] {
            self.unless_in(but, metric, pod, span, Part::Hold(value));
        }
        for (metric, per_minute) in [("process_cpu_seconds_total", 3.0), ("cgroup_cpu_periods_total", 600.0)] {
            self.unless_in(but, metric, pod, span, Part::Grow(0.0, per_minute));
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
    pub(crate) fn answered(&mut self, pod: &str, span: Span, status: &str, per_minute: f64) {
        self.counted(
            pod,
            status,
            &[(span.0, Part::Missing), (span.1 - span.0, Part::Grow(0.0, per_minute))],
        );
    }

    /// The counter of one status, drawn part by part.
    pub(crate) fn counted(&mut self, pod: &str, status: &str, parts: &[(u32, Part)]) {
        let Some(requests) = self.dialect.requests() else {
            return;
        };
        let labels = format!(
            r#"{pod}, {}="GET", {}="/orders", {}="{status}""#,
            requests.method.unwrap_or("method"),
            self.target.stored_label(requests.route),
            self.target.stored_label(requests.status),
        );
        let metric = requests.series.into_owned();
        self.add(&metric, &labels, parts);
    }

    /// Requests a minute that a pod answers within `seconds`.
    pub(crate) fn timed(&mut self, pod: &str, (from, to): Span, seconds: f64, per_minute: f64) {
        let Some(duration) = self.dialect.duration() else {
            return;
        };
        let route = self.target.stored_label(duration.route).into_owned();
        for (bound, text) in BOUNDS {
            let text = if self.bounds_without_point {
                text.trim_end_matches(".0")
            } else {
                text
            };
            let labels = format!(r#"{pod}, method="GET", {route}="/orders", le="{text}""#);
            let part = if seconds <= bound {
                Part::Grow(0.0, per_minute)
            } else {
                Part::Hold(0.0)
            };
            self.within(&duration.family.bucket_series(), &labels, (from, to), part);
        }
    }

    /// A healthy pod that answers so many requests a minute in 50 ms, all of them with 200.
    pub(crate) fn serving(&mut self, name: &str, span: Span, per_minute: f64) -> String {
        let pod = self.pod(name);
        self.healthy(&pod, span);
        self.answered(&pod, span, "200", per_minute);
        self.timed(&pod, span, 0.05, per_minute);
        pod
    }

    /// What the operator reports of the API the whole time.
    pub(crate) fn reported(&mut self, metric: &str, more_labels: &str, parts: &[(u32, Part)]) {
        let labels = format!(
            r#"namespace="shop", api_namespace="shop", name="orders", job="monitored-api", pod="op-1"{more_labels}"#
        );
        self.add(metric, &labels, parts);
    }

    /// The operator reports so many pods, all of them ready, the whole time.
    pub(crate) fn replicas(&mut self, count: f64) {
        let whole = self.minutes;
        for (metric, value) in [
            ("monitored_api_replicas_wanted", count),
            ("monitored_api_replicas_ready", count),
            ("monitored_api_pods_not_ready", 0.0),
            ("monitored_api_restarts_total", 0.0),
        ] {
            self.reported(metric, "", &[(whole, Part::Hold(value))]);
        }
    }
}
