//! `ObjectivesEvaluated`, as far as it is known without asking Prometheus: whether there are rules for every objective.

use controller_api::Reason;
use controller_rules::{ObjectiveGap, omitted_objectives};

use super::{FoldInput, verdict::Verdict};

/// `None` if there are rules for every objective: whether they have data is not known here. Also without objectives or
/// monitoring.
pub(super) fn verdict(input: &FoldInput<'_>) -> Option<Verdict> {
    let api = input.validated.ok().filter(|api| api.monitoring.is_some())?;
    let facts = api.rule_facts();
    let omitted = omitted_objectives(&facts);
    let first = omitted.first()?;
    if facts.dialect.is_none() {
        return Some(Verdict::unknown(
            Reason::NotDetectedYet,
            "the dialect of the metrics is not known, so there are no rules for the objectives: set spec.metrics.dialect",
        ));
    }
    let reason = match first.gap {
        ObjectiveGap::NotABucketBound { .. } => Reason::NotABucketBound,
        ObjectiveGap::MissingSignal(_) | ObjectiveGap::NoMethodLabel => Reason::ObjectiveWithoutMetric,
    };
    let mut sentences: Vec<_> = omitted
        .iter()
        .map(|omitted| format!("objective {}: {}", omitted.objective, omitted.gap))
        .collect();
    sentences.sort();
    Some(Verdict::no(reason, sentences.join("; ")))
}
