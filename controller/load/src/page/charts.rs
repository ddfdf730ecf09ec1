//! The charts of the page, each with its figures as a table.

use maud::{Markup, html};

use crate::page::chart::{Chart, Line};
use crate::page::ink::LINES;
use crate::page::tables::{dash, scrolling};
use crate::report::{IntervalReport, Report, StepReport};
use crate::units::{TimeUnit, count, time};

/// All charts for which there is data.
pub(super) fn all(report: &Report) -> Markup {
    html! {
        @if report.timeline.intervals.iter().any(|interval| interval.max_seconds.is_some()) {
            h2 { "Latency over time" }
            (latency_over_time(report))
        }
        @if !report.timeline.intervals.is_empty() {
            h2 { "Requests over time" }
            (requests_over_time(report))
        }
        @if report.steps.iter().any(|step| step.latency.is_some()) {
            h2 { "Latency by share of requests" }
            (latency_curves(report))
        }
        @if report.steps.iter().filter(|step| step.rate.is_some() && step.latency.is_some()).count() > 1 {
            h2 { "Latency by rate" }
            (latency_by_rate(report))
        }
    }
}

/// A chart with a caption and its figures.
fn figure(chart: &Chart<'_>, caption: &str, titles: &[String], rows: &[Vec<String>]) -> Markup {
    let table = html! {
        table {
            thead { tr { @for title in titles { th scope="col" { (title) } } } }
            tbody {
                @for row in rows {
                    tr {
                        @for (index, cell) in row.iter().enumerate() {
                            @if index == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        }
                    }
                }
            }
        }
    };
    html! {
        figure {
            (chart.draw())
            figcaption { (caption) }
            details { summary { "Figures as a table" } (scrolling(&chart.summary, &table)) }
        }
    }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

fn shown(seconds: Option<f64>) -> String {
    seconds.map_or_else(dash, time)
}

/// A number without zeros at its end.
fn plain(number: f64) -> String {
    let rounded = format!("{number:.2}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn latency_over_time(report: &Report) -> Markup {
    let intervals = &report.timeline.intervals;
    let longest = intervals
        .iter()
        .filter_map(|interval| interval.max_seconds)
        .fold(0.0, f64::max);
    let unit = TimeUnit::of(longest);
    let line = |name: &str, of: fn(&IntervalReport) -> Option<f64>| Line {
        name: name.to_owned(),
        points: intervals
            .iter()
            .filter_map(|interval| Some((interval.start_seconds, of(interval)? * unit.in_a_second())))
            .collect(),
    };
    let chart = Chart {
        summary: format!("Latency over time: the longest took {}", time(longest)),
        lines: vec![
            line("p50", |interval| interval.p50_seconds),
            line("p99", |interval| interval.p99_seconds),
            line("longest", |interval| interval.max_seconds),
        ],
        x_title: "seconds after the start",
        y_title: unit.as_str(),
        x_label: &|seconds| plain(*seconds),
        y_label: &|value| plain(*value),
    };
    let rows = intervals.iter().map(|interval| {
        vec![
            plain(interval.start_seconds),
            shown(interval.p50_seconds),
            shown(interval.p99_seconds),
            shown(interval.max_seconds),
        ]
    });
    figure(
        &chart,
        &format!(
            "By the time at which requests were to start, in intervals of {}.",
            time(report.timeline.interval_seconds)
        ),
        &words(["Second", "p50", "p99", "Longest"]),
        &rows.collect::<Vec<_>>(),
    )
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn requests_over_time(report: &Report) -> Markup {
    let intervals = &report.timeline.intervals;
    let width = report.timeline.interval_seconds;
    let line = |name: &str, of: fn(&IntervalReport) -> u64| Line {
        name: name.to_owned(),
        points: intervals
            .iter()
            .map(|interval| (interval.start_seconds, of(interval) as f64 / width))
            .collect(),
    };
    let errors: u64 = intervals.iter().map(|interval| interval.errors).sum();
    let chart = Chart {
        summary: format!("Requests over time: {} of them failed", count(errors)),
        lines: vec![
            line("requests that were to start", |interval| interval.scheduled),
            line("of them failed", |interval| interval.errors),
        ],
        x_title: "seconds after the start",
        y_title: "requests/s",
        x_label: &|seconds| plain(*seconds),
        y_label: &|value| plain(*value),
    };
    let rows = intervals.iter().map(|interval| {
        vec![
            plain(interval.start_seconds),
            count(interval.scheduled),
            count(interval.errors),
        ]
    });
    figure(
        &chart,
        "By the time at which requests were to start.",
        &words(["Second", "Requests", "Failed"]),
        &rows.collect::<Vec<_>>(),
    )
}

/// The last steps that have latencies, as many as there are inks.
fn curved(report: &Report) -> Vec<(String, &StepReport)> {
    let all = report
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.latency.is_some());
    let named = all.map(|(index, step)| match step.rate {
        Some(rate) => (format!("step {}: {rate}/s", index + 1), step),
        None => ("closed loop".to_owned(), step),
    });
    let named: Vec<_> = named.collect();
    let first = named.len().saturating_sub(LINES.len());
    named.into_iter().skip(first).collect()
}

fn latency_curves(report: &Report) -> Markup {
    /// Where the slowest request is drawn: beyond any share that is shown.
    const END: f64 = 5.0;
    // Each unit to the right leaves a tenth of the requests.
    let place = |share: f64| if share >= 1.0 { END } else { -(1.0 - share).log10() };
    let steps = curved(report);
    let points = |step: &StepReport| {
        step.latency
            .clone()
            .map_or_else(Vec::new, |latency| latency.percentiles)
    };
    let longest = steps
        .iter()
        .flat_map(|(_, step)| points(step))
        .fold(0.0, |longest, point| f64::max(longest, point.seconds));
    let unit = TimeUnit::of(longest);
    let lines = steps.iter().map(|(name, step)| Line {
        name: name.clone(),
        points: points(step)
            .iter()
            .filter(|point| point.share < 1.0)
            .map(|point| (place(point.share), point.seconds * unit.in_a_second()))
            .collect(),
    });
    let chart = Chart {
        summary: format!("Latency by share of requests: the slowest took {}", time(longest)),
        lines: lines.collect(),
        x_title: "share of the requests that took no longer, %",
        y_title: unit.as_str(),
        // 90, 99, 99.9: what lies between has no short name.
        x_label: &|place| {
            let is_whole = (place - place.round()).abs() < 1e-6;
            if is_whole {
                percent(1.0 - 10_f64.powf(-place))
            } else {
                String::new()
            }
        },
        y_label: &|value| plain(*value),
    };
    let rows = steps.iter().flat_map(|(name, step)| {
        let row = |point: &crate::report::Percentile| vec![name.clone(), percent(point.share), time(point.seconds)];
        points(step).iter().map(row).collect::<Vec<_>>()
    });
    figure(
        &chart,
        if steps.len() < report.steps.len() {
            "To the right, ever fewer requests are slower. Of many steps the last six are drawn."
        } else {
            "To the right, ever fewer requests are slower."
        },
        &words(["Step", "Share, %", "Took no longer than"]),
        &rows.collect::<Vec<_>>(),
    )
}

/// A share as percent, with as many nines as it has.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn latency_by_rate(report: &Report) -> Markup {
    let mut steps: Vec<_> = report
        .steps
        .iter()
        .filter_map(|step| Some((step.rate?, step.latency.as_ref()?)))
        .collect();
    steps.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let longest = steps.iter().map(|(_, latency)| latency.p99_seconds).fold(0.0, f64::max);
    let unit = TimeUnit::of(longest);
    let line = |name: &str, of: fn(&crate::report::Latency) -> f64| Line {
        name: name.to_owned(),
        points: steps
            .iter()
            .map(|(rate, latency)| (*rate, of(latency) * unit.in_a_second()))
            .collect(),
    };
    let chart = Chart {
        summary: format!("Latency by rate: the highest 99th percentile is {}", time(longest)),
        lines: vec![
            line("p50", |latency| latency.p50_seconds),
            line("p99", |latency| latency.p99_seconds),
        ],
        x_title: "requests/s asked for",
        y_title: unit.as_str(),
        x_label: &|rate| plain(*rate),
        y_label: &|value| plain(*value),
    };
    let rows = steps
        .iter()
        .map(|(rate, latency)| vec![plain(*rate), time(latency.p50_seconds), time(latency.p99_seconds)]);
    figure(
        &chart,
        "One point for each step.",
        &words(["Requests/s", "p50", "p99"]),
        &rows.collect::<Vec<_>>(),
    )
}
