//! What becomes of an alert, a panel or a named query for one MonitoredApi: its rules or queries as they are generated, or why it
//! is left out.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_core::children::dashboard;
use controller_core::facts::{ReferencedWorkload, Settings};
use controller_core::intent::Intent;
use controller_core::omission::{self, Omission};
use controller_core::render::render_with;
use controller_core::{Rendered, ValidApi, Violation};
use controller_rules::alerts::{alert, threshold_in_force};
use controller_rules::named_queries::NamedQuery;
use controller_rules::promql::Decimal;
use metric_contract::Spelling;
use serde_json::{Value, json};

use super::topic::{IN_FLIGHT_ALERT, RATE_WINDOW, Topic};

/// What is generated for one MonitoredApi.
pub(super) struct Generated {
    api: ValidApi,
    rules: Vec<Value>,
    panels: Vec<Value>,
    omissions: Vec<Omission>,
}

impl Generated {
    /// With rules and panels that fit a page, where one is given.
    ///
    /// # Errors
    ///
    /// The violations of the spec.
    pub(super) fn new(
        api: &MonitoredApi,
        settings: &Settings,
        page: Option<&Arc<Spelling>>,
        workload: Option<&ReferencedWorkload>,
    ) -> Result<Self, Vec<Violation>> {
        let Rendered {
            api,
            objects,
            omissions,
        } = render_with(api, settings, page, workload)?;
        let objects = objects.iter().map(Intent::object);
        let of_kind = |kind: &'static str| objects.clone().filter(move |object| has(object, "kind", kind));
        let groups = of_kind("PrometheusRule").flat_map(|rule| list(rule, "/spec/groups"));
        let texts = objects.clone().flat_map(dashboard::texts);
        let dashboards = texts.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        Ok(Self {
            api,
            rules: groups.flat_map(|group| list(group, "/rules").to_vec()).collect(),
            panels: dashboards
                .flat_map(|dashboard| list(&dashboard, "/panels").to_vec())
                .collect(),
            omissions,
        })
    }

    /// One row about the MonitoredApi; none where the topic is the same for every one.
    pub(super) fn about(&self, topic: &Topic) -> Option<Value> {
        let (field, found) = match topic {
            Topic::Alert(def) => ("rules", self.rules(def.name)),
            Topic::Panel(def) => ("queries", self.queries(def.title)),
            Topic::Query(query) => ("queries", self.named(query)),
            Topic::OperatorAlert(_) | Topic::Signal(_) | Topic::Condition(_) | Topic::Reason(_) => return None,
        };
        let name = topic.name();
        let omission = self
            .omissions
            .iter()
            .find(|omission| omission.name == name && omission.kind.as_str() == topic.kind());
        let (field, value) = match (omission, topic) {
            (Some(omission), _) => ("leftOut", json!(omission.reason)),
            (None, Topic::Query(query)) if found.is_empty() => ("leftOut", json!(self.unanswered(query))),
            (None, _) if found.is_empty() => (
                "leftOut",
                json!("it is turned off in the spec, or there is nothing to show"),
            ),
            (None, _) => (field, json!(found)),
        };
        let owner = &self.api.owner;
        Some(json!({"namespace": owner.namespace, "name": owner.name, field: value}))
    }

    /// The PromQL of a named query; nothing if the API has no metric for it.
    fn named(&self, query: &NamedQuery) -> Vec<Value> {
        let in_flight = alert(IN_FLIGHT_ALERT).and_then(|def| threshold_in_force(def, &self.api.alerts));
        let in_flight = in_flight.unwrap_or(Decimal::whole(1));
        let promql = query.promql(&self.api.rule_facts(), RATE_WINDOW, in_flight);
        promql.map(Value::from).into_iter().collect()
    }

    /// Whether there would be PromQL of a named query with any other threshold than the one in force.
    fn has_metric_for(&self, query: &NamedQuery) -> bool {
        let promql = query.promql(&self.api.rule_facts(), RATE_WINDOW, Decimal::whole(1));
        promql.is_some()
    }

    /// Why there is no PromQL of a named query.
    fn unanswered(&self, query: &NamedQuery) -> String {
        match self.api.rule_facts().spelling {
            Some(_) if self.has_metric_for(query) => {
                format!("the threshold of the alert {IN_FLIGHT_ALERT} is 0 there, and nothing is a share of 0")
            }
            None => omission::DIALECT_UNKNOWN.to_owned(),
            Some(spelling) => format!("the dialect {} has no metric for it", spelling.dialect),
        }
    }

    fn rules(&self, alert: &str) -> Vec<Value> {
        let named = self.rules.iter().filter(|rule| has(rule, "alert", alert));
        named.cloned().collect()
    }

    fn queries(&self, title: &str) -> Vec<Value> {
        let named = self.panels.iter().filter(|panel| has(panel, "title", title));
        named
            .flat_map(|panel| list(panel, "/targets"))
            .filter_map(|target| target.get("expr").cloned())
            .collect()
    }
}

fn has(object: &Value, field: &str, text: &str) -> bool {
    object.get(field).and_then(Value::as_str) == Some(text)
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::super::topic;
    use super::*;

    /// What is said of a name in the MonitoredApi `shop/orders` of this spec.
    fn about(name: &str, spec: &Value) -> Vec<Value> {
        let api = serde_json::from_value(json!({
            "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
            "metadata": {"name": "orders", "namespace": "shop"}, "spec": spec,
        }));
        let generated = Generated::new(&api.unwrap(), &Settings::default(), None, None).unwrap();
        topic::find(name)
            .iter()
            .filter_map(|topic| generated.about(topic))
            .collect()
    }

    #[test]
    fn a_named_query_is_shown_in_the_dialect_of_the_api() {
        let native = about(
            "Request throughput per minute",
            &json!({"image": "i", "preset": "native"}),
        );
        let [row] = native.as_slice() else {
            panic!("{native:?}");
        };
        assert_eq!((&row["namespace"], &row["name"]), (&json!("shop"), &json!("orders")));
        let query = row["queries"][0].as_str().unwrap();
        let begin = r#"sum by (namespace, job) (rate(http_requests_total{namespace="shop", job="orders", route!~"#;
        assert!(query.starts_with(begin) && query.ends_with("[5m])) * 60"), "{query}");
        let other = about(
            "Average latency",
            &json!({"image": "i", "metrics": {"dialect": "s2-instrumentator"}}),
        );
        assert!(other.iter().any(|row| {
            row["queries"][0]
                .as_str()
                .is_some_and(|promql| promql.contains("_sum{"))
        }));
    }

    #[test]
    fn the_load_is_compared_with_the_threshold_in_force() {
        let overrides = json!([{"name": "ApiTooManyInFlight", "threshold": "33"}]);
        let spec = json!({"image": "i", "preset": "native", "alerts": {"overrides": overrides}});
        let rows = about("Active requests against the load threshold", &spec);
        assert!(rows[0]["queries"][0].as_str().unwrap().ends_with("/ 33"), "{rows:?}");
        let default = about(
            "Active requests against the load threshold",
            &json!({"image": "i", "preset": "native"}),
        );
        assert!(
            default[0]["queries"][0].as_str().unwrap().ends_with("/ 10"),
            "{default:?}"
        );
    }

    #[test]
    fn a_threshold_of_0_has_no_share_and_says_so() {
        let overrides = json!([{"name": "ApiTooManyInFlight", "threshold": "0"}]);
        let spec = json!({"image": "i", "preset": "native", "alerts": {"overrides": overrides}});
        let rows = about("Active requests against the load threshold", &spec);
        assert_eq!(
            rows[0]["leftOut"],
            "the threshold of the alert ApiTooManyInFlight is 0 there, and nothing is a share of 0"
        );
        let rows = about("ApiTooManyInFlight", &spec);
        assert!(
            rows[0]["rules"][0]["expr"].as_str().unwrap().ends_with("> 0"),
            "{rows:?}"
        );
    }

    #[test]
    fn a_named_query_without_a_metric_says_what_is_missing() {
        let spec = json!({"image": "i", "preset": "native"});
        assert_eq!(
            about("Garbage collection rate", &spec)[0]["leftOut"],
            "the dialect native has no metric for it"
        );
        let unknown = about("Garbage collection rate", &json!({"image": "i"}));
        assert!(
            unknown[0]["leftOut"]
                .as_str()
                .unwrap()
                .contains("set spec.metrics.dialect")
        );
    }
}
