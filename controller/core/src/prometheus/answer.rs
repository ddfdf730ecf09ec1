//! Reads the answers of Prometheus's HTTP API: rows of an instant query, rule groups, targets' errors, what the server is.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use controller_rules::promql::PromDuration;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};

use super::AskError;

/// Series of one answer that are read at most. A cluster has one a job or address.
pub const MAX_SERIES: usize = 50_000;
/// Rule groups of one answer that are read at most.
const MAX_GROUPS: usize = 200_000;
/// Longest name that is taken from an answer, in bytes.
const MAX_NAME: usize = 128;
/// Longest label of a series, in bytes; a series with a longer one is left out.
const MAX_TEXT: usize = 256;

/// One series of an instant query, with the labels that our queries ask for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// Label `namespace`.
    pub namespace: String,
    /// Label `job`.
    pub job: String,
    /// Label `instance`.
    pub instance: String,
    /// Label `up`.
    pub up: String,
    /// Label `objective`.
    pub objective: String,
    /// Label `result`.
    pub result: String,
    /// Name of the series.
    pub metric: String,
    /// The value.
    pub value: f64,
}

/// A rule group that was loaded from a PrometheusRule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedGroup {
    /// uid of the PrometheusRule: Prometheus Operator ends the file's name with it.
    pub uid: String,
    /// The first rule whose evaluation failed, and why. `None`: none failed.
    pub failing: Option<(String, RuleError)>,
}

/// Why the evaluation of a rule failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleError {
    /// Two series match where one may.
    ManyMatches,
    /// It took too long.
    TooSlow,
    /// It needs more samples than a query may load.
    TooManySamples,
    /// Something else.
    Other,
}

/// Why a scrape failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScrapeError {
    /// Nothing listens on the port.
    ConnectionRefused,
    /// No answer in time.
    TimedOut,
    /// The path does not exist.
    NotFound,
    /// The API asks for credentials.
    Unauthorized,
    /// Another status than 200.
    ErrorStatus,
    /// The page is larger than `spec.metrics.limits` allow.
    LimitExceeded,
    /// The page is not one that Prometheus reads.
    Unreadable,
    /// The port speaks TLS, or does not.
    Tls,
    /// Something else.
    Other,
}

#[derive(Debug, Deserialize)]
struct Envelope<T> {
    #[serde(default)]
    status: String,
    data: Option<T>,
}

/// Reads one answer. The class of a failure tells apart what is too large, what is cut, and what is not understood.
fn envelope<T: DeserializeOwned>(reader: impl Read) -> Result<T, AskError> {
    let answer: Envelope<T> = serde_json::from_reader(reader).map_err(|error| class_of(&error))?;
    match answer.data {
        Some(data) if answer.status == "success" => Ok(data),
        Some(_) | None => Err(AskError::NotUnderstood),
    }
}

fn class_of(error: &serde_json::Error) -> AskError {
    match error.io_error_kind() {
        Some(std::io::ErrorKind::FileTooLarge) => AskError::TooLarge,
        Some(std::io::ErrorKind::TimedOut) => AskError::TooSlow,
        Some(_) => AskError::Unreachable,
        None if error.to_string().starts_with(TOO_MANY) => AskError::TooManySeries,
        None => AskError::NotUnderstood,
    }
}

/// How the message of the error about too many elements begins.
const TOO_MANY: &str = "too many elements";

/// Elements of a sequence that are kept one by one, each reduced to what is needed of it, up to a number of them.
struct Reduced<T, const MAX: usize>(Vec<T>);

/// An element as it is read, and what is kept of it.
trait Reduce: Sized {
    type Read: DeserializeOwned;
    fn reduce(read: Self::Read) -> Option<Self>;
}

impl<'de, T: Reduce, const MAX: usize> Deserialize<'de> for Reduced<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T, const MAX: usize>(std::marker::PhantomData<T>);
        impl<'de, T: Reduce, const MAX: usize> Visitor<'de> for Elements<T, MAX> {
            type Value = Reduced<T, MAX>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut kept = Vec::new();
                let mut read = 0_usize;
                while let Some(element) = list.next_element::<T::Read>()? {
                    read += 1;
                    if read > MAX {
                        return Err(serde::de::Error::custom(TOO_MANY));
                    }
                    kept.extend(T::reduce(element));
                }
                Ok(Reduced(kept))
            }
        }
        deserializer.deserialize_seq(Elements(std::marker::PhantomData))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels {
    namespace: String,
    job: String,
    instance: String,
    up: String,
    objective: String,
    result: String,
    #[serde(rename = "__name__")]
    metric: String,
}

#[derive(Debug, Deserialize)]
struct Series {
    metric: Labels,
    value: (f64, String),
}

impl Reduce for Row {
    type Read = Series;
    fn reduce(read: Series) -> Option<Self> {
        let Labels {
            namespace,
            job,
            instance,
            up,
            objective,
            result,
            metric,
        } = read.metric;
        let texts = [&namespace, &job, &instance, &up, &objective, &result, &metric];
        let short = texts.iter().all(|text| text.len() <= MAX_TEXT);
        let value = read.value.1.parse().ok().filter(|value: &f64| value.is_finite())?;
        short.then_some(Self {
            namespace,
            job,
            instance,
            up,
            objective,
            result,
            metric,
            value,
        })
    }
}

/// The rows of an instant query.
///
/// # Errors
/// What is wrong with the answer.
pub fn rows(reader: impl Read) -> Result<Vec<Row>, AskError> {
    vector(reader)
}

fn vector<T: Reduce>(reader: impl Read) -> Result<Vec<T>, AskError> {
    #[derive(Deserialize)]
    #[serde(bound = "T: Reduce")]
    struct Data<T> {
        #[serde(rename = "resultType")]
        kind: String,
        result: Reduced<T, MAX_SERIES>,
    }
    let data: Data<T> = envelope(reader)?;
    if data.kind == "vector" {
        Ok(data.result.0)
    } else {
        Err(AskError::NotUnderstood)
    }
}

/// The labels of one series of an instant query, whatever they are called.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SeriesLabels(pub(super) Box<[(String, String)]>);

impl SeriesLabels {
    /// The value of a label; empty if the series does not have it.
    #[must_use]
    pub fn value(&self, label: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| name == label);
        found.map_or("", |(_, value)| value)
    }

    /// Names and values.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[derive(Debug, Deserialize)]
struct SeriesOfAnyLabels {
    metric: BTreeMap<String, String>,
}

/// Labels of one series that are read at most: more than any of our queries asks for.
const MAX_LABELS: usize = 16;

impl Reduce for SeriesLabels {
    type Read = SeriesOfAnyLabels;
    fn reduce(read: SeriesOfAnyLabels) -> Option<Self> {
        let short = |(name, value): (&String, &String)| name.len() <= MAX_TEXT && value.len() <= MAX_TEXT;
        let small = read.metric.len() <= MAX_LABELS && read.metric.iter().all(short);
        small.then(|| Self(read.metric.into_iter().collect()))
    }
}

/// The labels of the series of an instant query. Series with labels that are too many or too long are left out.
///
/// # Errors
/// What is wrong with the answer.
pub fn label_sets(reader: impl Read) -> Result<Vec<SeriesLabels>, AskError> {
    vector(reader)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReadRule {
    name: String,
    health: String,
    last_error: String,
}

/// The rules of a group, of which the first that fails is kept.
#[derive(Debug, Default)]
struct FirstFailing(Option<(String, RuleError)>);

impl<'de> Deserialize<'de> for FirstFailing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rules;
        impl<'de> Visitor<'de> for Rules {
            type Value = FirstFailing;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of rules")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<FirstFailing, A::Error> {
                let mut first = None;
                while let Some(rule) = list.next_element::<ReadRule>()? {
                    if rule.health == "err" && first.is_none() {
                        first = Some((checked_name(&rule.name), rule_error(&rule.last_error)));
                    }
                }
                Ok(FirstFailing(first))
            }
        }
        deserializer.deserialize_seq(Rules)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReadGroup {
    file: String,
    rules: FirstFailing,
}

impl Reduce for LoadedGroup {
    type Read = ReadGroup;
    fn reduce(read: ReadGroup) -> Option<Self> {
        let uid = uid_in(&read.file)?.to_owned();
        Some(Self {
            uid,
            failing: read.rules.0,
        })
    }
}

/// The uid at the end of a rule file's name, as Prometheus Operator and the rulers of Grafana write it.
fn uid_in(file: &str) -> Option<&str> {
    const UID: usize = 36;
    let stem = file.strip_suffix(".yaml").unwrap_or(file);
    let uid = stem.get(stem.len().checked_sub(UID)?..)?;
    let valid = uid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    valid.then_some(uid)
}

/// A rule's name where it is one of Prometheus's own form; else a word for it, because it may be anything.
fn checked_name(name: &str) -> String {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(valid) {
        name.to_owned()
    } else {
        "(a rule with an unusual name)".to_owned()
    }
}

fn rule_error(text: &str) -> RuleError {
    let has = |part: &str| text.contains(part);
    if has("many-to-many") || has("multiple matches") || has("duplicate series") || has("same labelset") {
        RuleError::ManyMatches
    } else if has("timed out") || has("deadline exceeded") || has("canceled") {
        RuleError::TooSlow
    } else if has("too many samples") {
        RuleError::TooManySamples
    } else {
        RuleError::Other
    }
}

/// The rule groups that came from PrometheusRules.
///
/// # Errors
/// What is wrong with the answer.
pub fn rule_groups(reader: impl Read) -> Result<Vec<LoadedGroup>, AskError> {
    #[derive(Deserialize)]
    struct Data {
        groups: Reduced<LoadedGroup, MAX_GROUPS>,
    }
    envelope::<Data>(reader).map(|data| data.groups.0)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ReadTarget {
    labels: Labels,
    health: String,
    last_error: String,
}

/// A target whose last scrape failed.
struct FailedTarget {
    namespace: String,
    job: String,
    error: ScrapeError,
}

impl Reduce for FailedTarget {
    type Read = ReadTarget;
    fn reduce(read: ReadTarget) -> Option<Self> {
        (read.health == "down").then(|| Self {
            namespace: read.labels.namespace,
            job: read.labels.job,
            error: scrape_error(&read.last_error),
        })
    }
}

/// Why the targets of this namespace and job are down: the first class in the order of [`ScrapeError`]. `None`: none is.
///
/// # Errors
/// What is wrong with the answer.
pub fn failed_scrape(reader: impl Read, namespace: &str, job: &str) -> Result<Option<ScrapeError>, AskError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        active_targets: Reduced<FailedTarget, MAX_SERIES>,
    }
    let data: Data = envelope(reader)?;
    let ours = data.active_targets.0.into_iter();
    let ours = ours.filter(|target| target.namespace == namespace && target.job == job);
    Ok(ours.map(|target| target.error).min())
}

fn scrape_error(text: &str) -> ScrapeError {
    let has = |part: &str| text.contains(part);
    if has("connection refused") {
        ScrapeError::ConnectionRefused
    } else if has("deadline exceeded") || has("timeout") || has("Timeout") {
        ScrapeError::TimedOut
    } else if has("HTTP status 404") {
        ScrapeError::NotFound
    } else if has("HTTP status 401") || has("HTTP status 403") {
        ScrapeError::Unauthorized
    } else if has("HTTP status") {
        ScrapeError::ErrorStatus
    } else if has("limit exceeded") || has("body size limit") || has("exceeds limit") {
        ScrapeError::LimitExceeded
    } else if has("tls:") || has("x509") || has("malformed HTTP response") || has("HTTP request to an HTTPS server") {
        ScrapeError::Tls
    } else if has("Content-Type") || has("expected") || has("unexpected") || has("invalid") || has("parse") {
        ScrapeError::Unreadable
    } else {
        ScrapeError::Other
    }
}

/// Whether the server is a Prometheus itself, by its build information; Thanos, Mimir and VictoriaMetrics have others.
///
/// # Errors
/// What is wrong with the answer.
pub fn is_prometheus(reader: impl Read) -> Result<bool, AskError> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Build {
        application: Option<IgnoredAny>,
        version: String,
        go_version: String,
    }
    let build: Build = envelope(reader)?;
    let major = build
        .version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    Ok(build.application.is_none() && !build.go_version.is_empty() && major.is_some_and(|major| major >= 2))
}

/// How long a Prometheus keeps its data. `None`: its size alone decides that, or it does not say.
///
/// # Errors
/// What is wrong with the answer.
pub fn retention(reader: impl Read) -> Result<Option<PromDuration>, AskError> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Runtime {
        storage_retention: String,
    }
    let runtime: Runtime = envelope(reader)?;
    // `15d`, `15d or 10GiB`, or `10GiB`.
    let first = runtime.storage_retention.split_whitespace().next();
    let time = first.and_then(|text| PromDuration::parse(text).ok());
    Ok(time.filter(|time| time.millis() > 0))
}

#[cfg(test)]
mod tests;
