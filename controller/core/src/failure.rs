//! What a failed request to the API server means for a child.

pub use crate::error_class::ErrorClass;
use crate::{
    foreign_text,
    plan::{Outcome, PlannedChild},
};

/// The whole answer where the API server gave none in time: a sentence that does not change.
const NO_ANSWER: &str = "the API server does not answer in time";

/// What to do about a policy that demands a label.
pub(crate) const LABEL_FIX: &str = "write a label that a policy demands into spec.objectLabels";

/// Said by the admission plugin OwnerReferencesPermissionEnforcement of an object that gets an owner.
const NO_OWNER_WITHOUT_DELETE: &str = "cannot set an ownerRef on a resource you can't delete";
/// What to do about it: the operator may delete every kind but claims.
const OWNER_FIX: &str = "grant the operator delete on this object until it has taken it over";

impl Outcome {
    /// The outcome of a request for `planned` that failed. `message`: the API server's words.
    ///
    /// Failures that may pass get sentences of our own: the transport's differ from one attempt to the next, and the
    /// status would change with them.
    #[must_use]
    pub fn of_failure(planned: &PlannedChild, class: ErrorClass, message: &str) -> Self {
        let kind = planned.kind;
        if let Some(explanation) = (kind.explain)(message) {
            return Self::Invalid(explanation.to_owned());
        }
        let failed = |what: &str| Self::Failed(what.to_owned());
        match class {
            ErrorClass::KindMissing if kind.optional => Self::CrdMissing,
            // For up to half a minute after our CRD is installed: the admission plugin that checks owner references has
            // not read the list of kinds again. Not a matter of permissions; it passes.
            ErrorClass::Forbidden if message.contains("cannot find RESTMapping") => Self::Pending(
                "the API server's admission does not know the kind MonitoredApi yet: wait, it passes within a minute"
                    .to_owned(),
            ),
            ErrorClass::Unauthenticated => failed("the API server does not accept the operator's credentials"),
            ErrorClass::Forbidden => Self::Forbidden(refused(planned, message)),
            ErrorClass::Invalid => Self::Invalid(refused(planned, message)),
            ErrorClass::KindTerminating => Self::Waiting("its CustomResourceDefinition is being deleted".to_owned()),
            ErrorClass::Conflict => failed("another client is changing it"),
            ErrorClass::NotFound => failed("its namespace does not exist"),
            ErrorClass::KindMissing => failed("the API server does not serve this kind"),
            ErrorClass::Throttled => Self::Failed("the API server asks for fewer requests".to_owned()),
            ErrorClass::Timeout => Self::Failed(NO_ANSWER.to_owned()),
            ErrorClass::Unreachable => Self::Failed("the API server cannot be reached".to_owned()),
            // Server-side apply answers with code 500 where an entry of a list is given twice.
            ErrorClass::Server if message.contains("failed to create typed patch object") => {
                Self::Invalid(refused(planned, message))
            }
            ErrorClass::Server => failed(&server_failed(message)),
            ErrorClass::Gone => failed("the API server failed"),
            ErrorClass::TooLarge => failed("it is too large to be read"),
            ErrorClass::Decode => failed("the API server's answer cannot be read"),
        }
    }
}

impl Outcome {
    /// Whether the API server did not answer the request for the child in time.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Failed(why) if why == NO_ANSWER)
    }
}

/// The refusal, and the field for a label that a policy of another product or of the platform demands.
fn refused(planned: &PlannedChild, message: &str) -> String {
    let values = foreign_text::variables(planned.object());
    let mut sentence = foreign_text::refusal(message, values, &planned.name);
    let fix = if foreign_text::demands_a_label(message) {
        Some(LABEL_FIX)
    } else if message.contains(NO_OWNER_WITHOUT_DELETE) {
        Some(OWNER_FIX)
    } else {
        None
    };
    if let Some(fix) = fix {
        sentence.push_str(": ");
        sentence.push_str(fix);
    }
    sentence
}

/// Who failed. The rest of the message differs from one attempt to the next.
fn server_failed(message: &str) -> String {
    foreign_text::silent_webhook(message).unwrap_or_else(|| "the API server failed".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::ChildKind;

    fn outcome(kind: ChildKind, class: ErrorClass, message: &str) -> Outcome {
        Outcome::of_failure(&PlannedChild::new(kind, "orders".to_owned(), json!({})), class, message)
    }

    #[test]
    fn an_admission_that_does_not_know_our_kind_yet_is_tried_again_soon() {
        // As OwnerReferencesPermissionEnforcement of Kubernetes 1.36 says it, seconds after the CRD is installed.
        let refusal = "services \"orders\" is forbidden: cannot set blockOwnerDeletion in this case because cannot find \
            RESTMapping for APIVersion monitoredapi.io/v1alpha1 Kind MonitoredApi: no matches for kind";
        let outcome = outcome(ChildKind::SERVICE, ErrorClass::Forbidden, refusal);
        assert!(matches!(outcome, Outcome::Pending(why) if why.contains("wait")));
    }

    #[test]
    fn a_failing_webhook_and_a_duplicate_list_entry_are_reported_as_such() {
        let webhook = "Internal error occurred: failed calling webhook \"validate.kyverno.svc\": Post \"https://x:443\": \
            dial tcp 10.0.0.1:443: connect: connection refused";
        let told = outcome(ChildKind::SERVICE, ErrorClass::Server, webhook);
        assert!(
            matches!(&told, Outcome::Failed(why) if why.contains("validate.kyverno.svc") && !why.contains("10.0.0.1")),
            "{told:?}"
        );
        let twice = "failed to create typed patch object (shop/orders; apps/v1, Kind=Deployment): \
            .spec.template.spec.containers[name=\"log\"].env: duplicate entries for key [name=\"A\"]";
        let told = outcome(ChildKind::DEPLOYMENT, ErrorClass::Server, twice);
        assert_eq!(told, Outcome::Invalid(twice.to_owned()));
    }

    #[test]
    fn a_refusal_is_the_same_each_time_and_holds_no_value_of_a_variable() {
        let object = json!({"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": "s3cret-Passw0rd"}]}]}}}});
        let planned = PlannedChild::new(ChildKind::DEPLOYMENT, "orders".to_owned(), object);
        let refusal = "denied (request 0f8fad5b-d9cb-469f-a165-70867728950e): \"s3cret-Passw0rd\"";
        let told = "denied (request …): \"…\"".to_owned();
        let of = |class, message: &str| Outcome::of_failure(&planned, class, message);
        assert_eq!(of(ErrorClass::Forbidden, refusal), Outcome::Forbidden(told.clone()));
        assert_eq!(of(ErrorClass::Invalid, refusal), Outcome::Invalid(told));
        let twice = of(
            ErrorClass::Server,
            "failed to create typed patch object: value s3cret-Passw0rd",
        );
        assert!(matches!(twice, Outcome::Invalid(why) if why.ends_with("value …")));
    }

    #[test]
    fn a_policy_that_demands_a_label_is_told_with_the_field_for_it() {
        let policies = [
            "deployments.apps \"orders\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: every \
             object needs the label cost-center",
            "admission webhook \"validation.gatekeeper.sh\" denied the request: you must provide labels: {\"team\"}",
        ];
        for refusal in policies {
            let told = outcome(ChildKind::DEPLOYMENT, ErrorClass::Invalid, refusal);
            let with_fix = format!("{refusal}: write a label that a policy demands into spec.objectLabels");
            assert_eq!(told, Outcome::Invalid(with_fix));
        }
        let other = "admission webhook \"x\" denied the request: the image is not signed";
        let told = outcome(ChildKind::DEPLOYMENT, ErrorClass::Forbidden, other);
        assert_eq!(told, Outcome::Forbidden(other.to_owned()));
    }

    #[test]
    fn an_object_that_may_not_get_an_owner_is_told_with_the_way_out() {
        let refusal = "persistentvolumeclaims \"orders\" is forbidden: cannot set an ownerRef on a resource you can't delete: \
            , <nil>";
        let told = outcome(ChildKind::PERSISTENT_VOLUME_CLAIM, ErrorClass::Forbidden, refusal);
        assert!(
            matches!(&told, Outcome::Forbidden(why) if why.ends_with("grant the operator delete on this object until it \
                has taken it over")),
            "{told:?}"
        );
    }

    #[test]
    fn a_missing_permission_waits_for_a_person() {
        let refusal = "services is forbidden: User \"x\" cannot patch resource \"services\" in API group \"\"";
        let outcome = outcome(ChildKind::SERVICE, ErrorClass::Forbidden, refusal);
        assert_eq!(outcome, Outcome::Forbidden(refusal.to_owned()));
    }

    #[test]
    fn a_missing_crd_is_expected_of_an_optional_kind_only() {
        let missing = |kind| outcome(kind, ErrorClass::KindMissing, "404");
        assert_eq!(missing(ChildKind::SERVICE_MONITOR), Outcome::CrdMissing);
        assert!(matches!(missing(ChildKind::SERVICE), Outcome::Failed(_)));
    }

    #[test]
    fn a_refusal_that_the_kind_explains_is_invalid_whatever_its_class() {
        let refusal = "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity";
        for class in [ErrorClass::Forbidden, ErrorClass::Invalid] {
            let outcome = outcome(ChildKind::PERSISTENT_VOLUME_CLAIM, class, refusal);
            assert!(matches!(outcome, Outcome::Invalid(why) if why.contains("cannot shrink")));
        }
    }

    #[test]
    fn a_failure_that_may_pass_has_a_sentence_that_does_not_change() {
        let classes = [
            ErrorClass::NotFound,
            ErrorClass::Conflict,
            ErrorClass::Gone,
            ErrorClass::Unauthenticated,
            ErrorClass::Throttled,
            ErrorClass::Timeout,
            ErrorClass::Unreachable,
            ErrorClass::Server,
            ErrorClass::TooLarge,
            ErrorClass::Decode,
        ];
        for class in classes {
            let once = outcome(ChildKind::SERVICE, class, "connection 1 broke");
            assert_eq!(once, outcome(ChildKind::SERVICE, class, "connection 2 broke"));
            assert!(matches!(once, Outcome::Failed(_)), "{class:?}");
        }
    }
}
