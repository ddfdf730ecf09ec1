//! The dashboards that the chart installs once: of all MonitoredApis, and of the operator.
//!
//! Neither knows an API or an installation. A reader chooses namespaces and the operator by variables, and the queries read
//! what is called the same for every dialect: the series that our rules record, alerts, and what the operator reports.

mod apis;
mod build;
mod operator;

use super::{
    column::{InstalledQuery, LabelColumn, ValueColumn},
    def::{ColourStep, GrafanaUnit, Visualization},
};
use crate::promql::Expr;

pub use build::build_installed_dashboard;

/// Stands in the generated files for where the runbooks are hosted; the chart replaces it, or takes the links away.
pub(super) const RUNBOOK_BASE_URL: &str = "RUNBOOK_BASE_URL";
/// Stands for the interval at which the operator is scraped; the chart replaces it.
const OPERATOR_INTERVAL: &str = "OPERATOR_INTERVAL";
/// How often values change that rules record.
const RULES_INTERVAL: &str = "1m";

/// A dashboard that the chart installs once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstalledDashboard {
    /// All MonitoredApis.
    Apis,
    /// The operator.
    Operator,
}

impl InstalledDashboard {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::Apis, Self::Operator];

    /// Its uid, which no API's dashboard has: that of an API holds a `_`.
    #[must_use]
    pub const fn uid(self) -> &'static str {
        match self {
            Self::Apis => "monitored-apis",
            Self::Operator => "monitored-api-operator",
        }
    }

    /// Its title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Apis => "MonitoredApis",
            Self::Operator => "MonitoredApis / operator",
        }
    }

    /// One sentence about what it shows.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Apis => {
                "All MonitoredApis of the chosen namespaces: which are monitored, how they do, and which alerts fire."
            }
            Self::Operator => "Whether the operator of the MonitoredApis runs, leads, and keeps up with its work.",
        }
    }

    /// Its rows, from the top.
    #[must_use]
    pub fn rows(self) -> Vec<InstalledRow> {
        match self {
            Self::Apis => apis::rows(),
            Self::Operator => operator::rows(),
        }
    }

    /// The smallest distance of two points of a line.
    const fn interval(self) -> &'static str {
        match self {
            Self::Apis => RULES_INTERVAL,
            Self::Operator => OPERATOR_INTERVAL,
        }
    }
}

/// A row of such a dashboard.
#[derive(Debug, Clone)]
pub struct InstalledRow {
    /// Its id in the dashboard; different from the ids of all panels.
    pub id: u32,
    /// Its title.
    pub title: &'static str,
    /// Its panels, from the left.
    pub panels: Vec<InstalledPanel>,
}

/// A panel of such a dashboard.
#[derive(Debug, Clone)]
pub struct InstalledPanel {
    /// Stable across releases; unique within the dashboard.
    pub id: u32,
    /// Its title; unique within the dashboard.
    pub title: &'static str,
    /// What it shows, and how to read it.
    pub description: &'static str,
    /// Unit of its values.
    pub unit: GrafanaUnit,
    /// How it is drawn.
    pub visualization: Visualization,
    /// The colours above certain values.
    pub steps: &'static [ColourStep],
    /// Smallest width, of 24 columns; the panels of a line share the free columns.
    pub width: u32,
    /// The text while there is no series: 0 where none means that nothing was counted.
    pub no_value: &'static str,
    /// Columns of a table for labels, from the left; they precede those of the queries.
    pub labels: &'static [LabelColumn],
    /// Its queries.
    pub queries: Vec<InstalledQuery>,
    /// Alerts whose trouble it shows.
    pub alerts: &'static [&'static str],
}

/// A query whose series are called so in the legend.
const fn query(legend: &'static str, expr: Expr) -> InstalledQuery {
    InstalledQuery {
        legend,
        expr,
        column: None,
    }
}

/// A query whose values are a column of a table.
const fn column(title: &'static str, unit: GrafanaUnit, steps: &'static [ColourStep], expr: Expr) -> InstalledQuery {
    InstalledQuery {
        legend: title,
        expr,
        column: Some(ValueColumn { unit, steps }),
    }
}
