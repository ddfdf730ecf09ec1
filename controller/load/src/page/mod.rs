//! A report as a web page: one file that asks nobody for anything, in light and dark, wide and narrow, and on paper.

mod chart;
mod charts;
mod ink;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::{Report, TOOL};
use crate::units::time;

const STYLE: &str = include_str!("style.css");
/// Nothing is fetched and no script runs, whatever stands in an address.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let title = title(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="generator" content=(TOOL);
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(ink::rules())) }
            }
            body {
                main {
                    (head(report, &title))
                    (verdict(report))
                    h2 { "Result" }
                    (tables::steps(report))
                    (charts::all(report))
                    h2 { "How the requests ended" }
                    (tables::outcomes(report))
                    (tables::targets(report))
                    h2 { "Settings" }
                    (settings(report))
                    h2 { "How to read this" }
                    (reading(report))
                }
            }
        }
    };
    page.into_string()
}

fn title(report: &Report) -> String {
    match report.targets.as_slice() {
        [only] => format!("Load test of {}", only.url),
        several => format!("Load test of {} addresses", several.len()),
    }
}

fn head(report: &Report, title: &str) -> Markup {
    let kind = if report.is_open_loop() {
        "Open loop"
    } else {
        "Closed loop"
    };
    html! {
        header {
            h1 { (title) }
            p.quiet {
                (kind) ", begun " time datetime=(report.started_at) { (report.started_at) }
                ", monitored-api " (report.version)
            }
        }
    }
}

/// Whether the figures can be relied on, whether limits hold, and what else a reader must know first.
fn verdict(report: &Report) -> Markup {
    let judgement = &report.judgement;
    html! {
        @if !report.is_open_loop() {
            div.box.bad {
                p { strong { "Closed loop." } " Each request waited for the one before it, so that fewer were sent while the service was slow: \
                    independent users see worse than this." }
            }
        }
        @if judgement.trustworthy {
            @if report.is_open_loop() {
                div.box.good { p { strong { "The schedule was kept." } " Every request was sent, and the generator took them up in time." } }
            }
        } @else {
            div.box.bad {
                p { strong { "Not trustworthy." } " These figures tell of the load generator, not only of the service:" }
                ul { @for reason in &judgement.distrust { li { (reason) } } }
            }
        }
        @if !judgement.limits.is_empty() {
            h2 { "Limits" }
            (tables::limits(report))
        }
        @if !judgement.notes.is_empty() {
            div.box {
                p { strong { "To know" } }
                ul { @for note in &judgement.notes { li { (note) } } }
            }
        }
    }
}

fn settings(report: &Report) -> Markup {
    let settings = &report.settings;
    html! {
        dl {
            @for target in &report.targets {
                dt { "address" }
                dd { (target.url) @if report.targets.len() > 1 { ", weight " (target.weight) } }
            }
            dt { "requests" } dd { (settings.method) ", " (settings.protocol) ", body of " (settings.body_bytes) " bytes" }
            @if let Some(arrivals) = settings.arrivals {
                dt { "arrivals" } dd { (arrivals) }
                dt { "warm-up, not counted" } dd { (time(settings.warm_up_seconds)) }
                dt { "connections to a host" } dd { "at most " (settings.connections) }
            }
            @if let Some(requests) = settings.requests {
                dt { "requests in all" } dd { (requests) }
                dt { "at the same time" } dd { (settings.connections) }
            }
            dt { "timeout" } dd { (time(settings.timeout_seconds)) }
            dt { "statuses that are no error" } dd { (settings.expected_status) }
        }
    }
}

fn reading(report: &Report) -> Markup {
    html! {
        p {
            "Latency is the time from the moment at which a request was to start until the last byte of its answer. p99 is what 99 of 100 requests \
             did not exceed; the other one took longer. Requests that got no answer within the timeout count with the time that they waited."
        }
        @if report.is_open_loop() {
            p {
                "Requests start at their times, as those of independent users do, whatever becomes of the ones before. Where none of the connections \
                 is free, a request waits, and its time runs. "
                em { "Late" } " is how much later than intended the generator itself took requests up; it is part of the latencies."
            }
        }
    }
}

#[cfg(test)]
mod tests;
