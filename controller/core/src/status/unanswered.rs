//! What is said while a Prometheus has not answered: nothing was asked yet, nobody can be asked, or there is no answer.

use controller_api::{ConditionType, Reason};

use super::{FoldInput, monitoring, selection, verdict::Verdict};
use crate::{kind::ChildKind, prometheus::AskError};

/// What the status said before the operator was started: it is not news that nothing was asked yet.
pub(super) fn before(input: &FoldInput<'_>, type_: ConditionType) -> Verdict {
    let said_by_us = |before: &Verdict| {
        !matches!(
            before.reason,
            Reason::SpecInvalid
                | Reason::Suspended
                | Reason::NotApplied
                | Reason::CrdMissing
                | Reason::NotDetectedYet
                | Reason::BoundsUnknown
                | Reason::NotABucketBound
                | Reason::ObjectiveWithoutMetric
        )
    };
    Verdict::before(type_, input.previous)
        .filter(said_by_us)
        .unwrap_or_else(not_asked_yet)
}

/// The verdict while nothing is known.
pub(super) fn not_asked_yet() -> Verdict {
    Verdict::unknown(Reason::NotAskedYet, "Prometheus has not been asked yet")
}

/// Why no Prometheus can be asked. `what`: what is not known, as a part of a sentence.
pub(super) fn no_address(input: &FoldInput<'_>, what: &str) -> Verdict {
    let sharded = monitoring::sharded(input);
    if !sharded.is_empty() {
        let mut names: Vec<_> = sharded.into_iter().map(selection::place).collect();
        names.sort();
        return Verdict::unknown(
            Reason::SeveralShards,
            format!(
                "it is not known {what}, because {} has several shards, each of which scrapes a part of the targets, evaluates the rules over that part alone and answers for itself: see the pages /targets and /rules of each shard, or let a Prometheus with spec.shards: 1 select this API",
                names.join(", ")
            ),
        );
    }
    let kind = input.validated.map_or(ChildKind::SERVICE_MONITOR, monitoring::followed);
    Verdict::unknown(
        Reason::NoPrometheusUrl,
        format!(
            "it is not known {what}, because there is not exactly one Prometheus that selects the {kind}: name its address in the chart's value prometheusUrl"
        ),
    )
}

/// That a Prometheus gave no answer that can be used. `what`: as above.
pub(super) fn failed(error: AskError, what: &str) -> Verdict {
    let reason = match error {
        AskError::NotPrometheus => Reason::NotPrometheus,
        AskError::Unreachable
        | AskError::TooSlow
        | AskError::Refused
        | AskError::Redirected
        | AskError::Failed
        | AskError::TooLarge
        | AskError::TooManySeries
        | AskError::NotUnderstood => Reason::PrometheusUnanswered,
    };
    Verdict::unknown(
        reason,
        format!("{error}, so it is not known {what}: see the chart's value prometheusUrl, and the operator's log"),
    )
}
