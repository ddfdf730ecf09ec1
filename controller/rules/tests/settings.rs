//! What the settings of alerts change, and the messages about those that cannot be used.

mod common;

use std::collections::BTreeMap;

use common::{alert, change, one, orders, rules, settings};
use controller_rules::{
    AlertOverride, AlertSettings, ApiFacts, Compat, Rule,
    alerts::{self, threshold_in_force},
    build_rules, check_overrides, check_thresholds,
};

fn messages(settings: &AlertSettings) -> Vec<String> {
    check_overrides(settings).iter().map(ToString::to_string).collect()
}

#[test]
fn the_threshold_in_force_is_the_default_or_that_of_the_override_also_of_an_alert_that_is_off() {
    let in_force = |name: &str, settings: &AlertSettings| {
        let threshold = threshold_in_force(alerts::alert(name).unwrap(), settings);
        threshold.map(|threshold| threshold.to_string())
    };
    let changed = one(AlertOverride {
        threshold: Some("20".to_owned()),
        ..change("ApiTooManyInFlight")
    });
    let off = one(AlertOverride {
        enabled: Some(false),
        ..change("ApiTooManyInFlight")
    });
    for (settings, expected) in [(&settings(), "10"), (&changed, "20"), (&off, "10")] {
        assert_eq!(in_force("ApiTooManyInFlight", settings).as_deref(), Some(expected));
    }
    assert_eq!(in_force("ApiDown", &changed), None);
    assert_eq!(in_force("ApiThreads", &changed), in_force("ApiThreads", &settings()));
}

#[test]
fn names_beside_our_own_are_chosen_by_name() {
    assert_eq!(Compat::from_name("sloth"), Some(Compat::Sloth));
    assert_eq!(Compat::from_name("Sloth"), None);
    for compat in Compat::ALL {
        assert_eq!(Compat::from_name(compat.as_str()), Some(*compat));
    }
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
fn a_time_of_zero_is_left_out_as_it_is_the_default_of_prometheus() {
    let none = one(AlertOverride {
        for_: Some("0s".to_owned()),
        keep_firing_for: Some("0s".to_owned()),
        ..change("ApiDown")
    });
    for (settings, name) in [(&none, "ApiDown"), (&settings(), "ApiErrorBudgetBurn")] {
        let rule = serde_json::to_value(alert(&orders(), settings, name).unwrap()).unwrap();
        assert_eq!((rule.get("for"), rule.get("keep_firing_for")), (None, None), "{name}");
    }
    let kept = serde_json::to_value(alert(&orders(), &settings(), "ApiDown").unwrap()).unwrap();
    assert_eq!(kept["for"], "1m");
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
fn a_latency_threshold_beyond_the_largest_bucket_is_told_and_its_alert_is_left_out() {
    let at = |threshold: &str| {
        let entry = AlertOverride {
            threshold: Some(threshold.to_owned()),
            ..change("ApiHighLatencyP95")
        };
        let omitted = build_rules(&orders(), &one(entry.clone())).unwrap().omitted_alerts;
        let is_omitted = omitted.iter().any(|omitted| omitted.alert == "ApiHighLatencyP95");
        (check_thresholds(&orders(), &one(entry)), is_omitted)
    };
    assert_eq!(at("9s"), (Vec::new(), false));
    let (mut errors, is_omitted) = at("10s");
    assert!(is_omitted);
    assert_eq!(
        errors.remove(0).to_string(),
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
fn texts_at_the_edge_of_what_is_allowed() {
    let label = |name: &str| {
        messages(&AlertSettings {
            labels: BTreeMap::from([(name.to_owned(), "x".to_owned())]),
            ..AlertSettings::default()
        })
    };
    assert_eq!(label(&"a".repeat(1_000)), [""; 0]);
    assert_eq!(label(&"a".repeat(1_001)).len(), 1);
    for (url, is_good) in [
        ("https://a", true),
        ("https://", false),
        ("https://wiki/x y", false),
        ("https://wiki/${x}", false),
        ("http://wiki", false),
    ] {
        assert_eq!(alerts::check_runbook_base_url(url).is_ok(), is_good, "{url}");
    }
    for (severity, is_good) in [("a-b_c", true), ("a.b", false), ("-a", false), ("a_", false)] {
        let settings = one(AlertOverride {
            severity: Some(severity.to_owned()),
            ..change("ApiDown")
        });
        assert_eq!(messages(&settings).is_empty(), is_good, "{severity}");
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
fn a_message_repeats_the_first_forty_characters_of_a_users_value() {
    let of = |value: &str| {
        let entry = AlertOverride {
            threshold: Some(value.to_owned()),
            ..change("ApiHighErrorRatio")
        };
        messages(&one(entry)).join(" ")
    };
    let (forty, more) = ("é".repeat(40), "é".repeat(41));
    let told = of(&forty);
    assert!(told.contains(&format!("\"{forty}\" ")), "{told}");
    let told = of(&more);
    assert!(told.contains(&format!("\"{forty}\"…")), "{told}");
}
