//! The queries that are asked for all MonitoredApis at once. Their number does not depend on how many there are.
//!
//! None divides or compares series that must match one to one: whoever writes a second series of the same labels would make
//! it fail for every API.

use metric_contract::recorded_series::{OBJECTIVE_BUDGET, OBJECTIVE_EVENTS};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_is_promql() {
        let objectives = [budgets(), whole_windows(), last_hour(), last_six_hours()];
        for query in [TARGETS, SCRAPED_TWICE, FIRING]
            .into_iter()
            .chain(objectives.iter().map(String::as_str))
        {
            promql_parser::parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        }
    }
}
