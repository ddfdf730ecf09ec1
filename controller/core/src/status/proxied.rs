//! `Scraped` where a proxy counts the requests: whether Prometheus has the series of this workload that the rules read.
//!
//! Of its answers only names that were checked reach a message.

use controller_api::{ConditionType, Reason};
use metric_contract::{LabelCondition, Proxy};

use super::{
    FoldInput, unanswered,
    verdict::{Truth, Verdict},
};
use crate::{
    facts::PrometheusFacts,
    foreign_text::cut,
    prometheus::{Answer, NearLabel, ProxiedRequests, ScrapeFinding},
};

/// Longest name of the workload in a proxy that is repeated in a message, in bytes, and how many of them. There may be 32 of 512.
const MAX_NAME: usize = 100;
const MAX_NAMES: usize = 4;

/// What is looked for, as parts of sentences.
struct Search<'a> {
    /// What counts, for people.
    title: &'static str,
    proxy: &'static Proxy,
    /// The metric that counts requests.
    metric: &'a str,
    /// The labels and values by which a series is the workload's.
    by: String,
}

/// What the Prometheus says of the proxy's series.
pub(super) fn counted(input: &FoldInput<'_>, requests: &ProxiedRequests) -> Option<Verdict> {
    let series = requests.dialect.spelling().requests()?.series;
    let search = &Search {
        title: requests.dialect.title(),
        proxy: requests.dialect.proxy()?,
        metric: &series,
        by: by(&requests.series),
    };
    let what = "whether Prometheus has series of the API's requests";
    Some(match &input.finding.scrape {
        Answer::Known(finding) => of_finding(input, search, finding),
        Answer::NotYet => before(input, search),
        Answer::NoAddress if *input.prometheus == PrometheusFacts::NotReadYet => before(input, search),
        Answer::NoAddress => unanswered::no_address(input, what),
        Answer::Failed(error) => unanswered::failed(*error, what),
    })
}

fn of_finding(input: &FoldInput<'_>, search: &Search<'_>, finding: &ScrapeFinding) -> Verdict {
    let Search {
        title,
        proxy,
        metric,
        by,
    } = search;
    match finding {
        ScrapeFinding::Counted => Verdict::yes(
            Reason::RequestsCounted,
            format!("Prometheus has series of the API's requests, counted by {title}: {metric} where {by}"),
        ),
        ScrapeFinding::NotCounted(_) if was_counted(input, search) => Verdict::unknown(
            Reason::NoRecentRequests,
            format!(
                "Prometheus had series of the API's requests and has none of the last hour: {metric} where {by}; the proxy counts from the \
                 first request after its start, so send one; if it stays so, see {}",
                proxy.uncounted
            ),
        ),
        ScrapeFinding::NotCounted(near) => Verdict::no(
            Reason::RequestsNotCounted,
            format!(
                "Prometheus scrapes the proxy, and of the last hour it has no series of {metric} where {by}{}: the proxy counts from the first request \
                 on, so send one; if it stays so, see {}",
                near_sentence(near),
                proxy.uncounted
            ),
        ),
        ScrapeFinding::ProxyUnread => Verdict::no(
            Reason::ProxyNotScraped,
            format!(
                "Prometheus has no series of {metric}, of whatever workload: let it scrape {}; if it does, no request has come to any \
                 workload yet, or this version of the proxy gives the metric or its labels other names",
                proxy.targets
            ),
        ),
        // What was found of targets, before the spec named a proxy.
        ScrapeFinding::Up(_) | ScrapeFinding::PartlyDown(_) | ScrapeFinding::Down(_) | ScrapeFinding::NoTarget => {
            unanswered::not_asked_yet()
        }
    }
}

/// What the status said before the operator was started, if that was about the same series.
fn before(input: &FoldInput<'_>, search: &Search<'_>) -> Verdict {
    let verdict = unanswered::before(input, ConditionType::Scraped);
    let is_of_others = told_of_series(&verdict) && !search.is_told_in(&verdict);
    if is_of_others || told_of_targets(&verdict) {
        return unanswered::not_asked_yet();
    }
    verdict
}

/// Whether the verdict is about a workload's series.
pub(super) fn told_of_series(verdict: &Verdict) -> bool {
    matches!(
        verdict.reason,
        Reason::RequestsCounted | Reason::RequestsNotCounted | Reason::NoRecentRequests | Reason::ProxyNotScraped
    )
}

/// Whether the verdict is about pods that are scraped themselves.
fn told_of_targets(verdict: &Verdict) -> bool {
    matches!(
        verdict.reason,
        Reason::TargetUp | Reason::AlsoScrapedBy | Reason::NoTarget | Reason::TargetDown | Reason::TlsNotSupported
    )
}

/// Whether the status says that the same series were there once. Without the status, an API that nobody calls at night would be told as
/// one with a wrong name.
fn was_counted(input: &FoldInput<'_>, search: &Search<'_>) -> bool {
    let before = Verdict::before(ConditionType::Scraped, input.previous);
    before.is_some_and(|before| {
        let once = before.is(Truth::True) || before.reason == Reason::NoRecentRequests;
        once && told_of_series(&before) && search.is_told_in(&before)
    })
}

impl Search<'_> {
    /// Whether a verdict is about the same series, which each of them names.
    fn is_told_in(&self, verdict: &Verdict) -> bool {
        let place = format!("{} where {}", self.metric, self.by);
        verdict.reason == Reason::ProxyNotScraped || verdict.message.contains(&place)
    }
}

/// The labels and values by which a series is the workload's.
fn by(sets: &[Vec<LabelCondition>]) -> String {
    let set = |set: &Vec<LabelCondition>| set.iter().map(condition).collect::<Vec<_>>().join(", ");
    sets.iter().map(set).collect::<Vec<_>>().join("; or ")
}

fn condition(LabelCondition { label, is, values }: &LabelCondition) -> String {
    let shown = values.iter().take(MAX_NAMES).map(|value| match value.as_str() {
        "" => "nothing".to_owned(),
        value => cut(value, MAX_NAME).to_owned(),
    });
    let mut shown: Vec<_> = shown.collect();
    let others = values.len().saturating_sub(shown.len());
    if others > 0 {
        shown.push(format!("{others} others"));
    }
    format!("{label} {} {}", if *is { "is" } else { "is not" }, shown.join(" or "))
}

fn near_sentence(near: &[NearLabel]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let labels: Vec<_> = near
        .iter()
        .map(|NearLabel { label, values }| format!("{label} is {}", values.join(" or ")))
        .collect();
    format!(" (but some where {})", labels.join("; and some where "))
}
