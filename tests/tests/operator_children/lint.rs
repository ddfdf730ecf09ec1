//! Rules with a mistake are not written, and the last good ones stay.

use serde_json::json;

use super::{RULES, Shop, condition, version};

#[test]
fn rules_that_fail_the_lint_leave_the_last_good_ones_in_place() {
    let shop = Shop::with("lint", &json!({"image": "example.org/orders:1"}));
    let good = shop.get(RULES, "orders");
    // A label whose name alone, on every alert, makes the rules larger than an object may be.
    let name = "x".repeat(60_000);
    shop.edit(&json!({"alerts": {"labels": {name.as_str(): "y"}}, "replicas": 2}));
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
    shop.edit(&json!({"alerts": {"labels": {name.as_str(): null, "team": "shop"}}}));
    shop.wait_says("ChildrenApplied", "True");
    let labelled = |found: &serde_json::Value| found.to_string().contains("\"team\":\"shop\"");
    shop.wait(RULES, "orders", labelled);
}
