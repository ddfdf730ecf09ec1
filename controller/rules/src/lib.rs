//! The rules engine: facts of one API in, Prometheus rules and a Grafana dashboard out.
//!
//! Pure: no I/O, no clock, no environment, no randomness. The operator, the command line and the reference API all
//! drive this one engine, so that the same input gives the same rules everywhere.

pub mod alerts;
pub mod dashboards;
mod facts;
pub mod promql;
pub mod recording;
mod ruleset;
pub mod series;
mod settings;

pub use alerts::{build_rules, check_overrides};
pub use dashboards::{Dashboard, LeftOutPanel, PanelQuery, build_dashboard, panel_queries, panels_left_out};
pub use facts::ApiFacts;
pub use ruleset::{AlertingRule, LeftOut, RecordingRule, Rule, RuleGroup, RuleSet};
pub use settings::{AlertOverride, AlertSettings, FieldError};

/// Where the runbooks stand when the settings name no other place: the pages of `docs/runbooks`.
pub const DEFAULT_RUNBOOK_BASE_URL: &str = "https://monitoredapi.io/runbooks";
