//! What the page says of one MonitoredApi, as data: its objects, alerts, objectives and panels, and what is left out.

use std::collections::BTreeMap;

use anyhow::Result;
use controller_core::{Rendered, ValidApi, children::dashboard, intent::Intent, kind::ChildKind, omission::Omission};
use controller_rules::{
    AlertingRule, ApiFacts, Objective, ObjectiveEvents, PanelId, Rule,
    alerts::{alert, threshold_in_force},
    build_rules,
    dashboards::{GrafanaUnit, PanelDef, ShownPanel, ShownRow, shown_rows},
    promql::Decimal,
    reference,
};
use metric_contract::labels::{ALERT_FAMILY, BURN_TIER, OBJECTIVE, SEVERITY};

use super::limit::{Level, Limit, is_drawn};

/// Annotations that have a place of their own on the page, or are for Grafana alone.
const SHOWN_APART: [&str; 5] = [
    "summary",
    "description",
    "runbook_url",
    "__dashboardUid__",
    "__panelId__",
];

/// One MonitoredApi.
#[derive(Debug)]
pub(super) struct Content {
    /// The valid spec.
    pub(super) api: ValidApi,
    /// The objects that would be made.
    pub(super) objects: Vec<ObjectEntry>,
    /// What is left out, and why.
    pub(super) omissions: Vec<Omission>,
    /// The alerts, in the order of the rules.
    pub(super) alerts: Vec<AlertEntry>,
    /// The recording rules: name and expression.
    pub(super) recordings: Vec<(String, String)>,
    /// What is promised.
    pub(super) objectives: Vec<ObjectiveEntry>,
    /// The rows of the dashboard.
    pub(super) rows: Vec<ShownRow>,
}

/// An object that would be made.
#[derive(Debug)]
pub(super) struct ObjectEntry {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) yaml: String,
}

/// An alert.
#[derive(Debug)]
pub(super) struct AlertEntry {
    pub(super) name: String,
    pub(super) family: String,
    pub(super) severity: String,
    /// The threshold with its unit; `None`: it has none.
    pub(super) threshold: Option<String>,
    pub(super) for_: String,
    pub(super) keep_firing_for: Option<String>,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) runbook_url: Option<String>,
    /// Further labels and annotations.
    pub(super) labels: Vec<(String, String)>,
    /// PromQL over several lines.
    pub(super) expr: String,
    /// The panel that shows the trouble.
    pub(super) panel: Option<PanelId>,
    /// Its objective and the speed at which the budget is spent, where it is about one.
    pub(super) objective: Option<String>,
}

/// An objective.
#[derive(Debug)]
pub(super) struct ObjectiveEntry {
    pub(super) name: String,
    /// What counts as a failure.
    pub(super) promise: String,
    /// In percent.
    pub(super) target: String,
    pub(super) window: String,
    /// How long all requests may fail within the window until nothing is left.
    pub(super) budget: String,
}

impl Content {
    /// # Errors
    ///
    /// An object that cannot be written as YAML.
    pub(super) fn new(rendered: Rendered) -> Result<Self> {
        let Rendered {
            api,
            objects,
            omissions,
        } = rendered;
        let facts = api.rule_facts();
        let has_rules = objects
            .iter()
            .any(|object| object.text("/kind") == ChildKind::PROMETHEUS_RULE.as_str());
        let has_dashboard = objects
            .iter()
            .any(|object| dashboard::texts(object.object()).next().is_some());
        let rules = if has_rules { rules(&facts, &api) } else { Vec::new() };
        let (mut alerts, mut recordings) = (Vec::new(), Vec::new());
        for rule in rules {
            match rule {
                Rule::Alerting(rule) => alerts.push(alert_entry(rule, &api)),
                Rule::Recording(rule) => recordings.push((rule.record, pretty(&rule.expr.to_string()))),
            }
        }
        Ok(Self {
            objects: objects.iter().map(object_entry).collect::<Result<_>>()?,
            alerts,
            recordings,
            objectives: api
                .objectives
                .iter()
                .filter(|_| has_rules)
                .map(objective_entry)
                .collect(),
            rows: if has_dashboard {
                shown_rows(&facts, &api.alerts)
            } else {
                Vec::new()
            },
            omissions,
            api,
        })
    }

    /// Its panels, from the top.
    pub(super) fn panels(&self) -> impl Iterator<Item = &ShownPanel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }

    /// The lines that a panel's chart has: thresholds of its alerts, and its own steps that are no alert's.
    pub(super) fn limits(&self, panel: &ShownPanel) -> Vec<Limit> {
        let mut limits: Vec<Limit> = Vec::new();
        for entry in self.alerts.iter().filter(|entry| entry.panel == Some(panel.def.id)) {
            limits.extend(self.threshold_line(entry, panel.def));
        }
        for step in panel.def.steps.iter().filter(|step| step.alert.is_none()) {
            let value = step.from.map(Decimal::to_f64);
            let level = Level::of_colour(step.colour);
            if let Some(value) = value.filter(|value| *value > 0.0 && level != Level::Good) {
                limits.push(Limit {
                    value,
                    level,
                    name: level.as_str().to_owned(),
                });
            }
        }
        limits.sort_by(|one, other| one.value.total_cmp(&other.value));
        limits
    }

    fn threshold_line(&self, entry: &AlertEntry, panel: &PanelDef) -> Option<Limit> {
        let def = alert(&entry.name)?;
        if !is_drawn(def.threshold_unit()?, panel.unit) {
            return None;
        }
        let value = threshold_in_force(def, &self.api.alerts)?.to_f64();
        Some(Limit {
            value,
            level: Level::of_severity(&entry.severity),
            name: entry.name.clone(),
        })
    }
}

/// The rules, in the order in which they are evaluated. They were built once already, so that there are no errors.
fn rules(facts: &ApiFacts<'_>, api: &ValidApi) -> Vec<Rule> {
    let built = build_rules(facts, &api.alerts)
        .map(|rules| rules.groups)
        .unwrap_or_default();
    built.into_iter().flat_map(|group| group.rules).collect()
}

fn object_entry(object: &Intent) -> Result<ObjectEntry> {
    let mut yaml = String::new();
    object.write_yaml(&mut yaml)?;
    Ok(ObjectEntry {
        kind: object.text("/kind").to_owned(),
        name: object.text("/metadata/name").to_owned(),
        yaml,
    })
}

fn alert_entry(rule: AlertingRule, api: &ValidApi) -> AlertEntry {
    let AlertingRule {
        alert: name,
        expr,
        for_,
        keep_firing_for,
        mut labels,
        annotations,
    } = rule;
    let annotation = |key: &str| annotations.get(key).cloned();
    let def = alert(&name);
    let threshold = def.and_then(|def| {
        let unit = def.threshold_unit()?;
        Some(unit.text(threshold_in_force(def, &api.alerts)?))
    });
    let objective = labels.remove(OBJECTIVE);
    let tier = labels.remove(BURN_TIER);
    let others = annotations
        .iter()
        .filter(|(key, _)| !SHOWN_APART.contains(&key.as_str()));
    let others: BTreeMap<_, _> = others.map(|(key, text)| (key.clone(), text.clone())).collect();
    AlertEntry {
        severity: labels.remove(SEVERITY).unwrap_or_default(),
        family: labels.remove(ALERT_FAMILY).unwrap_or_default(),
        threshold,
        for_: for_.to_string(),
        keep_firing_for: keep_firing_for.map(|time| time.to_string()),
        summary: annotation("summary").unwrap_or_default(),
        description: annotation("description").unwrap_or_default(),
        runbook_url: annotation("runbook_url"),
        labels: labels.into_iter().chain(others).collect(),
        expr: pretty(&expr.to_string()),
        panel: def.map(|def| def.panel),
        objective: objective.map(|objective| {
            [Some(objective), tier]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", ")
        }),
        name,
    }
}

fn objective_entry(objective: &Objective) -> ObjectiveEntry {
    let promise = match &objective.events {
        ObjectiveEvents::Availability => "requests that are not answered with a server error".to_owned(),
        ObjectiveEvents::Latency { threshold } => format!("requests that are answered within {threshold}"),
        ObjectiveEvents::Custom { .. } => "events of counters that the API exports, without its errors".to_owned(),
    };
    let minutes = objective.budget().to_f64() * f64::from(objective.window.days()) * 24.0 * 60.0;
    ObjectiveEntry {
        name: objective.name.clone(),
        promise,
        target: format!("{} %", objective.target),
        window: objective.window.as_str().to_owned(),
        budget: super::units::text(GrafanaUnit::Seconds, minutes * 60.0),
    }
}

/// PromQL over several lines, or as it is where the parser does not know it.
pub(super) fn pretty(promql: &str) -> String {
    promql_parser::parser::parse(promql).map_or_else(|_| promql.to_owned(), |expr| expr.prettify())
}

/// The title of a panel.
pub(super) fn panel_title(id: PanelId) -> &'static str {
    reference::panel(id).map_or("", |panel| panel.title)
}
