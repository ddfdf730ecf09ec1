//! What is said of a page: data for programs, and a table for people.

use std::fmt::Write as _;

use controller_core::detect::{Detection, Found, Outcome};
use exposition::ReadError;
use metric_contract::{Attribute, DialectId, MetricId, MetricKind, MetricSpelling, Signal, StatusStyle, Unit};
use serde::Serialize;

/// What is said of a page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    outcome: &'static str,
    /// The name for `spec.metrics.dialect`.
    dialect: Option<&'static str>,
    #[serde(skip)]
    title: &'static str,
    confidence: Option<&'static str>,
    candidates: Vec<&'static str>,
    missing: Vec<Missing>,
    /// Labels whose values clients choose, a sentence each.
    warnings: Vec<String>,
    prefix: Option<String>,
    route_label: Option<String>,
    status_style: Option<&'static str>,
    unit: Option<&'static str>,
    buckets_seconds: Vec<String>,
    metrics: Vec<Metric>,
    /// Families of HTTP that belong to no library that was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unclaimed: Vec<String>,
    /// Where Prometheus would stop reading, from 1, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What to do next.
    next: String,
}

/// A signal that the page does not answer.
#[derive(Debug, Serialize)]
struct Missing {
    signal: &'static str,
    /// The setting of the library that gives it, where there is one.
    hint: Option<&'static str>,
}

/// A family, and what it is for.
#[derive(Debug, Serialize)]
struct Metric {
    signal: &'static str,
    family: String,
    labels: Vec<String>,
}

impl Report {
    /// Of a page that was read.
    pub(super) fn of(detection: &Detection) -> Self {
        let candidates: Vec<&str> = detection.candidates.iter().map(|id| id.as_str()).collect();
        let next = next(detection);
        let Some(found) = &detection.found else {
            return Self {
                candidates,
                unclaimed: detection.unclaimed.clone(),
                ..Self::without_dialect(detection.outcome.as_str(), next)
            };
        };
        let duration = found.spelling.duration();
        let requests = found.spelling.requests();
        let route = requests.as_ref().and_then(|requests| requests.route);
        let has_status = requests.as_ref().is_some_and(|requests| requests.status.is_some());
        Self {
            dialect: Some(found.dialect.as_str()),
            title: found.dialect.title(),
            confidence: Some(found.confidence.as_str()),
            missing: found
                .missing
                .iter()
                .map(|signal| missing(found.dialect, *signal))
                .collect(),
            warnings: found.client_labels.iter().map(ToString::to_string).collect(),
            prefix: found.prefix.clone(),
            route_label: route
                .or(duration.and_then(|duration| duration.route))
                .map(str::to_owned),
            status_style: has_status.then_some(match found.spelling.status_style {
                StatusStyle::Exact => "Exact",
                StatusStyle::Class => "Class",
                StatusStyle::ClassDigit => "ClassDigit",
            }),
            unit: duration.map(|duration| unit(duration.histogram.unit)),
            buckets_seconds: duration
                .map(|duration| buckets_seconds(duration.histogram))
                .unwrap_or_default(),
            metrics: metrics(found),
            ..Self::without_dialect(detection.outcome.as_str(), next)
        }
    }

    /// Of a page that Prometheus would refuse.
    pub(super) fn malformed(error: &ReadError) -> Self {
        Self {
            line: Some(error.line),
            reason: Some(error.reason.to_string()),
            ..Self::without_dialect(
                "malformed",
                "Prometheus refuses the whole page because of this line, so nothing of it is stored: mend it in the application"
                    .to_owned(),
            )
        }
    }

    fn without_dialect(outcome: &'static str, next: String) -> Self {
        Self {
            outcome,
            dialect: None,
            title: "",
            confidence: None,
            candidates: Vec::new(),
            missing: Vec::new(),
            warnings: Vec::new(),
            prefix: None,
            route_label: None,
            status_style: None,
            unit: None,
            buckets_seconds: Vec::new(),
            metrics: Vec::new(),
            unclaimed: Vec::new(),
            line: None,
            reason: None,
            next,
        }
    }

    /// For people.
    pub(super) fn table(&self, source: &str) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{name:<12}{value}");
        };
        line("page", source);
        line("outcome", self.outcome);
        if let Some(dialect) = self.dialect {
            line("dialect", &format!("{dialect} ({})", self.title));
        }
        if let Some(confidence) = self.confidence {
            line("confidence", confidence);
        }
        if let Some(prefix) = &self.prefix {
            line("prefix", if prefix.is_empty() { "(none)" } else { prefix });
        }
        if !self.candidates.is_empty() {
            line("candidates", &self.candidates.join(", "));
        }
        if !self.unclaimed.is_empty() {
            line("families", &self.unclaimed.join(", "));
        }
        if let (Some(at), Some(reason)) = (self.line, &self.reason) {
            line(&format!("line {at}"), reason);
        }
        if !self.metrics.is_empty() {
            text.push('\n');
            table(
                &mut text,
                ["SIGNAL", "FAMILY", "LABELS"],
                self.metrics.iter().map(|metric| {
                    let labels = if metric.labels.is_empty() {
                        "–".to_owned()
                    } else {
                        metric.labels.join(", ")
                    };
                    [metric.signal.to_owned(), metric.family.clone(), labels]
                }),
            );
        }
        if !self.missing.is_empty() {
            text.push('\n');
            table(
                &mut text,
                ["MISSING", "HOW TO TURN IT ON", ""],
                self.missing.iter().map(|missing| {
                    let hint = missing.hint.unwrap_or("–");
                    [missing.signal.to_owned(), hint.to_owned(), String::new()]
                }),
            );
        }
        for (number, warning) in self.warnings.iter().enumerate() {
            let _ = writeln!(text, "{}warning     {warning}", if number == 0 { "\n" } else { "" });
        }
        let _ = writeln!(text, "\n{}", self.next);
        text
    }
}

fn table(text: &mut String, head: [&str; 3], rows: impl Iterator<Item = [String; 3]>) {
    let rows: Vec<[String; 3]> = [head.map(str::to_owned)].into_iter().chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    for [a, b, c] in &rows {
        let line = format!("{a:<first$}  {b:<second$}  {c}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn missing(dialect: DialectId, signal: Signal) -> Missing {
    Missing {
        signal: signal.name(),
        hint: dialect.dialect().hint(signal),
    }
}

/// The families that answer a signal, with the labels that mean something.
fn metrics(found: &Found) -> Vec<Metric> {
    // Without a counter the histogram counts the requests.
    let counted_by_duration = found.spelling.metric(MetricId::Requests).is_none();
    let counting = found
        .spelling
        .requests()
        .filter(|_| counted_by_duration)
        .map(|requests| Metric {
            signal: Signal::Requests.name(),
            family: requests.series.into_owned(),
            labels: Vec::new(),
        });
    let answering = found.spelling.metrics.iter().filter_map(|spelling| {
        let signal = spelling.metric.signal()?;
        let labels = spelling.labels.iter().filter_map(|(label, attribute)| {
            let meaning = match attribute {
                Attribute::Method => "method",
                Attribute::Route => "route",
                Attribute::RawPath => "raw path",
                Attribute::ClientText => "text of the client",
                Attribute::Status => "status",
                _ => return None,
            };
            Some(if meaning == label {
                meaning.to_owned()
            } else {
                format!("{label} ({meaning})")
            })
        });
        Some(Metric {
            signal: signal.name(),
            family: spelling.name.to_string(),
            labels: labels.collect(),
        })
    });
    counting.into_iter().chain(answering).collect()
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => "milliseconds",
        Unit::Nanoseconds => "nanoseconds",
        _ => "seconds",
    }
}

/// The bounds of a histogram in seconds, as texts that hold their exact value.
fn buckets_seconds(histogram: &MetricSpelling) -> Vec<String> {
    let divisor = match histogram.unit {
        Unit::Milliseconds => 1_000.0,
        _ => 1.0,
    };
    match histogram.kind {
        MetricKind::Histogram => histogram
            .buckets
            .iter()
            .map(|bound| (bound / divisor).to_string())
            .collect(),
        _ => Vec::new(),
    }
}

/// What to do next: different for each outcome.
fn next(detection: &Detection) -> String {
    match (detection.outcome, &detection.found) {
        (Outcome::Match, Some(found)) if found.dialect.proxy().is_some() => format!(
            "This is the page of a proxy, which counts the requests of the workloads behind it. Set spec.metrics.dialect: {} in the \
             MonitoredApi of a workload whose requests it shall count, and let Prometheus scrape the proxy \
             (docs/guides/proxies-and-meshes.md).",
            found.dialect
        ),
        (Outcome::Match, Some(found)) => match found.fitting_table() {
            Some(table) => format!(
                "Set spec.metrics.dialect: {table} in the MonitoredApi, and see what is made of it: monitored-api render -f FILE"
            ),
            None => "The page differs from what the library writes by default (names, types or labels), and the operator makes rules \
                     for the defaults: alerts on these would never fire. Rules and panels for this page: monitored-api render -f FILE \
                     --metrics URL|FILE"
                .to_owned(),
        },
        (Outcome::Ambiguous, _) if detection.candidates.len() > 1 => {
            "More than one of these could have written the page: set spec.metrics.dialect to the one that did.".to_owned()
        }
        (Outcome::Match | Outcome::Ambiguous, _) => {
            "The page has the metrics of this library twice, under different prefixes: one of them has to go.".to_owned()
        }
        (Outcome::Unknown, _) => {
            "The page has HTTP metrics of no library that is known. If they are named as one of docs/reference/dialects.md, set \
             spec.metrics.dialect; else name them in spec.metrics.custom."
                .to_owned()
        }
        (Outcome::NoHttpMetrics, _) => {
            "The page has no metrics of HTTP requests: add an instrumentation of the framework (docs/reference/dialects.md lists \
             those that are known). If there is one already, send the API a request first: some write nothing before it."
                .to_owned()
        }
        (Outcome::NoSamplesYet, _) => "No request was counted yet: send the API one and ask again.".to_owned(),
        (Outcome::Empty, _) => {
            "The page has no metrics at all: is this the path on which the application serves them, and does anything register \
             with the registry that is served?"
                .to_owned()
        }
    }
}
