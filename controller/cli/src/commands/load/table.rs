//! The result of a load test for people: a row for each step, and what is to be known of it.

use std::fmt::Write as _;

use controller_load::Report;
use controller_load::report::{Latency, StepReport};
use controller_load::units::time;

/// Titles of the columns.
const TITLES: [&str; 11] = [
    "asked/s", "sent/s", "requests", "errors", "p50", "p90", "p95", "p99", "p99.9", "max", "late p99",
];

/// The whole text.
pub(super) fn table(report: &Report) -> String {
    let mut rows = vec![TITLES.map(str::to_owned)];
    rows.extend(report.steps.iter().map(row));
    let mut text = if report.is_open_loop() {
        String::from("Open loop: latencies count from the time at which each request was to start.\n\n")
    } else {
        String::from("CLOSED LOOP: each request waited for the one before it.\n\n")
    };
    text += &aligned(&rows);
    text.push('\n');
    for (index, step) in report.steps.iter().enumerate() {
        // Writing into a String can't fail.
        let _ = writeln!(text, "step {}: {}", index + 1, outcomes(step));
    }
    if report.targets.len() > 1 {
        text.push('\n');
        for target in &report.targets {
            let p99 = latency(target.latency.as_ref(), |latency| latency.p99_seconds);
            let _ = writeln!(
                text,
                "{}: {} requests, {} errors, p99 {p99}",
                target.url, target.scheduled, target.errors
            );
        }
    }
    let judgement = &report.judgement;
    if !(judgement.distrust.is_empty() && judgement.notes.is_empty()) {
        text.push('\n');
    }
    for reason in &judgement.distrust {
        let _ = writeln!(text, "NOT TRUSTWORTHY: {reason}");
    }
    for note in &judgement.notes {
        let _ = writeln!(text, "note: {note}");
    }
    text
}

fn row(step: &StepReport) -> [String; 11] {
    let time_of = |of: fn(&Latency) -> f64| latency(step.latency.as_ref(), of);
    [
        step.rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
        format!("{:.1}", step.achieved_rate),
        step.scheduled.to_string(),
        step.errors.to_string(),
        time_of(|latency| latency.p50_seconds),
        time_of(|latency| latency.p90_seconds),
        time_of(|latency| latency.p95_seconds),
        time_of(|latency| latency.p99_seconds),
        time_of(|latency| latency.p999_seconds),
        time_of(|latency| latency.max_seconds),
        step.lateness
            .map_or_else(|| "-".to_owned(), |lateness| time(lateness.p99_seconds)),
    ]
}

fn latency(latency: Option<&Latency>, of: impl Fn(&Latency) -> f64) -> String {
    latency.map_or_else(|| "-".to_owned(), |latency| time(of(latency)))
}

/// How the requests of a step ended.
fn outcomes(step: &StepReport) -> String {
    let statuses = step
        .statuses
        .iter()
        .map(|(status, count)| format!("{count} × status {status}"));
    let failures = step
        .failures
        .iter()
        .map(|failure| format!("{} × {}", failure.requests, failure.title));
    let bytes = format!("{} bytes of bodies", step.bytes);
    let all: Vec<_> = statuses.chain(failures).chain([bytes]).collect();
    all.join(", ")
}

/// Columns to the right, two spaces between them.
fn aligned(rows: &[[String; 11]]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            let _ = write!(text, "{gap}{cell:>width$}", width = width(column).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |first: &str| {
            let mut row = [const { String::new() }; 11];
            row[0] = first.to_owned();
            row
        };
        let text = aligned(&[row("rate"), row("5")]);
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines, ["rate", "   5"]);
    }
}
