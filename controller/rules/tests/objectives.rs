//! The rules of objectives: how many there are, what they read, and when they are left out.
#![expect(clippy::unwrap_used, reason = "a test's own helpers fail the test")]

mod common;

use common::{dashboard, expressions, objective, orders, queries, recordings, rules, settings, spellings, undetected};
use controller_rules::{
    AlertOverride, AlertSettings, AlertingRule, ApiFacts, EventSelector, Objective, ObjectiveEvents, ObjectiveGap,
    ObjectiveSettings, ObjectiveType, ObjectiveWindow, Rule, RuleSet, build_rules, omitted_objectives,
    promql::{PromDuration, metrics},
    read_objectives,
};
use metric_contract::Signal;

const ALERT: &str = "ApiErrorBudgetBurn";

fn availability(target: &str) -> Objective {
    objective("availability", ObjectiveEvents::Availability, target)
}

fn latency(millis: u64) -> Objective {
    let threshold = PromDuration::from_millis(millis);
    objective("fast", ObjectiveEvents::Latency { threshold }, "99")
}

fn with<'a>(objectives: &'a [Objective]) -> ApiFacts<'a> {
    ApiFacts { objectives, ..orders() }
}

fn burns(rules: &RuleSet) -> Vec<&AlertingRule> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    all.filter_map(|rule| match rule {
        Rule::Alerting(rule) if rule.alert == ALERT => Some(rule),
        Rule::Alerting(_) | Rule::Recording(_) => None,
    })
    .collect()
}

fn tiers(rules: &RuleSet) -> Vec<&str> {
    burns(rules)
        .iter()
        .filter_map(|rule| rule.labels.get("tier"))
        .map(String::as_str)
        .collect()
}

/// What the counts of the objective read.
fn source(objective: Objective) -> String {
    let list = [objective];
    let rules = rules(&with(&list));
    let rate = recordings(&rules)
        .into_iter()
        .find(|rule| rule.record.contains("objective_events:rate"));
    rate.unwrap().expr.to_string()
}

#[test]
fn an_objective_costs_four_recording_rules_and_four_alerts() {
    let none = rules(&with(&[]));
    let list = [availability("99.9")];
    let one = rules(&with(&list));
    assert_eq!(recordings(&one).len() - recordings(&none).len(), 4);
    assert_eq!((burns(&none).len(), burns(&one).len()), (0, 4));
    assert!(
        !none
            .groups
            .iter()
            .any(|group| group.name.contains("objective") || group.name.contains("budget"))
    );
}

#[test]
fn an_objective_over_all_requests_reads_recorded_series_only_so_routes_cost_nothing() {
    let list = [availability("99.9"), latency(1_000)];
    let rules = rules(&with(&list));
    let of_objectives = recordings(&rules)
        .into_iter()
        .filter(|rule| rule.record.contains("objective"));
    let exprs: Vec<_> = of_objectives
        .map(|rule| &rule.expr)
        .chain(burns(&rules).into_iter().map(|rule| &rule.expr))
        .collect();
    assert_eq!(exprs.len(), 16);
    for expr in exprs {
        for metric in metrics(expr) {
            assert!(metric.as_str().contains(':'), "{metric} is read by {expr}");
        }
    }
}

#[test]
fn the_budget_is_computed_every_five_minutes_in_a_group_of_its_own() {
    let all = rules(&orders());
    let budget = all.groups.iter().find(|group| group.name == "orders.budget").unwrap();
    assert_eq!(budget.interval.unwrap().to_string(), "5m");
    let records: Vec<_> = budget
        .rules
        .iter()
        .map(|rule| match rule {
            Rule::Recording(rule) => rule.record.as_str(),
            Rule::Alerting(rule) => panic!("{} is an alert", rule.alert),
        })
        .collect();
    let whole = "namespace_job_objective_result:api_objective_events:increase28d";
    let left = "namespace_job_objective:api_objective_error_budget:remaining28d";
    assert_eq!(records, [whole, left, whole, left]);
}

/// A custom objective on these counters, as it is read from a MonitoredApi.
fn custom(errors: &str, total: &str) -> Objective {
    let (objectives, wrong) = read_objectives(&[ObjectiveSettings {
        name: "payments".to_owned(),
        kind: ObjectiveType::Custom,
        target: "99".to_owned(),
        window: None,
        selector: EventSelector::default(),
        min_events_per_hour: None,
        threshold: None,
        errors: Some(errors.to_owned()),
        total: Some(total.to_owned()),
    }]);
    assert_eq!(wrong, []);
    objectives.into_iter().next().unwrap()
}

#[test]
fn a_custom_objective_counts_counters_of_this_api_and_has_the_rules_of_any_other() {
    let list = [custom(r#"payments_total{result="declined"}"#, "payments_total")];
    let made = rules(&with(&list));
    let total = r#"sum by (namespace, job) (rate(payments_total{namespace="shop", job="orders"}[5m]))"#;
    let errors =
        r#"sum by (namespace, job) (rate(payments_total{namespace="shop", job="orders", result="declined"}[5m]))"#;
    assert_eq!(
        source(list[0].clone()),
        format!(
            r#"label_replace({total}, "result", "total", "", "") or label_replace({errors} or 0 * {total}, "result", "error", "", "")"#
        )
    );
    assert_eq!(tiers(&made), ["14.4x", "6x", "3x", "1x"]);
    let of_it = recordings(&made)
        .into_iter()
        .filter(|rule| rule.record.contains("objective"));
    assert_eq!(of_it.count(), 4);
    for title in ["Error budget left", "Burn rate", "Time to exhaustion"] {
        assert!(dashboard(&with(&list)).to_json().contains(title), "{title}");
    }
}

#[test]
fn several_counters_are_added_up_also_while_one_of_them_is_missing() {
    let text = source(custom("b_total", "a_total + b_total"));
    let rate = |counter: &str, index: u8| {
        let rate = format!(r#"rate({counter}{{namespace="shop", job="orders"}}[5m])"#);
        format!(r#"label_replace(sum by (namespace, job) ({rate}), "counter", "{index}", "", "")"#)
    };
    let both = format!(
        "sum by (namespace, job) ({} or {})",
        rate("a_total", 0),
        rate("b_total", 1)
    );
    assert!(text.contains(&both), "{text}");
}

#[test]
fn a_custom_objective_needs_no_dialect() {
    let list = [custom("b_total", "a_total"), availability("99.9")];
    let api = ApiFacts {
        objectives: &list,
        ..undetected()
    };
    let made = rules(&api);
    assert_eq!(tiers(&made).len(), 4);
    assert_eq!(made.omitted_objectives.len(), 1);
    assert_eq!(made.omitted_objectives[0].objective, "availability");
    assert!(made.omitted_alerts.iter().all(|omitted| omitted.alert != ALERT));
    let json = dashboard(&api).to_json();
    assert!(
        json.contains("Error budget left") && json.contains("payments"),
        "{json}"
    );
}

#[test]
fn a_threshold_is_a_bucket_bound_in_both_spellings_of_prometheus() {
    assert!(source(latency(250)).contains(r#"le=~"0[.]25""#));
    assert!(source(latency(1_000)).contains(r#"le=~"1([.]0)?""#));
    assert!(source(latency(10_000)).contains(r#"le=~"10([.]0)?""#));
}

#[test]
fn a_threshold_between_buckets_has_no_rules_and_its_neighbours_are_named() {
    for (millis, told) in [
        (
            300,
            "300ms is no upper bound of the histogram's buckets: use 250ms or 500ms",
        ),
        (1, "1ms is no upper bound of the histogram's buckets: use 5ms"),
        (20_000, "20s is no upper bound of the histogram's buckets: use 10s"),
    ] {
        let list = [latency(millis), availability("99.9")];
        let made = rules(&with(&list));
        assert_eq!(made.omitted_objectives.len(), 1);
        assert_eq!(made.omitted_objectives[0].objective, "fast");
        assert_eq!(made.omitted_objectives[0].gap.to_string(), told);
        assert_eq!(made.omitted_objectives, omitted_objectives(&with(&list)));
        assert_eq!(burns(&made).len(), 4);
    }
}

#[test]
fn a_threshold_is_written_in_the_unit_of_the_histogram() {
    let spellings = spellings();
    let of = |dialect: &str| spellings.iter().find(|spelling| spelling.dialect == dialect);
    let source_of = |dialect: &str, millis| {
        let list = [latency(millis)];
        let made = rules(&ApiFacts {
            spelling: of(dialect),
            ..with(&list)
        });
        expressions(&made)
            .iter()
            .map(|(_, expr)| expr.to_string())
            .collect::<String>()
    };
    for (millis, bound) in [(5, "5"), (250, "250"), (1_000, "1000"), (2_500, "2500")] {
        let text = source_of("milliseconds", millis);
        assert!(text.contains(&format!(r#"le=~"{bound}([.]0)?""#)), "{text}");
    }
    assert!(source_of("native", 250).contains(r#"le=~"0[.]25""#));
    let gaps = |dialect: &str, objective: Objective| {
        let list = [objective];
        let made = rules(&ApiFacts {
            spelling: of(dialect),
            ..with(&list)
        });
        let gaps = made.omitted_objectives.iter().map(|omitted| omitted.gap.to_string());
        gaps.collect::<Vec<_>>()
    };
    assert_eq!(
        gaps("milliseconds", latency(300)),
        ["300ms is no upper bound of the histogram's buckets: use 250ms or 500ms"]
    );
    assert_eq!(
        gaps("summary", latency(250)),
        ["the API has no metric for the signal latency buckets"]
    );
    assert_eq!(
        gaps("no-statuses", availability("99.9")),
        ["the API has no metric for the signal errors"]
    );
    let mut of_route = availability("99.9");
    of_route.selector.routes = vec!["/orders".to_owned()];
    let no_route = "the metric has no label for the route: remove the routes of the selector";
    assert_eq!(gaps("no-routes", of_route), [no_route]);
}

#[test]
fn without_a_dialect_objectives_are_left_out_and_named() {
    let made = rules(&undetected());
    let gaps: Vec<_> = made.omitted_objectives.iter().map(|omitted| omitted.gap).collect();
    let missing = [Signal::Requests, Signal::Duration].map(ObjectiveGap::MissingSignal);
    assert_eq!(gaps, missing);
    assert_eq!(recordings(&made).len(), 0);
}

#[test]
fn a_selector_counts_its_routes_and_methods_and_never_the_excluded_ones() {
    let selected = |mut objective: Objective| {
        objective.selector = EventSelector {
            routes: vec!["/orders/.*".to_owned(), "/a|/b".to_owned()],
            methods: vec!["GET".to_owned(), "POST".to_owned()],
        };
        source(objective)
    };
    for text in [selected(availability("99.9")), selected(latency(1_000))] {
        for part in [
            r#"route!~"/metrics|(?:/health(/.*)?)""#,
            r#"route=~"/orders/.*|(?:/a|/b)""#,
            r#"method=~"GET|POST""#,
        ] {
            assert_eq!(
                text.matches(part).count(),
                text.matches("http_request").count(),
                "{part} in {text}"
            );
        }
    }
}

#[test]
fn a_tier_that_not_even_failures_alone_could_reach_is_left_out() {
    for (target, expected) in [
        ("99.9", &["14.4x", "6x", "3x", "1x"][..]),
        ("93", &["6x", "3x", "1x"]),
        ("80", &["3x", "1x"]),
        ("50", &["1x"]),
        ("0.5", &["1x"]),
    ] {
        let list = [availability(target)];
        let rules = rules(&with(&list));
        assert_eq!(tiers(&rules), expected, "{target}");
    }
}

#[test]
fn an_override_changes_every_tier_and_the_tiers_differ_in_severity_without_one() {
    let severities = |settings: &AlertSettings| -> Vec<String> {
        let list = [availability("99.9")];
        let rules = build_rules(&with(&list), settings).unwrap();
        burns(&rules)
            .iter()
            .map(|rule| rule.labels["severity"].clone())
            .collect()
    };
    assert_eq!(severities(&settings()), ["critical", "critical", "warning", "warning"]);
    let own = |change: fn(&mut AlertOverride)| {
        let mut entry = AlertOverride {
            name: ALERT.to_owned(),
            ..AlertOverride::default()
        };
        change(&mut entry);
        AlertSettings {
            overrides: vec![entry],
            ..settings()
        }
    };
    assert_eq!(
        severities(&own(|entry| entry.severity = Some("critical".to_owned()))),
        ["critical"; 4]
    );
    assert_eq!(severities(&own(|entry| entry.enabled = Some(false))), [""; 0]);
    let errors = build_rules(&orders(), &own(|entry| entry.threshold = Some("2".to_owned()))).unwrap_err();
    assert!(
        errors[0].to_string().contains("ApiErrorBudgetBurn has none"),
        "{}",
        errors[0]
    );
}

#[test]
fn budgets_are_recorded_though_the_alerts_are_off() {
    let off = AlertSettings {
        enabled: false,
        ..settings()
    };
    let rules = build_rules(&orders(), &off).unwrap();
    assert_eq!(burns(&rules).len(), 0);
    assert_eq!(recordings(&rules).len(), 4 + 8);
}

#[test]
fn every_window_of_a_tier_is_added_up_from_counts_that_tile_it() {
    let mut quarter = availability("99.9");
    quarter.window = ObjectiveWindow::Days90;
    let list = [quarter];
    let rules = rules(&with(&list));
    let slowest = burns(&rules)[3].expr.to_string();
    assert!(
        slowest.contains("increase1h{") && slowest.contains("[215h59m59s999ms:1h]"),
        "{slowest}"
    );
    assert!(slowest.contains("[17h59m59s999ms:1h]"), "{slowest}");
    let fastest = burns(&rules)[0].expr.to_string();
    assert!(
        fastest.contains("[2h59m59s999ms:1m]") && fastest.contains("[14m59s999ms:1m]"),
        "{fastest}"
    );
}

#[test]
fn the_row_of_objectives_is_there_exactly_if_there_are_objectives() {
    let row =
        ["Objectives", "Error budget left", "Burn rate", "Time to exhaustion"].map(|title| format!("\"{title}\""));
    let (there, without) = (dashboard(&orders()), dashboard(&with(&[])));
    for title in row {
        assert!(there.to_json().contains(&title), "{title}");
        assert!(!without.to_json().contains(&title), "{title}");
    }
    assert_eq!(without.omitted_panels(), []);
}

#[test]
fn panels_read_the_budgets_of_every_window_that_the_rules_record() {
    let mut week = availability("99.9");
    week.window = ObjectiveWindow::Days7;
    let list = [week, latency(1_000)];
    let api = with(&list);
    let made = rules(&api);
    let queries = queries(&api);
    let of_panel = |title: &str| queries.iter().find(|query| query.title == title).unwrap().expr.clone();
    for record in recordings(&made)
        .iter()
        .filter(|rule| rule.record.contains("remaining"))
    {
        assert!(
            of_panel("Error budget left").contains(&record.record),
            "{}",
            record.record
        );
        assert!(
            of_panel("Time to exhaustion").contains(&record.record),
            "{}",
            record.record
        );
    }
}
