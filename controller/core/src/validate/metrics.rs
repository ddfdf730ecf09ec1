//! Where the metrics are and how they are read.

use std::{str::FromStr, sync::Arc};

use controller_api::{quantity, spec};
use controller_rules::promql::{PromDuration, check_pattern};
use k8s_openapi::api::core::v1::Probe;
use metric_contract::{DialectId, Spelling};

use super::{
    Preset, custom,
    workload::{port, range},
};
use crate::{
    dialect_choice::DialectChoice,
    valid::{Metrics, ProbeSet},
    violation::Violations,
};

/// Time between two scrapes.
const DEFAULT_INTERVAL: &str = "15s";
/// Time after which a scrape is given up, unless the interval is shorter.
const DEFAULT_TIMEOUT: PromDuration = PromDuration::from_seconds(10);
/// Samples of a scrape. Generous: above it, Prometheus drops the whole scrape and `ApiScrapeFailing` fires.
const DEFAULT_SAMPLES: i64 = 50_000;
/// Size of a metrics page.
const DEFAULT_BODY_SIZE: &str = "10MiB";
/// Labels of a sample.
const DEFAULT_LABELS: i64 = 64;

pub(super) fn metrics(
    given: Option<&spec::MetricsSpec>,
    preset: &Preset,
    http_port: i32,
    probes: &ProbeSet,
    out: &mut Violations,
) -> Metrics {
    let spec::MetricsSpec {
        path,
        port: number,
        interval,
        timeout,
        dialect,
        custom,
        // Needs the workload: see `proxy`.
        proxy: _,
        excluded_routes,
        limits,
    } = given.cloned().unwrap_or_default();
    let path = path.unwrap_or_else(|| preset.metrics_path.to_owned());
    if !is_metrics_path(&path) {
        out.add(
            "spec.metrics.path",
            format!("{path:?} is not a valid path: use one that begins with / and has no spaces, ? or #, for example /metrics"),
        );
    }
    let (interval, interval_millis) = interval_of(interval, out);
    let timeout = timeout_of(timeout, &interval, interval_millis, out);
    let limits = limits.unwrap_or_default();
    let spec::ScrapeLimits {
        samples,
        body_size,
        labels,
    } = limits;
    let sample_limit = samples.unwrap_or(DEFAULT_SAMPLES);
    range(sample_limit, 1, 10_000_000, "spec.metrics.limits.samples", out);
    let body_size_limit = body_size.unwrap_or_else(|| DEFAULT_BODY_SIZE.to_owned());
    if !quantity::is_byte_size(&body_size_limit) {
        out.add(
            "spec.metrics.limits.bodySize",
            format!("{body_size_limit:?} is not a valid size: use a number with a unit, for example 10MiB"),
        );
    }
    let label_limit = labels.unwrap_or(DEFAULT_LABELS);
    range(label_limit, 8, 1024, "spec.metrics.limits.labels", out);
    let dialect = dialect_of(dialect.as_deref(), custom.as_ref(), preset, out);
    let mut excluded_routes = patterns(excluded_routes.unwrap_or_default(), out);
    if sees_probes(dialect.as_ref()) {
        excluded_routes.extend(paths_that_never_count(&path, probes));
    }
    excluded_routes.sort();
    excluded_routes.dedup();
    Metrics {
        port: port(number, "spec.metrics.port", out).unwrap_or(http_port),
        interval_seconds: u32::try_from(interval_millis.div_ceil(1000)).unwrap_or(u32::MAX),
        interval,
        timeout,
        dialect,
        excluded_routes,
        sample_limit,
        body_size_limit,
        label_limit,
        path,
    }
}

/// Whether a page of metrics can have this path.
pub(crate) fn is_metrics_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(['?', '#']) && !path.chars().any(char::is_whitespace)
}

fn interval_of(given: Option<String>, out: &mut Violations) -> (String, u64) {
    let interval = given.unwrap_or_else(|| DEFAULT_INTERVAL.to_owned());
    let millis = match PromDuration::parse_up_to_hours(&interval) {
        Ok(duration) if duration.millis() >= 1000 => duration.millis(),
        Ok(_) => {
            out.add("spec.metrics.interval", "must be at least 1s");
            1000
        }
        Err(_) => {
            out.add(
                "spec.metrics.interval",
                format!("{interval:?} is not a valid duration: use h, m, s and ms, for example 30s"),
            );
            1000
        }
    };
    (interval, millis)
}

fn timeout_of(given: Option<String>, interval: &str, interval_millis: u64, out: &mut Violations) -> String {
    let Some(timeout) = given else {
        return if DEFAULT_TIMEOUT.millis() <= interval_millis {
            DEFAULT_TIMEOUT.to_string()
        } else {
            interval.to_owned()
        };
    };
    match PromDuration::parse_up_to_hours(&timeout).map(PromDuration::millis) {
        Ok(0) => out.add("spec.metrics.timeout", "must be more than 0s"),
        Ok(millis) if millis > interval_millis => out.add(
            "spec.metrics.timeout",
            format!("{timeout} is above the interval {interval}: lower the timeout or raise spec.metrics.interval"),
        ),
        Ok(_) => {}
        Err(_) => out.add(
            "spec.metrics.timeout",
            format!("{timeout:?} is not a valid duration: use h, m, s and ms, for example 10s"),
        ),
    }
    timeout
}

fn dialect_of(
    given: Option<&str>,
    by_hand: Option<&spec::CustomMetrics>,
    preset: &Preset,
    out: &mut Violations,
) -> Option<DialectChoice> {
    let by_hand = by_hand.map(|by_hand| custom::custom(by_hand, out));
    if given == Some(Spelling::CUSTOM) {
        if by_hand.is_none() {
            out.add(
                custom::PATH,
                "is missing: dialect custom needs the names of the metrics, for example custom: {requests: {name: \
                 my_requests_total, labels: {status: code}}}",
            );
        }
        return by_hand.map(|spelling| DialectChoice::Custom(Arc::new(spelling)));
    }
    if by_hand.is_some() {
        out.add(
            custom::PATH,
            "is read with dialect custom only: set spec.metrics.dialect: custom, or remove it",
        );
    }
    match given {
        None => preset.dialect,
        Some("auto") => None,
        Some(name) => DialectId::from_str(name)
            .inspect_err(|error| out.add("spec.metrics.dialect", format!("{error}, auto, {}", Spelling::CUSTOM)))
            .ok(),
    }
    .map(DialectChoice::Table)
}

/// The author's patterns of routes, each checked.
fn patterns(patterns: Vec<String>, out: &mut Violations) -> Vec<String> {
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("spec.metrics.excludedRoutes[{index}]");
        if pattern.is_empty() {
            out.add(path, "is empty: remove it");
        } else if let Err(error) = check_pattern(pattern) {
            out.add(
                path,
                format!(
                    "{pattern:?} is not a valid regular expression (RE2), because {error}: use one that Prometheus \
                     accepts, for example /internal/.*"
                ),
            );
        }
    }
    patterns
}

/// Whether probes and scrapes are among the requests that are counted. Where they are not, a route of the same path is another's:
/// the path `/` of an Ingress's rule stands for every request, also where a probe asks for `/`.
fn sees_probes(dialect: Option<&DialectChoice>) -> bool {
    let proxy = dialect.and_then(DialectChoice::table).and_then(DialectId::proxy);
    proxy.is_none_or(|proxy| proxy.sees_probes)
}

/// The paths of probes and metrics, as patterns.
fn paths_that_never_count(metrics_path: &str, probes: &ProbeSet) -> Vec<String> {
    let ProbeSet {
        readiness,
        liveness,
        startup,
    } = probes;
    let probes = [readiness, liveness, startup].into_iter().flatten();
    let mut paths: Vec<_> = probes.filter_map(probe_path).collect();
    paths.push(regex_syntax::escape(metrics_path));
    paths
}

/// The route that a probe asks for: no instrumentation has the query of a request in its label.
fn probe_path(probe: &Probe) -> Option<String> {
    let path = probe.http_get.as_ref()?.path.as_deref()?;
    path.split(['?', '#']).next().map(regex_syntax::escape)
}
