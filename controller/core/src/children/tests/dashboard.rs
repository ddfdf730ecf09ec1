//! Which kind of object holds the dashboard, and how one takes the place of the other.

use controller_api::{ChildRecord, MonitoredApiStatus};

use super::*;
use crate::{
    children::dashboard::{holds_it_still, recorded, texts, to_look_for},
    facts::KindState,
    plan::AppliedChild,
};

const BOTH: [ChildKind; 2] = [ChildKind::CONFIG_MAP, ChildKind::GRAFANA_DASHBOARD];

/// The plan of a spec, where the watch of GrafanaDashboards is in this state and the dashboard was in this kind of object.
fn planned(spec: &Value, state: KindState, dashboard_in: Option<ChildKind>) -> Plan {
    let facts = Facts {
        states: [(ChildKind::GRAFANA_DASHBOARD, state)].into(),
        dashboard_in,
        ..Facts::default()
    };
    plan(spec, &facts)
}

fn holders(plan: &Plan) -> Vec<ChildKind> {
    let kinds = plan.children.iter().map(|child| child.kind);
    kinds.filter(|kind| BOTH.contains(kind)).collect()
}

#[test]
fn without_a_word_the_cluster_decides_what_holds_the_dashboard() {
    let [map, grafana] = BOTH;
    let auto = json!({"image": "i"});
    let cases = [
        (KindState::Synced, None, grafana),
        (KindState::Synced, Some(map), grafana),
        (KindState::Missing, None, map),
        (KindState::Missing, Some(grafana), map),
        // It is not known whether the cluster serves the kind, so the dashboard stays where it is.
        (KindState::Pending, None, map),
        (KindState::Pending, Some(map), map),
        (KindState::Pending, Some(grafana), grafana),
        (KindState::Forbidden, None, map),
        (KindState::Forbidden, Some(grafana), grafana),
    ];
    for (state, so_far, expected) in cases {
        assert_eq!(
            holders(&planned(&auto, state, so_far)),
            [expected],
            "{state:?} {so_far:?}"
        );
        for (form, named) in [("ConfigMap", map), ("GrafanaDashboard", grafana)] {
            let spec = json!({"image": "i", "dashboard": {"form": form}});
            assert_eq!(holders(&planned(&spec, state, so_far)), [named], "{form} {state:?}");
        }
        let suspended = json!({"image": "i", "suspend": true});
        assert_eq!(holders(&planned(&suspended, state, so_far)), [so_far.unwrap_or(map)]);
    }
    assert_eq!(
        holders(&planned(
            &json!({"image": "i", "dashboard": {"enabled": false}}),
            KindState::Synced,
            None
        )),
        []
    );
}

#[test]
fn both_kinds_hold_the_same_dashboard() {
    let spec = json!({"image": "i", "preset": "native", "dashboard": {"folder": "APIs"}});
    let of = |state| planned(&spec, state, None);
    let (maps, grafanas) = (of(KindState::Missing), of(KindState::Synced));
    let text = |plan: &Plan, kind| {
        let child = plan.children.iter().find(|child| child.kind == kind).unwrap();
        let texts: Vec<_> = texts(child.object()).map(str::to_owned).collect();
        assert_eq!(texts.len(), 1);
        (child.name.clone(), texts, child.object().clone())
    };
    let (name, dashboard, map) = text(&maps, ChildKind::CONFIG_MAP);
    let (other_name, other, grafana) = text(&grafanas, ChildKind::GRAFANA_DASHBOARD);
    assert_eq!((&name, &dashboard), (&other_name, &other));
    assert_eq!(maps.missing(), grafanas.missing());
    assert_eq!(map["metadata"]["annotations"]["grafana_folder"], "APIs");
    assert_eq!(grafana["apiVersion"], "grafana.integreatly.org/v1beta1");
    assert_eq!(grafana["spec"]["folder"], "APIs");
    assert_eq!(grafana["spec"]["instanceSelector"], json!({}));
    let settings = Settings {
        grafana_instance_labels: [("dashboards".to_owned(), "grafana".to_owned())].into(),
        ..Settings::default()
    };
    let facts = Facts {
        states: [(ChildKind::GRAFANA_DASHBOARD, KindState::Synced)].into(),
        ..Facts::default()
    };
    let selected = plan_with(&spec, &settings, &facts);
    let (_, _, selected) = text(&selected, ChildKind::GRAFANA_DASHBOARD);
    assert_eq!(
        selected["spec"]["instanceSelector"],
        json!({"matchLabels": {"dashboards": "grafana"}})
    );
}

#[test]
fn a_cluster_is_asked_for_the_kind_only_where_the_spec_leaves_it_open() {
    let of = |spec: Value| to_look_for(&planned(&spec, KindState::Missing, None).api);
    let expected = Some((ChildKind::GRAFANA_DASHBOARD, "orders-dashboard".to_owned()));
    assert_eq!(of(json!({"image": "i"})), expected);
    for dashboard in [json!({"form": "ConfigMap"}), json!({"enabled": false})] {
        assert_eq!(of(json!({"image": "i", "dashboard": dashboard})), None);
    }
}

#[test]
fn the_old_object_stays_until_the_new_one_is_as_planned() {
    let [map, grafana] = BOTH;
    let record = |kind: ChildKind| ChildRecord {
        kind: kind.as_str().to_owned(),
        name: "orders-dashboard".to_owned(),
        uid: "uid".to_owned(),
        desired_hash: String::new(),
        applied_fields_hash: String::new(),
        version: None,
        state: "Ready".to_owned(),
    };
    let applied = |kind, outcome| {
        [AppliedChild {
            kind,
            name: "orders-dashboard".to_owned(),
            outcome,
            record: None,
        }]
    };
    for (outcome, stays) in [
        (Outcome::Applied, false),
        (Outcome::Unchanged, false),
        (Outcome::CrdMissing, true),
        (Outcome::Forbidden(String::new()), true),
        (Outcome::Failed(String::new()), true),
    ] {
        let applied = applied(grafana, outcome.clone());
        assert_eq!(holds_it_still(&record(map), &applied), stays, "{outcome:?}");
        assert!(!holds_it_still(&record(ChildKind::SERVICE), &applied));
    }
    assert!(!holds_it_still(&record(map), &[]), "no dashboard is wanted");
    let status = |kinds: &[ChildKind]| MonitoredApiStatus {
        children: kinds.iter().map(|kind| record(*kind)).collect(),
        ..MonitoredApiStatus::default()
    };
    assert_eq!(recorded(&status(&[ChildKind::SERVICE, grafana, map])), Some(grafana));
    assert_eq!(recorded(&status(&[ChildKind::SERVICE])), None);
}

#[test]
fn a_selector_that_cannot_be_changed_is_explained() {
    let words = "spec.instanceSelector: Invalid value: \"object\": spec.instanceSelector is immutable";
    let explanation = (ChildKind::GRAFANA_DASHBOARD.explain)(words).unwrap();
    assert!(explanation.contains("delete this GrafanaDashboard"), "{explanation}");
}
