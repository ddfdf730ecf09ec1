//! What decides which Prometheus scrapes an API: the selectors of Prometheus objects and the labels of namespaces.

use std::collections::BTreeMap;

use controller_core::facts::{LabelSelector, PrometheusSelectors};
use controller_core::metadata::Metadata;
use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// A Prometheus object: which ServiceMonitors it selects.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "PrometheusObject")]
pub(crate) struct PrometheusItem {
    pub(crate) resource_version: String,
    pub(crate) selectors: PrometheusSelectors,
}

#[derive(Debug, Deserialize)]
struct PrometheusObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "lenient")]
    spec: PrometheusSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PrometheusSpec {
    service_monitor_selector: Option<Value>,
    service_monitor_namespace_selector: Option<Value>,
}

impl From<PrometheusObject> for PrometheusItem {
    fn from(object: PrometheusObject) -> Self {
        let PrometheusObject { metadata, spec } = object;
        Self {
            resource_version: metadata.resource_version,
            selectors: PrometheusSelectors {
                namespace: metadata.namespace,
                name: metadata.name,
                monitors: spec.service_monitor_selector.as_ref().map(label_selector),
                monitor_namespaces: spec.service_monitor_namespace_selector.as_ref().map(label_selector),
            },
        }
    }
}

fn label_selector(value: &Value) -> LabelSelector {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Selector {
        match_labels: BTreeMap<String, String>,
        match_expressions: Vec<Expression>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Expression {
        key: String,
        operator: String,
        values: Vec<String>,
    }
    let selector: Selector = serde_json::from_value(value.clone()).unwrap_or_default();
    LabelSelector {
        match_labels: selector.match_labels,
        match_expressions: selector
            .match_expressions
            .into_iter()
            .map(|expression| (expression.key, expression.operator, expression.values))
            .collect(),
    }
}

/// A namespace's labels.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "NamespaceObject")]
pub(crate) struct NamespaceItem {
    pub(crate) name: String,
    pub(crate) resource_version: String,
    pub(crate) labels: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct NamespaceObject {
    #[serde(deserialize_with = "lenient")]
    metadata: Metadata,
}

impl From<NamespaceObject> for NamespaceItem {
    fn from(object: NamespaceObject) -> Self {
        Self {
            name: object.metadata.name,
            resource_version: object.metadata.resource_version,
            labels: object.metadata.labels,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_absent_selector_and_an_empty_one_stay_different() {
        let item: PrometheusItem = serde_json::from_value(json!({
            "metadata": {"name": "k8s", "namespace": "monitoring"},
            "spec": {"serviceMonitorSelector": {}},
        }))
        .unwrap();
        assert_eq!(item.selectors.monitors, Some(LabelSelector::default()));
        assert_eq!(item.selectors.monitor_namespaces, None);
    }
}
