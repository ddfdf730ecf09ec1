//! An API of a stack: from the same MonitoredApi as in a cluster to rules, a dashboard and how it is scraped.

use std::sync::Arc;

use controller_api::MonitoredApi;
use controller_rules::{
    ApiFacts, alerts_against_a_week_ago, generate_dashboard,
    lint::{self, Finding},
    promql::PromDuration,
};
use metric_contract::{Spelling, TargetKind};
use serde_json::Value;

use crate::{
    compile::{Checked, check},
    facts::{Facts, PageFacts, Settings},
    omission::{self, Omission},
    owner::ApiRef,
    valid::Metrics,
    violation::Violation,
};

/// How far alerts look back that compare with the same hour a week ago, in minutes: a week, and the day that ends then.
const WEEK_AGO_MINUTES: u32 = 8 * 24 * 60;
const DAY_MINUTES: u32 = 24 * 60;

/// An API that is monitored on one machine.
#[derive(Debug)]
pub struct StackApi {
    owner: ApiRef,
    targets: Vec<String>,
    metrics: Metrics,
    rules: Option<Value>,
    dashboard: Option<String>,
    omissions: Vec<Omission>,
    needed_retention: PromDuration,
}

impl StackApi {
    /// The monitoring of a MonitoredApi whose processes are at these addresses, `HOST:PORT` each. `page`: how a page of its metrics
    /// spells them. What a MonitoredApi says of pods means nothing here.
    ///
    /// # Errors
    ///
    /// All violations of the spec, each with its field and its fix.
    pub fn new(
        api: &MonitoredApi,
        settings: &Settings,
        page: Option<&Arc<Spelling>>,
        targets: Vec<String>,
    ) -> Result<Self, Vec<Violation>> {
        let owner = ApiRef::of(api).without_uid();
        let facts = Facts {
            page: page.cloned().map(PageFacts::shown),
            ..Facts::default()
        };
        let Checked { api: valid, rules } = check(api, settings, &facts, &owner, TargetKind::Static)?;
        let Some(monitoring) = &valid.monitoring else {
            return Err(vec![Violation {
                path: "spec.monitoring.enabled".to_owned(),
                message: "is false, and on one machine monitoring is all that is set up: remove it".to_owned(),
            }]);
        };
        let facts = ApiFacts {
            target: TargetKind::Static,
            ..valid.rule_facts()
        };
        let mut omissions = omission::of_rules(&rules, facts.spelling);
        written("the rules are", rules.findings())?;
        let dashboard = match &monitoring.dashboard {
            Some(_) => {
                let dashboard = generate_dashboard(&facts, &valid.alerts);
                omissions.extend(omission::of_dashboard(dashboard.omitted_panels(), facts.spelling));
                written("the dashboard is", dashboard.findings())?;
                dashboard.json(&facts).value().as_str().map(str::to_owned)
            }
            None => None,
        };
        omissions.sort();
        omissions.dedup();
        Ok(Self {
            rules: rules.spec(&facts).map(|spec| spec.value()),
            needed_retention: needed_retention(&facts, &valid.alerts),
            owner,
            targets,
            dashboard,
            omissions,
            metrics: valid.metrics,
        })
    }

    /// Its namespace: the label `namespace` of its series.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.owner.namespace
    }

    /// Its name: the label `job` of its series.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.owner.name
    }

    /// A rule file of Prometheus. `None`: it has no rules.
    #[must_use]
    pub const fn rules(&self) -> Option<&Value> {
        self.rules.as_ref()
    }

    /// Its dashboard, as JSON. `None`: it has none.
    #[must_use]
    pub fn dashboard(&self) -> Option<&str> {
        self.dashboard.as_deref()
    }

    /// Alerts, objectives and panels that are left out, sorted.
    #[must_use]
    pub fn omissions(&self) -> &[Omission] {
        &self.omissions
    }

    /// The shortest time for which Prometheus must keep its data, so that every rule can fire.
    #[must_use]
    pub const fn needed_retention(&self) -> PromDuration {
        self.needed_retention
    }

    pub(super) fn targets(&self) -> &[String] {
        &self.targets
    }

    pub(super) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The name of its files, without an ending. A dot is in no namespace and no name, so no two APIs have the same.
    pub(super) fn file_name(&self) -> String {
        format!("{}.{}", self.namespace(), self.name())
    }
}

/// That the lint found no mistake.
fn written(subject: &str, findings: &[Finding]) -> Result<(), Vec<Violation>> {
    let Some(finding) = lint::sentence(findings) else {
        return Ok(());
    };
    Err(vec![Violation {
        path: "spec".to_owned(),
        message: format!("{subject} not written, because the lint found a mistake: {finding}"),
    }])
}

fn needed_retention(facts: &ApiFacts<'_>, alerts: &controller_rules::AlertSettings) -> PromDuration {
    let windows = facts.objectives.iter().map(|objective| objective.window.days());
    let week_ago = !alerts_against_a_week_ago(facts, alerts).is_empty();
    let minutes = windows
        .map(|days| days.saturating_mul(DAY_MINUTES))
        .chain(week_ago.then_some(WEEK_AGO_MINUTES))
        .max();
    PromDuration::from_minutes(minutes.unwrap_or(DAY_MINUTES))
}
