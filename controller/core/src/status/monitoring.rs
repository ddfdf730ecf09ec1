//! The links of the chain from the workload to Prometheus that need no answer of a Prometheus: `MonitorSelected`,
//! `RulesSelected`, `DialectKnown`; and `Monitored`, which sums all links up.

use controller_api::{ConditionType, Reason};

use super::{
    FoldInput, referenced,
    selection::{self, Selectable},
    verdict::{Truth, Verdict},
};
use crate::{
    children::service_monitor::monitoring_labels,
    facts::{AgentsUnread, PrometheusFacts, PrometheusSelectors},
    kind::ChildKind,
    plan::Outcome,
    prometheus::{Answer, AskError, Finding, address_of},
    valid::ValidApi,
};

/// The spec, if it is valid and monitoring is on.
pub(super) fn monitored_spec<'a>(input: &FoldInput<'a>) -> Option<&'a ValidApi> {
    input.validated.ok().filter(|api| api.monitoring.is_some())
}

/// The spec, if it is valid and somebody is to scrape the pods.
pub(super) fn scraped_spec<'a>(input: &FoldInput<'a>) -> Option<&'a ValidApi> {
    input.validated.ok().filter(|api| api.is_scraped())
}

/// Whether a Prometheus selects the ServiceMonitor. `None` if none is wanted: the condition is then not reported.
pub(super) fn monitor_selected(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_ok() {
        scraped_spec(input)?;
    }
    selected(input, ChildKind::SERVICE_MONITOR)
}

/// Whether a Prometheus selects the PrometheusRule. `None` if there are no rules: the condition is then not reported.
pub(super) fn rules_selected(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_ok() && !has_child(input, ChildKind::PROMETHEUS_RULE) {
        return None;
    }
    selected(input, ChildKind::PROMETHEUS_RULE)
}

/// Whether an object of this kind is wanted. While nothing is written, whether there was one.
pub(super) fn has_child(input: &FoldInput<'_>, kind: ChildKind) -> bool {
    match input.applied {
        Some(applied) => applied.children.iter().any(|child| child.kind == kind),
        None => input
            .previous
            .children
            .iter()
            .any(|record| record.kind == kind.as_str()),
    }
}

fn selected(input: &FoldInput<'_>, kind: ChildKind) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = monitored_spec(input)?;
    // Both ways: the labels that are compared are those of the spec.
    let verdict = unwritten(input, kind).or_else(|| not_written(input, kind));
    Some(verdict.unwrap_or_else(|| by_prometheus(input, api, kind)))
}

/// Why an object is not the one that the spec asks for, while nothing is written because the spec is suspended, or refers to a
/// workload that was never read. `None`: it was written from this very spec, or something was applied.
pub(super) fn unwritten(input: &FoldInput<'_>, kind: ChildKind) -> Option<Verdict> {
    if referenced::is_waited_for(input) && !has_child(input, kind) {
        return Some(Verdict::unknown(
            Reason::NotApplied,
            format!(
                "there is no {kind} yet, because the workload that spec.workloadRef names was never read: see WorkloadReady"
            ),
        ));
    }
    if !input.suspended || input.applied.is_some() {
        return None;
    }
    let sentence = if !has_child(input, kind) {
        format!("there is no {kind}, and none is written while spec.suspend is true: remove it to write the objects")
    } else if !input.as_written {
        format!("the {kind} is that of an earlier spec, and spec.suspend is true: remove it to write the changes")
    } else {
        return None;
    };
    Some(Verdict::unknown(Reason::Suspended, sentence))
}

/// What was observed of an object and what came of it. While the spec is suspended it proves nothing good of changes that
/// are not written, and nothing at all of an object that does not exist.
pub(super) fn of_written(input: &FoldInput<'_>, kind: ChildKind, observed: Verdict) -> Verdict {
    unwritten(input, kind)
        .filter(|_| observed.is(Truth::True) || !has_child(input, kind))
        .unwrap_or(observed)
}

pub(super) fn spec_invalid() -> Verdict {
    Verdict::unknown(Reason::SpecInvalid, "not known while the spec is invalid: see Accepted")
}

pub(super) fn not_written(input: &FoldInput<'_>, kind: ChildKind) -> Option<Verdict> {
    let child = input.applied?.children.iter().find(|child| child.kind == kind)?;
    match &child.outcome {
        Outcome::Unchanged | Outcome::Applied | Outcome::Contested(_) => None,
        Outcome::CrdMissing => Some(Verdict::no(
            Reason::CrdMissing,
            format!(
                "the CRD {}.{} is not installed: install the Prometheus Operator; the operator notices it within a minute",
                kind.plural, kind.group
            ),
        )),
        Outcome::LintFailed(why) => Some(Verdict::no(Reason::LintFailed, lint_sentence(kind, why))),
        Outcome::Conflict(_)
        | Outcome::Forbidden(_)
        | Outcome::Invalid(_)
        | Outcome::Failed(_)
        | Outcome::Waiting(_)
        | Outcome::Pending(_) => Some(Verdict::no(
            Reason::NotApplied,
            format!("the {kind} could not be written: see ChildrenApplied"),
        )),
    }
}

/// Why an object with a mistake was not written, and what to do.
pub(super) fn lint_sentence(kind: ChildKind, why: &str) -> String {
    format!(
        "the {kind} was not written, because the lint found a mistake in it, and the last good one stays: {why}; change the spec so that the mistake goes, or report it if the spec is right"
    )
}

fn by_prometheus(input: &FoldInput<'_>, api: &ValidApi, kind: ChildKind) -> Verdict {
    let labels = monitoring_labels(api);
    let object = selectable(input, &labels, kind);
    match input.prometheus {
        PrometheusFacts::NotReadYet => {
            Verdict::unknown(Reason::NotReadYet, "the Prometheus objects have not been read yet")
        }
        PrometheusFacts::CrdMissing => Verdict::unknown(
            Reason::NoPrometheusKind,
            format!(
                "the CRD prometheuses.monitoring.coreos.com is not installed, so it is not known what reads {kind}s here: install the Prometheus Operator, unless another collector reads them"
            ),
        ),
        PrometheusFacts::NotPermitted => Verdict::unknown(
            Reason::NotPermitted,
            "the operator is not permitted to read Prometheus objects: grant it list and watch on prometheuses.monitoring.coreos.com",
        ),
        PrometheusFacts::NotWatched => Verdict::unknown(
            Reason::NotWatched,
            format!(
                "the operator looks after single namespaces (watchNamespaces) and does not read Prometheus objects: compare the labels of the {kind} with the {} of the Prometheus by hand",
                object.selector.0
            ),
        ),
        PrometheusFacts::Known { all, agents_unread } => {
            let verdict = selection::verdict(all, &object);
            match agents_unread.filter(|_| object.agents_read_it && !verdict.is(Truth::True)) {
                Some(unread) => unless_an_agent_selects(unread, kind, &verdict),
                None => verdict,
            }
        }
    }
}

/// The verdict where no Prometheus selects the object, and PrometheusAgents have not been read.
fn unless_an_agent_selects(unread: AgentsUnread, kind: ChildKind, verdict: &Verdict) -> Verdict {
    let (reason, why) = match unread {
        AgentsUnread::NotReadYet => (
            Reason::NotReadYet,
            "the PrometheusAgents have not been read yet, one of which may select",
        ),
        AgentsUnread::NotPermitted => (
            Reason::NotPermitted,
            "the operator is not permitted to read PrometheusAgents (grant it list and watch on \
             prometheusagents.monitoring.coreos.com), one of which may select",
        ),
    };
    Verdict::unknown(reason, format!("{why} the {kind}; else: {}", verdict.message))
}

/// The ServiceMonitor or the PrometheusRule, as a Prometheus selects it.
pub(super) fn selectable<'a>(
    input: &FoldInput<'a>,
    labels: &'a std::collections::BTreeMap<String, String>,
    kind: ChildKind,
) -> Selectable<'a> {
    let (namespace, namespace_labels) = (input.owner.namespace.as_str(), input.namespace_labels);
    if kind == ChildKind::PROMETHEUS_RULE {
        return Selectable {
            kind: kind.name,
            selector: ("ruleSelector", |prometheus| prometheus.rules.as_ref()),
            namespace_selector: ("ruleNamespaceSelector", |prometheus| {
                prometheus.rule_namespaces.as_ref()
            }),
            agents_read_it: false,
            other_readers: "another ruler reads them, such as a ThanosRuler, VictoriaMetrics or Grafana Alloy",
            labels,
            namespace,
            namespace_labels,
        };
    }
    Selectable {
        kind: kind.name,
        selector: ("serviceMonitorSelector", |prometheus| prometheus.monitors.as_ref()),
        namespace_selector: ("serviceMonitorNamespaceSelector", |prometheus| {
            prometheus.monitor_namespaces.as_ref()
        }),
        agents_read_it: true,
        other_readers: "another collector reads them, such as VictoriaMetrics or Grafana Alloy",
        labels,
        namespace,
        namespace_labels,
    }
}

/// Sums up the links: False if a link is False, else Unknown if a link is Unknown. The first such link gives the reason and
/// the message. A dialect that is not known does not count.
pub(super) fn monitored<'v>(input: &FoldInput<'_>, links: impl Iterator<Item = &'v Verdict> + Clone) -> Verdict {
    if input.validated.is_ok() && monitored_spec(input).is_none() {
        return Verdict::unknown(Reason::Disabled, "spec.monitoring.enabled is false");
    }
    let broken = links
        .clone()
        .find(|link| link.is(Truth::False))
        // An unknown dialect only leaves out some alerts and panels: monitoring works without them.
        .or_else(|| {
            links
                .clone()
                .find(|link| link.is(Truth::Unknown) && link.reason != Reason::NotDetectedYet)
        });
    if let Some(broken) = broken {
        return broken.clone();
    }
    Verdict::yes(
        Reason::Monitored,
        "every link from the workload to Prometheus and Grafana that the operator checks holds",
    )
}

/// The verdict on what only exists once a pod has run.
pub(super) fn never_ran() -> Verdict {
    Verdict::unknown(
        Reason::NeverRan,
        "none of the pods has run yet, so there is nothing to scrape: see WorkloadReady",
    )
}

/// The kind of the object whose selection shows which Prometheus has the API's figures: the ServiceMonitor, or where nobody scrapes
/// the pods, the rules.
pub(super) const fn followed(api: &ValidApi) -> ChildKind {
    match api.is_scraped() {
        true => ChildKind::SERVICE_MONITOR,
        false => ChildKind::PROMETHEUS_RULE,
    }
}

/// The Prometheus objects that select the ServiceMonitor, if each of them has several shards; empty otherwise. One address
/// then answers for a part of the targets and of the rules' figures, so nothing follows from it for the API.
pub(super) fn sharded<'a>(input: &FoldInput<'a>) -> Vec<&'a PrometheusSelectors> {
    let (PrometheusFacts::Known { all, .. }, Some(api)) = (input.prometheus, monitored_spec(input)) else {
        return Vec::new();
    };
    let labels = monitoring_labels(api);
    let monitor = selectable(input, &labels, followed(api));
    let selecting: Vec<_> = monitor.answering(all).collect();
    let several = selecting.iter().all(|prometheus| prometheus.several_shards().is_some());
    if several { selecting } else { Vec::new() }
}

/// What is known of the API: nothing, where a Prometheus answered that is one shard of several. What is no Prometheus itself
/// may query all of them.
pub(super) fn finding<'a>(input: &FoldInput<'a>, nothing: &'a Finding) -> &'a Finding {
    let is_a_querier = input.finding.scrape == Answer::Failed(AskError::NotPrometheus);
    if is_a_querier || sharded(input).is_empty() {
        input.finding
    } else {
        nothing
    }
}

/// The address of the Prometheus that selects the ServiceMonitor, or the rules. `None`: none does, or several, or several shards. A
/// PrometheusAgent answers no queries.
pub(super) fn selecting_address(input: &FoldInput<'_>, api: &ValidApi) -> Option<String> {
    let PrometheusFacts::Known { all, .. } = input.prometheus else {
        return None;
    };
    let labels = monitoring_labels(api);
    let monitor = selectable(input, &labels, followed(api));
    let mut selecting = monitor.answering(all);
    let only = selecting.next().filter(|_| selecting.next().is_none())?;
    only.several_shards().is_none().then(|| address_of(only))?
}

/// Whether any pod of the workload has run, now or at the time of an earlier status. Also true if no pod is wanted.
pub(super) fn has_run(input: &FoldInput<'_>) -> bool {
    let runs = input.workload.pods.iter().any(|pod| pod.phase == "Running");
    let deployment = input.workload.deployment.as_ref();
    let counted = deployment.is_some_and(|deployment| deployment.ready > 0 || deployment.wanted == 0);
    let before = Verdict::before(ConditionType::Monitored, input.previous);
    runs || counted || before.is_some_and(|before| before.is(Truth::True))
}
