//! From what was applied and observed to a status. Deterministic: sorted, no times, no pod names, nothing of a response.

use std::collections::BTreeMap;

use controller_api::MonitoredApiStatus;
use jiff::Timestamp;

use crate::{
    facts::{PrometheusFacts, WorkloadFacts},
    plan::{ApiRef, Applied},
    validate::{ValidApi, Violation},
};

/// Everything that a status follows from.
#[derive(Debug, Clone, Copy)]
pub struct FoldInput<'a> {
    /// Whose status it is.
    pub owner: &'a ApiRef,
    /// `metadata.generation` of the MonitoredApi that was validated.
    pub generation: i64,
    /// The status so far.
    pub previous: &'a MonitoredApiStatus,
    /// What validation said.
    pub validated: Result<&'a ValidApi, &'a [Violation]>,
    /// What became of the plan; `None` when nothing was applied: the spec is invalid or suspended, or nothing ran yet.
    pub applied: Option<&'a Applied>,
    /// The workload as the API server tells it.
    pub workload: &'a WorkloadFacts,
    /// The Prometheus objects.
    pub prometheus: &'a PrometheusFacts,
    /// Labels of the MonitoredApi's namespace; `None` while they are not known.
    pub namespace_labels: Option<&'a BTreeMap<String, String>>,
    /// The spec says suspend. Told apart from `validated`, for an invalid spec may be suspended too.
    pub suspended: bool,
    /// Now, for transition times only.
    pub now: Timestamp,
}

/// The status that follows. Equal to the previous one, times included, when nothing changed.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> MonitoredApiStatus {
    let mut status = input.previous.clone();
    status.observed_generation = input.generation;
    status
}
