//! The links that a Prometheus itself must confirm: `Scraped` (where a proxy counts the requests, see `proxied`) and `RulesHealthy`,
//! and the figure of firing alerts.
//!
//! Of its answers only classes, counts and checked names reach a message.

use controller_api::{ConditionType, Reason};
use controller_rules::{alerts_against_a_week_ago, promql::PromDuration};

use super::{
    FoldInput, monitoring, proxied,
    unanswered::{before, failed, no_address, not_asked_yet},
    verdict::{Truth, Verdict},
};
use crate::{
    facts::PrometheusFacts,
    kind::ChildKind,
    prometheus::{
        Answer, RulesFinding, ScrapeFinding,
        answer::{RuleError, ScrapeError},
    },
};

/// How far back some alerts look.
const WEEK: PromDuration = PromDuration::from_minutes(7 * 24 * 60);

/// Whether the target is up, or whether the series of the proxy are there that counts the requests. `None` without monitoring: the
/// condition is then not reported.
pub(super) fn scraped(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(monitoring::spec_invalid());
    }
    let proxied = monitoring::monitored_spec(input)?.proxied_requests();
    // What a proxy counts is there without any object of the API.
    let unwritten = || monitoring::not_written(input, ChildKind::SERVICE_MONITOR);
    if let Some(verdict) = unwritten().filter(|_| proxied.is_none()) {
        return Some(verdict);
    }
    let deployment = input.workload.deployment.as_ref();
    if deployment.is_some_and(|deployment| deployment.wanted == 0) {
        return Some(Verdict::yes(
            Reason::ScaledToZero,
            "no pod is wanted, so there is nothing to scrape",
        ));
    }
    if !monitoring::has_run(input) {
        return Some(monitoring::never_ran());
    }
    if let Some(requests) = &proxied {
        return proxied::counted(input, requests);
    }
    let verdict = asked(input);
    Some(tls(input).filter(|_| !verdict.is(Truth::True)).unwrap_or(verdict))
}

/// What the Prometheus says of the targets.
fn asked(input: &FoldInput<'_>) -> Verdict {
    let before = || {
        let before = Some(before(input, ConditionType::Scraped));
        before
            .filter(|before| !proxied::told_of_series(before))
            .unwrap_or_else(not_asked_yet)
    };
    match &input.finding.scrape {
        Answer::Known(finding) => of_targets(finding),
        Answer::NotYet => before(),
        // While the Prometheus objects are not read, the address may be known in a moment.
        Answer::NoAddress if *input.prometheus == PrometheusFacts::NotReadYet => before(),
        Answer::NoAddress => no_address(input, "whether a Prometheus scrapes the API"),
        Answer::Failed(error) => failed(*error, "whether a Prometheus scrapes the API"),
    }
}

/// Why no scrape can succeed: the workload that exists already says that its page speaks TLS. `None`: it does not, or the author
/// names another port.
fn tls(input: &FoldInput<'_>) -> Option<Verdict> {
    let found = input.workload.reference.found().filter(|found| found.speaks_tls)?;
    let api = input.validated.ok()?;
    let names_a_port = api.workload_ref.as_ref().is_some_and(|reference| reference.port_given);
    (!names_a_port).then(|| {
        Verdict::no(
            Reason::TlsNotSupported,
            format!(
                "the pods of the {} are annotated with prometheus.io/scheme: https, and pages of metrics are read by plain HTTP only: \
                 serve them so on a port of their own, and set spec.metrics.port to it",
                found.id
            ),
        )
    })
}

/// Whether every rule evaluates. `None` if there are no rules: the condition is then not reported.
pub(super) fn rules_healthy(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(monitoring::spec_invalid());
    }
    monitoring::monitored_spec(input)?;
    if !monitoring::has_child(input, ChildKind::PROMETHEUS_RULE) {
        return None;
    }
    if let Some(verdict) = monitoring::not_written(input, ChildKind::PROMETHEUS_RULE) {
        return Some(verdict);
    }
    Some(match &input.finding.rules {
        Answer::Known(RulesFinding::Healthy) => healthy(input),
        Answer::Known(finding) => of_rules(finding),
        Answer::NotYet => before(input, ConditionType::RulesHealthy),
        Answer::NoAddress if *input.prometheus == PrometheusFacts::NotReadYet => {
            before(input, ConditionType::RulesHealthy)
        }
        Answer::NoAddress => no_address(input, "whether the rules are evaluated"),
        Answer::Failed(error) => failed(*error, "whether the rules are evaluated"),
    })
}

/// The number of firing alerts. `None`: not known.
pub(super) fn firing_alerts(input: &FoldInput<'_>) -> Option<i32> {
    if input.validated.is_ok() {
        monitoring::monitored_spec(input)?;
    }
    match input.finding.firing {
        Answer::Known(count) => i32::try_from(count).ok(),
        Answer::NotYet => input.previous.firing_alerts,
        Answer::NoAddress | Answer::Failed(_) => None,
    }
}

fn of_targets(finding: &ScrapeFinding) -> Verdict {
    match finding {
        ScrapeFinding::Up(also) if also.is_empty() => Verdict::yes(Reason::TargetUp, "every target of the API is up"),
        ScrapeFinding::Up(also) => Verdict::yes(
            Reason::AlsoScrapedBy,
            format!(
                "every target of the API is up, but its pods are also scraped by job {}: remove that job or annotation, or every figure without the job is counted twice",
                also.join(", ")
            ),
        ),
        ScrapeFinding::NoTarget => Verdict::no(
            Reason::NoTarget,
            "Prometheus has no target of this API: it reads a new ServiceMonitor within about two minutes; if it stays so, see MonitorSelected, and whether the Role of this Prometheus lets it read Services, EndpointSlices and Pods in this namespace",
        ),
        ScrapeFinding::Down(error) => Verdict::no(
            Reason::TargetDown,
            format!("no target of the API is up: {}", scrape_sentence(*error)),
        ),
        ScrapeFinding::PartlyDown(error) => Verdict::no(
            Reason::TargetDown,
            format!("not every target of the API is up: {}", scrape_sentence(*error)),
        ),
        // What was found of a proxy, before the spec left it out.
        ScrapeFinding::Counted | ScrapeFinding::NotCounted(_) | ScrapeFinding::ProxyUnread => not_asked_yet(),
    }
}

const fn scrape_sentence(error: Option<ScrapeError>) -> &'static str {
    match error {
        Some(ScrapeError::ConnectionRefused) => {
            "nothing listens on the metrics port: set spec.metrics.port, or spec.port where the metrics are on it"
        }
        Some(ScrapeError::TimedOut) => {
            "the page does not answer in time: see whether a NetworkPolicy blocks Prometheus, or raise spec.metrics.timeout"
        }
        Some(ScrapeError::NotFound) => "the page does not exist (404): set spec.metrics.path",
        Some(ScrapeError::Unauthorized) => {
            "the API asks for credentials: serve the metrics without, on a port of their own (spec.metrics.port)"
        }
        Some(ScrapeError::ErrorStatus) => "the page answers with an error status: look at the API's log",
        Some(ScrapeError::LimitExceeded) => {
            "the page is larger than the limits allow: export fewer series, or raise spec.metrics.limits"
        }
        Some(ScrapeError::Unreadable) => {
            "the page is not one that Prometheus reads: see spec.metrics.path, and the content type of the page"
        }
        Some(ScrapeError::Tls) => {
            "the port speaks TLS where plain HTTP is wanted, or a certificate is refused: see spec.metrics.port"
        }
        Some(ScrapeError::Other) | None => "Prometheus's page Target health (/targets) shows the error",
    }
}

/// The rules evaluate; whether all of them have the data that they need is a warning.
fn healthy(input: &FoldInput<'_>) -> Verdict {
    let well = || of_rules(&RulesFinding::Healthy);
    let Some(api) = monitoring::monitored_spec(input) else {
        return well();
    };
    let Some(retention) = input.finding.retention.filter(|retention| *retention <= WEEK) else {
        return well();
    };
    let alerts = alerts_against_a_week_ago(&api.rule_facts(), &api.alerts);
    if alerts.is_empty() {
        return well();
    }
    Verdict::yes(
        Reason::RetentionTooShort,
        format!(
            "every rule is loaded and evaluates without an error, but the Prometheus keeps its data for {retention}, and {} compare with a week ago, so they never fire: set spec.retention of the Prometheus (or --storage.tsdb.retention.time) to 8d or more, or turn them off in spec.alerts.overrides",
            alerts.join(", ")
        ),
    )
}

fn of_rules(finding: &RulesFinding) -> Verdict {
    match finding {
        RulesFinding::Healthy => Verdict::yes(
            Reason::RulesEvaluated,
            "every rule is loaded and evaluates without an error",
        ),
        RulesFinding::NotLoaded => Verdict::no(
            Reason::RulesNotLoaded,
            "Prometheus has not loaded the rules: it reads a new PrometheusRule within about two minutes; if it stays so, see RulesSelected and the log of the Prometheus Operator",
        ),
        RulesFinding::Failing(rule, error) => Verdict::no(
            Reason::RuleFails,
            format!("the rule {rule} fails: {}", rule_sentence(*error)),
        ),
    }
}

const fn rule_sentence(error: RuleError) -> &'static str {
    match error {
        RuleError::ManyMatches => {
            "several series match where one may, most likely because the API or its platform figures are scraped twice: see Scraped"
        }
        RuleError::TooSlow => "its evaluation takes too long: look at the load of the Prometheus",
        RuleError::TooManySamples => {
            "it needs more samples than Prometheus loads for one query (--query.max-samples): find the label with too many values"
        }
        RuleError::Other => "Prometheus's page Rule health (/rules) shows the error",
    }
}
