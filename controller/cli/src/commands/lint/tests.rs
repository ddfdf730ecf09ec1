use super::*;

/// What is printed for a file.
fn lint_text(text: &str, dialect: Option<DialectId>) -> Vec<String> {
    lint_on(text, dialect, &[])
}

/// The same beside captured pages.
fn lint_on(text: &str, dialect: Option<DialectId>, pages: &[&str]) -> Vec<String> {
    let source = LintedFile {
        name: "x.yaml".to_owned(),
        text: text.to_owned(),
        manifests: manifest::read(text).unwrap(),
    };
    let sources = [source];
    let captured: Vec<String> = pages.iter().map(|page| format!("{PAGES}{page}")).collect();
    let pages = super::pages(&captured, &sources).unwrap();
    let vocabularies = Vocabularies::new(TargetKind::ServiceMonitor, dialect, &pages, &[]);
    let page = pages.first().map(|page| &page.metrics);
    let problems = lint(&sources, vocabularies, page, &Settings::default());
    report::diagnostics(&problems, &sources)
}

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects/");
const FLASK: &str = "flask/pages/0.23.2/default.after.text";
const GIN: &str = "gin/pages/v1.0.2/default.after.text";

const RULES: &str = "groups:
- name: a
  rules:
  - record: job:up:count
    expr: count by (job) (up)
  - alert: A
    expr: |
      rate(http_requests_total[5m])
        > on (job) job:up:count + http_request_total
    labels: {severity: page}
    annotations: {summary: s, description: d, runbook_url: https://runbooks.example/A}
";

#[test]
fn a_finding_has_the_line_the_column_and_the_caret_of_the_part_that_is_meant() {
    let printed = lint_text(RULES, Some(DialectId::Native));
    assert_eq!(printed.len(), 1, "{printed:?}");
    let lines: Vec<_> = printed[0].lines().collect();
    assert_eq!(
        lines[0],
        "x.yaml:9:35: error: group a, alert A: http_request_total is not a metric that exists here [unknown-metric]"
    );
    assert_eq!(lines[1], "9 |         > on (job) job:up:count + http_request_total");
    assert_eq!(lines[2], "  |                                   ^^^^^^^^^^^^^^^^^^");
    assert!(
        lines[3].starts_with("  hint: use a metric of the dialect, for example http_requests_total"),
        "{}",
        lines[3]
    );
}

#[test]
fn without_a_dialect_metrics_of_any_name_pass() {
    assert_eq!(lint_text(RULES, None), [""; 0]);
}

#[test]
fn a_prometheus_rule_is_checked_at_its_spec_and_other_objects_are_skipped() {
    let indented: String = RULES.lines().map(|line| format!("  {line}\n")).collect();
    let text =
        format!("kind: Namespace\n---\napiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n{indented}");
    let printed = lint_text(&text, Some(DialectId::Native));
    assert!(
        printed[0].starts_with("x.yaml:14:37: error: group a, alert A"),
        "{printed:?}"
    );
}

#[test]
fn a_dashboard_may_read_what_a_rule_of_another_file_records() {
    let dashboard = r#"{"title": "D", "panels": [{"title": "P", "targets": [
        {"refId": "A", "expr": "job:up:count"}, {"refId": "B", "expr": "upp{job=\"$job\"}"}]}]}"#;
    let printed = lint_text(&format!("{RULES}---\n{dashboard}\n"), Some(DialectId::Native));
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(
        printed[1].contains("panel P, query B: upp is not a metric"),
        "{}",
        printed[1]
    );
    let config_map = format!("kind: ConfigMap\ndata:\n  d.json: '{dashboard}'\n  e.json: '{{'\n");
    let printed = lint_text(&config_map, Some(DialectId::Native));
    assert_eq!(printed.len(), 3, "{printed:?}");
    assert!(
        printed[0].contains("data.d.json: panel P, query A: job:up:count is not a metric"),
        "{printed:?}"
    );
    assert!(
        printed[2].contains("x.yaml:5:11: error: data.e.json: this is not a valid dashboard"),
        "{printed:?}"
    );
}

#[test]
fn a_monitored_api_is_checked_itself_and_with_what_is_generated_for_it() {
    let api = |spec: &str| {
        let text = format!(
            "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata:\n  name: orders\nspec: {spec}\n"
        );
        lint_text(&text, None)
    };
    assert_eq!(api("{image: a}"), [""; 0]);
    let printed = api("{image: a, relpicas: 3, metrics: {dialect: nativ}}");
    assert!(
        printed[0].contains("x.yaml:5:28: warning: spec.relpicas"),
        "{printed:?}"
    );
    assert!(
        printed[1].contains("x.yaml:5:50: error: spec.metrics.dialect"),
        "{printed:?}"
    );
    let labels: String = (0..32).map(|n| format!("{}{n}: v, ", "x".repeat(900))).collect();
    let large = api(&format!(
        "{{image: a, preset: native, alerts: {{labels: {{{labels}}}}}}}"
    ));
    assert!(
        large[0].starts_with("x.yaml:4:9: error: PrometheusRule orders: the rules have")
            && large[0].contains("[object-size]"),
        "{large:?}"
    );
}

/// A MonitoredApi with these metrics.
fn with_metrics(metrics: &str) -> String {
    format!(
        "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata:\n  name: orders\nspec:\n  image: a\n  metrics: {metrics}\n"
    )
}

#[test]
fn rules_that_fit_the_page_pass_and_a_dialect_that_it_contradicts_is_found_at_its_field() {
    assert_eq!(lint_on(&with_metrics("{dialect: auto}"), None, &[FLASK]), [""; 0]);
    assert_eq!(lint_on(&with_metrics("{dialect: flask}"), None, &[FLASK]), [""; 0]);
    let printed = lint_on(&with_metrics("{dialect: gin}"), None, &[FLASK]);
    assert_eq!(printed.len(), 1, "{printed:?}");
    let start = "x.yaml:7:22: error: spec.metrics.dialect: the rules and panels read the metrics of the dialect gin, but the page has \
                 those of flask: set flask, or auto [field]";
    assert!(printed[0].starts_with(start), "{printed:?}");
}

#[test]
fn names_by_hand_that_the_page_does_not_have_and_labels_that_clients_choose_are_found_at_their_fields() {
    let custom = "{dialect: custom, custom: {requests: {name: gin_requests_total, labels: {route: url, status: status}}, \
                  inFlight: {name: gin_active}}}";
    let printed = lint_on(&with_metrics(custom), None, &[GIN]);
    let expected = [
        "error: spec.metrics.custom.requests.labels.status: the page has no label status",
        "error: spec.metrics.custom.inFlight.name: the page has no metric gin_active",
        "warning: spec.metrics.custom.requests.labels.route: on the page, url has paths as clients wrote them",
    ];
    assert_eq!(printed.len(), expected.len(), "{printed:#?}");
    for (printed, expected) in printed.iter().zip(expected) {
        assert!(
            printed.starts_with("x.yaml:7:") && printed.contains(expected),
            "{printed}"
        );
    }
    // Without a page only the library's table can tell.
    let printed = lint_text(&with_metrics(custom), None);
    assert!(
        printed.len() == 1 && printed[0].contains("the library of the dialect gin writes into url"),
        "{printed:?}"
    );
}

#[test]
fn a_page_whose_library_is_not_clear_is_bad_input_unless_the_names_are_given_by_hand() {
    const BY_HAND: &str = "promclient-python/pages/0.26.0/no-route.after.text";
    let printed = lint_on(&with_metrics("{dialect: auto}"), None, &[BY_HAND]);
    assert!(
        printed.len() == 1
            && printed[0].contains("the library that wrote the page is not clear")
            && printed[0].contains("[input]"),
        "{printed:?}"
    );
}

#[test]
fn rules_of_others_may_read_every_page_and_group_by_nothing_that_clients_wrote() {
    let rule = |expr: &str| format!("groups:\n- name: a\n  rules:\n  - record: a:b\n    expr: {expr}\n");
    let both = "sum(rate(gin_requests_total[5m])) + sum(rate(flask_http_request_duration_seconds_count[5m]))";
    assert_eq!(lint_on(&rule(both), None, &[GIN, FLASK]), [""; 0]);
    assert!(lint_on(&rule(both), None, &[GIN])[0].contains("[unknown-metric]"));
    let grouped = lint_on(
        &rule("sum by (path) (rate(flask_http_request_duration_seconds_count[5m]))"),
        None,
        &[GIN, FLASK],
    );
    assert!(
        grouped.len() == 1 && grouped[0].contains("[client-label]"),
        "{grouped:?}"
    );
}

#[test]
fn rules_for_monitored_apis_are_made_for_one_page() {
    let text = with_metrics("{dialect: auto}");
    let sources = [LintedFile {
        name: "x.yaml".to_owned(),
        manifests: manifest::read(&text).unwrap(),
        text,
    }];
    let pages = [GIN, FLASK].map(|page| format!("{PAGES}{page}"));
    let error = super::pages(&pages, &sources).unwrap_err().to_string();
    assert!(error.contains("give --metrics once"), "{error}");
}
