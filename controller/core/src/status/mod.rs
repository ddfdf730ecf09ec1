//! From what was applied and observed to a status. Deterministic: sorted, no times, no pod names, nothing of a response.

mod bounds;
mod children;
mod claim;
mod container;
mod dashboard;
mod diagnosis;
mod dialect;
mod monitoring;
mod objectives;
mod pods;
mod proxied;
mod referenced;
mod scrape;
mod selection;
mod summary;
mod unanswered;
mod verdict;
mod workload;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use controller_api::{ConditionType, MetricsStatus, MonitoredApiStatus, Reason, WorkloadStatus, names};
use jiff::Timestamp;
use metric_contract::Spelling;

use crate::{
    dialect_choice::DialectChoice,
    facts::{GrafanaPlacement, PrometheusFacts, Reference, WorkloadFacts, selector_text},
    kind::ChildKind,
    owner::ApiRef,
    plan::Applied,
    probe::{KnownPage, PageFinding, to_status},
    prometheus::{Finding, Subscription},
    valid::ValidApi,
    violation::Violation,
};
pub use children::told_as_forbidden;
pub use claim::claim_to_look_up;
pub use pods::{pod_to_look_up, unready_pods};
use summary::Parts;
use verdict::{Truth, Verdict};

/// Everything that a status follows from.
#[derive(Debug, Clone, Copy)]
pub struct FoldInput<'a> {
    /// Whose status it is.
    pub owner: &'a ApiRef,
    /// `metadata.generation` of the MonitoredApi that was validated.
    pub generation: i64,
    /// The status so far.
    pub previous: &'a MonitoredApiStatus,
    /// The valid spec, or what is wrong with it.
    pub validated: Result<&'a ValidApi, &'a [Violation]>,
    /// What became of the plan; `None` when nothing was applied: the spec is invalid or suspended, or nothing ran yet.
    pub applied: Option<&'a Applied>,
    /// The workload as the watches know it.
    pub workload: &'a WorkloadFacts,
    /// The Prometheus objects.
    pub prometheus: &'a PrometheusFacts,
    /// What the Grafana Operator says of the dashboard.
    pub grafana: GrafanaPlacement,
    /// What the Prometheus that scrapes it says.
    pub finding: &'a Finding,
    /// What the pods' own pages of metrics showed.
    pub page: &'a PageFinding,
    /// The operator reads pages of pods.
    pub reads_pages: bool,
    /// Labels of the MonitoredApi's namespace; `None` while they are not known.
    pub namespace_labels: Option<&'a BTreeMap<String, String>>,
    /// The spec says suspend. Not part of `validated`, because an invalid spec may be suspended too.
    pub suspended: bool,
    /// Value of the annotation `monitoredapi.io/reconcile-at`.
    pub reconcile_at: Option<&'a str>,
    /// Every object was written from this very plan. Only asked for while nothing is applied.
    pub as_written: bool,
    /// Now, for transition times only.
    pub now: Timestamp,
}

impl FoldInput<'_> {
    /// Whether the spec is suspended and wants other objects than those that were written.
    fn is_suspended_with_changes(&self) -> bool {
        self.suspended && !self.as_written
    }
}

/// The status that follows. Equal to the previous one, times included, when nothing changed.
#[must_use]
pub fn fold(input: &FoldInput<'_>) -> MonitoredApiStatus {
    let nothing = Finding::no_address();
    let input = &FoldInput {
        finding: monitoring::finding(input, &nothing),
        ..*input
    };
    let verdicts = verdicts(input);
    let workload_ready = verdicts
        .iter()
        .any(|(type_, verdict)| *type_ == ConditionType::WorkloadReady && verdict.is(Truth::True));
    let objectives = objectives::figures(input);
    let outline = input.workload.reference.outline(input.previous.workload.as_ref());
    MonitoredApiStatus {
        observed_generation: input.generation,
        replicas: input.workload.replicas(),
        ready_replicas: input.workload.ready_replicas(),
        selector: selector(input, outline.as_ref()),
        url: input.validated.map_or_else(|_| input.previous.url.clone(), url),
        workload: match input.validated {
            Ok(_) => outline,
            Err(_) => outline.or_else(|| input.previous.workload.clone()),
        },
        metrics: input
            .validated
            .map_or_else(|_| input.previous.metrics.clone(), |api| metrics(api, input)),
        error_budget_remaining: objectives::lowest_budget(&objectives),
        firing_alerts: scrape::firing_alerts(input),
        objectives,
        children: children::records(input, workload_ready),
        first_failing: summary::first_failing(&verdicts),
        last_handled_reconcile_at: match input.applied {
            Some(_) => input.reconcile_at.map(bounds::text),
            None => input.previous.last_handled_reconcile_at.clone(),
        },
        conditions: verdicts
            .into_iter()
            .map(|(type_, verdict)| verdict.condition(type_, input.generation, input.previous, input.now))
            .collect(),
    }
}

/// The status after the operator panicked on this MonitoredApi: `Ready` is False with the reason `InternalError`, the
/// rest stays. `None`: it says so already.
#[must_use]
pub fn internal_error(previous: &MonitoredApiStatus, generation: i64, now: Timestamp) -> Option<MonitoredApiStatus> {
    let type_ = ConditionType::Ready;
    if Verdict::before(type_, previous).is_some_and(|before| before.reason == Reason::InternalError) {
        return None;
    }
    let verdict = Verdict::no(
        Reason::InternalError,
        "the operator failed on this MonitoredApi, which is a bug: report it with the operator's log",
    );
    let ready = verdict.condition(type_, generation, previous, now);
    let mut status = previous.clone();
    status.conditions.retain(|condition| condition.type_ != type_.as_str());
    status.conditions.push(ready);
    Some(status)
}

/// What is to be asked of a Prometheus about this MonitoredApi. `None`: nothing, because it is not monitored. `configured`: the
/// address that the installation names.
#[must_use]
pub fn subscription(input: &FoldInput<'_>, configured: Option<&str>) -> Option<Subscription> {
    let api = monitoring::monitored_spec(input)?;
    let records = input.applied.map_or_else(
        || input.previous.children.iter().collect::<Vec<_>>(),
        |applied| {
            applied
                .children
                .iter()
                .filter_map(|child| child.record.as_ref())
                .collect()
        },
    );
    let rules = records
        .into_iter()
        .find(|record| record.kind == ChildKind::PROMETHEUS_RULE.as_str());
    Some(Subscription {
        address: configured
            .map(str::to_owned)
            .or_else(|| monitoring::selecting_address(input, api)),
        rules_uid: rules.map(|record| record.uid.clone()),
        objectives: objectives::with_rules(api),
        overall: api.dialect_with_overall(),
        reads_overall: match input.applied {
            Some(applied) => applied.reads_overall,
            None => reads_overall(input.previous),
        },
        proxied: api.proxied_requests().map(Arc::new),
        generation: input.generation,
    })
}

/// Whether rules and panels read what the targets count over all routes, according to a status.
#[must_use]
pub fn reads_overall(status: &MonitoredApiStatus) -> bool {
    status.metrics.as_ref().is_some_and(|metrics| metrics.overall)
}

/// Whether a person asks, by a new value of the annotation `monitoredapi.io/reconcile-at`, for every object to be read and
/// compared.
#[must_use]
pub fn is_reconcile_requested(reconcile_at: Option<&str>, status: &MonitoredApiStatus) -> bool {
    reconcile_at.is_some_and(|value| status.last_handled_reconcile_at != Some(bounds::text(value)))
}

/// How long `WorkloadReady` has not been True, according to a status.
#[must_use]
pub fn unready_for(status: &MonitoredApiStatus, now: Timestamp) -> Duration {
    let name = ConditionType::WorkloadReady.as_str();
    let mut unready = status
        .conditions
        .iter()
        .filter(|condition| condition.type_ == name && condition.status != "True");
    let since = unready.next().map(|condition| condition.last_transition_time.0);
    since
        .and_then(|since| Duration::try_from(now.duration_since(since)).ok())
        .unwrap_or_default()
}

/// Every condition, in the order of the chain.
fn verdicts(input: &FoldInput<'_>) -> Vec<(ConditionType, Verdict)> {
    let accepted = accepted(input.validated);
    let children = children::verdict(input);
    let workload = workload::verdict(input);
    let service = workload::service(input);
    let of = |kind, observed: Option<Verdict>| Some(monitoring::of_written(input, kind, observed?));
    let rule = ChildKind::PROMETHEUS_RULE;
    let links = [
        (ConditionType::MonitorSelected, monitoring::monitor_selected(input)),
        (ConditionType::Scraped, of(scraped_by(input), scrape::scraped(input))),
        (ConditionType::DialectKnown, dialect::dialect_known(input)),
        (ConditionType::RulesSelected, monitoring::rules_selected(input)),
        (ConditionType::RulesHealthy, of(rule, scrape::rules_healthy(input))),
        (ConditionType::DashboardPlaced, dashboard::placed(input)),
        (ConditionType::ObjectivesEvaluated, of(rule, objectives::verdict(input))),
    ];
    let monitored = monitoring::monitored(input, links.iter().filter_map(|(_, link)| link.as_ref()));
    let parts = Parts {
        accepted: &accepted,
        children: &children,
        workload: &workload,
        service: service.as_ref(),
    };
    let summary::SummaryVerdicts {
        ready,
        reconciling,
        stalled,
    } = summary::summary(input, &parts);
    [
        (ConditionType::Accepted, Some(accepted)),
        (ConditionType::ChildrenApplied, Some(children)),
        (ConditionType::WorkloadReady, Some(workload)),
        (ConditionType::ServiceMatchesPods, service),
    ]
    .into_iter()
    .chain(links)
    .chain([
        (ConditionType::Monitored, Some(monitored)),
        (ConditionType::Ready, Some(ready)),
        (ConditionType::Reconciling, Some(reconciling)),
        (ConditionType::Stalled, Some(stalled)),
    ])
    .filter_map(|(type_, verdict)| Some((type_, verdict?)))
    .collect()
}

/// The kind of the object of which `Scraped` proves something.
fn scraped_by(input: &FoldInput<'_>) -> ChildKind {
    input.validated.map_or(ChildKind::SERVICE_MONITOR, monitoring::followed)
}

fn accepted(validated: Result<&ValidApi, &[Violation]>) -> Verdict {
    let violations = match validated {
        Ok(api) => return Verdict::yes(Reason::Valid, valid(api)),
        Err(violations) => violations,
    };
    let reason = match violations {
        [one] if one.is_undecodable() => Reason::Undecodable,
        [one] if one.path == "spec.metrics.dialect" => Reason::UnknownDialect,
        [one] if one.path == "spec.preset" => Reason::UnknownPreset,
        _ => Reason::InvalidSpec,
    };
    let mut sentences: Vec<_> = violations.iter().map(ToString::to_string).collect();
    sentences.sort();
    Verdict::no(reason, sentences.join("; "))
}

fn valid(api: &ValidApi) -> &'static str {
    if api.autoscaling.as_ref().is_some_and(|scaling| scaling.ignores_replicas) {
        "the spec is valid; spec.replicas is ignored, because spec.autoscaling sets the number of pods: remove it"
    } else {
        "the spec is valid"
    }
}

/// The pods' label selector; of a workload that exists already its own.
fn selector(input: &FoldInput<'_>, outline: Option<&WorkloadStatus>) -> Option<String> {
    let name = &input.owner.name;
    if input.workload.reference == Reference::None {
        return Some(format!("{}={name},{}={name}", names::LABEL_NAME, names::LABEL_API_NAME));
    }
    let text = selector_text(&outline?.match_labels);
    (text.len() <= MAX_SELECTOR).then_some(text)
}

/// Most characters of `status.selector` (`maxLength`).
const MAX_SELECTOR: usize = 512;

/// Where the API answers inside the cluster. `None`: the Service in front of a workload that exists already is not known.
fn url(api: &ValidApi) -> Option<String> {
    if api.workload_ref.is_some() {
        return None;
    }
    let port = if api.service.port == 80 {
        String::new()
    } else {
        format!(":{}", api.service.port)
    };
    Some(format!("http://{}.{}.svc{port}", api.owner.name, api.owner.namespace))
}

/// What the pods showed, unless the author or the preset names another dialect by now.
pub(crate) fn known_page<'a>(api: &ValidApi, input: &FoldInput<'a>) -> Option<&'a KnownPage> {
    input
        .page
        .known
        .as_deref()
        .filter(|known| known.is_of(api.metrics.dialect.as_ref()))
}

/// What is known of the metrics; `None` when they are not wanted.
fn metrics(api: &ValidApi, input: &FoldInput<'_>) -> Option<MetricsStatus> {
    api.monitoring.as_ref()?;
    // Pods that showed another dialect than is named now say nothing of that.
    let is_of_another = input.page.known.is_some() && known_page(api, input).is_none();
    let template = input.page.template.as_deref().filter(|_| !is_of_another);
    let spelled = match (known_page(api, input), &api.metrics.dialect) {
        (Some(known), _) => to_status(known, template),
        (None, Some(DialectChoice::Table(table))) => to_status(&KnownPage::of_table(*table), template),
        (None, Some(DialectChoice::Custom(_))) => MetricsStatus {
            dialect: Some(Spelling::CUSTOM.to_owned()),
            pod_template_hash: template.map(str::to_owned),
            ..MetricsStatus::default()
        },
        (None, None) => MetricsStatus::default(),
    };
    let (missing, overall) = match (input.applied, &input.previous.metrics) {
        (Some(applied), _) => (applied.missing.clone(), applied.reads_overall),
        (None, Some(previous)) => (previous.missing.clone(), previous.overall),
        (None, None) => (Vec::new(), false),
    };
    let metrics = MetricsStatus {
        missing: bounds::list(missing),
        overall,
        ..spelled
    };
    Some(metrics).filter(|metrics| *metrics != MetricsStatus::default())
}

#[cfg(test)]
mod tests;
