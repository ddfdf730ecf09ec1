//! A request to the API server that failed.

use crate::error_class::ErrorClass;

/// A failed request: what was tried on which object, why it failed, and the API server's own words.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{verb} {kind} {object}: {message}")]
pub struct CallError {
    /// What was tried, such as `get` or `apply`.
    pub verb: &'static str,
    /// Kind, as in a manifest.
    pub kind: &'static str,
    /// Namespace and name, or the name alone.
    pub object: String,
    /// Why it failed.
    pub class: ErrorClass,
    /// The API server's words, or the client's where there was no answer.
    pub message: String,
}
