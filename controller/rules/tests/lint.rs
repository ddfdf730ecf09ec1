//! The lint finds the mistakes of others, and nothing in our own rules and dashboards, for every dialect and target.

mod common;

use common::{custom_spellings, dashboard, in_dialect, listed, orders, overall, rules, settings, undetected};
use controller_rules::{
    AlertSettings, ApiFacts, ApiLimits, Compat, build_rules, generate_dashboard, generate_rules,
    lint::{
        Check, Finding, Vocabulary, lint_dashboard, lint_dashboard_file, lint_rule_file, lint_rules, vocabulary_of,
    },
};
use metric_contract::{DialectId, TargetKind};
use serde_json::{Value, json};

/// `shop/orders` in every dialect and spelled by hand, behind every kind of target, with and without limits; before it was scraped; and with
/// metrics over all routes.
fn apis() -> Vec<ApiFacts<'static>> {
    let compat = Some(Compat::Sloth);
    let mut apis = vec![
        undetected(),
        overall(),
        ApiFacts { compat, ..orders() },
        ApiFacts { compat, ..undetected() },
    ];
    let proxies = DialectId::ALL.iter().filter(|id| id.proxy().is_some());
    apis.extend(proxies.clone().map(|id| in_dialect(*id)));
    apis.extend(proxies.map(|id| ApiFacts {
        compat,
        limits: ApiLimits::default(),
        ..in_dialect(*id)
    }));
    let tables = DialectId::ALL
        .iter()
        .filter(|id| id.proxy().is_none())
        .map(|id| id.spelling());
    let by_hand = custom_spellings().into_iter().map(|(_, spelling)| spelling);
    for spelling in tables.chain(by_hand) {
        for target in [TargetKind::ServiceMonitor, TargetKind::Static] {
            for limits in [orders().limits, ApiLimits::default()] {
                apis.push(ApiFacts {
                    spelling: Some(spelling),
                    target,
                    limits,
                    ..orders()
                });
            }
        }
    }
    apis
}

fn sentences(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn nothing_is_found_in_what_is_generated() {
    for api in apis() {
        let name = api.spelling.map(|spelling| &*spelling.dialect);
        let rules = generate_rules(&api, &settings()).unwrap();
        let found = sentences(rules.findings());
        assert!(
            found.is_empty(),
            "rules of {name:?}, {:?}:{}",
            api.target,
            listed(&found)
        );
        let found = sentences(generate_dashboard(&api, &settings()).findings());
        assert!(
            found.is_empty(),
            "dashboard of {name:?}, {:?}:{}",
            api.target,
            listed(&found)
        );
    }
}

#[test]
fn parsed_text_gives_the_findings_of_the_tree_that_was_printed() {
    // In the vocabulary of another dialect many names are unknown, so that there is something to compare.
    let foreign = ApiFacts {
        spelling: Some(DialectId::OtelHttp.spelling()),
        ..orders()
    };
    let key = |finding: &Finding| (finding.place.path.clone(), finding.check, finding.sentence.clone());
    // An API without limits has fewer alerts of the same kinds.
    for api in apis().into_iter().filter(|api| api.limits == orders().limits) {
        let (rules, dashboard) = (rules(&api), dashboard(&api));
        for facts in [api, foreign] {
            let mut own: Vec<_> = lint_rules(&rules, &facts, 0).iter().map(key).collect();
            let mut read: Vec<_> = lint_rule_file(&json!(rules), &vocabulary_of(&facts))
                .iter()
                .map(key)
                .collect();
            own.sort();
            read.sort();
            assert_eq!(own, read);
            let own: Vec<_> = lint_dashboard(&dashboard, &facts, 0).iter().map(key).collect();
            let vocabulary = vocabulary_of(&facts).with_recorded_series();
            let read: Vec<_> = lint_dashboard_file(&json!(dashboard), &vocabulary)
                .iter()
                .map(key)
                .collect();
            assert_eq!(own, read);
        }
    }
    assert!(!lint_rules(&rules(&orders()), &foreign, 0).is_empty());
}

/// The ids of what is found in an alert with this expression.
fn found_in(expr: &str) -> Vec<&'static str> {
    let file = json!({"groups": [{"name": "a", "rules": [{
        "alert": "A", "expr": expr, "labels": {"severity": "warning"},
        "annotations": {"summary": "s", "description": "d", "runbook_url": "https://runbooks.example/A"},
    }]}]});
    let findings = lint_rule_file(&file, &vocabulary_of(&orders()));
    findings.iter().map(|finding| finding.check.id()).collect()
}

#[test]
fn expressions_that_can_work_pass() {
    for expr in [
        "sum by (route) (rate(http_requests_total{status=~\"5..\"}[5m])) > 1",
        "sum by (job) (up) / count by (job) (up) < 0.5",
        "sum by (job, route) (rate(http_requests_total[5m])) / on (job) group_left sum by (job) (up) > 3",
        "sum without (route, method) (rate(http_requests_total[5m])) > 1 and on (job) up == 1",
        "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1",
        "absent(up{job=\"x\"})",
        "max by (job) (label_replace(monitored_api_replicas_ready, \"job\", \"$1\", \"name\", \"(.+)\")) < sum by (job) (up)",
        "sum by (job) (rate(http_requests_total[5m])) unless sum by (job) (ALERTS{alertstate=\"firing\"})",
        "time() - process_start_time_seconds > 60",
        "rate(http_requests_total[5m]) > 0",
        "(up == bool 0) > 0",
        "hour() > 8 and on () vector(1)",
        "{__name__=~\"http_.*\", route=\"/\"} > 0",
        "max_over_time(rate(http_requests_total[5m])[1h:5m]) > 3",
        "-up < 0",
        "count_values(\"version\", app_info) > 1",
        "http_requests_total{route=~\"/{{id}}\"} > 1",
        "topk by (job) (3, http_requests_in_progress) > 3",
        "sum by (job) (up == 0)",
        "sum by (job) (rate(http_requests_total{zone=\"\"}[5m])) > 0",
        // A label that is only added to some series may be there, and one that is only taken from some may be left.
        "label_replace(sum by (job) (up), \"extra\", \"$1\", \"job\", \"(a.*)\") / sum by (job) (up) > 1",
        "label_replace(sum by (job) (up), \"extra\", \"\", \"job\", \".+\") / sum by (job) (up) > 1",
        "sum by (route) (label_replace(http_requests_total, \"route\", \"\", \"route\", \"/a.*\")) > 1",
        "sum by (job, route) (http_requests_total) / ignoring (route) sum by (job) (up) > 1",
    ] {
        assert_eq!(found_in(expr), [""; 0], "{expr}");
    }
}

#[test]
fn expressions_that_cannot_work_are_found() {
    for (expr, check) in [
        ("sum(rate(http_requests_total[5m])", Check::Syntax),
        ("rate(http_requests_total) > 0", Check::Syntax),
        ("http_request_total > 0", Check::UnknownMetric),
        ("rate(http_requests_total{code=\"500\"}[5m]) > 0", Check::UnknownLabel),
        ("sum by (endpoint_name) (http_requests_total) > 0", Check::UnknownLabel),
        (
            "sum by (route) (sum by (job) (http_requests_total)) > 0",
            Check::UnknownLabel,
        ),
        (
            "histogram_quantile(0.9, sum by (job) (rate(http_request_duration_seconds_bucket[5m]))) > 1",
            Check::UnknownLabel,
        ),
        (
            "sum by (route) (http_requests_total) / sum by (job) (http_requests_total) > 1",
            Check::OperatorMatch,
        ),
        ("sum(up) / on (job) count by (job) (up) < 1", Check::OperatorMatch),
        (
            "label_replace(sum by (job) (up), \"extra\", \"x\", \"job\", \".+\") / sum by (job) (up) > 1",
            Check::OperatorMatch,
        ),
        (
            "sum by (route) (label_replace(http_requests_total, \"route\", \"\", \"route\", \".*\")) > 1",
            Check::UnknownLabel,
        ),
        (
            "sum by (nope) (label_replace(http_requests_total, \"nope\", \"\", \"route\", \"x\")) > 1",
            Check::UnknownLabel,
        ),
        ("http_requests_total{route=~\"(\"} > 1", Check::Syntax),
        ("http_requests_total > 1 and sum(up) > 1", Check::OperatorMatch),
        ("http_requests_total * ignoring (route) up > 1", Check::OperatorMatch),
        ("sum by (job) (up) > 1 or vector(1) > 0", Check::UnionLabels),
        (
            "sum(rate(http_requests_total{zone=\"a\"}[5m])) > 0",
            Check::UnknownLabel,
        ),
        ("sum(rate(http_requests_total[5m])) < 0", Check::ConstantComparison),
        ("count by (job) (app_info) < 0", Check::ConstantComparison),
        ("rate(http_requests_total[5m]) >= 0", Check::ConstantComparison),
        ("up > 1", Check::ConstantComparison),
        ("1 > bool 2", Check::ConstantComparison),
        ("app_info == app_info", Check::ConstantComparison),
        ("vector(1) > 0", Check::ConstantComparison),
        ("rate(http_requests_total[5m])", Check::AlwaysFiring),
        ("up == bool 0", Check::AlwaysFiring),
    ] {
        assert!(found_in(expr).contains(&check.id()), "{expr}: {:?}", found_in(expr));
    }
}

#[test]
fn a_message_says_which_side_has_the_label() {
    let found = |expr: &str| {
        let file = json!({"groups": [{"name": "a", "rules": [{"record": "a:b", "expr": expr}]}]});
        sentences(&lint_rule_file(&file, &vocabulary_of(&orders())))
    };
    let with = "sum by (job, route) (http_requests_total)";
    let without = "sum by (job) (up)";
    for (expr, words) in [
        (
            format!("{with} / {without}"),
            "the left side of / carries the label route and the right side does not",
        ),
        (
            format!("{without} / {with}"),
            "the right side of / carries the label route and the left side does not",
        ),
    ] {
        assert!(found(&expr)[0].contains(words), "{:?}", found(&expr));
    }
    // A series of a union may have the labels of either side.
    let union = format!("sum by (route) ({without} or {with})");
    assert!(
        !found(&union).iter().any(|sentence| sentence.contains("unknown-label")),
        "{:?}",
        found(&union)
    );
}

#[test]
fn known_metrics_depend_on_how_prometheus_finds_the_targets() {
    let renamed = json!({"groups": [{"name": "a", "rules": [
        {"record": "a:b", "expr": "sum by (exported_endpoint) (http_requests_total)"},
    ]}]});
    let found = |target| {
        let spelling = Some(DialectId::S0.spelling());
        let api = ApiFacts {
            spelling,
            target,
            ..orders()
        };
        lint_rule_file(&renamed, &vocabulary_of(&api)).len()
    };
    let (monitored, fixed) = (TargetKind::ServiceMonitor, TargetKind::Static);
    assert_eq!([monitored, fixed, monitored, fixed].map(found), [0, 1, 0, 1]);
}

#[test]
fn an_alert_without_what_a_person_needs_is_found() {
    let rule = |labels: Value, annotations: Value| {
        let rules = json!([{"alert": "A", "expr": "up == 0", "labels": labels, "annotations": annotations}]);
        let file = json!({"groups": [{"name": "a", "rules": rules}]});
        sentences(&lint_rule_file(&file, &vocabulary_of(&orders())))
    };
    let found = rule(json!({}), json!({"summary": " "}));
    assert_eq!(found.len(), 4, "{found:?}");
    for what in [
        "annotation summary",
        "annotation description",
        "runbook",
        "label severity",
    ] {
        assert!(
            found.iter().any(|sentence| sentence.contains(what)),
            "{what}: {found:?}"
        );
    }
    let whole = json!({"summary": "s", "description": "d", "runbook": "https://runbooks.example/A"});
    assert_eq!(rule(json!({"severity": "page"}), whole), [""; 0]);
}

#[test]
fn a_form_that_prometheus_refuses_is_found_with_its_place() {
    let rule = |rule: Value| json!({"groups": [{"name": "a", "rules": [rule]}]});
    for (file, path, word) in [
        (json!({}), "", "groups"),
        (json!({"groups": [{"rules": []}]}), "groups[0]", "name"),
        (
            json!({"groups": [{"name": "a"}, {"name": "a"}]}),
            "groups[0].name",
            "several",
        ),
        (
            json!({"groups": [{"name": "a", "intervall": "1m"}]}),
            "groups[0].intervall",
            "intervall",
        ),
        (
            json!({"groups": [{"name": "a", "interval": "1 minute"}]}),
            "groups[0].interval",
            "duration",
        ),
        (rule(json!({"expr": "up"})), "groups[0].rules[0]", "either"),
        (
            rule(json!({"record": "a:b", "alert": "A", "expr": "up"})),
            "groups[0].rules[0]",
            "either",
        ),
        (
            rule(json!({"record": "a b", "expr": "up"})),
            "groups[0].rules[0].record",
            "series",
        ),
        (rule(json!({"record": "a:b"})), "groups[0].rules[0]", "expr"),
        (
            rule(json!({"record": "a:b", "expr": " "})),
            "groups[0].rules[0]",
            "expr",
        ),
        (
            rule(json!({"alert": "A", "expr": "up == 0", "for": 5})),
            "groups[0].rules[0].for",
            "duration",
        ),
        (
            rule(json!({"record": "a:b", "expr": "up", "for": "5m"})),
            "groups[0].rules[0].for",
            "for",
        ),
        (
            rule(json!({"record": "a:b", "expr": "up", "labels": {"a-b": "c"}})),
            "groups[0].rules[0].labels",
            "a-b",
        ),
        (
            rule(json!({"record": "a:b", "expr": "up", "labels": {"a": 1}})),
            "groups[0].rules[0].labels.a",
            "text",
        ),
    ] {
        let findings = lint_rule_file(&file, &vocabulary_of(&orders()));
        let found = findings.iter().find(|finding| finding.check == Check::Form);
        let found = found.unwrap_or_else(|| panic!("{file}: {findings:?}"));
        assert_eq!(found.place.path, path, "{file}");
        assert!(found.sentence.contains(word), "{found}");
    }
}

#[test]
fn a_series_that_the_same_file_records_has_the_labels_of_its_rule() {
    let file = |expr: &str| {
        json!({"groups": [{"name": "a", "rules": [
            {"record": "a:b", "expr": "sum by (job) (up)", "labels": {"kind": "x"}},
            {"record": "a:c", "expr": expr},
        ]}]})
    };
    let found = |expr| sentences(&lint_rule_file(&file(expr), &vocabulary_of(&orders())));
    assert_eq!(found("sum by (kind, job) (a:b)"), [""; 0]);
    assert!(found("sum by (route) (a:b)")[0].contains("use one of job, kind"));
    assert!(found("a:d > 1")[0].contains("a:d is not a metric"));
    assert!(found("a:b / sum by (job) (up)")[0].contains("label kind"));
}

#[test]
fn queries_of_a_dashboard_are_checked_in_every_panel_and_with_variables() {
    let panel = |expr: &str| json!({"title": "P", "targets": [{"refId": "A", "expr": expr}]});
    let found = |dashboard: Value| lint_dashboard_file(&dashboard, &vocabulary_of(&orders()));
    let good = "sum by ($by) (rate(http_requests_total{job=~\"$job\"}[$__rate_interval])) > $limit";
    assert_eq!(found(json!({"panels": [panel(good)]})), []);
    for number in ["$limit_ms", "$limit_s", "$__range_s", "$__interval_ms"] {
        assert_eq!(
            found(json!({"panels": [panel(&format!("http_requests_total > {number}"))]})),
            [],
            "{number}"
        );
    }
    let inner = json!({"type": "row", "panels": [panel("up"), panel("upp")]});
    let findings = found(json!({"panels": [panel("up"), inner]}));
    assert_eq!(findings[0].place.path, "panels[1].panels[1].targets[0].expr");
    assert_eq!(findings[0].check, Check::UnknownMetric);
    let old = json!({"rows": [{"panels": [panel("rate(up)")]}]});
    assert_eq!(found(old)[0].check, Check::Syntax);
    let loki = json!({"title": "logs", "datasource": {"type": "loki"}, "targets": [{"expr": "{app=\"x\"} |= \"y\""}]});
    assert_eq!(found(json!({"panels": [loki]})), []);
}

#[test]
fn rules_that_are_too_large_to_be_written_are_found() {
    let settings = AlertSettings {
        labels: (0..50).map(|n| (format!("label_{n}"), "x".repeat(400))).collect(),
        ..AlertSettings::default()
    };
    assert!(build_rules(&orders(), &settings).is_ok());
    let found = sentences(generate_rules(&orders(), &settings).unwrap().findings());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("512 KiB") && found[0].contains("object-size"),
        "{found:?}"
    );
}

#[test]
fn without_a_dialect_every_metric_of_others_passes() {
    let file =
        json!({"groups": [{"name": "a", "rules": [{"record": "a:b", "expr": "sum by (x) (node_load1{y=\"z\"})"}]}]});
    let vocabulary = Vocabulary::of_the_platform(TargetKind::ServiceMonitor);
    assert_eq!(lint_rule_file(&file, &vocabulary), []);
}

#[test]
fn groups_by_what_clients_wrote_are_found_in_the_rules_of_others() {
    let vocabulary = Vocabulary::of_the_platform(TargetKind::ServiceMonitor).with_spelling(DialectId::Gin.spelling());
    let found = |expr: &str| {
        let file = serde_json::json!({"groups": [{"name": "g", "rules": [{"record": "a:b", "expr": expr}]}]});
        let findings = lint_rule_file(&file, &vocabulary);
        findings.iter().map(|finding| finding.check.id()).collect::<Vec<_>>()
    };
    for expr in [
        "sum by (host) (rate(gin_requests_total[5m]))",
        "topk(10, sum by (url, code) (rate(gin_requests_total[5m])))",
        "histogram_quantile(0.9, sum by (le, url) (rate(gin_request_duration_seconds_bucket[5m])))",
    ] {
        assert_eq!(found(expr), ["client-label"], "{expr}");
    }
    for expr in [
        "sum by (code, handler) (rate(gin_requests_total{url!~\"/healthz\"}[5m]))",
        "sum by (namespace) (rate(process_cpu_seconds_total[5m]))",
    ] {
        assert_eq!(found(expr), [""; 0], "{expr}");
    }
}
