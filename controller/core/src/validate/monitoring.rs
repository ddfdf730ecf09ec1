//! Metrics, alerts and dashboard.

use std::{collections::BTreeMap, str::FromStr};

use controller_api::spec;
use controller_rules::{AlertOverride, AlertSettings, check_overrides};
use k8s_openapi::api::core::v1::Probe;
use metric_contract::DialectId;

use super::{
    DashboardSettings, Metrics, Monitoring, Preset, ProbeSet, Violations, syntax,
    workload::{RESERVED_LABELS, port, range},
};
use crate::facts::Settings;

/// Time between two scrapes.
const DEFAULT_INTERVAL: &str = "15s";
/// Time after which a scrape is given up, unless the interval is shorter.
const DEFAULT_TIMEOUT: &str = "10s";
/// Samples of a scrape. Generous: above it, Prometheus drops the whole scrape and `ApiDown` fires.
const DEFAULT_SAMPLES: i64 = 50_000;
/// Size of a metrics page.
const DEFAULT_BODY_SIZE: &str = "10MiB";
/// Labels of a sample.
const DEFAULT_LABELS: i64 = 64;
/// Label by which Grafana's sidecar finds dashboards unless it is set up otherwise.
const DASHBOARD_LABEL: (&str, &str) = ("grafana_dashboard", "1");

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
        excluded_routes,
        limits,
    } = given.cloned().unwrap_or_default();
    let path = path.unwrap_or_else(|| preset.metrics_path.to_owned());
    if !path.starts_with('/') || path.contains(['?', '#']) || path.chars().any(char::is_whitespace) {
        out.add(
            "spec.metrics.path",
            format!("{path:?} is no path: begin it with / and leave out spaces, ? and #"),
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
    if !syntax::is_byte_size(&body_size_limit) {
        out.add(
            "spec.metrics.limits.bodySize",
            format!("{body_size_limit:?} is no size: use one such as 10MiB"),
        );
    }
    let label_limit = labels.unwrap_or(DEFAULT_LABELS);
    range(label_limit, 8, 1024, "spec.metrics.limits.labels", out);
    Metrics {
        port: port(number, "spec.metrics.port", out).unwrap_or(http_port),
        interval_seconds: u32::try_from(interval_millis.div_ceil(1000)).unwrap_or(u32::MAX),
        interval,
        timeout,
        dialect: dialect_of(dialect.as_deref(), preset, out),
        excluded_routes: excluded(excluded_routes.unwrap_or_default(), &path, probes, out),
        sample_limit,
        body_size_limit,
        label_limit,
        path,
    }
}

fn interval_of(given: Option<String>, out: &mut Violations) -> (String, u64) {
    let interval = given.unwrap_or_else(|| DEFAULT_INTERVAL.to_owned());
    let millis = match syntax::duration_millis(&interval) {
        Some(millis) if millis >= 1000 => millis,
        Some(_) => {
            out.add("spec.metrics.interval", "must be at least 1s");
            1000
        }
        None => {
            out.add(
                "spec.metrics.interval",
                format!("{interval:?} is no duration: use h, m, s and ms, such as 30s"),
            );
            1000
        }
    };
    (interval, millis)
}

fn timeout_of(given: Option<String>, interval: &str, interval_millis: u64, out: &mut Violations) -> String {
    let Some(timeout) = given else {
        let default = syntax::duration_millis(DEFAULT_TIMEOUT).unwrap_or_default();
        return if default <= interval_millis {
            DEFAULT_TIMEOUT.to_owned()
        } else {
            interval.to_owned()
        };
    };
    match syntax::duration_millis(&timeout) {
        Some(0) => out.add("spec.metrics.timeout", "must be more than 0s"),
        Some(millis) if millis > interval_millis => out.add(
            "spec.metrics.timeout",
            format!("{timeout} is above the interval {interval}: lower the timeout or raise spec.metrics.interval"),
        ),
        Some(_) => {}
        None => out.add(
            "spec.metrics.timeout",
            format!("{timeout:?} is no duration: use h, m, s and ms, such as 10s"),
        ),
    }
    timeout
}

fn dialect_of(given: Option<&str>, preset: &Preset, out: &mut Violations) -> Option<DialectId> {
    match given {
        None => preset.dialect,
        Some("auto") => None,
        Some(name) => DialectId::from_str(name)
            .inspect_err(|error| out.add("spec.metrics.dialect", format!("{error}, auto")))
            .ok(),
    }
}

/// The author's patterns with the paths of probes and metrics, which count never.
fn excluded(mut patterns: Vec<String>, metrics_path: &str, probes: &ProbeSet, out: &mut Violations) -> Vec<String> {
    for (index, pattern) in patterns.iter().enumerate() {
        let path = format!("spec.metrics.excludedRoutes[{index}]");
        if pattern.is_empty() {
            out.add(path, "is empty: remove it");
        } else if let Err(error) = regex_syntax::Parser::new().parse(pattern) {
            out.add(
                path,
                format!("{pattern:?} is no regular expression: {}", reason(&error)),
            );
        }
    }
    let ProbeSet {
        readiness,
        liveness,
        startup,
    } = probes;
    patterns.extend(
        [readiness, liveness, startup]
            .into_iter()
            .flatten()
            .filter_map(probe_path),
    );
    patterns.push(regex_syntax::escape(metrics_path));
    patterns.sort();
    patterns.dedup();
    patterns
}

/// The parser's reason without its drawing of the place, which spans several lines.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    }
}

fn probe_path(probe: &Probe) -> Option<String> {
    probe.http_get.as_ref()?.path.as_deref().map(regex_syntax::escape)
}

pub(super) fn monitoring(
    monitoring: Option<&spec::MonitoringSpec>,
    alerts: Option<&spec::AlertsSpec>,
    dashboard: Option<&spec::DashboardSpec>,
    settings: &Settings,
    out: &mut Violations,
) -> Option<Monitoring> {
    let spec::MonitoringSpec { enabled, object_labels } = monitoring.cloned().unwrap_or_default();
    let object_labels = merged(
        &settings.monitoring_object_labels,
        object_labels,
        "spec.monitoring.objectLabels",
        out,
    );
    // Checked even when monitoring is off: turning it on must not bring old mistakes to light.
    let alerts = alert_settings(alerts, settings, out);
    let dashboard = dashboard_settings(dashboard, settings, out);
    enabled.unwrap_or(true).then_some(Monitoring {
        object_labels,
        alerts,
        dashboard,
    })
}

fn alert_settings(alerts: Option<&spec::AlertsSpec>, settings: &Settings, out: &mut Violations) -> AlertSettings {
    let spec::AlertsSpec {
        enabled,
        labels,
        runbook_base_url,
        overrides,
    } = alerts.cloned().unwrap_or_default();
    no_template(labels.as_ref(), "spec.alerts.labels", out);
    if runbook_base_url
        .as_ref()
        .is_some_and(|url| !url.starts_with("https://") || url.contains(['{', '}']))
    {
        out.add(
            "spec.alerts.runbookBaseUrl",
            "must begin with https:// and hold no braces",
        );
    }
    for (index, given) in overrides.iter().flatten().enumerate() {
        let path = format!("spec.alerts.overrides[{index}]");
        no_template(given.labels.as_ref(), &format!("{path}.labels"), out);
        for (duration, field) in [(&given.for_, "for"), (&given.keep_firing_for, "keepFiringFor")] {
            if let Some(duration) = duration.as_ref().filter(|text| syntax::duration_millis(text).is_none()) {
                out.add(
                    format!("{path}.{field}"),
                    format!("{duration:?} is no duration: use h, m, s and ms, such as 5m"),
                );
            }
        }
    }
    let settings = AlertSettings {
        enabled: enabled.unwrap_or(true),
        labels: labels.unwrap_or_default(),
        runbook_base_url: runbook_base_url.or_else(|| settings.runbook_base_url.clone()),
        overrides: overrides.unwrap_or_default().into_iter().map(alert_override).collect(),
    };
    for error in check_overrides(&settings) {
        out.add(format!("spec.alerts.{}", error.path), error.message);
    }
    settings
}

/// Prometheus runs the values of alert labels through its template engine, which can query everything it has.
fn no_template(labels: Option<&BTreeMap<String, String>>, path: &str, out: &mut Violations) {
    for (key, value) in labels.into_iter().flatten() {
        if value.contains(['{', '}', '\n']) {
            out.add(
                format!("{path}.{key}"),
                "must hold no braces: Prometheus would run it as a template",
            );
        }
    }
}

fn alert_override(given: spec::AlertOverride) -> AlertOverride {
    let spec::AlertOverride {
        name,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels,
        enabled,
    } = given;
    AlertOverride {
        name,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels: labels.unwrap_or_default(),
        enabled,
    }
}

fn dashboard_settings(
    dashboard: Option<&spec::DashboardSpec>,
    settings: &Settings,
    out: &mut Violations,
) -> Option<DashboardSettings> {
    let spec::DashboardSpec {
        enabled,
        form,
        folder,
        object_labels,
    } = dashboard.cloned().unwrap_or_default();
    match form.unwrap_or_default() {
        spec::DashboardForm::Auto | spec::DashboardForm::ConfigMap => {}
    }
    // A slash would let the sidecar, which makes a directory of it, write elsewhere.
    if folder
        .as_ref()
        .is_some_and(|folder| folder.is_empty() || folder.starts_with('.') || folder.contains(['/', '\\']))
    {
        out.add(
            "spec.dashboard.folder",
            "is no folder: use letters, digits, spaces, . _ - and begin with a letter or digit",
        );
    }
    let mut object_labels = merged(
        &settings.dashboard_object_labels,
        object_labels,
        "spec.dashboard.objectLabels",
        out,
    );
    if object_labels.is_empty() {
        let (key, value) = DASHBOARD_LABEL;
        object_labels.insert(key.to_owned(), value.to_owned());
    }
    enabled
        .unwrap_or(true)
        .then_some(DashboardSettings { folder, object_labels })
}

/// The installation's labels with the author's over them.
fn merged(
    settings: &BTreeMap<String, String>,
    given: Option<BTreeMap<String, String>>,
    path: &str,
    out: &mut Violations,
) -> BTreeMap<String, String> {
    let given = given.unwrap_or_default();
    syntax::labels(&given, path, &RESERVED_LABELS, out);
    let mut labels = settings.clone();
    labels.extend(given);
    labels
}
