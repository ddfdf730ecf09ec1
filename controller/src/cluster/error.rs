//! Why requests fail: what was tried on which object, and a bounded class.

pub(crate) use controller_core::call_error::CallError;
pub(crate) use controller_core::failure::ErrorClass;
use serde::Serialize;

use super::Scope;

/// What is being tried, for the error.
pub(super) struct Call<'a> {
    verb: &'static str,
    kind: &'static str,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> Call<'a> {
    pub(super) const fn new(verb: &'static str, kind: &'static str, namespace: Option<&'a str>, name: &'a str) -> Self {
        Self {
            verb,
            kind,
            namespace,
            name,
        }
    }

    pub(super) fn list(scope: &'a Scope) -> Self {
        Self::new("list", scope.resource.kind, scope.namespace.as_deref(), "")
    }

    pub(super) fn watch(scope: &'a Scope) -> Self {
        Self::new("watch", scope.resource.kind, scope.namespace.as_deref(), "")
    }

    pub(super) fn failed(&self, class: ErrorClass, message: String) -> CallError {
        CallError {
            verb: self.verb,
            kind: self.kind,
            object: match self.namespace {
                Some(namespace) => format!("{namespace}/{}", self.name),
                None => self.name.to_owned(),
            },
            class,
            message,
        }
    }

    pub(super) fn encode<B: Serialize>(&self, body: &B) -> Result<Vec<u8>, CallError> {
        serde_json::to_vec(body).map_err(|error| self.failed(ErrorClass::Invalid, error.to_string()))
    }

    pub(super) fn classify(&self, error: kube::Error) -> CallError {
        self.failed(classify(&error), message(error))
    }
}

/// Said of a creation while the kind's CRD is being deleted; the status has no reason of its own for it.
const KIND_TERMINATING: &str = "not allowed while custom resource definition is terminating";

/// The class of any error of the client.
pub(crate) fn classify(error: &kube::Error) -> ErrorClass {
    match error {
        kube::Error::Api(status) => classify_status(status.code, &status.reason, &status.message),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => ErrorClass::Decode,
        kube::Error::BuildRequest(_) => ErrorClass::Invalid,
        // Not our enum, and the rest of it is one thing: the transport failed.
        _ => ErrorClass::Unreachable,
    }
}

/// The class of an HTTP status. A 404 that is not a `Status` object comes from the router: the kind is not served.
pub(crate) fn classify_status(code: u16, reason: &str, message: &str) -> ErrorClass {
    match code {
        // 405 up to Kubernetes 1.33.
        403 | 405 if message.contains(KIND_TERMINATING) => ErrorClass::KindTerminating,
        404 if reason == "NotFound" => ErrorClass::NotFound,
        404 => ErrorClass::KindMissing,
        409 => ErrorClass::Conflict,
        401 => ErrorClass::Unauthenticated,
        403 => ErrorClass::Forbidden,
        410 => ErrorClass::Gone,
        429 => ErrorClass::Throttled,
        504 => ErrorClass::Timeout,
        400 | 405 | 406 | 411..=428 | 431..=499 => ErrorClass::Invalid,
        _ => ErrorClass::Server,
    }
}

fn message(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message,
        other => {
            let mut text = other.to_string();
            let mut source = std::error::Error::source(&other);
            while let Some(cause) = source {
                let cause_text = cause.to_string();
                if !text.contains(&cause_text) {
                    text.push_str(": ");
                    text.push_str(&cause_text);
                }
                source = cause.source();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_is_not_served_is_distinguished_from_an_object_that_does_not_exist() {
        assert_eq!(classify_status(404, "NotFound", ""), ErrorClass::NotFound);
        assert_eq!(
            classify_status(404, "Failed to parse error data", ""),
            ErrorClass::KindMissing
        );
    }

    #[test]
    fn a_creation_while_the_crd_is_being_deleted_is_no_matter_of_permissions() {
        // Kubernetes 1.36, and 1.33.
        let message = "servicemonitors.monitoring.coreos.com \"orders\" is forbidden: create not allowed while custom resource \
            definition is terminating";
        assert_eq!(classify_status(403, "Forbidden", message), ErrorClass::KindTerminating);
        let message = "create not allowed while custom resource definition is terminating";
        assert_eq!(
            classify_status(405, "MethodNotAllowed", message),
            ErrorClass::KindTerminating
        );
    }

    #[test]
    fn gone_as_an_http_status_is_its_own_class() {
        assert_eq!(classify_status(410, "Expired", ""), ErrorClass::Gone);
    }

    #[test]
    fn an_authentication_that_is_away_is_an_outage_and_a_missing_permission_is_none() {
        assert_eq!(classify_status(401, "Unauthorized", ""), ErrorClass::Unauthenticated);
        assert!(ErrorClass::Unauthenticated.is_outage());
        assert_eq!(classify_status(403, "Forbidden", ""), ErrorClass::Forbidden);
        assert!(!ErrorClass::Forbidden.is_outage());
    }

    #[test]
    fn an_unprocessable_object_is_invalid_and_no_outage() {
        assert_eq!(classify_status(422, "Invalid", ""), ErrorClass::Invalid);
        assert!(!ErrorClass::Invalid.is_outage());
        assert!(classify_status(503, "", "").is_outage());
    }
}
