//! The rules of an API: which series they select, what settings change, and the messages about settings that cannot be
//! used.

#![expect(clippy::expect_used, reason = "a test's own helpers fail the test")]

mod common;

use std::collections::BTreeMap;

use common::{
    expressions,
    labels::{check_labels, output_labels},
    listed, of_the_platform, orders, overall, rules, settings, undetected,
};
use controller_rules::{
    AlertOverride, AlertSettings, AlertingRule, ApiFacts, Rule, RuleSet,
    alerts::alerts,
    alerts_against_a_week_ago, build_dashboard, build_rules, check_overrides, panel_queries,
    promql::{Expr, metrics},
};
use metric_contract::{
    Attribute, Dialect, DialectId, DialectRow, Family, MetricId, Signal, TargetKind, dialects::native,
};

fn alert(api: &ApiFacts<'_>, settings: &AlertSettings, name: &str) -> Option<AlertingRule> {
    let rules = build_rules(api, settings).expect("these settings can be used");
    rules
        .groups
        .into_iter()
        .flat_map(|group| group.rules)
        .find_map(|rule| match rule {
            Rule::Alerting(rule) if rule.alert == name => Some(rule),
            Rule::Alerting(_) | Rule::Recording(_) => None,
        })
}

fn omitted_alerts(rules: &RuleSet) -> Vec<(&'static str, Signal)> {
    let omitted = rules.omitted_alerts.iter();
    omitted.map(|omitted| (omitted.alert, omitted.signal)).collect()
}

fn one(entry: AlertOverride) -> AlertSettings {
    AlertSettings {
        overrides: vec![entry],
        ..settings()
    }
}

fn change(name: &str) -> AlertOverride {
    AlertOverride {
        name: name.to_owned(),
        ..AlertOverride::default()
    }
}

fn messages(settings: &AlertSettings) -> Vec<String> {
    check_overrides(settings).iter().map(ToString::to_string).collect()
}

#[test]
fn the_alerts_that_read_series_of_a_week_ago_are_known() {
    let api = orders();
    let made = rules(&api);
    let all = made.groups.iter().flat_map(|group| &group.rules);
    let look_back = all.filter_map(|rule| match rule {
        Rule::Alerting(rule) if rule.expr.to_string().contains(" offset ") => Some(rule.alert.as_str()),
        Rule::Alerting(_) | Rule::Recording(_) => None,
    });
    let (mut look_back, mut known) = (
        look_back.collect::<Vec<_>>(),
        alerts_against_a_week_ago(&api, &settings()),
    );
    look_back.sort_unstable();
    known.sort_unstable();
    assert_eq!(look_back, known);
    assert_eq!(alerts_against_a_week_ago(&undetected(), &settings()), [""; 0]);
}

#[test]
fn every_expression_is_read_by_a_promql_parser() {
    for api in [orders(), undetected()] {
        for (name, expr) in expressions(&rules(&api)) {
            promql_parser::parser::parse(&expr.to_string()).unwrap_or_else(|error| panic!("{name}: {error}\n{expr}"));
        }
    }
}

#[test]
fn both_sides_of_every_operator_carry_the_same_labels() {
    for (name, expr) in expressions(&rules(&orders())) {
        assert_eq!(check_labels(&expr), Ok(()), "{name}");
    }
}

#[test]
fn namespace_and_job_stay_on_every_result() {
    for (name, expr) in expressions(&rules(&orders())) {
        let labels = output_labels(&expr).unwrap_or_default();
        let kept = ["namespace", "job"]
            .iter()
            .all(|kept| labels.iter().any(|label| label.as_str() == *kept));
        assert!(kept, "{name} keeps {labels:?}");
    }
}

#[test]
fn every_alert_of_the_table_is_made_for_the_native_dialect() {
    let made = rules(&orders());
    assert_eq!(made.omitted_alerts, []);
    let names: Vec<_> = expressions(&made).into_iter().map(|(name, _)| name).collect();
    let missing: Vec<_> = alerts()
        .filter(|def| !names.iter().any(|name| name == def.name))
        .map(|def| def.name.to_owned())
        .collect();
    assert!(missing.is_empty(), "{}", listed(&missing));
}

#[test]
fn every_recorded_series_that_an_alert_reads_is_made_by_the_same_rules() {
    let all = expressions(&rules(&orders()));
    for (name, expr) in &all {
        for metric in metrics(expr) {
            let made = all.iter().any(|(made, _)| made == metric.as_str());
            assert!(
                made || !metric.as_str().contains(':'),
                "{name} reads {metric}, which no row of RECORDINGS makes"
            );
        }
    }
}

/// The families of a dialect whose series multiply with the routes.
fn families_with_a_route(dialect: &Dialect) -> impl Iterator<Item = &'static Family> {
    let rows = dialect.rows.iter();
    rows.filter(|row| row.label(Attribute::Route).is_some())
        .map(|row| row.family)
}

#[test]
fn no_series_of_a_route_is_read_twice_in_an_evaluation() {
    for (id, has_overall) in DialectId::ALL.iter().flat_map(|id| [(id, false), (id, true)]) {
        let api = ApiFacts {
            dialect: Some(id.dialect()),
            has_overall,
            ..orders()
        };
        let read: Vec<_> = expressions(&rules(&api))
            .iter()
            .flat_map(|(_, expr)| selected(expr))
            .collect();
        for family in families_with_a_route(id.dialect()) {
            let parts = [family.bucket_series(), family.sum_series(), family.count_series()];
            for series in parts.into_iter().chain([family.name.to_owned()]) {
                let times = read.iter().filter(|name| **name == series).count();
                assert!(times <= 1, "{id}: the rules read {series} {times} times");
            }
        }
    }
}

#[test]
fn only_where_targets_are_known_to_have_metrics_over_all_routes_these_are_read_and_no_route_but_the_excluded_ones() {
    for (api, all) in [(overall(), true), (orders(), false)] {
        let panels = panel_queries(&build_dashboard(&api, &settings()), "5m");
        let panels = panels.into_iter().map(|query| query.expr.to_string());
        let exprs: Vec<_> = expressions(&rules(&api))
            .into_iter()
            .map(|(_, expr)| expr.to_string())
            .collect();
        assert!(exprs.iter().any(|expr| expr.contains("route")));
        assert_eq!(!exprs.iter().any(|expr| expr.contains("route!~")), all);
        let read = |exprs: &[String]| exprs.iter().any(|expr| expr.contains("_overall"));
        assert_eq!((read(&exprs), read(&panels.collect::<Vec<_>>())), (all, all));
    }
    let nothing_excluded = rules(&ApiFacts {
        excluded_routes: &[],
        ..overall()
    });
    for (name, expr) in expressions(&nothing_excluded) {
        for family in families_with_a_route(&native::NATIVE) {
            let parts = [family.name.to_owned(), family.bucket_series()];
            let read = selected(&expr);
            assert!(!read.iter().any(|series| parts.contains(series)), "{name}: {expr}");
        }
    }
}

#[test]
fn no_rule_looks_back_further_than_five_minutes_for_what_is_counted_over_all_routes() {
    // The operator changes to such rules once the targets have exported it for that long.
    let mut windows = 0;
    for (name, expr) in expressions(&rules(&overall())) {
        let text = expr.to_string();
        for (at, _) in text.match_indices("_overall") {
            let after = text[at..].split_once('}').expect("a selector has matchers").1;
            let window = after.strip_prefix('[').and_then(|window| window.split_once(']'));
            let Some((window, _)) = window else { continue };
            assert_eq!(window, "5m", "{name}: {text}");
            windows += 1;
        }
        let reads = text.contains("_overall");
        assert!(!reads || !text.contains(" offset "), "{name}: {text}");
    }
    assert!(windows > 5, "{windows}");
}

/// The metric of every selector of an expression, as often as it is read.
fn selected(expr: &Expr) -> Vec<String> {
    let text = expr.to_string();
    let before = text.split('{');
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let name = |text: &str| text.rsplit(|c| !is_of_name(c)).next().unwrap_or_default().to_owned();
    before.map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn without_a_dialect_only_alerts_of_the_platform_are_made_and_the_others_are_named() {
    let made = rules(&undetected());
    let names: Vec<_> = expressions(&made).into_iter().map(|(name, _)| name).collect();
    let expected: Vec<_> = alerts().filter(|def| def.signals.iter().all(of_the_platform)).collect();
    assert_eq!(names, expected.iter().map(|def| def.name).collect::<Vec<_>>());
    assert!(names.contains(&"ApiDown".to_owned()) && names.len() < alerts().count());
    let omitted = alerts().filter_map(|def| {
        let signal = def.signals.iter().find(|signal| !of_the_platform(signal))?;
        Some((def.name, *signal))
    });
    assert_eq!(omitted_alerts(&made), omitted.collect::<Vec<_>>());
}

#[test]
fn an_alert_whose_signal_the_dialect_lacks_is_left_out_and_so_is_the_series_that_only_it_reads() {
    let rows = native::ROWS.iter().filter(|row| row.metric != MetricId::Duration);
    let dialect = Dialect {
        rows: rows.copied().collect::<Vec<_>>().leak(),
        ..*DialectId::Native.dialect()
    };
    let made = rules(&ApiFacts {
        dialect: Some(&dialect),
        ..orders()
    });
    let timed = alerts().filter(|def| def.signals.contains(&Signal::Duration));
    let expected: Vec<_> = timed.map(|def| (def.name, Signal::Duration)).collect();
    assert!(expected.contains(&("ApiHighLatencyP95", Signal::Duration)));
    assert_eq!(omitted_alerts(&made), expected);
    assert!(
        !expressions(&made).iter().any(|(name, _)| name.contains("latency")),
        "no alert reads the buckets"
    );
}

/// The native dialect with these buckets of the latency.
fn with_buckets(buckets: &'static [f64]) -> Dialect {
    let with = |row: &DialectRow| match row.metric {
        MetricId::Duration => DialectRow { buckets, ..*row },
        _ => *row,
    };
    Dialect {
        rows: native::ROWS.iter().map(with).collect::<Vec<_>>().leak(),
        ..*DialectId::Native.dialect()
    }
}

#[test]
fn a_latency_alert_whose_default_threshold_is_not_below_the_largest_bucket_is_left_out_and_named() {
    let (high, critical, p99) = ("ApiHighLatencyP95", "ApiCriticalLatencyP95", "ApiHighLatencyP99");
    for (buckets, omitted) in [
        (&[0.1, 0.25][..], vec![high, critical, p99]),
        (&[0.1, 0.5], vec![high, critical, p99]),
        (&[0.1, 0.6], vec![critical, p99]),
        (&[0.1, 1.5], vec![p99]),
        (&[0.1, 2.5], Vec::new()),
    ] {
        let omitted: Vec<_> = omitted.into_iter().map(|alert| (alert, Signal::Duration)).collect();
        let dialect = with_buckets(buckets);
        let api = ApiFacts {
            dialect: Some(&dialect),
            ..orders()
        };
        assert_eq!(omitted_alerts(&rules(&api)), omitted, "{buckets:?}");
        let lower = one(AlertOverride {
            threshold: Some("90ms".to_owned()),
            ..change("ApiHighLatencyP95")
        });
        assert!(alert(&api, &lower, "ApiHighLatencyP95").is_some(), "{buckets:?}");
    }
}

#[test]
fn the_default_threshold_of_the_first_latency_alert_is_below_the_largest_bucket_of_every_dialect() {
    for id in DialectId::ALL {
        let made = rules(&ApiFacts {
            dialect: Some(id.dialect()),
            ..orders()
        });
        let has_duration = id.dialect().duration().is_some();
        assert!(
            !has_duration
                || !omitted_alerts(&made)
                    .iter()
                    .any(|(alert, signal)| *alert == "ApiHighLatencyP95" && *signal == Signal::Duration)
        );
    }
}

#[test]
fn a_route_label_that_the_target_would_take_over_is_spelled_as_it_is_stored() {
    const FAMILY: Family = Family {
        labels: &["method", "endpoint", "status"],
        ..*native::HTTP_REQUESTS.family
    };
    let dialect = Dialect {
        rows: &[DialectRow {
            family: &FAMILY,
            ..native::HTTP_REQUESTS
        }],
        ..*DialectId::Native.dialect()
    };
    let spelled = |target| {
        let made = rules(&ApiFacts {
            dialect: Some(&dialect),
            target,
            ..orders()
        });
        expressions(&made).remove(0).1.to_string()
    };
    assert!(spelled(TargetKind::ServiceMonitor).contains("exported_endpoint!~"));
    assert!(spelled(TargetKind::Static).contains(", endpoint!~"));
}

#[test]
fn a_slow_scrape_widens_the_window_to_four_scrapes() {
    let made = rules(&ApiFacts {
        scrape_interval_seconds: 120,
        ..orders()
    });
    let (name, expr) = expressions(&made).remove(0);
    assert_eq!(name, "namespace_job_status:api_requests:rate8m");
    assert!(expr.to_string().contains("[8m]"), "{expr}");
}

#[test]
fn the_same_facts_make_the_same_bytes() {
    let text = || serde_json::to_string(&rules(&orders())).unwrap();
    assert_eq!(text(), text());
}

#[test]
fn an_override_changes_what_it_names_and_nothing_else() {
    let changed = one(AlertOverride {
        threshold: Some("0.02".to_owned()),
        for_: Some("90s".to_owned()),
        keep_firing_for: Some("5m".to_owned()),
        severity: Some("page".to_owned()),
        labels: BTreeMap::from([("team".to_owned(), "core".to_owned())]),
        ..change("ApiHighErrorRatio")
    });
    let before = alert(&orders(), &settings(), "ApiHighErrorRatio").unwrap();
    let after = alert(&orders(), &changed, "ApiHighErrorRatio").unwrap();
    assert!(before.expr.to_string().contains("> 0.01 "), "{}", before.expr);
    assert!(after.expr.to_string().contains("> 0.02 "), "{}", after.expr);
    assert_eq!(after.for_.to_string(), "1m30s");
    assert_eq!(after.keep_firing_for.unwrap().to_string(), "5m");
    assert_eq!(after.labels["severity"], "page");
    assert_eq!(after.labels["team"], "core");
    assert!(after.annotations["summary"].contains("2 %"), "{:?}", after.annotations);
    let other = "ApiCriticalErrorRatio";
    assert_eq!(alert(&orders(), &changed, other), alert(&orders(), &settings(), other));
}

#[test]
fn an_alert_can_be_turned_off_and_so_can_all() {
    let off = one(AlertOverride {
        enabled: Some(false),
        ..change("ApiDown")
    });
    assert_eq!(alert(&orders(), &off, "ApiDown"), None);
    assert!(alert(&orders(), &off, "ApiTargetsMissing").is_some());
    let all = AlertSettings {
        enabled: false,
        ..settings()
    };
    let without_objectives = ApiFacts {
        objectives: &[],
        ..orders()
    };
    assert_eq!(build_rules(&without_objectives, &all).unwrap().groups, []);
}

#[test]
fn a_label_cannot_become_a_template() {
    for hostile in ["{{ query `up` }}", "{", "}", "a\nb"] {
        let labels = BTreeMap::from([("team".to_owned(), hostile.to_owned())]);
        let everywhere = AlertSettings {
            labels: labels.clone(),
            ..AlertSettings::default()
        };
        let single = one(AlertOverride {
            labels,
            ..change("ApiDown")
        });
        for (settings, path) in [(everywhere, "labels.team"), (single, "overrides[0].labels.team")] {
            let errors = build_rules(&orders(), &settings).unwrap_err();
            let error = errors.first().map(ToString::to_string).unwrap_or_default();
            let expected = format!(
                "{path}: {hostile:?} is not a valid label value: use text without braces and line breaks, for example shop"
            );
            assert_eq!((error, errors.len()), (expected, 1));
        }
    }
}

#[test]
fn a_duration_that_cannot_be_read_is_named_once() {
    for text in ["1x", "1d", "0", "", "5", "soon"] {
        let entry = AlertOverride {
            for_: Some(text.to_owned()),
            ..change("ApiDown")
        };
        let expected =
            format!("overrides[0].for: {text:?} is not a valid duration: use h, m, s and ms, for example 5m");
        assert_eq!(messages(&one(entry)), [expected]);
    }
}

#[test]
fn every_mistake_is_named_at_once_with_its_place_and_what_to_write() {
    let settings = AlertSettings {
        labels: BTreeMap::from([
            ("namespace".to_owned(), "x".to_owned()),
            ("a b".to_owned(), "x".to_owned()),
        ]),
        runbook_base_url: Some("javascript:alert(1)".to_owned()),
        overrides: vec![
            AlertOverride {
                threshold: Some("2%".to_owned()),
                ..change("ApiHighErrorRatio")
            },
            change("ApiHighErrorRate"),
            AlertOverride {
                threshold: Some("fast".to_owned()),
                for_: Some("soon".to_owned()),
                keep_firing_for: Some("5".to_owned()),
                severity: Some("very bad".to_owned()),
                labels: BTreeMap::from([("severity".to_owned(), "x".to_owned())]),
                ..change("ApiHighLatencyP95")
            },
            AlertOverride {
                threshold: Some("1".to_owned()),
                ..change("ApiDown")
            },
            change("ApiDown"),
        ],
        ..AlertSettings::default()
    };
    let expected = [
        r#"labels: "a b" is not a valid label name: use letters, digits and _, for example team"#,
        "labels.namespace: namespace is not a valid label here, because the rules set it: use another name, for example \
         team",
        "runbookBaseUrl: \"javascript:alert(1)\" is not a valid base address of runbooks: use https and no spaces, quotes \
         or braces, for example https://example.org/runbooks",
        r#"overrides[0].threshold: "2%" is not a valid ratio: use a number from 0 to below 1, for example 0.02 for 2 %"#,
        "overrides[1].name: \"ApiHighErrorRate\" is not a valid alert name: use one of the alerts, for example \
         ApiHighErrorRatio, ApiHighMemory, ApiHighClientErrorRatio",
        "overrides[2].labels.severity: severity is not a valid label here: use the field severity of an override, for \
         example warning",
        "overrides[2].threshold: \"fast\" is not a valid duration: use h, m, s and ms and more than 0, for example 500ms",
        r#"overrides[2].for: "soon" is not a valid duration: use h, m, s and ms, for example 5m"#,
        r#"overrides[2].keepFiringFor: "5" is not a valid duration: use h, m, s and ms, for example 5m"#,
        "overrides[2].severity: \"very bad\" is not a valid severity: use letters, digits, - and _, beginning and \
         ending with a letter or digit, for example warning",
        r#"overrides[3].threshold: "1" is not a valid threshold: ApiDown has none; remove the field"#,
        r#"overrides[4].name: "ApiDown" is not a valid name of a second override: use one override for each alert"#,
    ];
    assert_eq!(messages(&settings), expected);
    assert_eq!(
        build_rules(&orders(), &settings).unwrap_err(),
        check_overrides(&settings)
    );
}

#[test]
fn a_latency_threshold_beyond_the_largest_bucket_is_refused() {
    let at = |threshold: &str| {
        let entry = AlertOverride {
            threshold: Some(threshold.to_owned()),
            ..change("ApiHighLatencyP95")
        };
        build_rules(&orders(), &one(entry))
    };
    assert!(at("9s").is_ok());
    let error = at("10s").unwrap_err().remove(0).to_string();
    assert_eq!(
        error,
        "overrides[0].threshold: 10s is not a valid threshold, because the largest bucket of dialect native ends at 10s and a \
         percentile is never above it: use less, for example 500ms"
    );
}

#[test]
fn a_threshold_can_only_ever_be_one_number() {
    for text in [
        "0 or vector(1)",
        "0.1) or up",
        "1e3",
        "NaN",
        "+Inf",
        "-1",
        "0x1",
        "\u{0665}",
    ] {
        let entry = AlertOverride {
            threshold: Some(text.to_owned()),
            ..change("ApiTooManyInFlight")
        };
        assert_eq!(messages(&one(entry)).len(), 1, "{text}");
    }
}

#[test]
fn runbooks_stand_under_the_users_own_address() {
    let own = AlertSettings {
        runbook_base_url: Some("https://example.org/runbooks/".to_owned()),
        ..settings()
    };
    let rule = alert(&orders(), &own, "ApiDown").unwrap();
    assert_eq!(
        rule.annotations["runbook_url"],
        "https://example.org/runbooks/ApiDown.md"
    );
    assert!(!rule.annotations["description"].contains("unbook"));
}

#[test]
fn an_alert_names_its_runbook_where_nobody_says_where_the_runbooks_are() {
    for group in rules(&orders()).groups {
        for rule in group.rules {
            let Rule::Alerting(rule) = rule else { continue };
            assert!(!rule.annotations.contains_key("runbook_url"), "{}", rule.alert);
            let named = format!(
                " Runbook: the operator monitored-api serves it at /runbooks/{}, beside its /metrics.",
                rule.alert
            );
            assert!(rule.annotations["description"].ends_with(&named), "{}", rule.alert);
        }
    }
}

#[test]
fn each_alert_names_a_panel_that_the_dashboard_has() {
    for api in [orders(), undetected()] {
        let dashboard = serde_json::to_value(build_dashboard(&api, &settings())).unwrap();
        let ids: Vec<_> = dashboard["panels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|panel| panel["id"].to_string())
            .collect();
        for group in rules(&api).groups {
            for rule in group.rules {
                let Rule::Alerting(rule) = rule else { continue };
                assert_eq!(rule.annotations["__dashboardUid__"], dashboard["uid"]);
                assert!(ids.contains(&rule.annotations["__panelId__"]), "{}", rule.alert);
            }
        }
    }
}
