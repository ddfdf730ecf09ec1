//! The rules of an API: which series they select, and what is left out.

#![expect(clippy::panic, reason = "a test's own helpers fail the test")]

mod common;

use common::{
    alert, change, dashboard, expressions, in_dialect,
    labels::{check_labels, output_labels},
    listed, of_the_platform, one, orders, overall, rules, settings, undetected,
};
use controller_rules::{
    AlertGap, AlertOverride, ApiFacts, ApiLimits, Rule, RuleSet,
    alerts::alerts,
    alerts_against_a_week_ago, build_dashboard, panel_queries,
    promql::{Decimal, Expr, metrics},
};
use metric_contract::{Attribute, DialectId, LabelCondition, MetricId, MetricSpelling, Signal, Spelling, TargetKind};

fn omitted_alerts(rules: &RuleSet) -> Vec<(&'static str, AlertGap)> {
    let omitted = rules.omitted_alerts.iter();
    omitted.map(|omitted| (omitted.alert, omitted.gap)).collect()
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
    for api in proxied().chain([orders(), undetected()]) {
        for (name, expr) in expressions(&rules(&api)) {
            promql_parser::parser::parse(&expr.to_string()).unwrap_or_else(|error| panic!("{name}: {error}\n{expr}"));
        }
    }
}

#[test]
fn both_sides_of_every_operator_carry_the_same_labels() {
    for api in proxied().chain([orders()]) {
        for (name, expr) in expressions(&rules(&api)) {
            assert_eq!(check_labels(&expr), Ok(()), "{name}: {expr}");
        }
    }
}

#[test]
fn namespace_and_job_stay_on_every_result() {
    for (name, expr) in proxied().chain([orders()]).flat_map(|api| expressions(&rules(&api))) {
        let labels = output_labels(&expr).unwrap_or_default();
        let kept = ["namespace", "job"]
            .iter()
            .all(|kept| labels.iter().any(|label| label.as_str() == *kept));
        assert!(kept, "{name} keeps {labels:?}");
    }
}

/// `shop/orders` behind each proxy.
fn proxied() -> impl Iterator<Item = ApiFacts<'static>> {
    let proxies = DialectId::ALL.iter().filter(|id| id.proxy().is_some());
    proxies.map(|id| in_dialect(*id))
}

/// The selectors of a query, each with all of its matchers.
fn selectors(expr: &Expr) -> Vec<String> {
    let text = expr.to_string();
    let parts = text.split('}').filter_map(|part| part.rsplit_once('{'));
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let selector = |(before, matchers): (&str, &str)| {
        let name = before.rsplit(|c| !is_of_name(c)).next().unwrap_or_default();
        format!("{name}{{{matchers}}}")
    };
    parts.map(selector).collect()
}

#[test]
fn behind_a_proxy_every_selector_has_the_apis_own_labels_or_all_by_which_the_proxy_names_the_workload() {
    for api in proxied() {
        let spelling = api.spelling.unwrap();
        let exprs = expressions(&rules(&api)).into_iter().map(|(_, expr)| expr);
        let mut of_proxy = 0;
        for selector in exprs.flat_map(|expr| selectors(&expr)) {
            let of_operator = selector.contains(r#"api_namespace="shop", name="orders""#);
            let own = selector.contains(r#"namespace="shop", job="orders""#);
            let is_requests = spelling
                .metrics
                .iter()
                .any(|metric| selector.starts_with(&*metric.name));
            assert_eq!(is_requests, !own && !of_operator, "{}: {selector}", spelling.dialect);
            assert!(
                !selector.starts_with("up{"),
                "{}: nobody scrapes the pods",
                spelling.dialect
            );
            if !is_requests {
                continue;
            }
            of_proxy += 1;
            let fulfils = |set: &Vec<LabelCondition>| {
                let has = |LabelCondition { label, is, values }: &LabelCondition| {
                    let operator = match (*is, values.len()) {
                        (true, 1) => "=",
                        (true, _) => "=~",
                        (false, 1) => "!=",
                        (false, _) => "!~",
                    };
                    let value = values.join("|");
                    [
                        format!("{{{label}{operator}{value:?}"),
                        format!(", {label}{operator}{value:?}"),
                    ]
                    .iter()
                    .any(|matcher| selector.contains(matcher))
                };
                set.iter().all(has)
            };
            let sets = api.proxy.unwrap_or_default().iter();
            assert_eq!(
                sets.filter(|set| fulfils(set)).count(),
                1,
                "{}: {selector}",
                spelling.dialect
            );
        }
        assert!(of_proxy >= 2, "{}", spelling.dialect);
    }
}

#[test]
fn behind_a_proxy_what_the_process_or_a_scrape_would_tell_is_left_out_and_only_the_former_is_missed() {
    for api in proxied() {
        let made = rules(&api);
        let omitted = omitted_alerts(&made);
        let names: Vec<_> = expressions(&made).into_iter().map(|(name, _)| name).collect();
        for scrape in [
            "ApiScrapeFailing",
            "ApiScrapeSlow",
            "ApiTargetsMissing",
            "ApiFlapping",
            "ApiCardinalityHigh",
        ] {
            assert!(!names.contains(&scrape.to_owned()), "{scrape}");
            assert!(
                !omitted.iter().any(|(alert, _)| *alert == scrape),
                "{scrape}: {omitted:?}"
            );
        }
        for process in ["ApiHighCpu", "ApiHighMemory", "ApiThreads", "ApiExceptions"] {
            assert!(
                omitted.iter().any(|(alert, _)| *alert == process),
                "{process}: {omitted:?}"
            );
        }
        for kept in [
            "ApiDown",
            "ApiReplicasMismatch",
            "ApiHighErrorRatio",
            "ApiHighLatencyP95",
            "ApiErrorBudgetBurn",
        ] {
            assert!(names.contains(&kept.to_owned()), "{kept}: {names:?}");
        }
        let dashboard = build_dashboard(&api, &settings());
        assert!(
            !panel_queries(&dashboard, "5m")
                .iter()
                .any(|query| query.expr.contains("up{"))
        );
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

/// The metrics whose series multiply with the routes.
fn metrics_with_a_route(spelling: &Spelling) -> impl Iterator<Item = &MetricSpelling> {
    let metrics = spelling.metrics.iter();
    metrics.filter(|metric| metric.path_label().is_some())
}

#[test]
fn no_series_of_a_route_is_read_twice_in_an_evaluation() {
    for (id, has_overall) in DialectId::ALL.iter().flat_map(|id| [(id, false), (id, true)]) {
        let api = ApiFacts {
            spelling: Some(id.spelling()),
            has_overall,
            ..orders()
        };
        let read: Vec<_> = expressions(&rules(&api))
            .iter()
            .flat_map(|(_, expr)| selected(expr))
            .collect();
        for metric in metrics_with_a_route(id.spelling()) {
            let parts = [metric.bucket_series(), metric.sum_series(), metric.count_series()];
            for series in parts.into_iter().chain([metric.name.to_string()]) {
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
        for metric in metrics_with_a_route(DialectId::Native.spelling()) {
            let parts = [metric.name.to_string(), metric.bucket_series()];
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
    // The sample has no autoscaler.
    let answered = |signal: &Signal| of_the_platform(signal) && *signal != Signal::AutoscalerMax;
    let expected: Vec<_> = alerts().filter(|def| def.signals.iter().all(answered)).collect();
    assert_eq!(names, expected.iter().map(|def| def.name).collect::<Vec<_>>());
    assert!(names.contains(&"ApiDown".to_owned()) && names.len() < alerts().count());
    let omitted = alerts().filter_map(|def| {
        let signal = def.signals.iter().find(|signal| !of_the_platform(signal))?;
        Some((def.name, AlertGap::MissingSignal(*signal)))
    });
    assert_eq!(omitted_alerts(&made), omitted.collect::<Vec<_>>());
}

#[test]
fn without_an_autoscaler_its_alert_and_its_line_are_neither_made_nor_missed() {
    const ALERT: &str = "ApiAutoscalerAtMax";
    let with = orders();
    let without = ApiFacts {
        limits: ApiLimits {
            autoscaler_max: None,
            ..with.limits
        },
        ..with
    };
    for (api, expected) in [(with, true), (without, false)] {
        let made = rules(&api);
        let names: Vec<_> = expressions(&made).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names.contains(&ALERT.to_owned()), expected);
        assert!(!omitted_alerts(&made).iter().any(|(name, _)| *name == ALERT));
        let dashboard = dashboard(&api);
        let queries = panel_queries(&dashboard, "5m");
        let shown = queries
            .iter()
            .any(|query| query.expr.contains("monitored_api_autoscaler_max"));
        assert_eq!(shown, expected);
        assert!(
            dashboard.omitted_panels().is_empty(),
            "{:?}",
            dashboard.omitted_panels()
        );
    }
}

#[test]
fn an_alert_whose_signal_the_dialect_lacks_is_left_out_and_so_is_the_series_that_only_it_reads() {
    let mut spelling = DialectId::Native.spelling().clone();
    spelling.metrics.retain(|metric| metric.metric != MetricId::Duration);
    let made = rules(&ApiFacts {
        spelling: Some(&spelling),
        ..orders()
    });
    let timed = alerts().filter(|def| def.signals.contains(&Signal::Duration));
    let missing = AlertGap::MissingSignal(Signal::Duration);
    let expected: Vec<_> = timed.map(|def| (def.name, missing)).collect();
    assert!(expected.contains(&("ApiHighLatencyP95", missing)));
    assert_eq!(omitted_alerts(&made), expected);
    assert!(
        !expressions(&made).iter().any(|(name, _)| name.contains("latency")),
        "no alert reads the buckets"
    );
}

/// The spelling of a metric, to be changed.
fn metric(spelling: &mut Spelling, metric: MetricId) -> &mut MetricSpelling {
    let mut metrics = spelling.metrics.iter_mut();
    metrics
        .find(|one| one.metric == metric)
        .unwrap_or_else(|| panic!("no {metric:?}"))
}

#[test]
fn a_latency_alert_whose_default_threshold_is_not_below_the_largest_bucket_is_left_out_and_named() {
    let (high, critical, p99) = (
        ("ApiHighLatencyP95", "0.5"),
        ("ApiCriticalLatencyP95", "1"),
        ("ApiHighLatencyP99", "2"),
    );
    for (buckets, omitted) in [
        (&[0.1, 0.25][..], vec![high, critical, p99]),
        (&[0.1, 0.5], vec![high, critical, p99]),
        (&[0.1, 0.6], vec![critical, p99]),
        (&[0.1, 1.5], vec![p99]),
        (&[0.1, 2.5], Vec::new()),
    ] {
        let decimal = |number: &str| number.parse::<Decimal>().expect("a number");
        let largest = decimal(&buckets.last().expect("a bucket").to_string());
        let omitted: Vec<_> = omitted
            .into_iter()
            .map(|(alert, threshold)| {
                let threshold = decimal(threshold);
                (alert, AlertGap::BucketsEndBelow { threshold, largest })
            })
            .collect();
        let mut spelling = DialectId::Native.spelling().clone();
        metric(&mut spelling, MetricId::Duration).buckets = buckets.into();
        let api = ApiFacts {
            spelling: Some(&spelling),
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
            spelling: Some(id.spelling()),
            ..orders()
        });
        let duration = id.spelling().duration();
        let has_buckets = duration.is_some_and(|duration| !duration.histogram.buckets.is_empty());
        assert!(
            !has_buckets
                || !omitted_alerts(&made)
                    .iter()
                    .any(|(alert, _)| *alert == "ApiHighLatencyP95")
        );
    }
}

#[test]
fn a_route_label_that_the_target_would_take_over_is_spelled_as_it_is_stored() {
    let mut spelling = DialectId::Native.spelling().clone();
    spelling.metrics.retain(|metric| metric.metric == MetricId::Requests);
    for (label, attribute) in &mut metric(&mut spelling, MetricId::Requests).labels {
        if *attribute == Attribute::Route {
            *label = "endpoint".into();
        }
    }
    let spelled = |target| {
        let made = rules(&ApiFacts {
            spelling: Some(&spelling),
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
fn each_alert_names_a_panel_that_the_dashboard_has() {
    for api in proxied().chain([orders(), undetected()]) {
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
