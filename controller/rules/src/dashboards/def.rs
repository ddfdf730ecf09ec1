//! What a row of the panels' tables says.

use metric_contract::Signal;

use super::PanelId;
use crate::{
    promql::{Decimal, Expr},
    series::{By, Missing, Series},
};

/// A row of a dashboard.
#[derive(Debug, Clone, Copy)]
pub struct RowDef {
    /// Its id in the dashboard, apart from the panels'.
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
    /// What it shows, and what to make of it.
    pub description: &'static str,
    /// Signals without which it is left out.
    pub signals: &'static [Signal],
    /// Unit of its values.
    pub unit: GrafanaUnit,
    /// How it is drawn.
    pub visualization: Visualization,
    /// From which value on it turns which colour.
    pub steps: &'static [Step],
    /// Least width, of 24 columns; a line's panels share what is left.
    pub width: u32,
    /// Its queries; none only for a list of alerts.
    pub queries: &'static [QueryDef],
}

/// A query of a panel.
#[derive(Debug, Clone, Copy)]
pub struct QueryDef {
    /// What a series is called, before the labels of `by`.
    pub legend: &'static str,
    /// Labels by which the query tells series apart, shown in the legend.
    pub by: &'static [By],
    /// The query.
    pub expr: fn(&Series<'_>, &[By]) -> Result<Expr, Missing>,
}

/// A colour from a value on.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The colour.
    pub colour: Colour,
    /// From which value on, unless the alert's threshold was set by the user. `None`: from the alert's threshold.
    pub from: Option<Decimal>,
    /// The alert with whose threshold the colour moves.
    pub alert: Option<&'static str>,
}

/// A colour of Grafana's palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// All is well.
    Green,
    /// Look at it.
    Yellow,
    /// Act.
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
}

impl Visualization {
    /// Whether it asks for one value now instead of a line.
    #[must_use]
    pub const fn is_instant(self) -> bool {
        match self {
            Self::Pie | Self::Bars => true,
            // A stat draws its line behind the value, and a gauge takes the last value.
            Self::Lines | Self::StackedBars | Self::Stat | Self::Gauge | Self::AlertList => false,
        }
    }

    /// Rows of the grid that it takes.
    #[must_use]
    pub const fn height(self) -> u32 {
        match self {
            Self::Stat | Self::Gauge | Self::AlertList => 5,
            Self::Lines | Self::StackedBars | Self::Pie | Self::Bars => 8,
        }
    }
}
