//! What a user can change about the alerts: `spec.alerts` of a MonitoredApi, as unchecked strings.

use std::collections::BTreeMap;

/// Most characters of a user's value that a message repeats.
const QUOTED_LENGTH: usize = 40;

/// `spec.alerts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertSettings {
    /// `false`: no alerts at all.
    pub enabled: bool,
    /// Labels of each alert.
    pub labels: BTreeMap<String, String>,
    /// Where the runbooks are: `<base>/<Alert>.md`. `None`: nothing is linked, and the alerts name their runbooks only.
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

/// One entry of `spec.alerts.overrides`. A field that is `None` keeps the alert's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlertOverride {
    /// Name of the alert, one of [`crate::alerts::alerts`].
    pub name: String,
    /// The threshold, in the alert's own unit: ratio `0.02`, duration `500ms`, bytes `512Mi`, count `10`.
    pub threshold: Option<String>,
    /// Prometheus duration for which the condition must hold.
    pub for_: Option<String>,
    /// Prometheus duration for which the alert keeps firing after the condition has ended.
    pub keep_firing_for: Option<String>,
    /// Value of the label `severity`.
    pub severity: Option<String>,
    /// Labels of this alert; they replace those of [`AlertSettings::labels`].
    pub labels: BTreeMap<String, String>,
    /// `Some(false)`: the alert is left out.
    pub enabled: Option<bool>,
}

/// Another generator of rules whose names the figures of objectives can have, so that dashboards made for it work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compat {
    /// [`metric_contract::sloth`].
    Sloth,
}

impl Compat {
    /// Each of them.
    pub const ALL: &'static [Self] = &[Self::Sloth];

    /// The name that a user writes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sloth => "sloth",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name)
    }
}

/// A value that cannot be used, with its field and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}: {message}")]
pub struct FieldError {
    /// Path relative to `spec.alerts`, such as `overrides[2].threshold`.
    pub path: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// A user's value as a message repeats it: on one line, and not at any length.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_LENGTH).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}
