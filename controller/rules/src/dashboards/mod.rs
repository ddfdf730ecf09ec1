//! Grafana dashboards: classic JSON from tables of panels.

use serde::Serialize;

use crate::{AlertSettings, ApiFacts};

/// A Grafana dashboard. Serializes as classic JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dashboard {
    uid: String,
}

impl Dashboard {
    /// The dashboard's uid: stable, unique by namespace and name, at most 40 characters.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }
}

/// One query of a panel, ready to be sent to Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanelQuery {
    /// Title of the panel.
    pub title: String,
    /// The query's letter within the panel.
    pub refid: String,
    /// PromQL without variables.
    pub expr: String,
}

/// The dashboard of one API: what its dialect has no metric for is left out.
#[must_use]
pub fn build_dashboard(api: &ApiFacts<'_>, _settings: &AlertSettings) -> Dashboard {
    Dashboard {
        uid: api.name.to_owned(),
    }
}

/// Every panel's queries with `$__rate_interval` and `$__range` replaced by a Prometheus duration.
#[must_use]
pub fn panel_queries(_dashboard: &Dashboard, _rate_interval: &str) -> Vec<PanelQuery> {
    Vec::new()
}
