//! What became of a question to a Prometheus.

use super::ask_error::AskError;

/// An answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer<T> {
    /// It was not asked yet since the start: what the status says stays.
    #[default]
    NotYet,
    /// It is not known whom to ask.
    NoAddress,
    /// There is no answer that can be used.
    Failed(AskError),
    /// The answer.
    Known(T),
}
