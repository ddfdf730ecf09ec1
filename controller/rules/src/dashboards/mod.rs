//! Grafana dashboards: classic JSON from tables of panels, with a computed layout.
//!
//! Classic, because provisioning from files and by the sidecar refuses the newer models. Schema version 39 is that of
//! Grafana 10.4; later versions migrate it when they load it.

mod build;
mod column;
mod def;
mod installed;
mod layout;
mod model;
mod options;
mod rows;
mod shown;
mod table;
mod table_model;
mod text;
mod thresholds;

pub use build::{PanelQuery, build_dashboard, panel_queries, shown_rows};
pub use column::{ColumnLink, InstalledQuery, LabelColumn, ValueColumn};
pub use def::{Colour, ColourStep, GrafanaUnit, PanelDef, QueryDef, RowDef, Visualization};
pub use installed::{InstalledDashboard, InstalledPanel, InstalledRow, build_installed_dashboard};
pub use model::{Dashboard, OmittedPanel};
pub use rows::ROWS;
pub use shown::{ShownPanel, ShownQuery, ShownRow};
