//! The dashboard of an API: its panels, their queries, and the JSON that Grafana needs to show them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's own helpers fail the test")]

mod common;

use std::collections::BTreeSet;

use common::{dashboard, of_the_platform, orders, queries, settings, spellings, undetected};
use controller_rules::{
    AlertOverride, AlertSettings, ApiFacts, PanelId, build_dashboard, dashboards::ROWS, panel_queries,
};
use metric_contract::Signal;
use serde_json::{Value, json};

fn json_of(api: &ApiFacts<'_>, settings: &AlertSettings) -> Value {
    serde_json::to_value(build_dashboard(api, settings)).unwrap()
}

fn panel(dashboard: &Value, id: PanelId) -> Value {
    let panels = dashboard["panels"].as_array().unwrap();
    panels
        .iter()
        .find(|panel| panel["id"] == id.id())
        .cloned()
        .unwrap_or_else(|| panic!("no panel {id:?}"))
}

#[test]
fn the_eight_panels_of_the_acceptance_list_are_there_with_their_kind_and_steps() {
    let dashboard = json_of(&orders(), &settings());
    let steps = |id| {
        let steps = panel(&dashboard, id)["fieldConfig"]["defaults"]["thresholds"]["steps"].clone();
        steps
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["value"].clone())
            .collect::<Vec<_>>()
    };
    for (id, title, kind) in [
        (PanelId::RequestRate, "Request rate", "timeseries"),
        (PanelId::ActiveRequests, "Active requests", "gauge"),
        (PanelId::Latency, "Latency P50/P95/P99", "timeseries"),
        (PanelId::ErrorRate, "Error rate", "timeseries"),
        (PanelId::RequestsByStatus, "Requests by status code", "timeseries"),
        (PanelId::ErrorsByType, "Errors by type", "timeseries"),
        (
            PanelId::RequestDistribution,
            "Request distribution by endpoint",
            "piechart",
        ),
        (PanelId::MeanLatency, "Average response time by endpoint", "bargauge"),
    ] {
        let panel = panel(&dashboard, id);
        assert_eq!((&panel["title"], &panel["type"]), (&json!(title), &json!(kind)));
    }
    assert_eq!(steps(PanelId::ActiveRequests), [json!(null), json!(2.0), json!(5.0)]);
    assert_eq!(steps(PanelId::ErrorRate), [json!(null), json!(0.02), json!(0.05)]);
    assert_eq!(steps(PanelId::Latency), [json!(null), json!(0.5)]);
    let stacked = &panel(&dashboard, PanelId::RequestsByStatus)["fieldConfig"]["defaults"]["custom"]["stacking"];
    assert_eq!(stacked["mode"], "normal");
}

#[test]
fn every_query_is_read_by_a_promql_parser_and_holds_no_variable() {
    for api in [orders(), undetected()] {
        for query in queries(&api) {
            assert!(!query.expr.contains("$__"), "{}", query.expr);
            promql_parser::parser::parse(&query.expr)
                .unwrap_or_else(|error| panic!("{}: {error}\n{}", query.title, query.expr));
        }
    }
}

#[test]
fn a_rate_interval_is_put_in_and_an_unreadable_one_counts_as_five_minutes() {
    let rate = |interval| {
        panel_queries(&dashboard(&orders()), interval)
            .iter()
            .map(|q| q.expr.clone())
            .collect::<String>()
    };
    assert!(rate("1m").contains("[1m]"));
    assert!(rate("1m] or up[1m").contains("[5m]"));
}

#[test]
fn without_a_dialect_only_panels_of_the_platform_are_there_and_the_others_are_named() {
    let dashboard = dashboard(&undetected());
    let panels = || ROWS.iter().flat_map(|row| row.panels);
    let expected = panels().filter(|def| def.signals.iter().all(of_the_platform));
    let titles: Vec<_> = dashboard.titles().collect();
    assert_eq!(titles, expected.map(|def| def.title).collect::<Vec<_>>());
    assert!(titles.contains(&"Targets up") && titles.len() < panels().count());
    let omitted = panels().filter_map(|def| {
        let signal = def.signals.iter().find(|signal| !of_the_platform(signal))?;
        Some((def.title, *signal))
    });
    let named = dashboard
        .omitted_panels()
        .iter()
        .map(|panel| (panel.title, panel.signal));
    assert_eq!(named.collect::<Vec<_>>(), omitted.collect::<Vec<_>>());
}

#[test]
fn each_panel_says_what_it_shows_and_has_an_id_and_a_title_of_its_own() {
    let panels: Vec<_> = ROWS.iter().flat_map(|row| row.panels).collect();
    let ids: BTreeSet<_> = panels.iter().map(|def| def.id).collect();
    let titles: BTreeSet<_> = panels.iter().map(|def| def.title).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.id).collect();
    assert_eq!(
        (ids.len(), titles.len(), rows.len()),
        (panels.len(), panels.len(), ROWS.len())
    );
    for def in panels {
        assert!(def.description.len() > 20, "{} has no description", def.title);
        assert!(def.id.id() < 1000, "{}: rows begin at 1000", def.title);
    }
}

#[test]
fn the_data_source_is_the_readers_choice_and_nothing_has_to_be_imported_by_hand() {
    let dashboard = json_of(&orders(), &settings());
    assert_eq!(dashboard.get("__inputs"), None);
    assert_eq!(dashboard.get("id"), None);
    assert_eq!(dashboard["schemaVersion"], 39);
    assert_eq!(dashboard["refresh"], "30s");
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            assert_eq!(panel["interval"], "15s");
            assert_eq!(
                target["interval"], "15s",
                "$__rate_interval follows the scrape interval"
            );
        }
    }
}

#[test]
fn every_query_has_the_scrape_interval_as_its_smallest_step() {
    let slow = ApiFacts {
        scrape_interval_seconds: 60,
        ..orders()
    };
    let dashboard = json_of(&slow, &settings());
    let panels = dashboard["panels"].as_array().unwrap();
    let targets: Vec<_> = panels
        .iter()
        .filter_map(|panel| panel["targets"].as_array())
        .flatten()
        .collect();
    assert!(!targets.is_empty());
    for target in targets {
        assert_eq!(target["interval"], "1m", "{target}");
    }
}

#[test]
fn a_threshold_of_the_users_own_moves_the_panels_colour() {
    let own = AlertSettings {
        overrides: vec![AlertOverride {
            name: "ApiHighErrorRatio".to_owned(),
            threshold: Some("0.03".to_owned()),
            ..AlertOverride::default()
        }],
        ..settings()
    };
    let steps =
        panel(&json_of(&orders(), &own), PanelId::ErrorRate)["fieldConfig"]["defaults"]["thresholds"]["steps"].clone();
    assert_eq!(steps[1], json!({"color": "yellow", "value": 0.03}));
}

#[test]
fn active_requests_are_shown_as_their_alert_counts_them_and_its_threshold_moves_the_colours() {
    let own = AlertSettings {
        overrides: vec![AlertOverride {
            name: "ApiTooManyInFlight".to_owned(),
            threshold: Some("50".to_owned()),
            ..AlertOverride::default()
        }],
        ..settings()
    };
    let rules = controller_rules::build_rules(&orders(), &own).unwrap();
    let panel = panel(&json_of(&orders(), &own), PanelId::ActiveRequests);
    let query = panel["targets"][0]["expr"].as_str().unwrap();
    let rules = serde_json::to_value(&rules).unwrap().to_string();
    assert!(
        rules.contains(&json!(format!("{query} > 50")).to_string()),
        "{query} in {rules}"
    );
    assert_eq!(
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"],
        json!([{"color": "green", "value": null}, {"color": "red", "value": 50.0}])
    );
}

#[test]
fn a_panel_links_to_the_runbooks_of_its_alerts() {
    let own = AlertSettings {
        runbook_base_url: Some("https://example.org/runbooks".to_owned()),
        ..settings()
    };
    let links = panel(&json_of(&orders(), &own), PanelId::ErrorRate)["links"].clone();
    let titles: Vec<_> = links
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["title"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "Runbook: ApiHighErrorRatio",
        "Runbook: ApiCriticalErrorRatio",
        "Runbook: ApiLowVolumeErrors",
    ];
    assert_eq!(titles, expected);
    // A link that leads nowhere is worse than none.
    let unlinked = json_of(&orders(), &settings());
    assert!(!unlinked.to_string().contains("Runbook"), "{unlinked}");
}

#[test]
fn rules_and_dashboard_stay_far_below_the_limits_of_their_objects() {
    let dashboard = serde_json::to_string(&dashboard(&orders())).unwrap();
    let rules = serde_json::to_string(&common::rules(&orders())).unwrap();
    assert!(dashboard.len() < 200 * 1024 && rules.len() < 512 * 1024);
}

#[test]
fn panels_of_a_page_with_fewer_labels_show_what_it_has() {
    let spellings = spellings();
    let of = |dialect: &str, title: &str| {
        let spelling = spellings.iter().find(|spelling| spelling.dialect == dialect);
        let dashboard = build_dashboard(&ApiFacts { spelling, ..orders() }, &settings());
        let panels = panel_queries(&dashboard, "5m").into_iter();
        let exprs = panels
            .filter(|query| query.title == title)
            .map(|query| query.expr.to_string());
        let omitted = dashboard.omitted_panels().iter().find(|omitted| omitted.title == title);
        (exprs.collect::<Vec<_>>(), omitted.map(|omitted| omitted.signal))
    };
    let (exprs, omitted) = of("no-routes", "Request rate");
    assert_eq!((exprs.len(), omitted), (1, None), "the total without its parts");
    let by_route = of("no-routes", "Request distribution by endpoint");
    assert_eq!(by_route, (Vec::new(), Some(Signal::Routes)));
    let (exprs, _) = of("s1", "Average response time by endpoint");
    assert_eq!(exprs.len(), 1, "a route without a method");
    assert!(exprs[0].contains("(namespace, job, exported_endpoint)"), "{}", exprs[0]);
    let (exprs, _) = of("milliseconds", "Latency P50/P95/P99");
    assert!(exprs.iter().all(|expr| expr.ends_with("/ 1000")), "{exprs:?}");
    assert_eq!(of("summary", "Latency P50/P95/P99").1, Some(Signal::LatencyBuckets));
    assert_eq!(of("summary", "Average response time by endpoint").0.len(), 1);
}
