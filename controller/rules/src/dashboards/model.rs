//! Grafana's classic dashboard model, as far as we use it. Its field names are Grafana's.

use serde::Serialize;

use super::{layout::GridPos, options::Options};
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
    /// 1: a crosshair shared by all panels.
    pub(super) graph_tooltip: u32,
    pub(super) refresh: &'static str,
    pub(super) time: TimeRange,
    pub(super) timezone: &'static str,
    pub(super) templating: Items<Variable>,
    pub(super) annotations: Items<Variable>,
    pub(super) links: Vec<Link>,
    pub(super) panels: Vec<Panel>,
}

impl Dashboard {
    /// The dashboard's uid: stable, unique by namespace and name, at most 40 characters.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The titles of its panels, without rows.
    pub fn titles(&self) -> impl Iterator<Item = &str> {
        self.panels
            .iter()
            .filter(|panel| panel.kind != "row")
            .map(|panel| panel.title.as_str())
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

/// The variable by which a reader chooses the Prometheus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Variable {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) query: &'static str,
    pub(super) refresh: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
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
    pub(super) title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    pub(super) grid_pos: GridPos,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) collapsed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) datasource: Option<DataSource>,
    /// The scrape interval: `$__rate_interval` is never less than four of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interval: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field_config: Option<FieldConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) options: Option<Options>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<Link>,
}

/// A reference to the variable; never to a data source by name, which differs from Grafana to Grafana.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct DataSource {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) uid: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Target {
    pub(super) ref_id: String,
    pub(super) datasource: DataSource,
    pub(super) editor_mode: &'static str,
    pub(super) expr: Expr,
    pub(super) legend_format: String,
    pub(super) instant: bool,
    pub(super) range: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct FieldConfig {
    pub(super) defaults: FieldDefaults,
    /// Always empty: every field of a panel is drawn alike.
    pub(super) overrides: [(); 0],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldDefaults {
    pub(super) unit: &'static str,
    pub(super) min: u32,
    /// What stands there while there is no value.
    pub(super) no_value: &'static str,
    pub(super) color: ColorMode,
    pub(super) thresholds: Thresholds,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Drawing>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ColorMode {
    pub(super) mode: &'static str,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Thresholds {
    pub(super) mode: &'static str,
    pub(super) steps: Vec<ThresholdStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ThresholdStep {
    pub(super) color: &'static str,
    /// `null` in the first step: from minus infinity on.
    pub(super) value: Option<f64>,
}

/// How a line over time is drawn.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Drawing {
    pub(super) draw_style: &'static str,
    pub(super) fill_opacity: u32,
    pub(super) line_width: u32,
    pub(super) show_points: &'static str,
    pub(super) stacking: Stacking,
    pub(super) thresholds_style: ColorMode,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Stacking {
    pub(super) mode: &'static str,
    pub(super) group: &'static str,
}
