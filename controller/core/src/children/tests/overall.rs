//! Rules and dashboard read what targets count over all routes only where that is known of each target.

use super::*;

fn known() -> Facts {
    Facts {
        has_overall: true,
        ..Facts::default()
    }
}

/// Whether the rules read it, and whether the dashboard does.
fn reads_overall(plan: &Plan) -> (bool, bool) {
    let reads = |kind| {
        let child = plan.children.iter().find(|child| child.kind == kind).unwrap();
        child.object().to_string().contains("_overall")
    };
    (reads(ChildKind::PROMETHEUS_RULE), reads(ChildKind::CONFIG_MAP))
}

#[test]
fn without_evidence_the_series_of_routes_are_read() {
    let native = json!({"image": "i", "preset": "native"});
    let plan = plan(&native, &Facts::default());
    assert_eq!((plan.reads_overall(), reads_overall(&plan)), (false, (false, false)));
}

#[test]
fn with_evidence_rules_and_dashboard_change_and_nothing_else_does() {
    let native = json!({"image": "i", "preset": "native"});
    let (before, after) = (plan(&native, &Facts::default()), plan(&native, &known()));
    assert_eq!((after.reads_overall(), reads_overall(&after)), (true, (true, true)));
    assert_eq!(before.missing(), after.missing());
    for (before, after) in before.children.iter().zip(&after.children) {
        let changes = [ChildKind::PROMETHEUS_RULE, ChildKind::CONFIG_MAP].contains(&before.kind);
        assert_eq!(before.desired_hash() != after.desired_hash(), changes, "{before}");
    }
}

#[test]
fn evidence_does_not_matter_where_the_dialect_has_nothing_over_all_routes_or_rates_need_more_than_five_minutes() {
    let specs = [
        json!({"image": "i"}),
        json!({"image": "i", "metrics": {"dialect": "s4"}}),
        json!({"image": "i", "preset": "native", "metrics": {"interval": "76s"}}),
    ];
    for spec in specs {
        let plan = plan(&spec, &known());
        assert_eq!(
            (plan.reads_overall(), reads_overall(&plan)),
            (false, (false, false)),
            "{spec}"
        );
    }
    let seldom = json!({"image": "i", "preset": "native", "metrics": {"interval": "75s"}});
    assert!(plan(&seldom, &known()).reads_overall());
}
