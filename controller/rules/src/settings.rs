//! What a user may change about the alerts: `spec.alerts` of a MonitoredApi, still as strings.

use std::collections::BTreeMap;

/// `spec.alerts`, without `extraRules`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// `false`: no alerting rule at all.
    pub enabled: bool,
    /// Labels put on each alert.
    pub labels: BTreeMap<String, String>,
    /// Where the runbooks stand: `<base>/<Alert>.md`. `None`: [`crate::DEFAULT_RUNBOOK_BASE_URL`].
    pub runbook_base_url: Option<String>,
    /// Changes to single alerts, by name.
    pub overrides: Vec<AlertOverride>,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            labels: BTreeMap::new(),
            runbook_base_url: None,
            overrides: Vec::new(),
        }
    }
}

/// One entry of `spec.alerts.overrides`. What is `None` keeps the alert's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertOverride {
    /// Name of the alert, as in [`crate::alerts::ALERTS`].
    pub name: String,
    /// The threshold, in the alert's own unit: ratio `0.02`, duration `500ms`, bytes `512Mi`, count `10`.
    pub threshold: Option<String>,
    /// Prometheus duration for which the expression must hold.
    pub for_: Option<String>,
    /// Prometheus duration for which the alert keeps firing after the expression stopped holding.
    pub keep_firing_for: Option<String>,
    /// Value of the label `severity`.
    pub severity: Option<String>,
    /// Labels of this alert, over those of [`AlertSettings::labels`].
    pub labels: BTreeMap<String, String>,
    /// `Some(false)`: the alert is left out.
    pub enabled: Option<bool>,
}

/// A value that cannot be used, with where it stands and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FieldError {
    /// Path relative to `spec.alerts`, such as `overrides[2].threshold`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}
