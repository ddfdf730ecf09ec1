//! The panels of an API's dashboard with their queries, before they become Grafana's JSON.

use super::{Colour, PanelDef, QueryDef, RowDef};
use crate::promql::Expr;

/// A row with the panels that are shown.
#[derive(Debug, Clone)]
pub struct ShownRow {
    /// Its title.
    pub title: &'static str,
    /// Its panels, from the left; at least one.
    pub panels: Vec<ShownPanel>,
}

/// A panel that is shown.
#[derive(Debug, Clone)]
pub struct ShownPanel {
    /// Its row of the table.
    pub def: &'static PanelDef,
    /// Its queries. A query of a feature that is turned off is missing.
    pub queries: Vec<ShownQuery>,
    /// The values from which on it has another colour, in ascending order; below all of them it is green.
    pub steps: Vec<(f64, Colour)>,
}

/// A query of a panel, with Grafana's variables in its text.
#[derive(Debug, Clone)]
pub struct ShownQuery {
    /// Its letter within the panel.
    pub ref_id: char,
    /// Its row of the table.
    pub def: &'static QueryDef,
    /// The name of a series, in which `{{label}}` stands for the value of a label.
    pub legend: String,
    /// The query.
    pub expr: Expr,
}

/// A row that has panels.
#[derive(Debug)]
pub(super) struct PresentRow {
    pub(super) row: &'static RowDef,
    pub(super) panels: Vec<PresentPanel>,
}

/// A panel for which the API has every metric.
#[derive(Debug)]
pub(super) struct PresentPanel {
    pub(super) def: &'static PanelDef,
    pub(super) queries: Vec<ShownQuery>,
}
