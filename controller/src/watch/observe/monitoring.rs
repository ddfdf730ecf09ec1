//! What decides which Prometheus scrapes an API: the selectors of Prometheus objects and the labels of namespaces.

use std::collections::BTreeMap;

use controller_core::facts::{LabelSelector, PrometheusKind, PrometheusSelectors};
use controller_core::metadata::Metadata;
use serde::Deserialize;
use serde_json::Value;

use super::lenient;

/// A Prometheus or PrometheusAgent object: what it selects, and where it answers. Its kind is known by its watch alone.
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
    rule_selector: Option<Value>,
    rule_namespace_selector: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    service_name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    route_prefix: Option<String>,
    #[serde(deserialize_with = "lenient")]
    shards: Option<i32>,
}

impl From<PrometheusObject> for PrometheusItem {
    fn from(object: PrometheusObject) -> Self {
        let PrometheusObject { metadata, spec } = object;
        Self {
            resource_version: metadata.resource_version,
            selectors: PrometheusSelectors {
                kind: PrometheusKind::default(),
                namespace: metadata.namespace,
                name: metadata.name,
                monitors: spec.service_monitor_selector.as_ref().map(label_selector),
                monitor_namespaces: spec.service_monitor_namespace_selector.as_ref().map(label_selector),
                rules: spec.rule_selector.as_ref().map(label_selector),
                rule_namespaces: spec.rule_namespace_selector.as_ref().map(label_selector),
                service_name: spec.service_name.filter(|name| !name.is_empty()),
                route_prefix: spec.route_prefix.filter(|prefix| !prefix.is_empty()),
                shards: spec.shards,
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
            "spec": {"serviceMonitorSelector": {}, "ruleNamespaceSelector": {}},
        }))
        .unwrap();
        assert_eq!(item.selectors.monitors, Some(LabelSelector::default()));
        assert_eq!(item.selectors.monitor_namespaces, None);
        assert_eq!(item.selectors.rules, None);
        assert_eq!(item.selectors.rule_namespaces, Some(LabelSelector::default()));
    }

    #[test]
    fn the_address_of_a_prometheus_is_read_and_a_wrong_shape_counts_as_absent() {
        let spec = |spec: Value| {
            let object = json!({"metadata": {"name": "k8s", "namespace": "monitoring"}, "spec": spec});
            let item: PrometheusItem = serde_json::from_value(object).unwrap();
            let PrometheusSelectors {
                service_name,
                route_prefix,
                shards,
                ..
            } = item.selectors;
            (service_name, route_prefix, shards)
        };
        assert_eq!(
            spec(json!({"serviceName": "mine", "routePrefix": "/prom", "shards": 3})),
            (Some("mine".to_owned()), Some("/prom".to_owned()), Some(3))
        );
        assert_eq!(
            spec(json!({"serviceName": 5, "routePrefix": "", "shards": "3"})),
            (None, None, None)
        );
    }
}
