//! `Accepted`: violations and what cannot be decoded.

use super::*;

#[test]
fn an_invalid_spec_is_stalled_and_names_every_violation_with_its_field() {
    let mut world = World::new(json!({"image": "i", "preset": "fortran", "metrics": {"dialect": "cobol"}}));
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Accepted"), "False/InvalidSpec");
    let message = &condition(&status, "Accepted").message;
    assert!(
        message.contains("spec.preset: ") && message.contains("spec.metrics.dialect: "),
        "{message}"
    );
    assert_eq!(says(&status, "Ready"), "False/InvalidSpec");
    assert_eq!(says(&status, "Stalled"), "True/InvalidSpec");
    assert_eq!(says(&status, "Reconciling"), "False/Stalled");
    assert_eq!(status.first_failing.as_deref(), Some("Accepted/InvalidSpec"));
}

#[test]
fn a_number_of_replicas_beside_an_autoscaler_is_accepted_and_told_as_ignored() {
    let message = |spec: Value| {
        let status = World::new(spec).fold();
        assert_eq!(says(&status, "Accepted"), "True/Valid");
        condition(&status, "Accepted").message.clone()
    };
    let autoscaling = json!({"maxReplicas": 4});
    assert_eq!(
        message(json!({"image": "i", "autoscaling": autoscaling})),
        "the spec is valid"
    );
    let told = message(json!({"image": "i", "replicas": 0, "autoscaling": autoscaling}));
    assert!(
        told.contains("spec.replicas is ignored") && told.contains("remove it"),
        "{told}"
    );
}

#[test]
fn an_invalid_spec_keeps_the_records_of_what_runs() {
    let mut world = World::well();
    world.previous = world.fold();
    world.spec = json!({"image": "i", "metrics": {"dialect": "cobol"}});
    world.applied = None;
    let status = world.fold();
    assert_eq!(says(&status, "Accepted"), "False/UnknownDialect");
    assert_eq!(status.children, world.previous.children);
    assert_eq!(says(&status, "WorkloadReady"), "Unknown/SpecInvalid");
}

#[test]
fn a_spec_of_another_release_is_distinguished_from_a_wrong_one() {
    let violations = [Violation::undecodable(r#"{"env": [{"name": "A", "value": {}}]}"#)];
    let verdict = accepted(Err(&violations));
    assert_eq!(verdict.reason, Reason::Undecodable);
    assert!(
        verdict
            .message
            .contains("in spec.env[0].value, a map is not a valid value: use text: "),
        "{}",
        verdict.message
    );
    assert!(
        verdict.message.contains("the operator and the CRD of the same release"),
        "{}",
        verdict.message
    );
}
