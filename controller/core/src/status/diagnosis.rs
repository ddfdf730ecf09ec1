//! What is found out about one pod that is not ready, ranked by how much it explains.

use controller_api::Reason;

/// Why one pod is not ready.
pub(super) struct Diagnosis {
    pub(super) rank: u8,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// The pod can never start as it is: a person must change something.
pub(super) const FATAL: u8 = 4;
/// The container starts and ends.
pub(super) const CRASH: u8 = 3;
/// The container runs, and a probe fails.
pub(super) const PROBE: u8 = 2;
/// The pod is on its way.
pub(super) const PENDING: u8 = 1;
/// Nothing explains it.
pub(super) const UNEXPLAINED: u8 = 0;

pub(super) fn diagnosis(rank: u8, reason: Reason, message: impl Into<String>) -> Diagnosis {
    Diagnosis {
        rank,
        reason,
        message: message.into(),
    }
}

/// The reason for which the Deployment's condition `Progressing` is False (k8s.io `deployment/util`).
pub(super) fn no_progress(reason: &str) -> Reason {
    match reason {
        "ReplicaSetCreateError" => Reason::ReplicaSetCreateError,
        _ => Reason::ProgressDeadlineExceeded,
    }
}
