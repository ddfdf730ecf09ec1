//! Objects in which the lint finds a mistake are not written.

use super::*;

/// A spec whose rules are too large to be written.
fn of_large_rules() -> Value {
    let label = |n: u32| (format!("{}{n}", "x".repeat(900)), json!("y"));
    let labels: serde_json::Map<_, _> = (0..32).map(label).collect();
    json!({"image": "i", "preset": "native", "alerts": {"labels": labels}})
}

#[test]
fn rules_that_fail_the_lint_are_planned_and_not_sent() {
    let plan = plan(&of_large_rules(), &Facts::default());
    for (child, decision) in plan
        .children
        .iter()
        .zip(crate::changes::decide(&plan, &[], &Facts::default()).decisions)
    {
        let failed = matches!(&decision, Decision::Fail(Outcome::LintFailed(why)) if why.contains("512 KiB"));
        assert_eq!(
            failed,
            child.kind == ChildKind::PROMETHEUS_RULE,
            "{child}: {decision:?}"
        );
    }
}

#[test]
fn objects_that_the_operator_would_not_write_are_not_rendered() {
    let api = serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"}, "spec": of_large_rules(),
    }))
    .unwrap();
    let violations = crate::render(&api, &Settings::default()).unwrap_err();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(
        violations[0].message.contains("PrometheusRule orders is not written"),
        "{violations:?}"
    );
    let linted = crate::lint::lint(&api, &Settings::default(), None, None)
        .unwrap()
        .children;
    assert_eq!(linted[0].title, "PrometheusRule orders");
}
