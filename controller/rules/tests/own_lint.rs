//! The lint sees a mistake in what we generate ourselves, in rules, in an API's dashboard and in those of the chart.

mod common;

use common::{dashboard, objective, orders, rules, settings};
use controller_rules::{
    AlertSettings, ApiFacts, CounterSelector, CounterSum, ObjectiveEvents, RecordingRule, Rule, RuleSet,
    dashboards::{InstalledDashboard, build_installed_dashboard},
    generate_dashboard,
    lint::{
        Check, Finding, lint_dashboard, lint_installed_dashboard, lint_rule_file, lint_rules, sentence, vocabulary_of,
    },
    promql::MetricName,
};
use metric_contract::DialectId;
use serde_json::json;

/// The page of another dialect than the one that rules and dashboard of `shop/orders` were made for.
fn foreign() -> ApiFacts<'static> {
    ApiFacts {
        spelling: Some(DialectId::OtelHttp.spelling()),
        ..orders()
    }
}

fn checks(findings: &[Finding]) -> Vec<Check> {
    findings.iter().map(|finding| finding.check).collect()
}

/// The rules of an objective on two counters of the API's own.
fn rules_of_payments() -> RuleSet {
    let counter = |name: &str| CounterSum {
        first: CounterSelector {
            metric: MetricName::new(name),
            matchers: Vec::new(),
        },
        others: Vec::new(),
    };
    let events = ObjectiveEvents::Custom {
        errors: counter("payments_declined_total"),
        total: counter("payments_total"),
    };
    rules(&ApiFacts {
        objectives: &[objective("payments", events, "99.5")],
        ..orders()
    })
}

#[test]
fn counters_of_the_api_itself_pass_where_an_objective_counts_them_and_nowhere_else() {
    let mut rules = rules_of_payments();
    assert_eq!(lint_rules(&rules, &orders(), 0), []);
    let counted = rules
        .groups
        .iter()
        .flat_map(|group| &group.rules)
        .find_map(|rule| match rule {
            Rule::Recording(rule) if rule.expr.to_string().contains("payments_total") => Some(rule.clone()),
            _ => None,
        });
    // The same counters, read by a rule that is none of an objective's.
    let record = "api:payments:rate5m".to_owned();
    let other = RecordingRule {
        record,
        ..counted.unwrap()
    };
    rules.groups.iter_mut().for_each(|group| group.rules.clear());
    rules.groups[0].rules.push(Rule::Recording(other));
    let found = lint_rules(&rules, &orders(), 0);
    assert!(checks(&found).contains(&Check::UnknownMetric), "{found:?}");
}

#[test]
fn a_panel_on_what_the_page_lacks_is_found_with_its_place() {
    let dashboard = dashboard(&orders());
    assert_eq!(lint_dashboard(&dashboard, &orders(), 0), []);
    let found = lint_dashboard(&dashboard, &foreign(), 0);
    let unknown = found
        .iter()
        .find(|finding| finding.check == Check::UnknownMetric)
        .unwrap();
    assert!(unknown.place.path.starts_with("panels["), "{unknown:?}");
    assert!(!unknown.place.title.is_empty(), "{unknown:?}");
}

#[test]
fn a_dashboard_of_the_chart_may_read_what_the_operator_exports_and_nothing_of_one_api() {
    for installed in InstalledDashboard::ALL {
        assert_eq!(lint_installed_dashboard(&build_installed_dashboard(*installed), 0), []);
    }
    let found = lint_installed_dashboard(&dashboard(&orders()), 0);
    assert!(checks(&found).contains(&Check::UnknownMetric), "{found:?}");
}

#[test]
fn a_dashboard_that_is_too_large_to_be_written_is_found() {
    let most = 200 * 1024;
    let own = |bytes| checks(&lint_dashboard(&dashboard(&orders()), &orders(), bytes));
    assert_eq!((own(most), own(most + 1)), (vec![], vec![Check::ObjectSize]));
    let overview = build_installed_dashboard(InstalledDashboard::Apis);
    let chart = |bytes| checks(&lint_installed_dashboard(&overview, bytes));
    assert_eq!((chart(most), chart(most + 1)), (vec![], vec![Check::ObjectSize]));
    // Each query repeats the excluded routes.
    let excluded_routes = &[format!("/{}", "x".repeat(64 << 10))];
    let api = ApiFacts {
        excluded_routes,
        ..orders()
    };
    let generated = generate_dashboard(&api, &settings());
    assert_eq!(checks(generated.findings()), [Check::ObjectSize]);
    assert_eq!(generate_dashboard(&orders(), &AlertSettings::default()).findings(), []);
}

#[test]
fn the_first_error_is_told_and_how_many_more_there_are() {
    let told = |exprs: &[&str]| {
        let rule = |expr: &&str| json!({"record": "a:b", "expr": expr});
        let rules: Vec<_> = exprs.iter().map(rule).collect();
        let file = json!({"groups": [{"name": "a", "rules": rules}]});
        sentence(&lint_rule_file(&file, &vocabulary_of(&orders())))
    };
    assert_eq!(told(&["up"]), None);
    let one = told(&["upp"]).unwrap();
    assert!(one.contains("upp is not a metric") && !one.contains("more"), "{one}");
    let three = told(&["up", "upp", "uppp", "upppp"]).unwrap();
    assert!(
        three.contains("upp is not a metric") && three.ends_with(" (and 2 more)"),
        "{three}"
    );
    // A warning does not keep anything from being written.
    let warning = lint_rule_file(
        &json!({"groups": [{"name": "a", "rules": [{"record": "a:b", "expr": "sum by (job) (up) or vector(1)"}]}]}),
        &vocabulary_of(&orders()),
    );
    assert_eq!(checks(&warning), [Check::UnionLabels]);
    assert_eq!(sentence(&warning), None);
}
