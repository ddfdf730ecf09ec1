//! Whether a Prometheus selects our ServiceMonitor: both of its selectors, where absent and empty mean different things.

use std::collections::BTreeMap;

use controller_api::Reason;

use super::verdict::Verdict;
use crate::facts::{LabelSelector, PrometheusSelectors};

type Labels = BTreeMap<String, String>;

/// One requirement of a selector.
struct Requirement {
    text: String,
    met: bool,
}

/// What keeps one Prometheus from selecting us.
enum Miss {
    Labels(String),
    Namespace(String),
    NoSelector(String),
    NamespaceUnknown(String),
}

/// The verdict over all Prometheus objects. `labels`: of the ServiceMonitor; `namespace_labels`: of its namespace.
pub(super) fn verdict(
    prometheuses: &[PrometheusSelectors],
    labels: &Labels,
    namespace: &str,
    namespace_labels: Option<&Labels>,
) -> Verdict {
    if prometheuses.is_empty() {
        return Verdict::no(
            Reason::NoPrometheus,
            "no Prometheus object exists in this cluster: install one (kube-prometheus-stack brings it)",
        );
    }
    let mut selecting = Vec::new();
    let mut misses = Vec::new();
    for prometheus in prometheuses {
        match miss(prometheus, labels, namespace, namespace_labels) {
            None => selecting.push(place(prometheus)),
            Some(miss) => misses.push(miss),
        }
    }
    selecting.sort();
    if !selecting.is_empty() {
        return Verdict::yes(
            Reason::Selected,
            format!("selected by Prometheus {}", selecting.join(", ")),
        );
    }
    missed(&misses)
}

fn missed(misses: &[Miss]) -> Verdict {
    let unknown = misses.iter().any(|miss| matches!(miss, Miss::NamespaceUnknown(_)));
    let labels = misses.iter().any(|miss| matches!(miss, Miss::Labels(_)));
    let namespace = misses.iter().any(|miss| matches!(miss, Miss::Namespace(_)));
    let mut sentences: Vec<&str> = misses
        .iter()
        .map(|miss| match miss {
            Miss::Labels(text) | Miss::Namespace(text) | Miss::NoSelector(text) | Miss::NamespaceUnknown(text) => {
                text.as_str()
            }
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

fn miss(
    prometheus: &PrometheusSelectors,
    labels: &Labels,
    namespace: &str,
    namespace_labels: Option<&Labels>,
) -> Option<Miss> {
    let place = place(prometheus);
    let Some(monitors) = &prometheus.monitors else {
        return Some(Miss::NoSelector(format!(
            "Prometheus {place} has no serviceMonitorSelector, so it selects no ServiceMonitor: set it ({{}} for all)"
        )));
    };
    let unmet_labels = unmet(monitors, labels);
    let namespace_miss = match &prometheus.monitor_namespaces {
        None if prometheus.namespace == namespace => None,
        None => Some(Miss::Namespace(format!(
            "Prometheus {place} has no serviceMonitorNamespaceSelector, so it reads its own namespace only, not {namespace}: set it ({{}} for all)"
        ))),
        Some(selector) if is_empty(selector) => None,
        Some(selector) => match namespace_labels {
            None => Some(Miss::NamespaceUnknown(format!(
                "the labels of namespace {namespace}, which Prometheus {place} goes by, cannot be read"
            ))),
            Some(of_namespace) => {
                let unmet = unmet(selector, of_namespace);
                (!unmet.is_empty()).then(|| {
                    Miss::Namespace(format!(
                        "Prometheus {place} reads only namespaces with {}: label namespace {namespace} so",
                        unmet.join(", ")
                    ))
                })
            }
        },
    };
    match (unmet_labels.is_empty(), namespace_miss) {
        (true, miss) => miss,
        // Where the namespace is out of reach as well, both have to be fixed: the label's sentence says it first.
        (false, other) => {
            let mut text = format!(
                "Prometheus {place} selects only ServiceMonitors with {}: set it in spec.monitoring.objectLabels",
                unmet_labels.join(", ")
            );
            if let Some(Miss::Namespace(also) | Miss::NamespaceUnknown(also)) = other {
                text.push_str(&format!("; {also}"));
            }
            Some(Miss::Labels(text))
        }
    }
}

fn place(prometheus: &PrometheusSelectors) -> String {
    format!("{}/{}", prometheus.namespace, prometheus.name)
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
