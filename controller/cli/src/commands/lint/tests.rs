use super::*;

/// What is printed for a file.
fn lint_text(text: &str, dialect: Option<DialectId>) -> Vec<String> {
    let source = LintedFile {
        name: "x.yaml".to_owned(),
        text: text.to_owned(),
        manifests: manifest::read(text).unwrap(),
    };
    let vocabularies = Vocabularies::new(TargetKind::ServiceMonitor, dialect, &[], &[]).unwrap();
    let sources = [source];
    let problems = lint(&sources, vocabularies, &Settings::default());
    report::diagnostics(&problems, &sources)
}

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
