//! `GET /config/alerting`: the rules, dashboard and routes that fit this service with the thresholds in force. Made by the
//! operator's own engine (`controller-rules`): the same input gives the same rules there.

use controller_rules::{
    AlertGap, AlertOverride, AlertSettings, ApiFacts, RuleSet, Severity,
    alerts::{self, AlertFamily},
    build_dashboard, build_rules, check_thresholds,
};
use metric_contract::labels;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::signals::HealthSignal;
use crate::config::Thresholds;

/// The operator's warning before [`HealthSignal::ErrorRatio`]'s critical alert.
const WARNING_ERROR_RATIO: &str = "ApiHighErrorRatio";

/// What `GET /config/alerting` answers.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Alerting")]
pub struct AlertingConfig {
    /// Above these, alerts are due.
    thresholds: ThresholdsInForce,
    /// `groups` of a Prometheus rule file.
    prometheus: Value,
    /// Alerts for which no rule can be made.
    left_out: Vec<OmittedAlert>,
    /// Thresholds that no rule can use, by setting. The rule has its default then; it is left out if not even that can
    /// be exceeded.
    problems: Vec<String>,
    /// `dashboard` for Grafana.
    grafana: Value,
    /// `route` and `receivers` of a configuration of Alertmanager; the receivers are empty: how to notify is yours to
    /// say.
    alertmanager: Value,
}

/// The thresholds in force.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "InForce")]
struct ThresholdsInForce {
    /// CPU use of the process, percent of what it may use.
    cpu_percent: f64,
    /// Resident memory of the process.
    memory_bytes: Option<u64>,
    /// Share of requests answered 5xx.
    error_ratio: f64,
    /// 95th percentile of request durations.
    latency_p95_seconds: f64,
    /// Requests being served.
    in_flight: u64,
}

/// An alert that is left out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "LeftOut")]
struct OmittedAlert {
    /// Its name.
    alert: &'static str,
    /// The signal that has no metric, or no limit that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_metric_for: Option<&'static str>,
    /// Where the largest bucket of the latency histogram ends, in seconds, if the alert's default threshold is not below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_bucket_seconds: Option<f64>,
}

/// The threshold of an alert, as a setting gives it.
struct OwnThreshold {
    /// The setting's name.
    setting: &'static str,
    alert: &'static str,
    /// As the engine reads it.
    threshold: String,
}

fn own_thresholds(thresholds: &Thresholds) -> [OwnThreshold; 4] {
    // The warning must not come after the critical alert.
    let warning = thresholds.error_ratio.min(0.01);
    let own = |setting, alert, threshold| OwnThreshold {
        setting,
        alert,
        threshold,
    };
    [
        own("ERROR_RATIO_ALERT", WARNING_ERROR_RATIO, decimal(warning)),
        own(
            "ERROR_RATIO_ALERT",
            HealthSignal::ErrorRatio.alert_name(),
            decimal(thresholds.error_ratio),
        ),
        own(
            "LATENCY_P95_ALERT_SECONDS",
            HealthSignal::LatencyP95Seconds.alert_name(),
            format!("{}ms", thresholds.latency_p95.as_millis().max(1)),
        ),
        own(
            "IN_FLIGHT_ALERT",
            HealthSignal::InFlight.alert_name(),
            thresholds.in_flight.to_string(),
        ),
    ]
}

/// The settings of the alerts that the thresholds decide, and the thresholds that no rule can use, by setting.
#[must_use]
pub fn settings(api: &ApiFacts<'_>, thresholds: &Thresholds) -> (AlertSettings, Vec<String>) {
    let mut settings = AlertSettings::default();
    let mut problems = Vec::new();
    for own in own_thresholds(thresholds) {
        match problem(api, own.alert, Some(own.threshold.clone())) {
            None => settings.overrides.push(change(own.alert, Some(own.threshold))),
            Some(problem) => {
                problems.push(format!("{}: {problem}", own.setting));
                // The default need not be usable either.
                settings.overrides.push(AlertOverride {
                    enabled: Some(default_is_usable(api, own.alert)),
                    ..change(own.alert, None)
                });
            }
        }
    }
    (settings, problems)
}

/// The alerts whose threshold no rule can use, each with a sentence that names the setting.
#[must_use]
pub fn unusable(api: &ApiFacts<'_>, thresholds: &Thresholds) -> Vec<(&'static str, String)> {
    let own = own_thresholds(thresholds).into_iter();
    let unusable = own.filter_map(|own| {
        let problem = problem(api, own.alert, Some(own.threshold))?;
        Some((own.alert, format!("{}: {problem}", own.setting)))
    });
    unusable.collect()
}

fn change(alert: &str, threshold: Option<String>) -> AlertOverride {
    AlertOverride {
        name: alert.to_owned(),
        threshold,
        ..AlertOverride::default()
    }
}

/// Why the alert cannot have this threshold.
fn problem(api: &ApiFacts<'_>, alert: &str, threshold: Option<String>) -> Option<String> {
    let alone = AlertSettings {
        overrides: vec![change(alert, threshold)],
        ..AlertSettings::default()
    };
    let mut errors = build_rules(api, &alone).err().unwrap_or_default();
    errors.extend(check_thresholds(api, &alone));
    errors.into_iter().map(|error| error.message).next()
}

/// Whether the alert's default threshold can be exceeded with the metrics of this service.
fn default_is_usable(api: &ApiFacts<'_>, alert: &str) -> bool {
    let default = alerts::alert(alert).and_then(|def| Some(def.threshold_unit()?.setting(def.default_threshold()?)));
    problem(api, alert, default).is_none()
}

/// At most nine digits after the point, as the engine reads them.
fn decimal(number: f64) -> String {
    let text = format!("{number:.9}");
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// Rules, dashboard and routes. `problems` names the thresholds that cannot be used for a rule.
#[must_use]
pub fn alerting(api: &ApiFacts<'_>, thresholds: &Thresholds, memory_bytes: Option<u64>) -> AlertingConfig {
    let (settings, mut problems) = settings(api, thresholds);
    let rules = build_rules(api, &settings).unwrap_or_else(|errors| {
        problems.extend(errors.iter().map(ToString::to_string));
        RuleSet {
            groups: Vec::new(),
            omitted_alerts: Vec::new(),
            omitted_objectives: Vec::new(),
        }
    });
    let left_out = rules.omitted_alerts.iter().map(|omitted| {
        let (no_metric_for, largest_bucket_seconds) = match omitted.gap {
            AlertGap::MissingSignal(signal) => (Some(signal.name()), None),
            AlertGap::BucketsEndBelow { largest, .. } => (None, Some(largest.to_f64())),
        };
        OmittedAlert {
            alert: omitted.alert,
            no_metric_for,
            largest_bucket_seconds,
        }
    });
    AlertingConfig {
        thresholds: ThresholdsInForce {
            cpu_percent: thresholds.cpu_percent,
            memory_bytes,
            error_ratio: thresholds.error_ratio,
            latency_p95_seconds: thresholds.latency_p95.as_secs_f64(),
            in_flight: thresholds.in_flight,
        },
        left_out: left_out.collect(),
        prometheus: json!({ "groups": rules.groups }),
        problems,
        grafana: json!({ "dashboard": build_dashboard(api, &settings) }),
        alertmanager: json!({ "route": route(api), "receivers": receivers() }),
    }
}

/// The receiver of all other alerts.
const DEFAULT_RECEIVER: &str = "default";

/// The root route, with one below it for this service, and below that one for each family of alerts. Critical alerts
/// repeat sooner. Only routes below the root may have matchers.
fn route(api: &ApiFacts<'_>) -> Value {
    let families = AlertFamily::ALL.iter().map(|family| {
        json!({
            "receiver": family.as_str(),
            "matchers": [format!("{}=\"{}\"", labels::ALERT_FAMILY, family.as_str())],
            "routes": [{
                "receiver": family.as_str(),
                "matchers": [format!("{}=\"{}\"", labels::SEVERITY, Severity::Critical.as_str())],
                "repeat_interval": "1h",
            }],
        })
    });
    json!({
        "receiver": DEFAULT_RECEIVER,
        "routes": [{
            "receiver": DEFAULT_RECEIVER,
            "group_by": [labels::NAMESPACE, labels::JOB, labels::ALERT_FAMILY],
            "matchers": [
                format!("{}=\"{}\"", labels::NAMESPACE, api.namespace),
                format!("{}=\"{}\"", labels::JOB, api.name),
            ],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
            "routes": families.collect::<Vec<_>>(),
        }],
    })
}

/// Every receiver that the routes name.
fn receivers() -> Value {
    let families = AlertFamily::ALL.iter().map(|family| family.as_str());
    let names = std::iter::once(DEFAULT_RECEIVER).chain(families);
    names.map(|name| json!({ "name": name })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_the_engine_reads_it() {
        for (number, text) in [
            (0.05, "0.05"),
            (0.1 + 0.2, "0.3"),
            (0.0, "0"),
            (1e-12, "0"),
            (0.5, "0.5"),
        ] {
            assert_eq!(decimal(number), text);
        }
    }
}
