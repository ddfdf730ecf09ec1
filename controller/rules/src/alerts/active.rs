//! From settings to alerts in force: every value is read here, and everything that cannot be used is named at once.

use std::collections::{BTreeMap, BTreeSet};

use metric_contract::labels::{ALERT_FAMILY, ALERT_NAME, JOB, NAMESPACE, SEVERITY};

use super::{ALERTS, AlertDef, Condition, near::nearest, template::plain, threshold::ThresholdUnit};
use crate::{
    AlertOverride, AlertSettings, DEFAULT_RUNBOOK_BASE_URL, FieldError,
    promql::{Decimal, LabelName, PromDuration},
};

/// Labels that routing and the rules themselves decide by, so that no setting may take them over.
const RESERVED_LABELS: [&str; 5] = [ALERT_NAME, NAMESPACE, JOB, SEVERITY, ALERT_FAMILY];
/// Characters of a user's value that a message repeats.
const QUOTED_LENGTH: usize = 40;

/// An alert with the settings that apply to it.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) def: &'static AlertDef,
    /// In the query's unit. `None`: the alert needs none.
    pub(crate) threshold: Option<Decimal>,
    /// Whether the threshold is the user's own, and where it stands.
    pub(crate) threshold_path: Option<String>,
    pub(crate) for_: PromDuration,
    pub(crate) keep_firing_for: Option<PromDuration>,
    pub(crate) severity: String,
    /// Escaped for the template engine.
    pub(crate) labels: BTreeMap<String, String>,
}

/// The alerts in force, and everything in the settings that could not be used.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) alerts: Vec<InForce>,
    pub(crate) errors: Vec<FieldError>,
}

/// Everything in the settings that cannot be used, whatever the API's dialect. Paths are relative to `spec.alerts`.
#[must_use]
pub fn check_overrides(settings: &AlertSettings) -> Vec<FieldError> {
    resolve(settings).errors
}

/// Where an alert's runbook stands: `<base>/<Alert>.md`.
pub(crate) fn runbook_url(settings: &AlertSettings, alert: &str) -> String {
    format!("{}/{alert}.md", runbook_base(settings))
}

/// Where the runbooks stand; the default where the user's own address cannot be used.
pub(crate) fn runbook_base(settings: &AlertSettings) -> &str {
    let own = settings.runbook_base_url.as_deref().filter(|url| is_web_address(url));
    own.unwrap_or(DEFAULT_RUNBOOK_BASE_URL).trim_end_matches('/')
}

/// The alerts that the settings leave in force. What cannot be used counts as not written.
pub(crate) fn resolve(settings: &AlertSettings) -> Resolved {
    let mut errors = Errors(Vec::new());
    let common = labels(&settings.labels, "labels", &mut errors);
    if let Some(url) = settings.runbook_base_url.as_deref().filter(|url| !is_web_address(url)) {
        errors.add(
            "runbookBaseUrl",
            format!("{} is not an address of runbooks; write https://…", quoted(url)),
        );
    }
    // In the order in which they are written, so that the errors are too.
    let mut changed_alerts = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (index, entry) in settings.overrides.iter().enumerate() {
        let path = format!("overrides[{index}]");
        if !seen.insert(&entry.name) {
            errors.add(
                format!("{path}.name"),
                format!("{} stands here twice; merge the entries", quoted(&entry.name)),
            );
        }
        match ALERTS.iter().find(|def| def.name == entry.name) {
            Some(def) => {
                let alert = changed(def, entry, &path, &common, &mut errors);
                changed_alerts.entry(def.name).or_insert(alert);
            }
            None => errors.add(format!("{path}.name"), unknown_alert(&entry.name)),
        }
    }
    let alerts = ALERTS
        .iter()
        .filter_map(|def| {
            changed_alerts
                .remove(def.name)
                .unwrap_or_else(|| Some(default(def, common.clone())))
        })
        .collect();
    let alerts = if settings.enabled { alerts } else { Vec::new() };
    Resolved {
        alerts,
        errors: errors.0,
    }
}

fn default(def: &'static AlertDef, labels: BTreeMap<String, String>) -> InForce {
    let threshold = match def.condition {
        Condition::Plain(_) => None,
        Condition::Threshold { default, .. } => Some(default),
    };
    let severity = def.severity.as_str().to_owned();
    InForce {
        def,
        threshold,
        threshold_path: None,
        for_: def.for_,
        keep_firing_for: None,
        severity,
        labels,
    }
}

fn changed(
    def: &'static AlertDef,
    entry: &AlertOverride,
    path: &str,
    common: &BTreeMap<String, String>,
    errors: &mut Errors,
) -> Option<InForce> {
    // No `..`: a new field that is not read here must not compile.
    let AlertOverride {
        name: _,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels: own,
        enabled,
    } = entry;
    let mut alert = default(def, common.clone());
    alert.labels.extend(labels(own, &format!("{path}.labels"), errors));
    if let Some(text) = threshold {
        let path = format!("{path}.threshold");
        if let Some(value) = read_threshold(def.threshold_unit(), def.name, text, &path, errors) {
            (alert.threshold, alert.threshold_path) = (Some(value), Some(path));
        }
    }
    let mut duration = |field: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let read = text.parse().ok();
        if read.is_none() {
            errors.add(
                format!("{path}.{field}"),
                format!("{} is not a duration; write 5m", quoted(text)),
            );
        }
        read
    };
    alert.for_ = duration("for", for_).unwrap_or(alert.for_);
    alert.keep_firing_for = duration("keepFiringFor", keep_firing_for);
    match severity.as_deref() {
        Some(word) if is_word(word) => word.clone_into(&mut alert.severity),
        Some(word) => errors.add(
            format!("{path}.severity"),
            format!(
                "{} is not a severity; write one word, such as critical, warning or info",
                quoted(word)
            ),
        ),
        None => {}
    }
    enabled.unwrap_or(true).then_some(alert)
}

fn read_threshold(
    unit: Option<ThresholdUnit>,
    alert: &str,
    text: &str,
    path: &str,
    errors: &mut Errors,
) -> Option<Decimal> {
    let Some(unit) = unit else {
        errors.add(path, format!("{alert} has no threshold; remove it"));
        return None;
    };
    unit.parse(text)
        .map_err(|wanted| errors.add(path, format!("{} is not {wanted}", quoted(text))))
        .ok()
}

/// Labels with values escaped for the template engine; those that may not be set are left out and named.
fn labels(labels: &BTreeMap<String, String>, path: &str, errors: &mut Errors) -> BTreeMap<String, String> {
    let mut usable = BTreeMap::new();
    for (name, value) in labels {
        if LabelName::new(name).as_str() != name || name.starts_with("__") {
            errors.add(
                path,
                format!("{} is not the name of a label; use letters, digits and _", quoted(name)),
            );
        } else if name == SEVERITY {
            errors.add(
                format!("{path}.{name}"),
                "is not set here; write severity in overrides".to_owned(),
            );
        } else if RESERVED_LABELS.contains(&name.as_str()) {
            errors.add(
                format!("{path}.{name}"),
                "is set by the rules themselves; use another name".to_owned(),
            );
        } else {
            usable.insert(name.clone(), plain(value));
        }
    }
    usable
}

fn unknown_alert(name: &str) -> String {
    let near = nearest(name, ALERTS.iter().map(|def| def.name)).join(", ");
    format!("no alert is called {}; near to it are {near}", quoted(name))
}

/// `https` only, and nothing that Grafana or a template would read as a variable.
fn is_web_address(url: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!&'()*+,;=%".contains(c);
    url.strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(usable))
}

fn is_word(text: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=63).contains(&text.len()) && text.chars().all(letters)
}

/// A user's value as a message repeats it: on one line, and not at any length.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_LENGTH).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, path: impl Into<String>, message: String) {
        self.0.push(FieldError {
            path: path.into(),
            message,
        });
    }
}
