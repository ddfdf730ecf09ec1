//! Why a Prometheus gave no answer that can be used.

/// A class of failure, with a sentence that has no byte of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AskError {
    /// No connection: wrong address, no such host, refused, a TLS error, cut before the end.
    #[error("the Prometheus that the operator asks cannot be reached")]
    Unreachable,
    /// No complete answer in time.
    #[error("the Prometheus that the operator asks does not answer in time")]
    TooSlow,
    /// 401 or 403.
    #[error(
        "the Prometheus that the operator asks refuses the request (401 or 403): the operator asks without credentials"
    )]
    Refused,
    /// A redirect, which is not followed.
    #[error("the Prometheus that the operator asks redirects to another address: give the address that answers itself")]
    Redirected,
    /// Another status than 2xx.
    #[error("the Prometheus that the operator asks answers with an error")]
    Failed,
    /// More bytes or longer texts than are read.
    #[error("the answer of the Prometheus that the operator asks is larger than the operator reads")]
    TooLarge,
    /// More series than are read.
    #[error("the answer of the Prometheus that the operator asks has more series than the operator reads")]
    TooManySeries,
    /// Not the JSON of Prometheus's HTTP API.
    #[error("the answer of the Prometheus that the operator asks is not that of Prometheus's HTTP API")]
    NotUnderstood,
    /// Something with the same HTTP API that may not hold everything.
    #[error("what the operator asks is not a Prometheus server itself, and does not have it")]
    NotPrometheus,
}
