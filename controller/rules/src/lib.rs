//! The rules engine: turns the facts of one API into Prometheus rules and a Grafana dashboard.
//!
//! Pure: no I/O, no clock, no environment, no randomness. The operator, the command line and the reference API all use
//! this one engine, so that the same input gives the same rules everywhere.

pub mod alert_tests;
pub mod alerts;
mod dashboard_uid;
pub mod dashboards;
mod facts;
mod generated;
mod json_size;
pub mod lint;
pub mod named_queries;
mod nearest;
mod objective;
pub mod objectives;
pub mod operator;
mod panel_id;
pub mod promql;
pub mod queries;
pub mod recording;
pub mod reference;
mod ruleset;
mod settings;
mod severity;
mod template;

pub use alerts::{alerts_against_a_week_ago, build_rules, check_overrides, check_runbook_base_url, check_thresholds};
pub use dashboard_uid::dashboard_uid;
pub use dashboards::{
    Dashboard, InstalledDashboard, OmittedPanel, PanelQuery, build_dashboard, build_installed_dashboard, panel_queries,
};
pub use facts::{ApiFacts, ApiLimits};
pub use generated::{GeneratedDashboard, GeneratedRules, GeneratedValue, generate_dashboard, generate_rules};
pub use objective::{
    CounterSelector, CounterSum, EventSelector, Objective, ObjectiveEvents, ObjectiveGap, ObjectiveWindow,
    OmittedObjective,
};
pub use objectives::{ObjectiveSettings, ObjectiveType, omitted_objectives, read_objectives};
pub use operator::{OperatorTarget, build_operator_rules};
pub use panel_id::PanelId;
pub use ruleset::{AlertGap, AlertingRule, OmittedAlert, RecordingRule, Rule, RuleGroup, RuleSet};
pub use settings::{AlertOverride, AlertSettings, Compat, FieldError};
pub use severity::Severity;
