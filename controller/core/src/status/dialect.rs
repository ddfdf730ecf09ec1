//! `DialectKnown`: whether it is known how the pods spell their metrics, and what to do where it is not.

use controller_api::Reason;
use metric_contract::{DialectId, Spelling};

use super::{
    FoldInput, known_page,
    monitoring::{monitored_spec, spec_invalid},
    verdict::Verdict,
};
use crate::{detect::Outcome, dialect_choice::DialectChoice, omission::raw_path, probe::Trouble};

/// `None` if monitoring is off: the condition is then not reported.
pub(super) fn dialect_known(input: &FoldInput<'_>) -> Option<Verdict> {
    if input.validated.is_err() {
        return Some(spec_invalid());
    }
    let api = monitored_spec(input)?;
    let trouble = input.page.trouble.as_ref();
    let known = known_page(api, input);
    let dialect = known.and_then(|known| known.dialect);
    let spelling = known.map(|known| &*known.spelling);
    Some(match (&api.metrics.dialect, dialect) {
        (Some(DialectChoice::Table(declared)), _) => {
            of_declared(*declared, trouble, spelling.unwrap_or(declared.spelling()))
        }
        (Some(DialectChoice::Custom(_)), _) => by_hand(trouble),
        (None, Some(known)) => of_known(known, trouble, spelling.unwrap_or(known.spelling())),
        (None, None) => match trouble {
            Some(trouble) => of_trouble(trouble),
            None if input.workload.reference.found().is_some_and(|found| found.host_network) => Verdict::unknown(
                Reason::NotDetectedYet,
                "the pods share their nodes' network, where the operator asks no page, so only alerts and panels that need no dialect \
                 are made: set spec.metrics.dialect",
            ),
            None if !input.reads_pages => Verdict::unknown(
                Reason::NotDetectedYet,
                "the dialect of the metrics is not known, because the operator reads no page of a pod (the chart's value \
                 detection.enabled), so only alerts and panels that need none are made: set spec.metrics.dialect",
            ),
            None => Verdict::unknown(
                Reason::NotDetectedYet,
                "no ready pod was asked for its metrics yet, so only alerts and panels that need no dialect are made: wait, or set \
                 spec.metrics.dialect",
            ),
        },
    })
}

/// The message of a dialect that is known, with what of the page is to be mended in the program.
fn with_advice(message: String, spelling: &Spelling) -> String {
    match raw_path(spelling) {
        Some(advice) => format!("{message}; {advice}"),
        None => message,
    }
}

fn of_declared(declared: DialectId, trouble: Option<&Trouble>, spelling: &Spelling) -> Verdict {
    if let Some(proxy) = declared.proxy() {
        return Verdict::yes(
            Reason::Declared,
            format!(
                "the requests are counted by {}, of which Prometheus must scrape {}; the pods' own page of metrics is not read",
                declared.title(),
                proxy.targets
            ),
        );
    }
    match trouble {
        Some(Trouble::Other(found)) => Verdict::no(
            Reason::DialectMismatch,
            format!(
                "the rules and panels read the metrics of the dialect {declared}, but the pods export those of {found}: set \
                 spec.metrics.dialect: {found}, or auto"
            ),
        ),
        Some(Trouble::Unread(_) | Trouble::Unclear(..) | Trouble::Absent(_)) | None => Verdict::yes(
            Reason::Declared,
            with_advice(
                format!("the metrics are in the dialect {declared}: {}", declared.title()),
                spelling,
            ),
        ),
    }
}

fn by_hand(trouble: Option<&Trouble>) -> Verdict {
    match trouble {
        Some(Trouble::Absent(absent)) => Verdict::no(
            Reason::DialectMismatch,
            format!(
                "the pods' page of metrics does not have {}: correct the name, or send a request if the program exports it only \
                 after one",
                absent.join(", ")
            ),
        ),
        Some(Trouble::Unread(_) | Trouble::Unclear(..) | Trouble::Other(_)) | None => {
            Verdict::yes(Reason::Declared, "the metrics are named as spec.metrics.custom says")
        }
    }
}

fn of_known(known: DialectId, trouble: Option<&Trouble>, spelling: &Spelling) -> Verdict {
    match trouble {
        Some(Trouble::Unclear(..) | Trouble::Other(_) | Trouble::Absent(_)) => Verdict::no(
            Reason::DialectChanged,
            format!(
                "the pods no longer export the metrics of the dialect {known}, which the rules and panels still read, and it is not \
                 clear which library wrote the present ones: set spec.metrics.dialect (monitored-api detect says more of a page)"
            ),
        ),
        Some(Trouble::Unread(_)) | None => Verdict::yes(
            Reason::Detected,
            with_advice(
                format!("the pods export the metrics of the dialect {known}: {}", known.title()),
                spelling,
            ),
        ),
    }
}

/// The verdict while nothing is known.
fn of_trouble(trouble: &Trouble) -> Verdict {
    let so = "so only alerts and panels that need no dialect are made";
    let names = |ids: &[DialectId]| ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
    match trouble {
        Trouble::Unread(error) => Verdict::unknown(
            Reason::PageUnread,
            format!("{error}, {so}: {}; or set spec.metrics.dialect", error.fix()),
        ),
        Trouble::Unclear(Outcome::Ambiguous, candidates) => Verdict::no(
            Reason::AmbiguousDialect,
            format!(
                "the pods' metrics can be those of {}, {so}: set spec.metrics.dialect to the one that the program uses",
                names(candidates)
            ),
        ),
        Trouble::Unclear(Outcome::NoHttpMetrics, _) => Verdict::no(
            Reason::NoHttpMetrics,
            format!(
                "the pods export metrics, but none of HTTP requests, {so}: send a request, because some libraries count nothing \
                 before; if it stays so, add one of the libraries that docs/reference/dialects.md lists"
            ),
        ),
        Trouble::Unclear(Outcome::NoSamplesYet, candidates) => {
            let of = match candidates.as_slice() {
                [] => String::new(),
                some => format!(" of {}", names(some)),
            };
            Verdict::unknown(
                Reason::NoSamplesYet,
                format!("the pods have HTTP metrics{of}, but have counted no request yet, {so}: send a request"),
            )
        }
        Trouble::Unclear(Outcome::Empty, _) => Verdict::no(
            Reason::EmptyPage,
            format!("the pods' page of metrics is empty, {so}: see spec.metrics.path, or add metrics to the program"),
        ),
        Trouble::Unclear(Outcome::Unknown | Outcome::Match, _) | Trouble::Other(_) | Trouble::Absent(_) => Verdict::no(
            Reason::UnknownMetrics,
            format!(
                "the pods' HTTP metrics are of no library that is known, {so}: name them in spec.metrics.custom, with \
                 spec.metrics.dialect: custom (monitored-api detect says more of a page)"
            ),
        ),
    }
}
