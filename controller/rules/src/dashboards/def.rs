//! The columns of the tables of rows and panels.

use metric_contract::Signal;

use crate::{
    PanelId,
    promql::Decimal,
    queries::{ApiQueries, EventLabel, QueryResult},
};

/// A row of a dashboard.
#[derive(Debug, Clone, Copy)]
pub struct RowDef {
    /// Its id in the dashboard; different from the ids of all panels.
    pub id: u32,
    /// Its title.
    pub title: &'static str,
    /// Its panels, from the left.
    pub panels: &'static [PanelDef],
}

/// A panel, as one row.
#[derive(Debug, Clone, Copy)]
pub struct PanelDef {
    /// Stable across releases.
    pub id: PanelId,
    /// Its title; unique within the dashboard.
    pub title: &'static str,
    /// What it shows, and how to read it.
    pub description: &'static str,
    /// The signals that it needs; if the dialect lacks one of them, the panel is left out.
    pub signals: &'static [Signal],
    /// Unit of its values.
    pub unit: GrafanaUnit,
    /// How it is drawn.
    pub visualization: Visualization,
    /// The colours above certain values.
    pub steps: &'static [ColourStep],
    /// Smallest width, of 24 columns; the panels of a line share the free columns.
    pub width: u32,
    /// Its queries; empty only for a list of alerts.
    pub queries: &'static [QueryDef],
}

/// A query of a panel.
#[derive(Debug, Clone, Copy)]
pub struct QueryDef {
    /// The name of a series in the legend, before the labels of `by`.
    pub legend: &'static str,
    /// Labels that the query groups by, shown in the legend.
    pub by: &'static [EventLabel],
    /// The query.
    pub expr: fn(&ApiQueries<'_>, &[EventLabel]) -> QueryResult,
}

/// The colour above a value.
#[derive(Debug, Clone, Copy)]
pub struct ColourStep {
    /// The colour.
    pub colour: Colour,
    /// The value, unless the user has set the alert's threshold. `None`: the alert's threshold.
    pub from: Option<Decimal>,
    /// The alert whose threshold, if the user has set it, replaces the value.
    pub alert: Option<&'static str>,
}

/// A colour of Grafana's palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Normal.
    Green,
    /// A warning.
    Yellow,
    /// Critical.
    Red,
}

/// A unit of Grafana's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrafanaUnit {
    /// A number.
    Short,
    /// Requests per second.
    RequestsPerSecond,
    /// Events per second.
    PerSecond,
    /// 0 to 1, shown as percent.
    PercentUnit,
    /// Seconds.
    Seconds,
    /// Bytes, in units of 1024.
    Bytes,
}

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visualization {
    /// Lines over time.
    Lines,
    /// Stacked bars over time.
    StackedBars,
    /// The latest value, large.
    Stat,
    /// The latest value on a dial.
    Gauge,
    /// Shares of a whole.
    Pie,
    /// One bar for each series, for now.
    Bars,
    /// Grafana's own list of alerts.
    AlertList,
    /// A line for each combination of labels, a column for each query, for now.
    Table,
}

impl Visualization {
    /// Whether it queries one value for now instead of a line over time.
    #[must_use]
    pub const fn is_instant(self) -> bool {
        match self {
            Self::Pie | Self::Bars | Self::Table => true,
            // A stat draws its line behind the value, and a gauge takes the last value.
            Self::Lines | Self::StackedBars | Self::Stat | Self::Gauge | Self::AlertList => false,
        }
    }

    /// Its height in rows of the grid.
    #[must_use]
    pub const fn height(self) -> u32 {
        match self {
            Self::Stat | Self::Gauge | Self::AlertList => 5,
            Self::Lines | Self::StackedBars | Self::Pie | Self::Bars => 8,
            Self::Table => 10,
        }
    }
}
