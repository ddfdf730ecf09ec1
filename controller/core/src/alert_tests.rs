//! The rules of a MonitoredApi with unit tests for promtool, without a cluster.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_rules::alert_tests::{AlertTests, alert_tests};
use metric_contract::Spelling;

use crate::{
    compile::compile,
    facts::{Facts, PageFacts, Settings},
    kind::ChildKind,
    owner::ApiRef,
    violation::Violation,
};

/// The unit tests of every alert that a MonitoredApi has, in the names of a page of its metrics if there is one. `None`: it has no
/// rules.
///
/// # Errors
///
/// All violations of the spec, each with its field and its fix.
pub fn of(
    api: &MonitoredApi,
    settings: &Settings,
    page: Option<&Arc<Spelling>>,
) -> Result<Option<AlertTests>, Vec<Violation>> {
    let facts = Facts {
        page: page.cloned().map(PageFacts::shown),
        ..Facts::default()
    };
    let plan = compile(api, settings, &facts, &ApiRef::of(api).without_uid())?;
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
        let tests = of(&api, &Settings::default(), None).unwrap().unwrap();
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
