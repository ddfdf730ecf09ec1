//! What holds an object back.

use super::*;

#[test]
fn no_pod_uses_what_may_belong_to_somebody_else() {
    for kind in [ChildKind::PERSISTENT_VOLUME_CLAIM, ChildKind::SERVICE_ACCOUNT] {
        holds_the_deployment_back(kind);
    }
}

fn holds_the_deployment_back(kind: ChildKind) {
    let used = |outcome| AppliedChild {
        kind,
        name: "orders".to_owned(),
        outcome,
        record: None,
    };
    let blocked = |kind, outcome| blocked_by(kind, &Decision::Create, &[used(outcome)]);
    let text = || "why".to_owned();
    for outcome in [
        Outcome::Conflict(text()),
        Outcome::CrdMissing,
        Outcome::Forbidden(text()),
        Outcome::Invalid(text()),
        Outcome::Failed(text()),
        Outcome::Waiting(text()),
    ] {
        let held = blocked(ChildKind::DEPLOYMENT, outcome.clone()).unwrap();
        let (Outcome::Conflict(why)
        | Outcome::Forbidden(why)
        | Outcome::Invalid(why)
        | Outcome::Failed(why)
        | Outcome::Waiting(why)) = &held
        else {
            panic!("{held:?}")
        };
        assert!(why.contains(&format!("{kind} orders")), "{why}");
        assert_eq!(held.is_error(), outcome.is_error());
        assert_eq!(blocked(ChildKind::SERVICE, outcome.clone()), None);
        // Nothing is due, so nothing is held back.
        assert_eq!(
            blocked_by(ChildKind::DEPLOYMENT, &Decision::Skip, &[used(outcome)]),
            None
        );
    }
    assert!(blocked(ChildKind::DEPLOYMENT, Outcome::Pending(text())).is_some());
    for outcome in [Outcome::Applied, Outcome::Unchanged] {
        assert_eq!(blocked(ChildKind::DEPLOYMENT, outcome), None);
    }
}

#[test]
fn without_an_answer_for_an_object_that_the_workload_needs_no_further_request_is_made() {
    let earlier = |kind, class| {
        let planned = PlannedChild::new(kind, "orders".to_owned(), json!({}));
        [AppliedChild {
            kind,
            name: "orders".to_owned(),
            outcome: Outcome::of_failure(&planned, class, ""),
            record: None,
        }]
    };
    let cases = [
        (ChildKind::SERVICE, ErrorClass::Timeout, true),
        (ChildKind::SERVICE, ErrorClass::Server, false),
        // Somebody's webhook for rules must not hold up the workload.
        (ChildKind::PROMETHEUS_RULE, ErrorClass::Timeout, false),
    ];
    for (kind, class, stops) in cases {
        let blocked = blocked_by(ChildKind::DEPLOYMENT, &Decision::Create, &earlier(kind, class));
        assert_eq!(blocked.is_some(), stops, "{kind} {class:?}");
    }
}
