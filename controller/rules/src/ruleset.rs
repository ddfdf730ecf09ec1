//! Rule groups, shaped as `spec.groups` of a PrometheusRule and as a Prometheus rule file.

use std::collections::BTreeMap;

use metric_contract::Signal;
use serde::Serialize;

use crate::{
    objective::OmittedObjective,
    promql::{Decimal, Expr, PromDuration},
};

/// All rules of one API. Serializes as a Prometheus rule file, which is also a PrometheusRule's `spec`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    /// The groups, in a fixed order; none is empty.
    pub groups: Vec<RuleGroup>,
    /// Alerts that are left out.
    #[serde(skip)]
    pub omitted_alerts: Vec<OmittedAlert>,
    /// Objectives that are left out.
    #[serde(skip)]
    pub omitted_objectives: Vec<OmittedObjective>,
}

/// An alert that is left out, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OmittedAlert {
    /// Name of the alert.
    pub alert: &'static str,
    /// Why.
    pub gap: AlertGap,
}

/// Why no rule can be made for an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertGap {
    /// There is no metric for a signal, or no limit that it is compared with.
    MissingSignal(Signal),
    /// The default threshold is not below the largest bucket of the latency histogram, and no percentile is above that: an
    /// alert that can never fire would only look like protection.
    BucketsEndBelow {
        /// The threshold, in seconds.
        threshold: Decimal,
        /// Where the largest bucket ends, in seconds.
        largest: Decimal,
    },
}

/// Rules that Prometheus evaluates one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleGroup {
    /// Unique within the object.
    pub name: String,
    /// Time between two evaluations. `None`: Prometheus's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<PromDuration>,
    /// The rules, in the order of evaluation.
    pub rules: Vec<Rule>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Rule {
    /// A series that is computed once for several alerts.
    Recording(RecordingRule),
    /// An alert.
    Alerting(AlertingRule),
}

/// A recording rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingRule {
    /// Name of the series.
    pub record: String,
    /// Its PromQL.
    pub expr: Expr,
    /// Labels beside those of the expression's result.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// An alerting rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertingRule {
    /// Name of the alert.
    pub alert: String,
    /// Its PromQL, which has a result while the condition holds.
    pub expr: Expr,
    /// How long the condition must hold. Left out if it need not: that is Prometheus's default.
    #[serde(rename = "for", skip_serializing_if = "no_time")]
    pub for_: PromDuration,
    /// How long the alert keeps firing after the condition has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_firing_for: Option<PromDuration>,
    /// Labels beside those of the expression's result.
    pub labels: BTreeMap<String, String>,
    /// Summary, description and links.
    pub annotations: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn no_time(time: &PromDuration) -> bool {
    time.is_zero()
}
