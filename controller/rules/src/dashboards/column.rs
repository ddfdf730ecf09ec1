//! The queries of a panel of the dashboards that the chart installs, and the columns of its table.

use super::def::{ColourStep, GrafanaUnit};
use crate::promql::Expr;

/// A query of such a panel.
#[derive(Debug, Clone)]
pub struct InstalledQuery {
    /// The name of a series in the legend, with labels in `{{…}}`; of a table the title of the column, empty for none.
    pub legend: &'static str,
    /// The query.
    pub expr: Expr,
    /// How the column of a table differs from the panel.
    pub column: Option<ValueColumn>,
}

/// How the values of a table's column are shown.
#[derive(Debug, Clone, Copy)]
pub struct ValueColumn {
    /// Their unit.
    pub unit: GrafanaUnit,
    /// The colours above certain values.
    pub steps: &'static [ColourStep],
}

/// A column of a table that shows a label.
#[derive(Debug, Clone, Copy)]
pub struct LabelColumn {
    /// The label.
    pub label: &'static str,
    /// Title of the column.
    pub title: &'static str,
    /// Where a value leads.
    pub link: Option<ColumnLink>,
}

/// Where the values of a column lead.
#[derive(Debug, Clone, Copy)]
pub struct ColumnLink {
    /// What the link says.
    pub title: &'static str,
    /// The address, in which `${__value.raw}` stands for the value.
    pub url: &'static str,
}
