//! The labels of a page whose values clients choose, so that each of them can add series.

use std::fmt;

use metric_contract::{Attribute, DialectId, Signal, Spelling};

use super::{page::Page, paths::MAX_PATHS};

/// A label whose values clients choose, in whole or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLabel {
    /// Its name.
    pub label: String,
    /// Which of its values they choose.
    pub chosen: Chosen,
    /// The setting of the library that gives the template of the route instead.
    hint: Option<&'static str>,
}

/// Which values of a label clients choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// All: it has the path as clients wrote it.
    Paths(
        /// How many different ones are on the page, up to a thousand.
        usize,
    ),
    /// Those of requests that matched no route.
    UnmatchedPaths(
        /// How many on the page look so, up to a thousand.
        usize,
    ),
    /// All: it has another text of the request, such as the host.
    Texts,
}

impl fmt::Display for ClientLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, chosen, hint } = self;
        match chosen {
            Chosen::Paths(count) => write!(
                f,
                "{label} has the path as clients wrote it ({} on this page): nothing is grouped by it, and each new path adds series",
                counted(*count)
            )?,
            Chosen::UnmatchedPaths(count) => write!(
                f,
                "{label} has paths that look as if clients wrote them ({} on this page) beside those of routes: each new one adds series",
                counted(*count)
            )?,
            Chosen::Texts => write!(
                f,
                "{label} has what clients wrote: nothing is grouped by it, and each new value adds series"
            )?,
        }
        match hint {
            Some(hint) => write!(f, "; the template of the route instead: {hint}"),
            None => Ok(()),
        }
    }
}

fn counted(paths: usize) -> String {
    match paths {
        MAX_PATHS.. => format!("{MAX_PATHS} or more"),
        paths => paths.to_string(),
    }
}

/// The labels of a page that is spelled so, each once.
pub(super) fn of(dialect: DialectId, spelling: &Spelling, page: &Page) -> Vec<ClientLabel> {
    let hint = dialect.dialect().hint(Signal::Routes);
    let mut found: Vec<ClientLabel> = Vec::new();
    for metric in &spelling.metrics {
        let family = page.families.iter().find(|family| family.name == metric.name);
        for (label, attribute) in &metric.labels {
            let values = family.and_then(|family| family.labels.get(&**label));
            let paths = values.map(|values| values.paths).unwrap_or_default();
            let chosen = match attribute {
                Attribute::RawPath => Chosen::Paths(paths.different),
                Attribute::Route if paths.with_identifiers > 0 => Chosen::UnmatchedPaths(paths.with_identifiers),
                attribute if attribute.is_of_client() => Chosen::Texts,
                _ => continue,
            };
            if found.iter().all(|known| known.label != **label) {
                found.push(ClientLabel {
                    label: label.to_string(),
                    chosen,
                    hint: hint.filter(|_| chosen != Chosen::Texts),
                });
            }
        }
    }
    found
}
