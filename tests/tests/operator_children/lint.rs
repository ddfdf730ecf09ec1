//! Rules with a mistake are not written, and the last good ones stay.

use serde_json::{Value, json};

use super::{RULES, Shop, condition, version};

#[test]
fn rules_that_fail_the_lint_leave_the_last_good_ones_in_place() {
    let shop = Shop::with("lint", &json!({"image": "example.org/orders:1"}));
    // Labels with long names, each on every alert, make the rules larger than an object may be.
    let large = |value: &Value| -> Value {
        let labels = (0..32).map(|n| (format!("{}{n}", "x".repeat(900)), value.clone()));
        json!({"alerts": {"labels": labels.collect::<serde_json::Map<_, _>>()}, "replicas": 2})
    };
    // The reference API's dialect has the most alerts.
    shop.edit(&json!({"metrics": {"dialect": "native"}}));
    shop.wait(RULES, "orders", |found| found.to_string().contains("ApiHighErrorRatio"));
    shop.wait_says("ChildrenApplied", "True");
    let good = shop.get(RULES, "orders");
    shop.edit(&large(&json!("y")));
    let orders = shop.wait_says("ChildrenApplied", "False");
    let (_, reason, message) = condition(&orders, "ChildrenApplied").unwrap();
    assert_eq!(reason, "LintFailed", "{message}");
    let (_, reason, message) = condition(&orders, "RulesHealthy").unwrap();
    assert_eq!(reason, "LintFailed", "{message}");
    assert!(
        message.contains("512 KiB") && message.contains("last good"),
        "{message}"
    );
    assert_eq!(version(&shop.get(RULES, "orders")), version(&good));
    // Everything else is written.
    shop.wait(super::DEPLOYMENTS, "orders", |found| found["spec"]["replicas"] == 2);
    shop.edit(&large(&Value::Null));
    shop.edit(&json!({"alerts": {"labels": {"team": "shop"}}}));
    shop.wait_says("ChildrenApplied", "True");
    let labelled = |found: &Value| found.to_string().contains("\"team\":\"shop\"");
    shop.wait(RULES, "orders", labelled);
}
