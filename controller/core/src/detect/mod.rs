//! Detection: which library wrote a metrics page, and how the page spells what it exports.
//!
//! A library is named only where the page has something that no other library writes: a name with its labels, the text of a
//! `# HELP` line, a set of labels, or all of its families together ([`metric_contract::Signature`]). Everything else is
//! [`Outcome::Ambiguous`] or [`Outcome::Unknown`], because rules on the wrong metrics look like protection and are none.

mod attempt;
mod attributes;
mod client_labels;
mod custom;
mod form_match;
mod page;
mod paths;
mod spelling;

use std::collections::BTreeSet;

use metric_contract::{Attribute, DialectId, MetricId, MetricSpelling, Signal, Spelling};

use attempt::{Attempt, Proof};
pub use client_labels::{Chosen, ClientLabel};
pub use custom::{ClientLabelByHand, CustomOnPage, NotOnPage, client_labels_by_hand, custom_on_page};
use form_match::{FoundBy, LabelFit};
pub use page::{LabelValues, Page, PageFamily, PageReader, read_page};
pub use paths::PathCounts;
pub(crate) use spelling::missing as missing_signals;

/// What a page turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// HTTP metrics of one library.
    Match,
    /// HTTP metrics that more than one library could have written, or of more than one.
    Ambiguous,
    /// HTTP metrics of no library that is known.
    Unknown,
    /// Metrics, but none of HTTP requests.
    NoHttpMetrics,
    /// HTTP metrics without samples: no request was counted yet.
    NoSamplesYet,
    /// No metric at all.
    Empty,
}

impl Outcome {
    /// Its name in `detect -o json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Ambiguous => "ambiguous",
            Self::Unknown => "unknown",
            Self::NoHttpMetrics => "no-http-metrics",
            Self::NoSamplesYet => "no-samples-yet",
            Self::Empty => "empty",
        }
    }
}

/// How closely a page agrees with what the library writes by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// Names and labels are the library's own.
    Exact,
    /// There are labels beside the library's.
    Superset,
    /// Names or labels were changed.
    Renamed,
    /// Labels or one of the counter and the histogram are not there.
    Partial,
}

impl Confidence {
    const ALL: [Self; 4] = [Self::Exact, Self::Superset, Self::Renamed, Self::Partial];

    /// That of the name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|confidence| confidence.as_str() == name)
    }

    /// Its name in `status.metrics.confidence`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "Exact",
            Self::Superset => "Superset",
            Self::Renamed => "Renamed",
            Self::Partial => "Partial",
        }
    }
}

/// What detection says of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// What the page is.
    pub outcome: Outcome,
    /// The dialect that was found, and how the page spells it: [`Outcome::Match`] has it, and nothing else.
    pub found: Option<Found>,
    /// The dialects that the page may be of, where it is not clear.
    pub candidates: Vec<DialectId>,
    /// Families that count HTTP requests and belong to no library that was found, up to a few.
    pub unclaimed: Vec<String>,
}

/// A dialect that was found on a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The dialect.
    pub dialect: DialectId,
    /// What stands before the library's names, where a user of the library chose it.
    pub prefix: Option<String>,
    /// How closely the page agrees with the library's defaults.
    pub confidence: Confidence,
    /// Names, labels, units and bounds as they stand on the page.
    pub spelling: Spelling,
    /// Signals that most of such pages answer and this one does not.
    pub missing: Vec<Signal>,
    /// Labels whose values clients choose.
    pub client_labels: Vec<ClientLabel>,
}

impl Found {
    /// The dialect whose table fits the page, so that naming it in `spec.metrics.dialect` is enough: the one that was found, or a
    /// setting of it that is a dialect of its own. `None`: the page has other names, types or labels.
    #[must_use]
    pub fn fitting_table(&self) -> Option<DialectId> {
        let settings = DialectId::ALL
            .iter()
            .copied()
            .filter(|id| id.dialect().signature.is_none());
        let mut tables = [self.dialect].into_iter().chain(settings);
        tables.find(|id| self.fits(id.spelling()))
    }

    /// Whether the page has what rules read of the requests, under the names of a table.
    pub(crate) fn fits(&self, table: &Spelling) -> bool {
        let is_there = |metric: MetricId| {
            let Some(expected) = table.metric(metric) else {
                return true;
            };
            let has_labels = |page: &MetricSpelling| {
                let read = [
                    Attribute::Method,
                    Attribute::Route,
                    Attribute::RawPath,
                    Attribute::Status,
                ];
                read.iter()
                    .all(|attribute| page.label(*attribute) == expected.label(*attribute))
            };
            let is_same =
                |page: &MetricSpelling| page.name == expected.name && page.kind == expected.kind && has_labels(page);
            self.spelling.metric(metric).is_some_and(is_same)
        };
        [MetricId::Requests, MetricId::Duration, MetricId::InFlight]
            .into_iter()
            .all(is_there)
    }
}

/// Dialects whose families stand on pages of another too: it has them and more, or writes the same requests under newer names
/// while a program moves to these.
const SUPERSEDED: &[(DialectId, DialectId)] = &[
    (DialectId::OtelHttpOld, DialectId::OtelHttp),
    (DialectId::OtelHttp, DialectId::AxumOtelMetrics),
    // It writes OpenTelemetry's names, and which workload each series is about.
    (DialectId::OtelHttp, DialectId::Beyla),
    // A sidecar writes Envoy's names beside its own.
    (DialectId::Envoy, DialectId::Istio),
];

/// Most families that are named as not belonging to any library.
const MAX_UNCLAIMED: usize = 5;

/// What the page of an application is. Proxies are not looked for: what a sidecar adds to a page says nothing of the application, and
/// which workload the series of a proxy are about is for the author to say.
#[must_use]
pub fn detect(page: &Page) -> Detection {
    among(page, |id| id.proxy().is_none())
}

/// What any page is, also that of a proxy or a mesh. Where an application and its sidecar share a page, it is the application's.
#[must_use]
pub fn detect_with_proxies(page: &Page) -> Detection {
    among(page, |_| true)
}

fn among(page: &Page, is_looked_for: fn(DialectId) -> bool) -> Detection {
    let ids = DialectId::ALL.iter().filter(|id| is_looked_for(**id));
    let attempts: Vec<Attempt<'_>> = ids.flat_map(|id| Attempt::all(*id, page)).collect();
    let proven = proven(&attempts);
    match proven.as_slice() {
        [attempt] => Detection {
            outcome: Outcome::Match,
            found: Some(found(attempt, page)),
            candidates: Vec::new(),
            unclaimed: Vec::new(),
        },
        [] => unproven(&attempts, page),
        several => undecided(Outcome::Ambiguous, several.iter().map(|attempt| attempt.dialect), page),
    }
}

/// The attempts that are proven, and count or time requests: by a mark, or where there is none, by their families together.
fn proven<'a, 'p>(attempts: &'a [Attempt<'p>]) -> Vec<&'a Attempt<'p>> {
    let by = |proof: Proof| {
        let proven = attempts
            .iter()
            .filter(move |attempt| attempt.proof == proof && attempt.keys().next().is_some());
        proven.collect::<Vec<_>>()
    };
    let marked = by(Proof::Mark);
    let proven = if marked.is_empty() { by(Proof::Together) } else { marked };
    let has = |dialect| proven.iter().any(|attempt| attempt.dialect == dialect);
    let is_superseded = |dialect| SUPERSEDED.iter().any(|(older, newer)| *older == dialect && has(*newer));
    let kept = proven.iter().copied().filter(|attempt| !is_superseded(attempt.dialect));
    let kept: Vec<_> = kept.collect();
    let is_of_application = |attempt: &&Attempt<'p>| attempt.dialect.proxy().is_none();
    match kept.iter().any(is_of_application) {
        true => without_weaker(kept.into_iter().filter(is_of_application).collect()),
        false => without_weaker(kept),
    }
}

/// Without the attempts of a dialect under a prefix that shows less of it: the families of another library may end as its own
/// do, and where a prefix was changed the families are also found without it.
fn without_weaker<'a, 'p>(attempts: Vec<&'a Attempt<'p>>) -> Vec<&'a Attempt<'p>> {
    let most = |dialect| {
        let same = attempts.iter().filter(|attempt| attempt.dialect == dialect);
        same.map(|attempt| attempt.strength()).max()
    };
    let strongest = attempts
        .iter()
        .filter(|attempt| Some(attempt.strength()) == most(attempt.dialect));
    strongest.copied().collect()
}

/// A page on which no dialect is proven.
fn unproven(attempts: &[Attempt<'_>], page: &Page) -> Detection {
    let of_http = || page.families.iter().filter(|family| is_of_http(family));
    let is_counted = of_http().any(counts_requests);
    if page.families.is_empty() {
        return undecided(Outcome::Empty, [], page);
    }
    if is_counted {
        let possible = attempts.iter().filter(|attempt| attempt.is_possible());
        let possible: BTreeSet<DialectId> = possible.map(|attempt| attempt.dialect).collect();
        let outcome = if possible.len() > 1 {
            Outcome::Ambiguous
        } else {
            Outcome::Unknown
        };
        return undecided(outcome, possible, page);
    }
    let waiting = attempts.iter().filter(|attempt| attempt.waits_for_samples());
    let waiting: Vec<DialectId> = waiting.map(|attempt| attempt.dialect).collect();
    match waiting.is_empty() && of_http().next().is_none() {
        true => undecided(Outcome::NoHttpMetrics, [], page),
        false => undecided(Outcome::NoSamplesYet, waiting, page),
    }
}

fn undecided(outcome: Outcome, candidates: impl IntoIterator<Item = DialectId>, page: &Page) -> Detection {
    let mut candidates: Vec<DialectId> = candidates.into_iter().collect();
    candidates.sort_unstable();
    candidates.dedup();
    let of_http = page.families.iter().filter(|family| is_of_http(family));
    Detection {
        outcome,
        found: None,
        candidates,
        unclaimed: of_http.take(MAX_UNCLAIMED).map(|family| family.name.clone()).collect(),
    }
}

fn found(attempt: &Attempt<'_>, page: &Page) -> Found {
    let usual = attempt
        .dialect
        .dialect()
        .signature
        .map_or("", |signature| signature.prefix.usual());
    let spelling = spelling::of(attempt, page);
    Found {
        dialect: attempt.dialect,
        prefix: (attempt.prefix != usual).then(|| attempt.prefix.clone()),
        confidence: confidence(attempt, usual),
        missing: spelling::missing(attempt.dialect, &spelling),
        client_labels: client_labels::of(attempt.dialect, &spelling, page),
        spelling,
    }
}

fn confidence(attempt: &Attempt<'_>, usual: &str) -> Confidence {
    let expected = attempt.dialect.dialect().rows.iter().map(|row| row.metric);
    let expected = expected.filter(|metric| {
        use metric_contract::MetricId::{Duration, Requests};
        matches!(metric, Requests | Duration)
    });
    let keys: Vec<_> = attempt.keys().collect();
    let is_whole = keys.len() >= expected.count();
    let any = |is_it: fn(&LabelFit) -> bool| keys.iter().any(|key| is_it(&key.labels));
    if keys.iter().any(|key| key.found_by != FoundBy::Name) || attempt.prefix != usual {
        Confidence::Renamed
    } else if !is_whole || any(|fit| *fit == LabelFit::Less) {
        Confidence::Partial
    } else if any(|fit| *fit == LabelFit::More) {
        Confidence::Superset
    } else {
        Confidence::Exact
    }
}

/// Whether a family looks like one of the requests of an HTTP server.
fn is_of_http(family: &PageFamily) -> bool {
    /// What runtimes, clients of HTTP and the library of Prometheus itself have in their names.
    const OTHERS: &[&str] = &[
        "nodejs_",
        "promhttp_metric_handler",
        "http_client",
        "client_request",
        "outgoing",
        "external_request",
        "net_conntrack",
        "go_",
        "jvm_",
        "python_",
    ];
    use metric_contract::MetricKind::{Counter, Histogram, Summary};
    let name = family.name.as_str();
    let is_counted = matches!(family.kind, Some(Counter | Histogram | Summary));
    is_counted
        && (name.contains("http") || name.contains("request"))
        && !OTHERS.iter().any(|other| name.contains(other))
}

/// Whether a family of HTTP has counted or timed a request that was answered.
fn counts_requests(family: &PageFamily) -> bool {
    /// What else than requests a server counts, and requests that are being answered.
    const OTHERS: &[&str] = &[
        "bytes",
        "size",
        "active",
        "connection",
        "in_flight",
        "inflight",
        "progress",
    ];
    family.has_counted && !OTHERS.iter().any(|other| family.name.contains(other))
}
