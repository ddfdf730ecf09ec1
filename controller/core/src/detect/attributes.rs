//! What the labels of a family on a page stand for.
//!
//! Many libraries write the route's template or the path as the client wrote it under the same label, by a setting. The values tell
//! which, where they do.

use metric_contract::Attribute;

use super::{form_match::Match, paths::PathCounts};

/// What a label of a matched family stands for: as the form has it, or else what its values show, or a name that only routes
/// have.
pub(super) fn attributes(found: &Match<'_>) -> Vec<(String, Attribute)> {
    let family = found.family;
    let known: Vec<(&String, Option<Attribute>)> = family
        .labels
        .keys()
        .map(|label| (label, found.form.attribute(label)))
        .collect();
    let has = |wanted: Attribute| known.iter().any(|(_, attribute)| *attribute == Some(wanted));
    let expects = |wanted: Attribute| {
        let mut own = found.form.row.labels().chain(found.form.optional.iter().copied());
        own.any(|(_, attribute)| attribute == wanted)
    };
    let lacks = |wanted| match wanted {
        Attribute::Route => {
            let either = [Attribute::Route, Attribute::RawPath];
            either.into_iter().any(expects) && !either.into_iter().any(has)
        }
        wanted => expects(wanted) && !has(wanted),
    };
    let only = |is_it: &dyn Fn(&str) -> bool| {
        let mut fitting = known
            .iter()
            .filter(|(label, attribute)| attribute.is_none() && is_it(label));
        match (fitting.next(), fitting.next()) {
            (Some((label, _)), None) => Some((*label).clone()),
            _ => None,
        }
    };
    let values = |label: &str| family.labels.get(label).copied().unwrap_or_default();
    let renamed = [
        (Attribute::Status, only(&|label| values(label).are_statuses())),
        (Attribute::Method, only(&|label| values(label).are_methods())),
        (Attribute::Route, only(&|label| ROUTE_NAMES.contains(&label))),
    ];
    let attribute = |label: &String, attribute: Option<Attribute>| {
        let by_values = renamed
            .iter()
            .find(|(wanted, renamed)| lacks(*wanted) && renamed.as_ref() == Some(label));
        match (attribute, by_values) {
            // A status that is written as a text, such as `Not Found`, cannot be compared with 5xx.
            (Some(Attribute::Status), _) if !values(label).has_statuses() => Attribute::Other,
            (Some(attribute), _) => by_paths(attribute, values(label).paths),
            (None, Some((attribute, _))) => by_paths(*attribute, values(label).paths),
            (None, None) => Attribute::Other,
        }
    };
    known
        .iter()
        .map(|(label, known)| ((*label).clone(), attribute(label, *known)))
        .collect()
}

/// A route whose values can only be paths that clients wrote is none, and the other way round.
const fn by_paths(attribute: Attribute, paths: PathCounts) -> Attribute {
    match attribute {
        Attribute::Route if paths.are_raw() => Attribute::RawPath,
        Attribute::RawPath if paths.are_templates() => Attribute::Route,
        attribute => attribute,
    }
}

/// Names that instrumentations give to the label of the matched route.
const ROUTE_NAMES: &[&str] = &[
    "route",
    "path",
    "endpoint",
    "handler",
    "url_rule",
    "uri",
    "url",
    "http_route",
];
