//! The rules and dashboards of sample APIs, byte by byte. `BLESS=1 cargo test -p controller-rules --test golden` accepts
//! new bytes.
#![expect(clippy::disallowed_methods, reason = "tests read files; the engine does not")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's own helpers fail the test"
)]

mod common;

use std::{collections::BTreeMap, env, fs};

use common::{
    custom_spellings, dashboard, in_dialect, in_repository, objective, orders, overall, rules, settings, undetected,
};
use controller_rules::{
    ApiFacts, ApiLimits, Compat, EventSelector, Objective, ObjectiveEvents, OperatorTarget,
    alert_tests::{AlertTest, AlertTestFile, AlertTests, alert_tests},
    build_operator_rules,
    named_queries::{NAMED_QUERIES, NamedQuery},
    promql::{Decimal, PromDuration},
};
use metric_contract::{DialectId, TargetKind};
use serde::Serialize;

fn golden(case: &str, file: &str, value: &impl Serialize) {
    let path = in_repository("controller/rules/tests/cases").join(case).join(file);
    let made = serde_json::to_string_pretty(value).unwrap() + "\n";
    if env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let accepted = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        accepted == made,
        "{} differs: look at it with BLESS=1 and git diff",
        path.display()
    );
}

#[test]
fn a_native_apis_rules_and_dashboard_are_as_accepted() {
    golden("native", "rules.json", &rules(&orders()));
    golden("native", "dashboard.json", &dashboard(&orders()));
}

#[test]
fn the_rules_and_dashboards_of_spellings_by_hand_are_as_accepted() {
    for (case, spelling) in custom_spellings() {
        let api = ApiFacts {
            spelling: Some(spelling),
            ..orders()
        };
        golden(case, "rules.json", &rules(&api));
        golden(case, "dashboard.json", &dashboard(&api));
    }
}

#[test]
fn the_rules_and_dashboards_of_apis_behind_a_mesh_and_an_ingress_are_as_accepted() {
    for id in [DialectId::Istio, DialectId::IngressNginx] {
        let api = in_dialect(id);
        golden(id.as_str(), "rules.json", &rules(&api));
        golden(id.as_str(), "dashboard.json", &dashboard(&api));
    }
}

#[test]
fn the_named_queries_are_as_accepted() {
    let window = PromDuration::from_minutes(5);
    for (case, dialect) in [("native", DialectId::Native), ("units", DialectId::Micrometer)] {
        let api = ApiFacts {
            spelling: Some(dialect.spelling()),
            ..orders()
        };
        let queries = NAMED_QUERIES.iter().filter_map(|query| {
            let promql = query.promql(&api, window, Decimal::whole(10))?;
            Some((query.title, promql))
        });
        golden(case, "queries.json", &queries.collect::<BTreeMap<_, _>>());
    }
    let without = |query: &&NamedQuery| query.promql(&undetected(), window, Decimal::whole(10)).is_none();
    assert_eq!(NAMED_QUERIES.iter().filter(without).count(), NAMED_QUERIES.len());
}

/// A unit test as its title and the series that it draws, a line each.
fn drawn(test: &AlertTest, file: &AlertTestFile) -> (String, Vec<String>) {
    let made = file.json("rules.json", [test]);
    let series = made["tests"][0]["input_series"].as_array().unwrap().iter();
    let lines = series.map(|series| {
        [&series["series"], &series["values"]]
            .map(|text| text.as_str().unwrap())
            .join(" ")
    });
    let objective = test.objective.as_deref().unwrap_or("-");
    let title = format!("{} {objective} {}: {}", test.alert, test.case.as_str(), test.what);
    (title, lines.collect())
}

#[test]
fn the_unit_tests_that_are_made_for_an_api_are_as_accepted() {
    let api = ApiFacts {
        spelling: Some(DialectId::S0.spelling()),
        scrape_interval_seconds: 60,
        target: TargetKind::Static,
        ..orders()
    };
    let AlertTests { files, untested, .. } = alert_tests(&api, &settings()).unwrap();
    assert_eq!(untested, [""; 0]);
    let all = files
        .iter()
        .flat_map(|file| file.tests.iter().map(move |test| drawn(test, file)));
    // In most, health is the same.
    let whole = ["ApiDown", "ApiErrorBudgetBurn"];
    let told_apart = |title: &String| title.contains("fires:") || whole.iter().any(|alert| title.starts_with(alert));
    let all: BTreeMap<_, _> = all.filter(|(title, _)| told_apart(title)).collect();
    golden("alert-tests", "series.json", &all);
    let whole = files.iter().filter(|file| whole.contains(&&*file.alert));
    let whole: Vec<_> = whole.map(|file| file.json("rules.json", &file.tests)).collect();
    golden("alert-tests", "tests.json", &whole);
}

/// Of a page with everything that native has, scraped with a short time and few samples allowed.
#[test]
fn the_unit_tests_of_targets_with_metrics_over_all_routes_are_as_accepted() {
    let api = ApiFacts {
        limits: ApiLimits {
            scrape_timeout_millis: Some(400),
            scrape_samples: Some(1_000),
            ..orders().limits
        },
        ..overall()
    };
    let AlertTests { files, .. } = alert_tests(&api, &settings()).unwrap();
    let all = files
        .iter()
        .flat_map(|file| file.tests.iter().map(move |test| drawn(test, file)));
    let firing: BTreeMap<_, _> = all.filter(|(title, _)| title.contains("fires:")).collect();
    golden("alert-tests", "overall.json", &firing);
}

#[test]
fn the_unit_tests_of_an_api_without_limits_are_as_accepted() {
    let promise = |name: &str, selector: EventSelector, min_events_per_hour| Objective {
        min_events_per_hour,
        selector,
        ..objective(name, ObjectiveEvents::Availability, "99")
    };
    let of_gets = EventSelector {
        methods: vec!["GET".to_owned()],
        ..EventSelector::default()
    };
    let objectives = [
        promise("busy", EventSelector::default(), 6_000),
        promise("reads", of_gets, 10),
    ];
    let api = ApiFacts {
        spelling: Some(DialectId::OtelHttp.spelling()),
        limits: ApiLimits::default(),
        objectives: &objectives,
        ..orders()
    };
    let AlertTests { files, untested, .. } = alert_tests(&api, &settings()).unwrap();
    assert_eq!(
        untested,
        ["reads: not tested, because it counts some routes or methods only"]
    );
    let files = files
        .iter()
        .filter(|file| ["ApiTooManyInFlight", "ApiErrorBudgetBurn"].contains(&&*file.alert));
    let made: Vec<_> = files.map(|file| file.json("rules.json", &file.tests)).collect();
    golden("alert-tests", "without-limits.json", &made);
}

#[test]
fn the_rules_and_dashboard_of_targets_with_metrics_over_all_routes_are_as_accepted() {
    golden("overall", "rules.json", &rules(&overall()));
    golden("overall", "dashboard.json", &dashboard(&overall()));
}

#[test]
fn the_rules_of_objectives_alone_are_as_accepted() {
    // Without the other groups, promtool evaluates days of them in seconds.
    let mut made = rules(&orders());
    made.groups.retain(|group| {
        ["recording", "budget", "objectives"]
            .iter()
            .any(|kept| group.name.ends_with(kept))
    });
    golden("objectives", "rules.json", &made);
}

#[test]
fn the_rules_of_objectives_with_sloths_names_are_as_accepted() {
    let mut made = rules(&ApiFacts {
        compat: Some(Compat::Sloth),
        ..orders()
    });
    made.groups.retain(|group| {
        ["recording", "compat", "budget", "objectives"]
            .iter()
            .any(|kept| group.name.ends_with(kept))
    });
    golden("sloth", "rules.json", &made);
}

#[test]
fn the_rules_about_the_operator_are_as_accepted() {
    let operator = OperatorTarget {
        namespace: "monitored-api",
        job: "monitored-api",
    };
    golden("operator", "rules.json", &build_operator_rules(operator));
}

#[test]
fn an_undetected_apis_rules_and_dashboard_are_as_accepted() {
    golden("undetected", "rules.json", &rules(&undetected()));
    golden("undetected", "dashboard.json", &dashboard(&undetected()));
}
