//! What is remembered is what would be built.

use std::collections::BTreeMap;

use metric_contract::dialects::DialectId;
use proptest::prelude::*;

use super::*;
use crate::{AlertOverride, EventSelector, ObjectiveEvents, ObjectiveWindow, promql::Decimal};

fn facts<'a>(namespace: &'a str, name: &'a str, dialect: Option<DialectId>, routes: &'a [String]) -> ApiFacts<'a> {
    ApiFacts {
        namespace,
        name,
        spelling: dialect.map(DialectId::spelling),
        proxy: None,
        has_overall: false,
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: 30,
        excluded_routes: routes,
        limits: ApiLimits::default(),
        objectives: &[],
        compat: None,
    }
}

fn availability() -> Objective {
    Objective {
        name: "availability".to_owned(),
        events: ObjectiveEvents::Availability,
        target: Decimal::whole(99),
        window: ObjectiveWindow::default(),
        selector: EventSelector::default(),
        min_events_per_hour: 10,
    }
}

fn assert_same(api: &ApiFacts<'_>, settings: &AlertSettings) {
    let both = generate_rules(api, settings).and_then(|generated| Ok((generated, build_rules(api, settings)?)));
    if let Ok((generated, built)) = both {
        assert_eq!(generated.omitted_alerts(), built.omitted_alerts);
        assert_eq!(generated.omitted_objectives(), built.omitted_objectives);
        if let Some(spec) = generated.spec(api) {
            assert_eq!((spec.namespace(), spec.name()), (api.namespace, api.name));
            let mut text = "# ".to_owned();
            let write =
                |namespace: &str, name: &str, value| Ok::<_, Infallible>(format!("{namespace}/{name}: {value}"));
            let Ok(()) = spec.write_by(write, &mut text);
            assert_eq!(text, format!("# {}/{}: {}", api.namespace, api.name, spec.value()));
        }
    }
    let built = build_rules(api, settings).map(|rules| json!(rules));
    let generated = generate_rules(api, settings).map(|rules| {
        rules
            .spec(api)
            .map_or_else(|| json!({"groups": []}), |spec| spec.value())
    });
    assert_eq!(generated, built);
    let dashboard = build_dashboard(api, settings);
    let generated = generate_dashboard(api, settings);
    assert_eq!(generated.json(api).value(), json!(dashboard.to_json()));
    assert_eq!(generated.omitted_panels(), dashboard.omitted_panels());
}

fn settings(label: &str, threshold: &str) -> AlertSettings {
    AlertSettings {
        labels: BTreeMap::from([("team".to_owned(), label.to_owned())]),
        overrides: vec![AlertOverride {
            name: "ApiHighErrorRatio".to_owned(),
            threshold: Some(threshold.to_owned()),
            ..AlertOverride::default()
        }],
        ..AlertSettings::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn remembered_rules_and_dashboards_are_those_that_would_be_built(
        names in proptest::collection::vec(("[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "[a-z]([a-z0-9-]{0,50}[a-z0-9])?"), 1..4),
        dialect in proptest::option::of(proptest::sample::select(DialectId::ALL)),
        label in "\\PC{0,6}",
        threshold in proptest::sample::select(&["0.02", "0.5", "7"][..]),
        routes in proptest::collection::vec("/[a-z]{1,8}", 0..2),
    ) {
        for (namespace, name) in &names {
            for (has_overall, compat) in [(false, None), (true, None), (false, Some(Compat::Sloth))] {
                let objectives = &[availability()];
                let api = ApiFacts { has_overall, compat, objectives, ..facts(namespace, name, dialect, &routes) };
                assert_same(&api, &settings(&label, threshold));
            }
        }
    }
}

#[test]
fn an_api_that_differs_in_anything_but_its_names_gets_rules_of_its_own() {
    let (objectives, routes) = ([availability()], ["/internal".to_owned()]);
    let base = facts("shop", "orders", Some(DialectId::Native), &[]);
    let limits = ApiLimits {
        memory_bytes: Some(256 << 20),
        ..base.limits
    };
    let others = [
        ApiFacts { spelling: None, ..base },
        ApiFacts {
            has_overall: true,
            ..base
        },
        ApiFacts {
            scrape_interval_seconds: 180,
            ..base
        },
        ApiFacts {
            excluded_routes: &routes,
            ..base
        },
        ApiFacts { limits, ..base },
        ApiFacts {
            objectives: &objectives,
            ..base
        },
    ];
    let usual = AlertSettings::default();
    for other in &others {
        // Whichever comes second finds the first remembered.
        for (api, settings) in [(&base, &usual), (other, &usual), (&base, &usual)] {
            assert_same(api, settings);
        }
    }
    let of_objectives = ApiFacts {
        objectives: &objectives,
        ..base
    };
    let in_sloths_names = ApiFacts {
        compat: Some(Compat::Sloth),
        ..of_objectives
    };
    for api in [&of_objectives, &in_sloths_names, &of_objectives] {
        assert_same(api, &usual);
    }
    assert_same(&base, &settings("shop", "0.5"));
    // A target renames labels of some dialects only.
    let of = |dialect, target| ApiFacts {
        target,
        ..facts("shop", "orders", Some(dialect), &[])
    };
    let by = |dialect, target| build_dashboard(&of(dialect, target), &usual).to_json();
    let mut dialects = DialectId::ALL.iter().copied();
    let renamed = dialects.find(|dialect| by(*dialect, TargetKind::Static) != by(*dialect, TargetKind::ServiceMonitor));
    for target in [TargetKind::Static, TargetKind::ServiceMonitor, TargetKind::Static] {
        assert_same(&of(renamed.unwrap(), target), &usual);
    }
}

#[test]
fn texts_of_a_user_that_hold_a_place_stay_as_they_are() {
    let settings = settings(&format!("{NAMESPACE}{NAME}"), "0.02");
    for name in ["orders", "carts"] {
        assert_same(&facts("shop", name, Some(DialectId::Native), &[]), &settings);
    }
}

#[test]
fn more_kinds_than_are_remembered_are_built_again() {
    for round in 0..2 {
        for label in 0..=REMEMBERED {
            let name = format!("orders-{round}-{label}");
            assert_same(
                &facts("shop", &name, Some(DialectId::Native), &[]),
                &settings(&label.to_string(), "0.02"),
            );
        }
    }
}
