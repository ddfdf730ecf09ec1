//! Sloth's names: which rules there are, what they are called, what they read, and what they leave as it is.

mod common;

use std::collections::BTreeSet;

use common::{dashboard, labels::check_labels, objective, orders, overall, queries, recordings, rules};
use controller_rules::{
    AlertingRule, ApiFacts, Compat, CounterSelector, CounterSum, Objective, ObjectiveEvents, ObjectiveWindow,
    RecordingRule, Rule, RuleSet,
    promql::{PromDuration, metrics},
};
use metric_contract::sloth;

fn availability() -> Objective {
    objective("availability", ObjectiveEvents::Availability, "99.9")
}

fn over(window: ObjectiveWindow) -> Objective {
    Objective {
        window,
        ..availability()
    }
}

/// One objective of each type.
fn one_of_each() -> [Objective; 3] {
    let counter = |name: &str| CounterSum {
        first: CounterSelector {
            metric: controller_rules::promql::MetricName::new(name),
            matchers: Vec::new(),
        },
        others: Vec::new(),
    };
    let threshold = PromDuration::from_millis(1_000);
    let custom = ObjectiveEvents::Custom {
        errors: counter("payments_declined_total"),
        total: counter("payments_total"),
    };
    [
        availability(),
        objective("fast", ObjectiveEvents::Latency { threshold }, "99"),
        objective("payments", custom, "99.5"),
    ]
}

fn with(objectives: &[Objective]) -> ApiFacts<'_> {
    ApiFacts {
        objectives,
        compat: Some(Compat::Sloth),
        ..orders()
    }
}

fn alerts(rules: &RuleSet) -> Vec<&AlertingRule> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    all.filter_map(|rule| match rule {
        Rule::Alerting(rule) => Some(rule),
        Rule::Recording(_) => None,
    })
    .collect()
}

fn is_sloths(rule: &RecordingRule) -> bool {
    sloth::FAMILIES.iter().any(|family| rule.record.starts_with(family))
}

/// Names of the rules under Sloth's names of one objective over this window.
fn names(window: ObjectiveWindow) -> BTreeSet<String> {
    let list = [over(window)];
    let made = rules(&with(&list));
    let names = recordings(&made).into_iter().filter(|rule| is_sloths(rule));
    names.map(|rule| rule.record.clone()).collect()
}

#[test]
fn an_objective_of_any_type_has_fifteen_rules_more_under_sloths_names_and_eighteen_in_all() {
    for objective in one_of_each() {
        let list = [objective];
        let made = rules(&with(&list));
        let ours = rules(&with(&[]));
        assert_eq!(
            recordings(&made).len() - recordings(&ours).len(),
            18,
            "{}",
            list[0].name
        );
        assert_eq!(recordings(&made).into_iter().filter(|rule| is_sloths(rule)).count(), 15);
        assert_eq!(alerts(&made).len() - alerts(&ours).len(), 4);
    }
}

#[test]
fn the_families_are_called_as_sloth_calls_them_whatever_the_window() {
    for (window, period) in [
        (ObjectiveWindow::Days7, "1w"),
        (ObjectiveWindow::Days14, "2w"),
        (ObjectiveWindow::Days28, "4w"),
        (ObjectiveWindow::Days30, "30d"),
        (ObjectiveWindow::Days90, "90d"),
    ] {
        let windows = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", period];
        let expected: BTreeSet<String> = windows
            .map(|window| format!("slo:sli_error:ratio_rate{window}"))
            .into_iter()
            .chain(
                [
                    "slo:objective:ratio",
                    "slo:error_budget:ratio",
                    "slo:time_period:days",
                    "slo:current_burn_rate:ratio",
                    "slo:period_burn_rate:ratio",
                    "slo:period_error_budget_remaining:ratio",
                    "sloth_slo_info",
                ]
                .map(str::to_owned),
            )
            .collect();
        assert_eq!(names(window), expected);
    }
}

#[test]
fn each_series_has_sloths_labels_and_ours() {
    let list = one_of_each();
    let made = rules(&with(&list));
    for rule in recordings(&made).into_iter().filter(|rule| is_sloths(rule)) {
        let label = |name: &str| rule.labels.get(name).map(String::as_str);
        let name = label("objective").unwrap();
        assert_eq!(label("sloth_service"), Some("shop.orders"), "{}", rule.record);
        assert_eq!(label("sloth_slo"), Some(name));
        assert_eq!(label("sloth_id"), Some(format!("shop.orders.{name}").as_str()));
        let window = rule.record.strip_prefix("slo:sli_error:ratio_rate");
        let window = window.or(match rule.record.as_str() {
            "slo:current_burn_rate:ratio" => Some("5m"),
            "slo:period_burn_rate:ratio" | "slo:period_error_budget_remaining:ratio" => Some("4w"),
            _ => None,
        });
        assert_eq!(label("sloth_window"), window, "{}", rule.record);
        // What comes from no series of the API has its labels from the rule.
        let constant = rule.expr.to_string().starts_with("vector(");
        let own = [label("namespace"), label("job")];
        let expected = constant.then_some(["shop", "orders"]);
        assert_eq!(own, expected.map_or([None, None], |labels| labels.map(Some)));
    }
    let info = recordings(&made)
        .into_iter()
        .find(|rule| rule.record == "sloth_slo_info");
    let info = &info.unwrap().labels;
    for (label, value) in [
        ("sloth_objective", "99.9"),
        ("sloth_mode", "monitored-api"),
        ("sloth_spec", "monitoredapi.io/v1alpha1"),
        ("sloth_version", "v0.16.0"),
    ] {
        assert_eq!(info.get(label).map(String::as_str), Some(value));
    }
}

#[test]
fn a_constant_is_the_objectives_own() {
    let list = [over(ObjectiveWindow::Days90)];
    let made = rules(&with(&list));
    let expr = |record: &str| {
        let rule = recordings(&made).into_iter().find(|rule| rule.record == record);
        rule.unwrap().expr.to_string()
    };
    assert_eq!(expr("slo:objective:ratio"), "vector(0.999)");
    assert_eq!(expr("slo:error_budget:ratio"), "vector(0.001)");
    assert_eq!(expr("slo:time_period:days"), "vector(90)");
    assert_eq!(expr("sloth_slo_info"), "vector(1)");
}

#[test]
fn they_read_recorded_series_only_and_both_sides_of_every_operator_match() {
    let list = one_of_each();
    for api in [
        with(&list),
        ApiFacts {
            has_overall: true,
            ..with(&list)
        },
    ] {
        let made = rules(&api);
        for rule in recordings(&made).into_iter().filter(|rule| is_sloths(rule)) {
            assert_eq!(check_labels(&rule.expr), Ok(()), "{}", rule.record);
            for metric in metrics(&rule.expr) {
                assert!(metric.as_str().contains(':'), "{metric} is read by {}", rule.record);
            }
        }
    }
}

#[test]
fn no_two_objectives_of_a_cluster_have_the_same_id() {
    let mut ids = BTreeSet::new();
    for (namespace, name, objective) in [
        ("shop", "orders", "a-b"),
        ("shop", "orders-a", "b"),
        ("shop-orders", "a", "b"),
        ("shop", "orders-a-b", "c"),
    ] {
        let list = [Objective {
            name: objective.to_owned(),
            ..availability()
        }];
        let made = rules(&ApiFacts {
            namespace,
            name,
            ..with(&list)
        });
        let rule = recordings(&made).into_iter().find(|rule| is_sloths(rule)).unwrap();
        assert!(ids.insert(rule.labels["sloth_id"].clone()), "{ids:?}");
    }
}

#[test]
fn its_alerts_carry_sloths_labels_and_others_do_not() {
    let list = [availability()];
    let made = rules(&with(&list));
    let severities: Vec<_> = alerts(&made)
        .iter()
        .filter_map(|rule| {
            Some((
                rule.labels.get("sloth_severity")?.as_str(),
                rule.labels["severity"].as_str(),
            ))
        })
        .collect();
    let (page, ticket) = (("page", "critical"), ("ticket", "warning"));
    assert_eq!(severities, [page, page, ticket, ticket]);
    for rule in alerts(&made) {
        let of_objective = rule.alert == "ApiErrorBudgetBurn";
        assert_eq!(rule.labels.contains_key("sloth_id"), of_objective, "{}", rule.alert);
    }
}

#[test]
fn without_them_nothing_is_called_as_sloth_calls_it_and_with_them_our_other_rules_are_the_same() {
    for api in [orders(), overall()] {
        let (without, with) = (
            rules(&api),
            rules(&ApiFacts {
                compat: Some(Compat::Sloth),
                ..api
            }),
        );
        for text in [serde_json::to_string(&without).unwrap(), dashboard(&api).to_json()] {
            assert!(!text.contains("slo:") && !text.contains("sloth"), "{text}");
        }
        let ours = |rules: &RuleSet| -> Vec<String> {
            let rules = recordings(rules).into_iter().filter(|rule| !is_sloths(rule));
            rules.map(|rule| format!("{} {}", rule.record, rule.expr)).collect()
        };
        // The budget that is left has Sloth's name then.
        let mut expected = ours(&without);
        expected.retain(|rule| !rule.contains(":remaining28d "));
        assert_eq!(ours(&with), expected);
        let conditions = |rules: &RuleSet| -> Vec<String> {
            alerts(rules)
                .iter()
                .map(|rule| format!("{} {}", rule.alert, rule.expr))
                .collect()
        };
        assert_eq!(conditions(&with), conditions(&without));
    }
}

#[test]
fn our_panels_read_the_budget_that_the_rules_record() {
    let list = [over(ObjectiveWindow::Days7)];
    let api = with(&list);
    let recorded: BTreeSet<String> = recordings(&rules(&api))
        .into_iter()
        .map(|rule| rule.record.clone())
        .collect();
    for title in ["Error budget left", "Burn rate", "Time to exhaustion"] {
        let panel = queries(&api).into_iter().find(|query| query.title == title).unwrap();
        let read: Vec<_> = panel.expr.matches("slo:period_error_budget_remaining:ratio").collect();
        assert_eq!(read.is_empty(), title == "Burn rate", "{}", panel.expr);
        assert!(!panel.expr.contains("api_objective_error_budget"), "{}", panel.expr);
        for name in panel
            .expr
            .split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)))
        {
            let is_recorded = name.matches(':').count() == 2;
            assert!(!is_recorded || recorded.contains(name), "{name} in {title}");
        }
    }
}
