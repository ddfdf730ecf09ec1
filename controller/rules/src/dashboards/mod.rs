//! Grafana dashboards: classic JSON from tables of panels, laid out by computation.
//!
//! Classic, because file and sidecar provisioning refuse the newer models; schema version 39 (Grafana 10.4), which
//! later ones migrate when they load it.

mod build;
mod def;
mod layout;
mod model;
mod options;
mod panel_id;
mod rows;
mod thresholds;
mod uid;

pub use build::{LeftOutPanel, PanelQuery, build_dashboard, panel_queries, panels_left_out};
pub use def::{Colour, GrafanaUnit, PanelDef, QueryDef, RowDef, Step, Visualization};
pub use model::Dashboard;
pub use panel_id::PanelId;
pub use rows::ROWS;
pub use uid::dashboard_uid;
