//! Whether a Prometheus selects our ServiceMonitor or PrometheusRule. It has two selectors for each, and an absent one and an
//! empty one mean different things.

use std::collections::BTreeMap;

use controller_api::Reason;

use super::verdict::Verdict;
use crate::facts::{LabelSelector, PrometheusKind, PrometheusSelectors};

type Labels = BTreeMap<String, String>;

/// One requirement of a selector.
struct Requirement {
    text: String,
    met: bool,
}

/// Why one Prometheus does not select us.
enum Mismatch {
    Labels(String),
    Namespace(String),
    NoSelector(String),
    NamespaceUnknown(String),
}

/// An object that a Prometheus selects, and by which of its fields.
pub(super) struct Selectable<'a> {
    /// Its kind.
    pub(super) kind: &'static str,
    /// The Prometheus's field that selects by labels of the object, and its value.
    pub(super) selector: (&'static str, fn(&PrometheusSelectors) -> Option<&LabelSelector>),
    /// The Prometheus's field that selects by labels of the namespace, and its value.
    pub(super) namespace_selector: (&'static str, fn(&PrometheusSelectors) -> Option<&LabelSelector>),
    /// Whether PrometheusAgents read objects of this kind.
    pub(super) agents_read_it: bool,
    /// Who may read objects of this kind where the cluster has no Prometheus object.
    pub(super) other_readers: &'static str,
    /// The labels of the object.
    pub(super) labels: &'a Labels,
    /// Its namespace.
    pub(super) namespace: &'a str,
    /// The labels of that; `None` while they are not known.
    pub(super) namespace_labels: Option<&'a Labels>,
}

impl Selectable<'_> {
    /// The Prometheus objects that select it and answer queries.
    pub(super) fn answering<'p>(
        &self,
        prometheuses: &'p [PrometheusSelectors],
    ) -> impl Iterator<Item = &'p PrometheusSelectors> {
        prometheuses
            .iter()
            .filter(|prometheus| prometheus.kind == PrometheusKind::Prometheus && mismatch(prometheus, self).is_none())
    }

    /// Those that read objects of this kind.
    fn readers<'p>(&self, prometheuses: &'p [PrometheusSelectors]) -> impl Iterator<Item = &'p PrometheusSelectors> {
        prometheuses
            .iter()
            .filter(|prometheus| prometheus.kind == PrometheusKind::Prometheus || self.agents_read_it)
    }
}

/// The verdict over all Prometheus objects.
pub(super) fn verdict(prometheuses: &[PrometheusSelectors], object: &Selectable<'_>) -> Verdict {
    if object.readers(prometheuses).next().is_none() {
        let Selectable {
            kind, other_readers, ..
        } = object;
        return Verdict::unknown(
            Reason::NoPrometheus,
            format!(
                "the cluster has no Prometheus object, so it is not known what reads {kind}s here: install a Prometheus \
                 (kube-prometheus-stack brings one), unless {other_readers}"
            ),
        );
    }
    let mut selecting = Vec::new();
    let mut mismatches = Vec::new();
    for prometheus in object.readers(prometheuses) {
        match mismatch(prometheus, object) {
            None => selecting.push(selecting_place(prometheus)),
            Some(mismatch) => mismatches.push(mismatch),
        }
    }
    selecting.sort();
    if !selecting.is_empty() {
        return Verdict::yes(Reason::Selected, format!("selected by {}", selecting.join(", ")));
    }
    none_selects(&mismatches)
}

fn none_selects(mismatches: &[Mismatch]) -> Verdict {
    let unknown = mismatches
        .iter()
        .any(|mismatch| matches!(mismatch, Mismatch::NamespaceUnknown(_)));
    let labels = mismatches
        .iter()
        .any(|mismatch| matches!(mismatch, Mismatch::Labels(_)));
    let namespace = mismatches
        .iter()
        .any(|mismatch| matches!(mismatch, Mismatch::Namespace(_)));
    let mut sentences: Vec<&str> = mismatches
        .iter()
        .map(|mismatch| match mismatch {
            Mismatch::Labels(text)
            | Mismatch::Namespace(text)
            | Mismatch::NoSelector(text)
            | Mismatch::NamespaceUnknown(text) => text.as_str(),
        })
        .collect();
    sentences.sort_unstable();
    let message = sentences.join("; ");
    if unknown {
        Verdict::unknown(Reason::NamespaceUnknown, message)
    } else if labels {
        Verdict::no(Reason::LabelMissing, message)
    } else if namespace {
        Verdict::no(Reason::NamespaceNotSelected, message)
    } else {
        Verdict::no(Reason::SelectorNotSet, message)
    }
}

fn mismatch(prometheus: &PrometheusSelectors, object: &Selectable<'_>) -> Option<Mismatch> {
    let place = place(prometheus);
    let Selectable {
        kind,
        selector: (field, selector),
        labels,
        ..
    } = object;
    let Some(selector) = selector(prometheus) else {
        return Some(Mismatch::NoSelector(format!(
            "{place} has no {field}, so it selects no {kind}: set it ({{}} for all)"
        )));
    };
    let unmet_labels = unmet(selector, labels);
    let namespace_miss = namespace_mismatch(prometheus, object);
    match (unmet_labels.is_empty(), namespace_miss) {
        (true, mismatch) => mismatch,
        // Where the namespace is not selected either, both have to be fixed: the label's sentence comes first.
        (false, other) => {
            let mut text = format!(
                "{place} selects only {kind}s with {}: set it in spec.monitoring.objectLabels",
                unmet_labels.join(", ")
            );
            if let Some(Mismatch::Namespace(also) | Mismatch::NamespaceUnknown(also)) = other {
                text.push_str(&format!("; {also}"));
            }
            Some(Mismatch::Labels(text))
        }
    }
}

fn namespace_mismatch(prometheus: &PrometheusSelectors, object: &Selectable<'_>) -> Option<Mismatch> {
    let place = place(prometheus);
    let Selectable {
        namespace_selector: (field, selector),
        namespace,
        namespace_labels,
        ..
    } = object;
    match selector(prometheus) {
        None if prometheus.namespace == *namespace => None,
        None => Some(Mismatch::Namespace(format!(
            "{place} has no {field}, so it reads its own namespace only and not {namespace}: set it ({{}} for all)"
        ))),
        Some(selector) if is_empty(selector) => None,
        Some(selector) => match namespace_labels {
            None => Some(Mismatch::NamespaceUnknown(format!(
                "the operator cannot read the labels of namespace {namespace}, by which {place} selects: check them by hand"
            ))),
            Some(of_namespace) => {
                let unmet = unmet(selector, of_namespace);
                (!unmet.is_empty()).then(|| {
                    Mismatch::Namespace(format!(
                        "{place} reads only namespaces with {}: set it on namespace {namespace}",
                        unmet.join(", ")
                    ))
                })
            }
        },
    }
}

/// Its place, and that it is several.
fn selecting_place(prometheus: &PrometheusSelectors) -> String {
    let place = place(prometheus);
    match (prometheus.several_shards(), prometheus.kind) {
        (Some(shards), PrometheusKind::Prometheus) => format!(
            "{place} ({shards} shards: each scrapes a part of the targets and evaluates the rules over that part alone)"
        ),
        (Some(_), PrometheusKind::Agent) | (None, _) => place,
    }
}

/// Its kind and place.
pub(super) fn place(prometheus: &PrometheusSelectors) -> String {
    let PrometheusSelectors {
        kind, namespace, name, ..
    } = prometheus;
    format!("{} {namespace}/{name}", kind.as_str())
}

fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.is_empty() && selector.match_expressions.is_empty()
}

fn unmet(selector: &LabelSelector, labels: &Labels) -> Vec<String> {
    let mut texts: Vec<_> = requirements(selector, labels)
        .filter(|requirement| !requirement.met)
        .map(|requirement| requirement.text)
        .collect();
    texts.sort();
    texts
}

fn requirements<'a>(selector: &'a LabelSelector, labels: &'a Labels) -> impl Iterator<Item = Requirement> + 'a {
    let equal = selector.match_labels.iter().map(|(key, value)| Requirement {
        text: format!("label {key}={value}"),
        met: labels.get(key) == Some(value),
    });
    let expressions = selector
        .match_expressions
        .iter()
        .map(|(key, operator, values)| expression(key, operator, values, labels.get(key)));
    equal.chain(expressions)
}

fn expression(key: &str, operator: &str, values: &[String], value: Option<&String>) -> Requirement {
    let listed = value.is_some_and(|value| values.contains(value));
    let of = values.join(", ");
    match operator {
        "In" => Requirement {
            text: format!("label {key} in ({of})"),
            met: listed,
        },
        // As in metav1: an absent label is not in the list.
        "NotIn" => Requirement {
            text: format!("label {key} not in ({of})"),
            met: !listed,
        },
        "Exists" => Requirement {
            text: format!("label {key}"),
            met: value.is_some(),
        },
        "DoesNotExist" => Requirement {
            text: format!("no label {key}"),
            met: value.is_none(),
        },
        other => Requirement {
            text: format!("label {key} {other}"),
            met: false,
        },
    }
}
