//! Why requests to the API server fail, as a bounded set, and what a failed request means for a child.

use crate::{
    children::row,
    plan::{Outcome, PlannedChild},
};

/// Why a request failed: decides on requeue, metric label and log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The object (or its namespace) does not exist.
    NotFound,
    /// The API server does not serve this kind: its CRD is not installed.
    KindMissing,
    /// Another writer was faster, another manager owns a field, or a precondition does not hold.
    Conflict,
    /// The operator's rights do not cover the request.
    Forbidden,
    /// The API server refuses the object itself.
    Invalid,
    /// The resource version is too old to go on from.
    Gone,
    /// The API server asks for fewer requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The API server failed.
    Server,
    /// The answer could not be decoded.
    Decode,
}

impl ErrorClass {
    /// Label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::KindMissing => "kind_missing",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Gone => "gone",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Server => "server",
            Self::Decode => "decode",
        }
    }

    /// The API server is away or overloaded; the request itself may be fine.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        match self {
            Self::Throttled | Self::Timeout | Self::Unreachable | Self::Server => true,
            Self::NotFound
            | Self::KindMissing
            | Self::Conflict
            | Self::Forbidden
            | Self::Invalid
            | Self::Gone
            | Self::Decode => false,
        }
    }
}

impl Outcome {
    /// The outcome of a request for `planned` that failed. `message`: the API server's words.
    ///
    /// Failures that may pass get sentences of our own: the transport's differ from one attempt to the next, and the
    /// status would change with them.
    #[must_use]
    pub fn of_failure(planned: &PlannedChild, class: ErrorClass, message: &str) -> Self {
        let row = row(planned.kind);
        if let Some(explanation) = (row.explain)(message) {
            return Self::Invalid(explanation.to_owned());
        }
        let failed = |what: &str| Self::Failed(format!("{planned}: {what}"));
        match class {
            ErrorClass::KindMissing if row.optional => Self::CrdMissing,
            // For up to half a minute after our CRD is installed: the admission plugin that checks owner references has
            // not read the list of kinds again. Not a matter of permissions; it passes.
            ErrorClass::Forbidden if message.contains("cannot find RESTMapping") => {
                failed("the API server's admission does not know the kind MonitoredApi yet")
            }
            ErrorClass::Forbidden => Self::Forbidden(message.to_owned()),
            ErrorClass::Invalid => Self::Invalid(message.to_owned()),
            ErrorClass::Conflict => failed("somebody else is changing it"),
            ErrorClass::NotFound => failed("its namespace does not exist"),
            ErrorClass::KindMissing => failed("the API server does not serve this kind"),
            ErrorClass::Throttled => Self::Failed("the API server asks for fewer requests".to_owned()),
            ErrorClass::Timeout => Self::Failed("the API server does not answer in time".to_owned()),
            ErrorClass::Unreachable => Self::Failed("the API server cannot be reached".to_owned()),
            ErrorClass::Gone | ErrorClass::Server => failed("the API server failed"),
            ErrorClass::Decode => failed("the API server's answer cannot be read"),
        }
    }
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
        let outcome = outcome(ChildKind::Service, ErrorClass::Forbidden, refusal);
        assert!(matches!(outcome, Outcome::Failed(_)));
    }

    #[test]
    fn a_missing_permission_waits_for_a_person() {
        let refusal = "services is forbidden: User \"x\" cannot patch resource \"services\" in API group \"\"";
        let outcome = outcome(ChildKind::Service, ErrorClass::Forbidden, refusal);
        assert_eq!(outcome, Outcome::Forbidden(refusal.to_owned()));
    }

    #[test]
    fn a_missing_crd_is_expected_of_an_optional_kind_only() {
        let missing = |kind| outcome(kind, ErrorClass::KindMissing, "404");
        assert_eq!(missing(ChildKind::ServiceMonitor), Outcome::CrdMissing);
        assert!(matches!(missing(ChildKind::Service), Outcome::Failed(_)));
    }

    #[test]
    fn a_refusal_that_the_kind_explains_is_invalid_whatever_its_class() {
        let refusal = "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity";
        for class in [ErrorClass::Forbidden, ErrorClass::Invalid] {
            let outcome = outcome(ChildKind::PersistentVolumeClaim, class, refusal);
            assert!(matches!(outcome, Outcome::Invalid(why) if why.contains("cannot shrink")));
        }
    }

    #[test]
    fn a_failure_that_may_pass_has_a_sentence_that_does_not_change() {
        let classes = [
            ErrorClass::NotFound,
            ErrorClass::Conflict,
            ErrorClass::Gone,
            ErrorClass::Throttled,
            ErrorClass::Timeout,
            ErrorClass::Unreachable,
            ErrorClass::Server,
            ErrorClass::Decode,
        ];
        for class in classes {
            let once = outcome(ChildKind::Service, class, "connection 1 broke");
            assert_eq!(once, outcome(ChildKind::Service, class, "connection 2 broke"));
            assert!(matches!(once, Outcome::Failed(_)), "{class:?}");
        }
    }
}
