//! The links of the chain from the workload to Prometheus: `MonitorSelected`, `DialectKnown`, and
//! `Monitored`, which sums them up.

use controller_api::{ConditionType, Reason};

use super::{
    FoldInput, selection,
    verdict::{Truth, Verdict},
};
use crate::{
    children::service_monitor::monitor_labels, facts::PrometheusFacts, kind::ChildKind, plan::Outcome, valid::ValidApi,
};

/// The spec, if it is valid and monitoring is on.
fn monitored_spec<'a>(input: &FoldInput<'a>) -> Option<&'a ValidApi> {
    input.validated.ok().filter(|api| api.monitoring.is_some())
}

/// `None` if monitoring is off: the condition is then not reported.
pub(super) fn selected(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = monitored_spec(input)?;
    Some(match not_written(input) {
        Some(verdict) => verdict,
        None => by_prometheus(input, api),
    })
}

fn spec_invalid() -> Verdict {
    Verdict::unknown(Reason::SpecInvalid, "not known while the spec is invalid: see Accepted")
}

fn not_written(input: &FoldInput<'_>) -> Option<Verdict> {
    let monitor = input
        .applied?
        .children
        .iter()
        .find(|child| child.kind == ChildKind::SERVICE_MONITOR)?;
    match &monitor.outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Contested(_) => None,
        Outcome::CrdMissing => Some(Verdict::no(
            Reason::CrdMissing,
            "the CRD servicemonitors.monitoring.coreos.com is not installed: install the Prometheus Operator; the operator notices it within a minute",
        )),
        Outcome::Conflict(_)
        | Outcome::Forbidden(_)
        | Outcome::Invalid(_)
        | Outcome::Failed(_)
        | Outcome::Waiting(_)
        | Outcome::Pending(_) => Some(Verdict::no(
            Reason::NotApplied,
            "the ServiceMonitor could not be written: see ChildrenApplied",
        )),
    }
}

fn by_prometheus(input: &FoldInput<'_>, api: &ValidApi) -> Verdict {
    match input.prometheus {
        PrometheusFacts::NotReadYet => {
            Verdict::unknown(Reason::NotReadYet, "the Prometheus objects have not been read yet")
        }
        PrometheusFacts::CrdMissing => Verdict::unknown(
            Reason::NoPrometheusKind,
            "the CRD prometheuses.monitoring.coreos.com is not installed, so it is not known what reads ServiceMonitors here: install the Prometheus Operator, unless another collector reads them",
        ),
        PrometheusFacts::NotPermitted => Verdict::unknown(
            Reason::NotPermitted,
            "the operator is not permitted to read Prometheus objects: grant it list and watch on prometheuses.monitoring.coreos.com",
        ),
        PrometheusFacts::NotWatched => Verdict::unknown(
            Reason::NotWatched,
            "the operator looks after single namespaces (watchNamespaces) and does not read Prometheus objects: compare the labels of the ServiceMonitor with the serviceMonitorSelector of the Prometheus by hand",
        ),
        PrometheusFacts::Known(all) => selection::verdict(
            all,
            &monitor_labels(api),
            &input.owner.namespace,
            input.namespace_labels,
        ),
    }
}

/// `None` if monitoring is off: the condition is then not reported.
pub(super) fn dialect(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = monitored_spec(input)?;
    Some(match api.metrics.dialect {
        Some(dialect) => Verdict::yes(
            Reason::Declared,
            format!("the metrics are in the dialect {dialect}: {}", dialect.title()),
        ),
        None => Verdict::unknown(
            Reason::NotDetectedYet,
            "the dialect of the metrics is not known, so only alerts and panels that need none are made: set spec.metrics.dialect",
        ),
    })
}

/// Sums up the links: False if a link is False, else Unknown if a link is Unknown. The first such link gives the reason and
/// the message. A dialect that is not known does not count.
pub(super) fn monitored(input: &FoldInput<'_>, links: [Option<&Verdict>; 2]) -> Verdict {
    if input.validated.is_ok() && monitored_spec(input).is_none() {
        return Verdict::unknown(Reason::Disabled, "spec.monitoring.enabled is false");
    }
    let links = || links.into_iter().flatten();
    let broken = links()
        .find(|link| link.is(Truth::False))
        // An unknown dialect only leaves out some alerts and panels: monitoring works without them.
        .or_else(|| links().find(|link| link.is(Truth::Unknown) && link.reason != Reason::NotDetectedYet));
    if let Some(broken) = broken {
        return broken.clone();
    }
    if !has_run(input) {
        return Verdict::unknown(
            Reason::NeverRan,
            "none of the pods has run yet, so there is nothing to scrape: see WorkloadReady",
        );
    }
    Verdict::yes(
        Reason::Monitored,
        "every link from the workload to Prometheus that the operator checks holds; it does not check whether a Prometheus reads the alerts",
    )
}

/// Whether any pod of the workload has run, now or at the time of an earlier status. Also true if no pod is wanted.
fn has_run(input: &FoldInput<'_>) -> bool {
    let runs = input.workload.pods.iter().any(|pod| pod.phase == "Running");
    let deployment = input.workload.deployment.as_ref();
    let counted = deployment.is_some_and(|deployment| deployment.ready > 0 || deployment.wanted == 0);
    let before = Verdict::before(ConditionType::Monitored, input.previous);
    runs || counted || before.is_some_and(|before| before.is(Truth::True))
}
