//! The admission policy: a MonitoredApi gives its author nothing that they may not create themselves.
//!
//! The operator writes Deployments, Services and so on for everybody who may write a MonitoredApi. So the API server
//! checks, for each child kind that the spec turns on, whether the author may create that kind in the namespace.

use controller_api::names;
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
        "validations": child_kinds().map(validation).collect::<Vec<_>>(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_child_kind_has_one_validation_with_one_check() {
        let spec = policy_spec();
        let validations = spec["validations"].as_array().unwrap();
        assert_eq!(validations.len(), child_kinds().len());
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
