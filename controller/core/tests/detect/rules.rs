//! What is made for a page: rules and panels on what stands there.

use std::{collections::BTreeSet, sync::Arc};

use controller_api::{MetricsStatus, MonitoredApi};
use controller_core::{
    detect::detect,
    facts::Settings,
    probe::{KnownPage, from_status, to_status},
    render::render_with_page,
};
use metric_contract::{Spelling, TargetKind};
use serde_json::{Value, json};

use crate::captured::{distinct, found_on};

/// `shop/orders` with monitoring, an objective and nothing said of its metrics.
fn orders() -> MonitoredApi {
    serde_json::from_value(json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "image": "orders:1", "monitoring": {"enabled": true},
            "objectives": [{"name": "availability", "type": "Availability", "target": "99.9"}],
        },
    }))
    .unwrap()
}

#[test]
fn rules_and_panels_of_every_page_read_what_stands_there_and_pass_the_lint() {
    let mut tried = 0;
    for captured in distinct() {
        let Some(found) = detect(&captured.page).found else {
            continue;
        };
        tried += 1;
        let counting = found.spelling.requests().unwrap();
        let (series, page) = (counting.series.into_owned(), Arc::new(found.spelling.clone()));
        // An object in which the lint finds a mistake is a violation.
        let rendered = render_with_page(&orders(), &Settings::default(), Some(&page));
        let rendered = rendered.unwrap_or_else(|violations| panic!("{}: {violations:?}", captured.name));
        for kind in ["PrometheusRule", "ConfigMap"] {
            let mut objects = rendered.objects.iter().map(|intent| intent.object());
            let object = objects.find(|object| object["kind"] == kind).unwrap();
            assert!(
                object.to_string().contains(&series),
                "{}: no {series} in the {kind}",
                captured.name
            );
        }
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn nothing_is_grouped_by_what_clients_wrote_and_probes_are_still_left_out() {
    let mut raw = 0;
    for captured in distinct() {
        let Some(found) = detect(&captured.page).found else {
            continue;
        };
        let labels = found.spelling.metrics.iter().flat_map(|metric| &metric.labels);
        let of_clients = labels.filter(|(_, attribute)| attribute.is_of_client());
        let of_clients: BTreeSet<&str> = of_clients.map(|(label, _)| &**label).collect();
        let text = Value::from(objects(&found.spelling)).to_string();
        for grouping in text.split(" by (").skip(1) {
            let by = grouping.split(')').next().unwrap();
            let mut by = by.split(", ").map(|label| label.trim_start_matches("exported_"));
            assert!(
                !by.any(|label| of_clients.contains(label)),
                "{}: by ({grouping}",
                captured.name
            );
        }
        if let Some(path) = found.spelling.raw_path() {
            raw += 1;
            let stored = TargetKind::ServiceMonitor.stored_label(path);
            let excluded = format!(r#"{stored}!=\"/metrics\""#);
            assert!(text.contains(&excluded), "{}: {path}", captured.name);
            assert!(!text.contains("Request distribution by endpoint"), "{}", captured.name);
        }
    }
    assert!(raw > 8, "{raw}");
}

/// The objects that are made for a spelling, as JSON.
fn objects(spelling: &Spelling) -> Vec<Value> {
    let page = Arc::new(spelling.clone());
    let rendered = render_with_page(&orders(), &Settings::default(), Some(&page)).unwrap();
    rendered.objects.iter().map(|intent| intent.object().clone()).collect()
}

#[test]
fn a_page_as_the_status_keeps_it_gives_the_same_rules_and_panels_after_a_restart() {
    let mut tried = 0;
    for captured in distinct() {
        let Some(found) = detect(&captured.page).found else {
            continue;
        };
        tried += 1;
        let known = KnownPage::of(&found);
        let status = to_status(&known, Some("6d4b75cb6d"));
        let read: MetricsStatus = serde_json::from_value(serde_json::to_value(&status).unwrap()).unwrap();
        let again = from_status(&read).unwrap_or_else(|| panic!("{}: {read:?}", captured.name));
        assert_eq!(again, known, "{}", captured.name);
        assert_eq!(to_status(&again, Some("6d4b75cb6d")), status, "{}", captured.name);
        assert_eq!(objects(&again.spelling), objects(&found.spelling), "{}", captured.name);
    }
    assert!(tried > 80, "{tried}");
}

#[test]
fn the_status_names_prefix_and_other_names_of_a_page() {
    let status = |page: &str| to_status(&KnownPage::of(&found_on(page).found.unwrap()), None);
    let prefixed = status("flask/pages/0.23.2/prefixed.after.text");
    assert!(prefixed.prefix.is_some() && prefixed.renamed.is_empty(), "{prefixed:?}");
    let renamed = status("express-prom-bundle/pages/8.0.0/renamed.after.text");
    assert_eq!(renamed.confidence.as_deref(), Some("Renamed"));
    let duration = "http_request_duration_seconds";
    assert_eq!(
        renamed.renamed.get(duration).map(String::as_str),
        Some("shop_request_seconds")
    );
    assert_eq!(renamed.buckets_seconds.len(), 6);
}

#[test]
fn a_dialect_that_the_author_names_is_kept_and_its_own_page_is_read_closer() {
    let mut api = orders();
    let flask = Arc::new(
        found_on("flask/pages/0.23.2/prefixed.after.text")
            .found
            .unwrap()
            .spelling,
    );
    let rules = |api: &MonitoredApi| {
        let rendered = render_with_page(api, &Settings::default(), Some(&flask)).unwrap();
        let mut objects = rendered.objects.iter().map(|intent| intent.object());
        objects
            .find(|object| object["kind"] == "PrometheusRule")
            .unwrap()
            .to_string()
    };
    let name = |api: &mut MonitoredApi, dialect: &str| {
        api.spec.metrics = Some(serde_json::from_value(json!({"dialect": dialect})).unwrap());
    };
    name(&mut api, "flask");
    assert!(rules(&api).contains("shop_http_request_duration_seconds_count"));
    name(&mut api, "gin");
    let gin = rules(&api);
    assert!(
        gin.contains("gin_requests_total") && !gin.contains("shop_http_request"),
        "{gin}"
    );
}
