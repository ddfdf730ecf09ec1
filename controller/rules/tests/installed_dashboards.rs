//! The dashboards that the chart installs once: of all MonitoredApis, and of the operator.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own helpers fail the test"
)]

mod common;

use std::collections::BTreeSet;

use controller_rules::{
    InstalledDashboard, build_installed_dashboard, dashboard_uid,
    lint::lint_installed_dashboard,
    operator::ALERTS,
    panel_queries,
    promql::{Expr, metrics},
};
use metric_contract::{platform, recorded_series, sloth};
use serde_json::{Value, json};

fn json_of(dashboard: InstalledDashboard) -> Value {
    serde_json::to_value(build_installed_dashboard(dashboard)).unwrap()
}

fn panels(dashboard: InstalledDashboard) -> Vec<Value> {
    json_of(dashboard)["panels"].as_array().unwrap().clone()
}

fn exprs(dashboard: InstalledDashboard) -> Vec<Expr> {
    let panels = dashboard.rows().into_iter().flat_map(|row| row.panels);
    panels.flat_map(|panel| panel.queries).map(|query| query.expr).collect()
}

/// A uid is in people's bookmarks, and an interval below that of the scrapes draws holes. The chart fills in the operator's.
#[test]
fn uids_and_intervals_are_pinned() {
    for (dashboard, uid, interval) in [
        (InstalledDashboard::Apis, "monitored-apis", "1m"),
        (
            InstalledDashboard::Operator,
            "monitored-api-operator",
            "OPERATOR_INTERVAL",
        ),
    ] {
        let built = build_installed_dashboard(dashboard);
        assert_eq!((dashboard.uid(), built.uid()), (uid, uid));
        let panels = panels(dashboard);
        let mut intervals = panels.iter().filter_map(|panel| panel.get("interval"));
        assert!(intervals.clone().count() > 5);
        assert!(intervals.all(|found| found == interval), "{dashboard:?}");
    }
}

#[test]
fn every_query_is_read_by_a_promql_parser_and_holds_no_variable() {
    for dashboard in InstalledDashboard::ALL {
        let queries = panel_queries(&build_installed_dashboard(*dashboard), "1m");
        assert!(queries.len() > 10);
        for query in queries {
            assert!(
                !query.expr.contains('$') || query.expr.contains("\"$1\""),
                "{}",
                query.expr
            );
            promql_parser::parser::parse(&query.expr)
                .unwrap_or_else(|error| panic!("{}: {error}\n{}", query.title, query.expr));
        }
    }
}

#[test]
fn the_lint_has_nothing_to_say_and_both_sides_of_every_operator_match() {
    for dashboard in InstalledDashboard::ALL {
        let built = build_installed_dashboard(*dashboard);
        let findings = lint_installed_dashboard(&built, built.to_json().len());
        assert_eq!(findings, [], "{dashboard:?}");
        for expr in exprs(*dashboard) {
            assert_eq!(common::labels::check_labels(&expr), Ok(()), "{expr}");
        }
    }
}

#[test]
fn the_overview_reads_nothing_that_is_called_differently_in_another_dialect() {
    let platforms = platform::OPERATOR_FAMILIES.iter().map(|family| family.name.to_owned());
    let known: BTreeSet<String> = platforms.chain([platform::ALERTS.name.to_owned()]).collect();
    for expr in exprs(InstalledDashboard::Apis) {
        for metric in metrics(&expr) {
            let metric = metric.as_str();
            let recorded = recorded_series::ALL
                .iter()
                .any(|series| metric.starts_with(&series.name("")));
            let known = recorded || known.contains(metric) || metric == sloth::BUDGET_REMAINING;
            assert!(known, "{metric} in {expr}");
        }
    }
}

#[test]
fn each_panel_says_what_it_shows_and_has_an_id_a_title_and_a_place_of_its_own() {
    for dashboard in InstalledDashboard::ALL {
        let panels = panels(*dashboard);
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].to_string()).collect();
        assert_eq!(ids.len(), panels.len());
        let shown: Vec<_> = panels.iter().filter(|panel| panel["type"] != "row").collect();
        let titles: BTreeSet<_> = shown.iter().map(|panel| panel["title"].to_string()).collect();
        assert_eq!(titles.len(), shown.len());
        let mut cells = BTreeSet::new();
        for panel in &panels {
            let side = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            for x in side("x")..side("x") + side("w") {
                for y in side("y")..side("y") + side("h") {
                    assert!(x < 24 && cells.insert((x, y)), "two panels at {x}, {y}");
                }
            }
        }
        for panel in shown {
            assert!(panel["description"].as_str().unwrap().len() > 20, "{panel}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{panel}");
        }
    }
}

#[test]
fn their_uids_are_those_of_no_api_and_the_reader_chooses_prometheus_and_namespaces() {
    for dashboard in InstalledDashboard::ALL {
        let json = json_of(*dashboard);
        assert_eq!(json["uid"], dashboard.uid());
        assert!(!dashboard.uid().contains('_') && dashboard.uid().len() <= 40);
        assert!(dashboard_uid("a", "b").contains('_'), "that of every API does");
        assert_eq!(json.get("__inputs"), None);
        assert_eq!(json["templating"]["list"][0]["type"], "datasource");
        assert_eq!(json["templating"]["list"][1]["name"], "namespace");
        for panel in panels(*dashboard) {
            for target in panel["targets"].as_array().into_iter().flatten() {
                assert_eq!(target["datasource"]["uid"], "${datasource}");
                assert!(
                    target["expr"].as_str().unwrap().contains("=~\"$namespace\"")
                        || target["expr"].as_str().unwrap().contains("=~\"$job\""),
                    "{target}"
                );
            }
        }
    }
}

#[test]
fn a_line_of_the_overview_leads_to_the_dashboard_of_its_api() {
    let all = panels(InstalledDashboard::Apis);
    let table = all.iter().find(|panel| panel["type"] == "table").unwrap();
    assert_eq!(table["targets"][0]["format"], "table");
    assert!(
        table["targets"][0]["expr"].as_str().unwrap().contains("dashboard)"),
        "the uid is a label: {table}"
    );
    let organize = &table["transformations"][1]["options"];
    assert_eq!(organize["renameByName"]["dashboard"], "Dashboard");
    assert_eq!(organize["renameByName"]["Value #D"], "Requests");
    assert_eq!(organize["excludeByName"], json!({"Time": true, "Value #A": true}));
    let overrides = table["fieldConfig"]["overrides"].as_array().unwrap();
    let of = |title: &str| {
        let found = overrides.iter().find(|row| row["matcher"]["options"] == title);
        found.unwrap_or_else(|| panic!("nothing about {title}"))["properties"].clone()
    };
    let url = of("Dashboard")[0]["value"][0]["url"].clone();
    assert!(url.as_str().unwrap().starts_with("/d/${__value.raw}?"), "{url}");
    assert_eq!(of("P95")[0], json!({"id": "unit", "value": "s"}));
    let units: BTreeSet<_> = table["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["refId"].clone().to_string())
        .collect();
    assert_eq!(units.len(), 8);
}

#[test]
fn the_value_of_a_tables_only_query_has_no_letter() {
    let all = panels(InstalledDashboard::Apis);
    let alerts = all.iter().find(|panel| panel["title"] == "Firing alerts").unwrap();
    assert_eq!(
        alerts["transformations"][1]["options"]["renameByName"]["Value"],
        "Count"
    );
}

#[test]
fn the_operators_dashboard_follows_its_alerts_and_links_to_each_runbook() {
    let text = json_of(InstalledDashboard::Operator).to_string() + &json_of(InstalledDashboard::Apis).to_string();
    for alert in ALERTS {
        assert!(
            text.contains(&format!("RUNBOOK_BASE_URL/{}.md", alert.name)),
            "{}",
            alert.name
        );
    }
    let all = panels(InstalledDashboard::Operator);
    let steps = |title: &str| {
        let panel = all.iter().find(|panel| panel["title"] == title).unwrap();
        panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"].clone()
    };
    let rules = serde_json::to_string(&controller_rules::build_operator_rules(
        controller_rules::OperatorTarget {
            namespace: "ops",
            job: "op",
        },
    ))
    .unwrap();
    for (title, comparison) in [("Watch staleness", "> 600"), ("Errors by class", "> 3")] {
        assert!(rules.contains(comparison));
        assert_eq!(
            json!(format!("> {}", steps(title).as_f64().unwrap())),
            comparison,
            "{title}"
        );
    }
}
