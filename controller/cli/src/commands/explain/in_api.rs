//! What becomes of an alert or a panel for one MonitoredApi: its rules or queries as they are generated, or why it is left out.

use controller_core::facts::Settings;
use controller_core::intent::Intent;
use controller_core::omission::Omission;
use controller_core::{Rendered, Violation, render};
use serde_json::{Value, json};

use super::topic::Topic;
use crate::input::Source;

/// What is generated for one MonitoredApi.
pub(super) struct Generated {
    rules: Vec<Value>,
    panels: Vec<Value>,
    omissions: Vec<Omission>,
}

impl Generated {
    /// # Errors
    ///
    /// The violations of the spec.
    pub(super) fn new(source: &Source<'_>, settings: &Settings) -> Result<Self, Vec<Violation>> {
        let Rendered { objects, omissions } = render(source.api(), settings)?;
        let objects = objects.iter().map(Intent::object);
        let of_kind = |kind: &'static str| objects.clone().filter(move |object| has(object, "kind", kind));
        let groups = of_kind("PrometheusRule").flat_map(|rule| list(rule, "/spec/groups"));
        let files = of_kind("ConfigMap").filter_map(|map| map.pointer("/data")?.as_object());
        let dashboards = files
            .flatten()
            .filter_map(|(_, text)| serde_json::from_str::<Value>(text.as_str()?).ok());
        Ok(Self {
            rules: groups.flat_map(|group| list(group, "/rules").to_vec()).collect(),
            panels: dashboards
                .flat_map(|dashboard| list(&dashboard, "/panels").to_vec())
                .collect(),
            omissions,
        })
    }

    /// One row about the MonitoredApi; none where the topic is the same for every one.
    pub(super) fn about(&self, source: &Source<'_>, topic: &Topic) -> Option<Value> {
        let (field, found) = match topic {
            Topic::Alert(def) => ("rules", self.rules(def.name)),
            Topic::Panel(def) => ("queries", self.queries(def.title)),
            Topic::OperatorAlert(_) | Topic::Signal(_) | Topic::Condition(_) | Topic::Reason(_) => return None,
        };
        let name = topic.name();
        let omission = self
            .omissions
            .iter()
            .find(|omission| omission.name == name && omission.kind.as_str() == topic.kind());
        let (field, value) = match omission {
            Some(omission) => ("leftOut", json!(omission.reason)),
            None if found.is_empty() => (
                "leftOut",
                json!("it is turned off in the spec, or there is nothing to show"),
            ),
            None => (field, json!(found)),
        };
        Some(json!({"namespace": source.namespace(), "name": source.name(), field: value}))
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
