//! The dashboards that the chart installs.

use std::path::Path;

use serde_json::{Value, json};

use super::{MONITORING, objects, ours};

/// The dashboards of a rendered chart, with the labels of their ConfigMaps.
fn dashboards(values: &Value) -> Vec<(Value, Value)> {
    let objects = ours(values).unwrap();
    let maps = objects.iter().filter(|object| object["kind"] == "ConfigMap");
    maps.map(|map| {
        let data: Vec<_> = map["data"].as_object().unwrap().values().collect();
        assert_eq!(data.len(), 1);
        let dashboard = serde_json::from_str(data[0].as_str().unwrap()).unwrap();
        (map["metadata"]["labels"].clone(), dashboard)
    })
    .collect()
}

#[test]
fn two_dashboards_are_installed_where_grafanas_sidecar_finds_them() {
    let made = dashboards(&json!({"serviceMonitor": {"interval": "45s"}, "dashboards": {"labels": {"team": "b"}}}));
    let uids: Vec<_> = made.iter().map(|(_, dashboard)| &dashboard["uid"]).collect();
    assert_eq!(uids, ["monitored-apis", "monitored-api-operator"]);
    for (labels, dashboard) in &made {
        assert_eq!(
            (&labels["grafana_dashboard"], &labels["team"]),
            (&json!("1"), &json!("b"))
        );
        let text = dashboard.to_string();
        assert!(
            !text.contains("RUNBOOK_BASE_URL") && !text.contains("OPERATOR_"),
            "{text}"
        );
    }
    let operator = made[1].1["panels"].as_array().unwrap();
    let interval = |panel: &Value| panel["interval"].clone();
    assert!(operator.iter().any(|panel| interval(panel) == "45s"));
    let odd = dashboards(&json!({"serviceMonitor": {"interval": "1m30s"}}));
    assert!(
        odd[1].1.to_string().contains(r#""interval":"5m""#),
        "Grafana cannot read 1m30s"
    );
}

#[test]
fn the_dashboards_link_to_runbooks_only_where_it_is_known_where_they_are() {
    let unlinked = dashboards(&json!({}));
    let linked = dashboards(&json!({"defaults": {"runbookBaseUrl": "https://example.org/r?a=1&b=2/"}}));
    for ((_, without), (_, with)) in unlinked.iter().zip(&linked) {
        assert!(!without.to_string().contains(".md\""), "{without}");
        let alert = "https://example.org/r?a=1&b=2/MonitoredApi";
        assert!(with.to_string().contains(alert), "{with}");
        assert_eq!(
            without["panels"].as_array().unwrap().len(),
            with["panels"].as_array().unwrap().len()
        );
    }
    let links = |dashboard: &Value| dashboard.to_string().matches("${__value.raw}").count();
    assert_eq!((links(&unlinked[0].1), links(&linked[0].1)), (1, 2));
}

#[test]
fn the_dashboards_can_be_turned_off_and_need_what_the_operator_is_scraped_with() {
    let has = |values: Value, apis: &[&str]| {
        let objects = objects("op", Path::new("charts/monitored-api"), &values, apis).unwrap();
        objects.iter().filter(|object| object["kind"] == "ConfigMap").count()
    };
    assert_eq!(has(json!({}), &[MONITORING]), 2);
    assert_eq!(has(json!({"dashboards": null}), &[MONITORING]), 2);
    assert_eq!(has(json!({"dashboards": {"enabled": false}}), &[MONITORING]), 0);
    assert_eq!(has(json!({"serviceMonitor": {"enabled": false}}), &[MONITORING]), 0);
    assert_eq!(has(json!({}), &[]), 0);
}

#[test]
fn each_dashboard_has_a_grafana_dashboard_where_the_cluster_serves_that_kind() {
    let made = |values: Value, apis: &[&str]| {
        let objects = objects("op", Path::new("charts/monitored-api"), &values, apis).unwrap();
        let of_kind = objects.iter().filter(|object| object["kind"] == "GrafanaDashboard");
        let all: Vec<_> = of_kind
            .map(|object| (object["metadata"]["name"].clone(), object["spec"].clone()))
            .collect();
        for (_, spec) in &all {
            let map = objects
                .iter()
                .find(|object| object["metadata"]["name"] == spec["configMapRef"]["name"])
                .unwrap();
            let key = spec["configMapRef"]["key"].as_str().unwrap();
            assert!(map["data"][key].is_string(), "{map}");
        }
        all
    };
    let grafana = "grafana.integreatly.org/v1beta1";
    assert_eq!(made(json!({}), &[MONITORING]), []);
    let all = made(json!({}), &[MONITORING, grafana]);
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|(_, spec)| spec["instanceSelector"] == json!({})));
    let labels = json!({"defaults": {"grafanaInstanceLabels": {"dashboards": "grafana"}}});
    let selected = made(labels, &[MONITORING, grafana]);
    for ((name, _), (other, spec)) in all.iter().zip(&selected) {
        assert_eq!(
            spec["instanceSelector"],
            json!({"matchLabels": {"dashboards": "grafana"}})
        );
        assert_ne!(name, other, "the selector of an object that exists cannot be changed");
    }
}
