//! The admission policy: a MonitoredApi gives its author nothing that they may not create themselves.
//!
//! The operator writes Deployments, Services and so on for everybody who may write a MonitoredApi. So the API server
//! checks, for each child kind that the spec turns on, whether the author may create that kind in the namespace, and whether they
//! may get a workload that the spec refers to.

use controller_api::{names, spec::WorkloadKind};
use serde_json::{Value, json};

use crate::{children::child_kinds, kind::ChildKind};

/// `spec` of the ValidatingAdmissionPolicy. One validation for each permission, because an authorizer check costs 350,000 units of the
/// 1,000,000 that one expression may cost.
#[must_use]
pub fn policy_spec() -> Value {
    json!({
        // Fail closed: a policy that cannot be evaluated grants no rights.
        "failurePolicy": "Fail",
        // With what the API server would fill in, so that tools that compare (Argo CD, Flux) see no difference.
        "matchConstraints": {
            "matchPolicy": "Equivalent",
            "namespaceSelector": {},
            "objectSelector": {},
            "resourceRules": [{
                "apiGroups": [names::GROUP],
                "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["monitoredapis"],
                "scope": "*",
            }],
        },
        "matchConditions": [
            {
                "name": "spec-changed",
                "expression": "oldObject == null || object.spec != oldObject.spec",
            },
            {
                // The garbage collector finishes a foreground deletion by an update, and has no right to create.
                "name": "not-being-deleted",
                "expression": "!has(object.metadata.deletionTimestamp)",
            },
        ],
        "validations": child_kinds().map(validation).chain([of_reference()]).collect::<Vec<_>>(),
    })
}

fn validation(kind: ChildKind) -> Value {
    let allowed = format!(
        "authorizer.group('{}').resource('{}').namespace(object.metadata.namespace).check('create').allowed()",
        kind.group, kind.plural
    );
    let expression = if kind.is_always_enabled() {
        allowed
    } else {
        format!("!({}) || {allowed}", kind.enabled_when)
    };
    json!({
        "expression": expression,
        "message": format!(
            "this spec makes the operator create a {}: you need the permission to create {} in this namespace",
            kind.name,
            if kind.group.is_empty() { kind.plural.to_owned() } else { format!("{}.{}", kind.plural, kind.group) },
        ),
        "reason": "Forbidden",
    })
}

/// Status and rules tell of a workload that exists already, and the operator reads it for the author.
fn of_reference() -> Value {
    let plurals: Vec<_> = WorkloadKind::ALL
        .iter()
        .map(|kind| format!("'{}': '{}'", kind.as_str(), kind.plural()))
        .collect();
    let expression = format!(
        "!has(object.spec.workloadRef) || authorizer.group('apps').resource({{{}}}[object.spec.workloadRef.kind])\
         .namespace(object.metadata.namespace).name(object.spec.workloadRef.name).check('get').allowed()",
        plurals.join(", ")
    );
    json!({
        "expression": expression,
        "message": "this spec refers to a workload: you need the permission to get it in this namespace",
        "reason": "Forbidden",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_child_kind_and_the_reference_have_one_validation_with_one_check() {
        let spec = policy_spec();
        let validations = spec["validations"].as_array().unwrap();
        let reference = validations.last().unwrap()["expression"].as_str().unwrap();
        assert_eq!(reference.matches("check(").count(), 1, "{reference}");
        assert_eq!(validations.len(), child_kinds().len() + 1);
        for (validation, kind) in validations.iter().zip(child_kinds()) {
            let expression = validation["expression"].as_str().unwrap();
            assert_eq!(expression.matches("check(").count(), 1, "{expression}");
            assert!(expression.contains(kind.plural), "{expression}");
        }
    }

    #[test]
    fn a_foreground_deletion_is_allowed() {
        let conditions = policy_spec()["matchConditions"].to_string();
        assert!(conditions.contains("deletionTimestamp"));
        assert!(conditions.contains("oldObject.spec"));
    }
}
