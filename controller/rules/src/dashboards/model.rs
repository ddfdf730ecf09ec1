//! The parts of Grafana's classic dashboard model that we use, with Grafana's field names.

use metric_contract::Signal;
use serde::Serialize;

use super::{
    layout::GridPos,
    options::{ColorMode, LineStyle, PanelOptions},
    table_model::{FieldOverride, Transformation},
};
use crate::promql::Expr;

/// A Grafana dashboard. Serializes as classic JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) tags: Vec<String>,
    pub(super) schema_version: u32,
    pub(super) editable: bool,
    /// 1: all panels share one crosshair.
    pub(super) graph_tooltip: u32,
    pub(super) refresh: &'static str,
    pub(super) time: TimeRange,
    pub(super) timezone: &'static str,
    pub(super) templating: Items<Variable>,
    pub(super) annotations: Items<Variable>,
    pub(super) links: Vec<PanelLink>,
    pub(super) panels: Vec<Panel>,
    #[serde(skip)]
    pub(super) omitted_panels: Vec<OmittedPanel>,
}

/// A panel that is left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OmittedPanel {
    /// Title of the panel.
    pub title: &'static str,
    /// The signal that the dialect lacks.
    pub signal: Signal,
}

impl Dashboard {
    /// The dashboard's uid: stable, unique by namespace and name, at most 40 characters.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Panels that are left out because the dialect has no metric for a signal that they need, in the table's order.
    #[must_use]
    pub fn omitted_panels(&self) -> &[OmittedPanel] {
        &self.omitted_panels
    }

    /// Its queries: the path in its JSON, what a person calls it, and the PromQL.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (String, String, &Expr)> {
        let panels = self.panels.iter().enumerate();
        panels.flat_map(|(at, panel)| {
            panel.targets.iter().enumerate().map(move |(index, target)| {
                let path = format!("panels[{at}].targets[{index}].expr");
                let title = format!("panel {}, query {}", panel.title, target.ref_id);
                (path, title, &target.expr)
            })
        })
    }

    /// The titles of its panels, without rows.
    pub fn titles(&self) -> impl Iterator<Item = &'static str> {
        self.panels
            .iter()
            .filter(|panel| panel.kind != "row")
            .map(|panel| panel.title)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TimeRange {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Items<T> {
    pub(super) list: Vec<T>,
}

/// A variable with which a reader chooses: the Prometheus, or which of its series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Variable {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) query: &'static str,
    /// 1: the choices are read when the dashboard is loaded; 2: also for another range of time, which has other APIs.
    pub(super) refresh: u32,
    /// How the choices are read; not for the choice of the Prometheus itself.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) choices: Option<VariableChoices>,
}

/// The choices of a variable that a query of Prometheus gives.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VariableChoices {
    pub(super) datasource: DataSource,
    pub(super) include_all: bool,
    pub(super) multi: bool,
    /// The pattern that stands for all choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) all_value: Option<&'static str>,
    /// 1: in alphabetical order.
    pub(super) sort: u32,
    /// What is chosen at first; `None`: the first of the choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current: Option<VariableValue>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct VariableValue {
    pub(super) text: [&'static str; 1],
    pub(super) value: [&'static str; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PanelLink {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) target_blank: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Panel {
    pub(super) id: u32,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) description: &'static str,
    pub(super) grid_pos: GridPos,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collapsed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) datasource: Option<DataSource>,
    /// The scrape interval: the smallest distance of two points of a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interval: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) targets: Vec<PanelTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field_config: Option<FieldConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<PanelOptions>,
    /// How the results of a table's queries become its columns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) transformations: Vec<Transformation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<PanelLink>,
}

/// A reference to that variable; never to a data source by name, because names differ between installations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct DataSource {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) uid: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PanelTarget {
    pub(super) ref_id: char,
    pub(super) datasource: DataSource,
    pub(super) editor_mode: &'static str,
    pub(super) expr: Expr,
    /// The scrape interval, Grafana's "Min step": `$__rate_interval` is at least four of them. Without it Grafana takes the
    /// data source's scrape interval, which may be shorter.
    pub(super) interval: String,
    pub(super) legend_format: String,
    pub(super) instant: bool,
    pub(super) range: bool,
    /// `table` for a query of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FieldConfig {
    pub(super) defaults: FieldDefaults,
    /// What differs in a column of a table. Empty for other panels: all their fields are drawn the same way.
    pub(super) overrides: Vec<FieldOverride>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldDefaults {
    pub(super) unit: &'static str,
    pub(super) min: u32,
    /// The text that is shown while there is no value.
    pub(super) no_value: &'static str,
    pub(super) color: ColorMode,
    pub(super) thresholds: PanelThresholds,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<LineStyle>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct PanelThresholds {
    pub(super) mode: &'static str,
    pub(super) steps: Vec<ThresholdStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ThresholdStep {
    pub(super) color: &'static str,
    /// `null` in the first step: from minus infinity on.
    pub(super) value: Option<f64>,
}
