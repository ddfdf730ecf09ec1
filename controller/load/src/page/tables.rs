//! The tables of the page.

use maud::{Markup, html};

use crate::report::{Latency, LimitResult, Report, StepReport};
use crate::units::{count, time};

/// A table that may be wider than the page: whoever uses a keyboard can scroll it.
pub(super) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// One row a step.
pub(super) fn steps(report: &Report) -> Markup {
    let titles = [
        "Asked/s", "Sent/s", "Requests", "Errors", "p50", "p90", "p95", "p99", "p99.9", "Longest", "Late p99",
    ];
    let table = html! {
        table {
            thead { tr { @for title in titles { th scope="col" { (title) } } } }
            tbody {
                @for step in &report.steps {
                    tr {
                        th scope="row" { (rate(step)) }
                        td { (format!("{:.1}", step.achieved_rate)) }
                        td { (count(step.scheduled)) }
                        td { (count(step.errors)) }
                        @for cell in latencies(step.latency.as_ref()) { td { (cell) } }
                        td { (step.lateness.map_or_else(dash, |lateness| time(lateness.p99_seconds))) }
                    }
                }
            }
        }
    };
    scrolling("Result of each step", &table)
}

/// p50 to the longest.
fn latencies(latency: Option<&Latency>) -> [String; 6] {
    latency.map_or_else(
        || [const { String::new() }; 6].map(|_| dash()),
        |latency| {
            [
                latency.p50_seconds,
                latency.p90_seconds,
                latency.p95_seconds,
                latency.p99_seconds,
                latency.p999_seconds,
                latency.max_seconds,
            ]
            .map(time)
        },
    )
}

/// One row for each way in which requests of a step ended.
pub(super) fn outcomes(report: &Report) -> Markup {
    let table = html! {
        table.words {
            thead { tr { th scope="col" { "Step" } th scope="col" { "Ended with" } th.number scope="col" { "Requests" } } }
            tbody {
                @for (index, step) in report.steps.iter().enumerate() {
                    @for (status, requests) in &step.statuses {
                        tr { (name(index, step)) td { "status " (status) } td.number { (count(*requests)) } }
                    }
                    @for failure in &step.failures {
                        tr {
                            (name(index, step))
                            td { (failure.title) @if !failure.first.is_empty() { ", for example: " (failure.first) } }
                            td.number { (count(failure.requests)) }
                        }
                    }
                }
            }
        }
    };
    scrolling("How the requests ended", &table)
}

/// One row for each address, where there are several.
pub(super) fn targets(report: &Report) -> Markup {
    if report.targets.len() < 2 {
        return html! {};
    }
    let table = html! {
        table {
            thead { tr {
                @for title in ["Address", "Requests", "Errors", "p50", "p90", "p95", "p99", "p99.9", "Longest"] { th scope="col" { (title) } }
            } }
            tbody {
                @for target in &report.targets {
                    tr {
                        th scope="row" { (target.url) }
                        td { (count(target.scheduled)) }
                        td { (count(target.errors)) }
                        @for cell in latencies(target.latency.as_ref()) { td { (cell) } }
                    }
                }
            }
        }
    };
    html! { h2 { "Addresses" } (scrolling("Result of each address", &table)) }
}

/// One row for each limit of each step.
pub(super) fn limits(report: &Report) -> Markup {
    let shown = |limit: &LimitResult, value: f64| match limit.option {
        "--max-p99" => time(value),
        _ => value.to_string(),
    };
    let table = html! {
        table.words {
            thead { tr { @for title in ["Step", "Limit", "Measured", "Verdict"] { th scope="col" { (title) } } } }
            tbody {
                @for limit in &report.judgement.limits {
                    tr {
                        th scope="row" { (limit.step) }
                        td { (limit.option) " " (shown(limit, limit.limit)) }
                        td { (limit.measured.map_or_else(dash, |measured| shown(limit, measured))) }
                        td { @if limit.holds { "holds" } @else { strong { "exceeded" } } }
                    }
                }
            }
        }
    };
    scrolling("Limits", &table)
}

fn name(index: usize, step: &StepReport) -> Markup {
    html! { th scope="row" { (index + 1) @if step.rate.is_some() { ": " (rate(step)) "/s" } } }
}

pub(super) fn rate(step: &StepReport) -> String {
    step.rate.map_or_else(dash, |rate| rate.to_string())
}

pub(super) fn dash() -> String {
    "–".to_owned()
}
