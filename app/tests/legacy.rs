//! `/update` and `/cpu` set figures of the metrics page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use common::App;

#[tokio::test]
async fn values_that_a_client_sets_are_on_the_page() {
    let app = App::in_memory().await;
    for (path, field, series, value) in [
        ("/update?users=42", "active_users", "app_active_users", 42.0),
        ("/update?users=0", "active_users", "app_active_users", 0.0),
        ("/cpu?value=12.5", "cpu_usage_percent", "app_cpu_usage_percent", 12.5),
        ("/cpu?value=100", "cpu_usage_percent", "app_cpu_usage_percent", 100.0),
        ("/cpu?value=0", "cpu_usage_percent", "app_cpu_usage_percent", 0.0),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()[field], value, "{path}");
        assert_eq!(app.sample(series).await, Some(value), "{path}");
    }
}

#[tokio::test]
async fn a_value_that_is_not_allowed_changes_nothing() {
    let app = App::in_memory().await;
    app.get("/update?users=7").await;
    app.get("/cpu?value=7").await;
    for (path, field) in [
        ("/update", "users"),
        ("/update?users=", "users"),
        ("/update?users=-1", "users"),
        ("/update?users=1.5", "users"),
        ("/update?users=9007199254740992", "users"),
        ("/cpu", "value"),
        ("/cpu?value=-0.1", "value"),
        ("/cpu?value=100.1", "value"),
        ("/cpu?value=NaN", "value"),
        ("/cpu?value=inf", "value"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, 422, "{path}");
        assert_eq!(answer.json()["errors"][0]["field"], field, "{path}");
    }
    assert_eq!(app.sample("app_active_users").await, Some(7.0));
    assert_eq!(app.sample("app_cpu_usage_percent").await, Some(7.0));
}
