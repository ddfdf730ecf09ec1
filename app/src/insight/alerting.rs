//! `GET /config/alerting`: the rules, dashboard and routes that fit this service with the thresholds in force. Made by the
//! operator's own engine (`controller-rules`): the same input gives the same rules there.

use controller_rules::{
    AlertOverride, AlertSettings, ApiFacts, FieldError, RuleSet,
    alerts::{AlertFamily, Severity},
    build_dashboard, build_rules,
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
    /// Alerts that no metric of this dialect can decide.
    left_out: Vec<OmittedAlert>,
    /// Thresholds that no rule can use; the rules have their defaults then.
    problems: Vec<String>,
    /// `dashboard` for Grafana.
    grafana: Value,
    /// `route` for Alertmanager; its receivers are yours.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "LeftOut")]
struct OmittedAlert {
    /// Its name.
    alert: &'static str,
    /// The signal that has no metric.
    no_metric_for: &'static str,
}

/// The settings of the alerts that the thresholds decide.
#[must_use]
pub fn settings(thresholds: &Thresholds) -> AlertSettings {
    let threshold = |name: &str, threshold: String| AlertOverride {
        name: name.to_owned(),
        threshold: Some(threshold),
        ..AlertOverride::default()
    };
    // The warning must not come after the critical alert.
    let warning = thresholds.error_ratio.min(0.01);
    AlertSettings {
        overrides: vec![
            threshold(WARNING_ERROR_RATIO, decimal(warning)),
            threshold(HealthSignal::ErrorRatio.alert_name(), decimal(thresholds.error_ratio)),
            threshold(
                HealthSignal::LatencyP95Seconds.alert_name(),
                format!("{}ms", thresholds.latency_p95.as_millis().max(1)),
            ),
            threshold(HealthSignal::InFlight.alert_name(), thresholds.in_flight.to_string()),
        ],
        ..AlertSettings::default()
    }
}

/// At most nine digits after the point, as the engine reads them.
fn decimal(number: f64) -> String {
    let text = format!("{number:.9}");
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// Rules, dashboard and routes. Where a threshold cannot be used for a rule, `problems` says why and the rule has its
/// default.
#[must_use]
pub fn alerting(api: &ApiFacts<'_>, thresholds: &Thresholds, memory_bytes: Option<u64>) -> AlertingConfig {
    let mut settings = settings(thresholds);
    let mut problems = Vec::new();
    let mut complain = |errors: &[FieldError]| problems.extend(errors.iter().map(ToString::to_string));
    let rules = build_rules(api, &settings).or_else(|errors| {
        complain(&errors);
        settings = AlertSettings::default();
        build_rules(api, &settings)
    });
    let rules = rules.unwrap_or_else(|errors| {
        complain(&errors);
        RuleSet {
            groups: Vec::new(),
            omitted_alerts: Vec::new(),
        }
    });
    let left_out = rules.omitted_alerts.iter().map(|omitted| OmittedAlert {
        alert: omitted.alert,
        no_metric_for: omitted.signal.name(),
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
        alertmanager: json!({ "route": route(api) }),
    }
}

/// A route for each family of alerts; receivers are for the reader to define. Critical alerts repeat sooner.
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
        "receiver": "default",
        "group_by": [labels::NAMESPACE, labels::JOB, labels::ALERT_FAMILY],
        "matchers": [
            format!("{}=\"{}\"", labels::NAMESPACE, api.namespace),
            format!("{}=\"{}\"", labels::JOB, api.name),
        ],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": families.collect::<Vec<_>>(),
    })
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
