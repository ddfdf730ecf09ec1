//! `/config/alerting`: the rules, the dashboard and the routes that fit the service, and what is wrong with its thresholds.

mod common;

use axum::Router;

use crate::common::{App, flags};

#[tokio::test]
async fn alerting_has_rules_dashboard_and_routes_with_the_thresholds_in_force() {
    let flags = app::config::Flags {
        latency_p95_alert_seconds: Some("0.75".to_owned()),
        error_ratio_alert: Some("0.005".to_owned()),
        in_flight_alert: Some("33".to_owned()),
        memory_alert_bytes: Some("1000000".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let alerting = app.json("/config/alerting?job=orders").await;
    assert_eq!(alerting["problems"], serde_json::json!([]));
    assert_eq!(alerting["thresholds"]["memory_bytes"], 1_000_000);
    let groups = alerting["prometheus"]["groups"].as_array().unwrap();
    let rules: Vec<_> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    let expr = |alert: &str| {
        let rule = rules.iter().find(|rule| rule["alert"] == alert).unwrap();
        rule["expr"].as_str().unwrap().to_owned()
    };
    for rule in &rules {
        let expr = rule["expr"].as_str().unwrap();
        promql_parser::parser::parse(expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
    }
    assert!(expr("ApiHighLatencyP95").contains("> 0.75"));
    assert!(expr("ApiCriticalErrorRatio").contains("> 0.005"));
    assert!(
        expr("ApiHighErrorRatio").contains("> 0.005"),
        "the warning does not come after the critical alert"
    );
    assert!(expr("ApiTooManyInFlight").contains("> 33"));
    assert!(alerting["grafana"]["dashboard"]["panels"].as_array().unwrap().len() > 5);
    let root = &alerting["alertmanager"]["route"];
    assert_eq!(root.get("matchers"), None, "Alertmanager allows none at the root");
    let own = &root["routes"][0];
    assert_eq!(own["matchers"][1], "job=\"orders\"");
    let routes = own["routes"].as_array().unwrap();
    let families: Vec<_> = routes
        .iter()
        .map(|route| route["matchers"][0].as_str().unwrap())
        .collect();
    let expected = [
        "availability",
        "errors",
        "latency",
        "saturation",
        "traffic",
        "cache",
        "scrape",
        "objectives",
    ];
    assert_eq!(families, expected.map(|family| format!("family=\"{family}\"")));
}

#[tokio::test]
async fn a_threshold_that_no_rule_can_use_is_named_and_the_rules_stay_whole() {
    let flags = app::config::Flags {
        latency_p95_alert_seconds: Some("60".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let alerting = app.json("/config/alerting").await;
    assert!(
        alerting["problems"][0]
            .as_str()
            .unwrap()
            .contains("is not a valid threshold, because the largest bucket")
    );
    assert!(!alerting["prometheus"]["groups"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn of_several_thresholds_only_the_one_that_no_rule_can_use_falls_back_to_its_default() {
    let flags = app::config::Flags {
        latency_p95_alert_seconds: Some("10".to_owned()),
        error_ratio_alert: Some("1".to_owned()),
        in_flight_alert: Some("33".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let alerting = app.json("/config/alerting").await;
    let problems: Vec<_> = alerting["problems"].as_array().unwrap().iter().collect();
    let named = |setting: &str| {
        problems
            .iter()
            .any(|problem| problem.as_str().unwrap().starts_with(setting))
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        named("LATENCY_P95_ALERT_SECONDS: ") && named("ERROR_RATIO_ALERT: "),
        "{problems:?}"
    );
    assert_eq!(
        app.state.self_report().threshold_problems().len(),
        2,
        "said at the start, too"
    );
    let rules = alerting["prometheus"].to_string();
    assert!(rules.contains("> 33"), "the other threshold is in force");
    assert!(rules.contains("> 0.5"), "the default of the latency");
}

#[tokio::test]
async fn a_latency_alert_that_can_never_fire_with_the_buckets_in_force_is_named_and_left_out() {
    let flags = app::config::Flags {
        metrics_buckets: Some("0.05,0.1,0.25".to_owned()),
        ..flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let alerting = app.json("/config/alerting").await;
    let problem = alerting["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("LATENCY_P95_ALERT_SECONDS: 500ms"), "{problem}");
    assert!(problem.contains("0.25s"), "{problem}");
    assert!(!alerting["prometheus"].to_string().contains("ApiHighLatencyP95"));
    let alerts = app.json("/metrics/alerts").await;
    for alert in alerts["alerts"].as_array().unwrap() {
        let expected = (alert["name"] == "ApiHighLatencyP95").then_some(problem);
        assert_eq!(alert["problem"].as_str(), expected, "{alert}");
    }
    let left_out = alerting["left_out"].as_array().unwrap();
    let p99 = left_out.iter().find(|one| one["alert"] == "ApiHighLatencyP99");
    let told = serde_json::json!({"alert": "ApiHighLatencyP99", "largest_bucket_seconds": 0.25});
    assert_eq!(p99, Some(&told), "and not that there is no metric");
    let flags = app::config::Flags {
        metrics_buckets: Some("1,30,60".to_owned()),
        latency_p95_alert_seconds: Some("20".to_owned()),
        ..common::flags("sqlite::memory:")
    };
    let app = App::with(flags, Router::new()).await;
    let alerting = app.json("/config/alerting").await;
    assert_eq!(
        alerting["problems"],
        serde_json::json!([]),
        "these buckets reach that far"
    );
    assert!(alerting["prometheus"].to_string().contains("> 20"));
}
