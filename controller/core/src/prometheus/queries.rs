//! The queries that are asked for all MonitoredApis at once. Their number does not depend on how many there are.
//!
//! None divides or compares series that must match one to one, unless both sides are aggregated to the labels by which they
//! match: else whoever writes a second series of the same labels would make it fail for every API.

use std::collections::BTreeSet;

use controller_rules::promql::PromDuration;
use metric_contract::{
    MetricId, Spelling,
    recorded_series::{OBJECTIVE_BUDGET, OBJECTIVE_EVENTS},
};

/// Targets by namespace, job and whether they are up.
pub const TARGETS: &str = "count_values by (namespace, job) (\"up\", up)";

/// Targets with an address that is scraped by more than one job.
pub const SCRAPED_TWICE: &str = "group by (instance, namespace, job) (up) and on (instance) \
     (count by (instance) (group by (instance, namespace, job) (up)) > 1)";

/// Firing alerts by namespace and job.
pub const FIRING: &str = "count by (namespace, job) (ALERTS{alertstate=\"firing\"})";

/// What is looked back to for the last value of a series that is recorded every five minutes: two evaluations, because the
/// newest sample of a series is five minutes old while the next is computed.
const LAST_RECORDED: &str = "11m";

/// What is left of every error budget, by objective; the window stands in the name.
#[must_use]
pub fn budgets() -> String {
    by_objective(
        "__name__",
        &format!(
            "last_over_time({{__name__=~\"{}\"}}[{LAST_RECORDED}])",
            OBJECTIVE_BUDGET.name("[0-9]+d")
        ),
    )
}

/// Events of every objective within its whole window, by objective and result; the window stands in the name.
#[must_use]
pub fn whole_windows() -> String {
    by_objective(
        "result, __name__",
        &format!(
            "last_over_time({{__name__=~\"{}\"}}[{LAST_RECORDED}])",
            OBJECTIVE_EVENTS.name("[0-9]+d")
        ),
    )
}

/// Events of every objective within the last hour, by objective and result.
#[must_use]
pub fn last_hour() -> String {
    by_objective("result", &OBJECTIVE_EVENTS.name("1h"))
}

/// Events of every objective within the last six hours, up to the last whole one, by objective and result.
#[must_use]
pub fn last_six_hours() -> String {
    // One millisecond less, so that a server that counts the window's beginning does not add up a seventh hour.
    let hours = format!("{}[5h59m59s999ms:1h]", OBJECTIVE_EVENTS.name("1h"));
    by_objective("result", &format!("sum_over_time({hours})"))
}

fn by_objective(also: &str, series: &str) -> String {
    format!("max by (namespace, job, objective, {also}) ({series})")
}

/// The shortest window over which rules take rates, and the longest for which [`overall`] tells that no data are missing.
pub const RATE_WINDOW: PromDuration = PromDuration::from_minutes(5);

/// Whether targets count over all routes what they count by route: by namespace and job the lowest value of its targets, see
/// [`super::OverallEvidence`]. `None`: the page has nothing over all routes.
///
/// - A target *lacks* it if it has the durations by route, which each target has once it got a request, and none over all
///   routes. Of what else rules read over all routes, a gauge or counter without further labels stands beside the durations
///   from the start, requests by status from the first one, and exceptions once one was counted for a route. The series of
///   routes are thus read for one family only.
/// - Its history is *too short* if a scrape of the last five minutes that succeeded is without it, also if that target is gone
///   since: within the rates of five minutes, it counts still. A series has its samples at the times of those of `up`.
#[must_use]
pub fn overall(spelling: &Spelling) -> Option<String> {
    let pair = |metric| Some((spelling.metric(metric)?, spelling.overall(metric)?));
    let target = "(namespace, job, instance)";
    let group = |series: &str| format!("group by {target} ({series})");
    let (by_route, durations) = pair(MetricId::Duration)?;
    let durations = durations.count_series();
    let mut lacking = vec![(group(&by_route.count_series()), group(&durations))];
    for metric in [MetricId::SlowRequests, MetricId::InFlight] {
        let beside = pair(metric).map(|(_, overall)| (group(&durations), group(&overall.name)));
        lacking.extend(beside);
    }
    let requests = pair(MetricId::Requests);
    lacking.extend(requests.map(|(_, overall)| (group(&format!("{durations} > 0")), group(&overall.name))));
    let exceptions = pair(MetricId::Exceptions);
    lacking.extend(exceptions.map(|(by_route, overall)| (group(&by_route.name), group(&overall.name))));
    let lacking: Vec<_> = lacking
        .into_iter()
        .map(|(has, needs)| format!("{has} unless {needs}"))
        .collect();
    let lacking = lacking.join(" or ");
    let scrapes = format!("max by {target} (sum_over_time(up[{RATE_WINDOW}]))");
    let samples = format!("max by {target} (count_over_time({durations}[{RATE_WINDOW}]))");
    let too_short = format!("({scrapes} > 0 unless {scrapes} <= {samples})");
    let complete = group(&durations);
    Some(format!(
        "min by (namespace, job) (0 * ({lacking}) or 0 * {too_short} + 1 or 0 * {complete} + 2)"
    ))
}

/// How far is looked back for series of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookBack {
    /// Prometheus's own five minutes: one sample of each series is read.
    Now,
    /// An hour: every sample of it is read.
    Hour,
}

/// Whose requests a proxy counts: the combinations of `labels` that its series of this name have. One query for all workloads
/// behind it, because the conditions on labels are checked here.
///
/// It reads every series of the proxy, one sample of each with [`LookBack::Now`]. The hour is for what is not found then: a series
/// ends when its proxy is started anew and comes back with the next request, which may take a while, and scrapes may fail for
/// some minutes. A longer time would cost more than it tells, as a series of an hour ago says nothing of the proxy of today.
#[must_use]
pub fn counted_by_proxy(metric: &str, labels: &BTreeSet<&str>, look_back: LookBack) -> String {
    let by = labels.iter().copied().collect::<Vec<_>>().join(", ");
    match look_back {
        LookBack::Now => format!("group by ({by}) ({metric})"),
        LookBack::Hour => format!("group by ({by}) (last_over_time({metric}[1h]))"),
    }
}

#[cfg(test)]
mod tests {
    use metric_contract::DialectId;

    use super::*;

    #[test]
    fn the_query_about_metrics_over_all_routes_exists_where_a_dialect_has_them() {
        for id in DialectId::ALL {
            let query = overall(id.spelling());
            assert_eq!(query.is_some(), *id == DialectId::Native, "{id}");
            let Some(query) = query else { continue };
            promql_parser::parser::parse(&query).unwrap_or_else(|error| panic!("{query}: {error}"));
            for metric in MetricId::ALL {
                let Some(overall) = id.spelling().overall(*metric) else {
                    continue;
                };
                assert!(query.contains(&*overall.name), "{metric:?}: {query}");
            }
        }
    }

    #[test]
    fn every_query_is_promql() {
        let labels = BTreeSet::from(["reporter", "destination_workload"]);
        let counted = |look_back| counted_by_proxy("istio_requests_total", &labels, look_back);
        let objectives = [budgets(), whole_windows(), last_hour(), last_six_hours()];
        let built = [counted(LookBack::Now), counted(LookBack::Hour)]
            .into_iter()
            .chain(objectives);
        let built: Vec<_> = built.collect();
        for query in [TARGETS, SCRAPED_TWICE, FIRING]
            .into_iter()
            .chain(built.iter().map(String::as_str))
        {
            promql_parser::parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}
