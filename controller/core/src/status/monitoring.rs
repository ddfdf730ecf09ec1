//! The links of the chain from the workload to Prometheus: `MonitorSelected`, `DialectKnown`, and `Monitored` over them.

use super::{
    FoldInput, selection,
    verdict::{Truth, Verdict},
};
use crate::{
    children::{ChildKind, service_monitor::monitor_labels},
    facts::PrometheusFacts,
    plan::Outcome,
    validate::ValidApi,
};

/// Reason of a dialect that nobody named and nothing detected: not a failure.
pub(super) const NOT_DETECTED_YET: &str = "NotDetectedYet";
const CRD_MISSING: &str = "CrdMissing";

/// The valid spec, if it wants to be monitored.
fn wanted<'a>(input: &FoldInput<'a>) -> Option<&'a ValidApi> {
    input.validated.ok().filter(|api| api.monitoring.is_some())
}

/// `None`: there is no such link, for monitoring is off.
pub(super) fn selected(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = wanted(input)?;
    Some(match not_written(input) {
        Some(verdict) => verdict,
        None => by_prometheus(input, api),
    })
}

fn spec_invalid() -> Verdict {
    Verdict::unknown("SpecInvalid", "cannot be known while the spec is invalid: see Accepted")
}

fn not_written(input: &FoldInput<'_>) -> Option<Verdict> {
    let monitor = input
        .applied?
        .children
        .iter()
        .find(|child| child.kind == ChildKind::ServiceMonitor)?;
    match &monitor.outcome {
        Outcome::Unchanged | Outcome::Applied => None,
        Outcome::CrdMissing => Some(Verdict::no(
            CRD_MISSING,
            "the CRD servicemonitors.monitoring.coreos.com is not installed: install the Prometheus Operator; it is picked up within a minute",
        )),
        Outcome::Conflict(_) | Outcome::Forbidden(_) | Outcome::Invalid(_) | Outcome::Failed(_) | Outcome::Waiting => {
            Some(Verdict::no(
                "NotApplied",
                "the ServiceMonitor could not be written: see ChildrenApplied",
            ))
        }
    }
}

fn by_prometheus(input: &FoldInput<'_>, api: &ValidApi) -> Verdict {
    match input.prometheus {
        PrometheusFacts::NotReadYet => Verdict::unknown("NotReadYet", "the Prometheus objects have not been read yet"),
        PrometheusFacts::CrdMissing => Verdict::unknown(
            "NoPrometheusKind",
            "the CRD prometheuses.monitoring.coreos.com is not installed: who reads ServiceMonitors here cannot be known",
        ),
        PrometheusFacts::NotPermitted => Verdict::unknown(
            "NotPermitted",
            "the operator may not read Prometheus objects: grant it get, list and watch on prometheuses.monitoring.coreos.com",
        ),
        PrometheusFacts::Known(all) => selection::verdict(
            all,
            &monitor_labels(api),
            &input.owner.namespace,
            input.namespace_labels,
        ),
    }
}

/// `None`: there is no such link, for monitoring is off.
pub(super) fn dialect(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = wanted(input)?;
    Some(match api.metrics.dialect {
        Some(dialect) => Verdict::yes("Declared", format!("the metrics are spelled as {dialect}")),
        None => Verdict::unknown(
            NOT_DETECTED_YET,
            "nothing says how the metrics are spelled, so only alerts and panels that need no dialect are made: set spec.metrics.dialect",
        ),
    })
}

/// All links in one: False if one is, else Unknown if one is, and the first such link says why.
pub(super) fn monitored(input: &FoldInput<'_>, links: [Option<&Verdict>; 2]) -> Verdict {
    if input.validated.is_ok() && wanted(input).is_none() {
        return Verdict::unknown("Disabled", "spec.monitoring.enabled is false");
    }
    let links = || links.into_iter().flatten();
    let weak = links()
        .find(|link| link.is(Truth::False))
        .or_else(|| links().find(|link| link.is(Truth::Unknown) && link.reason != NOT_DETECTED_YET));
    weak.cloned().unwrap_or_else(|| {
        Verdict::yes(
            "Monitored",
            "every link from the workload to Prometheus that can be checked holds",
        )
    })
}
