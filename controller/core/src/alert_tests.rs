//! The rules of a MonitoredApi with unit tests for promtool, without a cluster.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_rules::alert_tests::{AlertTests, alert_tests};
use metric_contract::Spelling;

use crate::{
    facts::{ReferencedWorkload, Settings},
    kind::ChildKind,
    render::offline_plan,
    violation::Violation,
};

/// The unit tests of every alert that a MonitoredApi has, in the names of a page of its metrics if there is one. `workload`: the
/// one that the spec refers to, as its manifest has it. `None`: it has no rules.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn of(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&Arc<Spelling>>,
    workload: Option<&ReferencedWorkload>,
) -> Result<Option<AlertTests>, Vec<Violation>> {
    let plan = offline_plan(api, settings, page, workload)?;
    if !plan
        .children
        .iter()
        .any(|child| child.kind == ChildKind::PROMETHEUS_RULE)
    {
        return Ok(None);
    }
    let tests = alert_tests(&plan.api.rule_facts(), &plan.api.alerts);
    tests.map(Some).map_err(|errors| {
        let violations = errors.into_iter().map(|error| Violation {
            path: format!("spec.alerts.{}", error.path),
            message: error.message,
        });
        violations.collect()
    })
}

#[cfg(test)]
mod tests {
    use controller_rules::alert_tests::AlertCase;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_by_hand_have_unit_tests_of_each_alert_that_they_can_feed() {
        let api: MonitoredApi = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"},
            "spec": {"image": "i", "metrics": {"dialect": "custom", "custom": {
                "requests": {"name": "r", "labels": {"status": "code"}}, "duration": {"name": "t"}, "inFlight": {"name": "f"},
            }}},
        }))
        .unwrap();
        let tests = of(&api, &Settings::default(), None, None).unwrap().unwrap();
        let fires = |alert: &str| {
            let file = tests.files.iter().find(|file| file.alert == alert);
            file.is_some_and(|file| file.tests.iter().any(|test| test.case == AlertCase::Fires))
        };
        for alert in [
            "ApiHighErrorRatio",
            "ApiCriticalErrorRatio",
            "ApiLowVolumeErrors",
            "ApiHighClientErrorRatio",
            "ApiHighLatencyP95",
            "ApiCriticalLatencyP95",
            "ApiHighLatencyP99",
            "ApiLatencyRegression",
            "ApiTooManyInFlight",
            "ApiTrafficDrop",
            "ApiTrafficSpike",
        ] {
            assert!(fires(alert), "{alert}");
        }
        assert!(!fires("ApiHighCpu"));
    }
}
