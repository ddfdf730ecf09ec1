//! From settings to active alerts. Every value of the settings is read and checked here and nowhere else, and one pass
//! names everything that cannot be used.

use std::collections::{BTreeMap, BTreeSet};

use metric_contract::labels::{ALERT_FAMILY, ALERT_NAME, BURN_TIER, JOB, NAMESPACE, OBJECTIVE, SEVERITY};

use super::{AlertDef, alert, alerts};
use crate::{
    AlertOverride, AlertSettings, FieldError,
    nearest::nearest,
    promql::{Decimal, LabelName, PromDuration},
    settings::quoted,
};

/// Labels that the rules set themselves and that alerts are routed by; no setting may change them.
const RESERVED_LABELS: [&str; 6] = [ALERT_NAME, NAMESPACE, JOB, ALERT_FAMILY, OBJECTIVE, BURN_TIER];

/// Most bytes of a label's name: no YAML reader takes a key of more than 1,024 on its line.
const MAX_LABEL_NAME: usize = 1_000;

/// An alert with the settings that apply to it.
#[derive(Debug, Clone)]
pub(crate) struct ActiveAlert {
    pub(crate) def: &'static AlertDef,
    /// In the query's unit. `None`: the alert has no threshold.
    pub(crate) threshold: Option<Decimal>,
    /// The field that sets the threshold. `None`: the threshold is the default.
    pub(crate) threshold_path: Option<String>,
    pub(crate) for_: PromDuration,
    pub(crate) keep_firing_for: Option<PromDuration>,
    /// `None`: the default.
    pub(crate) severity: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
}

impl ActiveAlert {
    fn new(def: &'static AlertDef, labels: BTreeMap<String, String>) -> Self {
        Self {
            def,
            threshold: def.default_threshold(),
            threshold_path: None,
            for_: def.for_,
            keep_firing_for: None,
            severity: None,
            labels,
        }
    }
}

/// The active alerts, and everything in the settings that cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct ActiveAlerts {
    pub(crate) alerts: Vec<ActiveAlert>,
    pub(crate) errors: Vec<FieldError>,
}

/// Everything in the settings that cannot be used with any dialect. Paths are relative to `spec.alerts`.
#[must_use]
pub fn check_overrides(settings: &AlertSettings) -> Vec<FieldError> {
    active_alerts(settings).errors
}

/// The threshold of an alert in the query's unit, whether the settings leave the alert active or not. `None`: it has none.
#[must_use]
pub fn threshold_in_force(def: &'static AlertDef, settings: &AlertSettings) -> Option<Decimal> {
    let ActiveAlerts { alerts, .. } = active_alerts(settings);
    let active = alerts.into_iter().find(|alert| alert.def.name == def.name);
    active.map_or_else(|| def.default_threshold(), |alert| alert.threshold)
}

/// Checks a base address of runbooks.
///
/// # Errors
///
/// A sentence that says what is wrong with it and what to write instead.
pub fn check_runbook_base_url(url: &str) -> Result<(), String> {
    if is_web_address(url) {
        return Ok(());
    }
    Err(format!(
        "{} is not a valid base address of runbooks: use https and no spaces, quotes or braces, for example \
         https://example.org/runbooks",
        quoted(url)
    ))
}

/// The address of an alert's runbook: `<base>/<Alert>.md`. `None`: nobody says where the runbooks are.
pub(crate) fn runbook_url(settings: &AlertSettings, alert: &str) -> Option<String> {
    let base = settings.runbook_base_url.as_deref().filter(|url| is_web_address(url))?;
    Some(format!("{}/{alert}.md", base.trim_end_matches('/')))
}

/// The alerts that the settings leave active. A value that cannot be used counts as not set.
pub(crate) fn active_alerts(settings: &AlertSettings) -> ActiveAlerts {
    // No `..`: a new field that is not read here must not compile.
    let AlertSettings {
        enabled,
        labels,
        runbook_base_url,
        overrides,
    } = settings;
    let mut errors = FieldErrors(Vec::new());
    let common = usable_labels(labels, "labels", &mut errors);
    if let Some(Err(message)) = runbook_base_url.as_deref().map(check_runbook_base_url) {
        errors.add("runbookBaseUrl", message);
    }
    let mut changed = changed_alerts(overrides, &common, &mut errors);
    let active = alerts().filter_map(|def| {
        let unchanged = || Some(ActiveAlert::new(def, common.clone()));
        changed.remove(def.name).unwrap_or_else(unchanged)
    });
    ActiveAlerts {
        alerts: if *enabled { active.collect() } else { Vec::new() },
        errors: errors.0,
    }
}

/// The alerts that overrides name; `None` for one that is turned off. Of two overrides of one alert the first counts.
fn changed_alerts(
    overrides: &[AlertOverride],
    common: &BTreeMap<String, String>,
    errors: &mut FieldErrors,
) -> BTreeMap<&'static str, Option<ActiveAlert>> {
    let mut changed = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (index, entry) in overrides.iter().enumerate() {
        let path = format!("overrides[{index}]");
        if !names.insert(&entry.name) {
            errors.add(
                format!("{path}.name"),
                format!(
                    "{} is not a valid name of a second override: use one override for each alert",
                    quoted(&entry.name)
                ),
            );
        }
        match alert(&entry.name) {
            Some(def) => {
                let alert = changed_alert(def, entry, &path, common, errors);
                changed.entry(def.name).or_insert(alert);
            }
            None => errors.add(format!("{path}.name"), unknown_alert(&entry.name)),
        }
    }
    changed
}

fn changed_alert(
    def: &'static AlertDef,
    entry: &AlertOverride,
    path: &str,
    common: &BTreeMap<String, String>,
    errors: &mut FieldErrors,
) -> Option<ActiveAlert> {
    // No `..`: a new field that is not read here must not compile.
    let AlertOverride {
        name: _,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels,
        enabled,
    } = entry;
    let mut alert = ActiveAlert::new(def, common.clone());
    alert
        .labels
        .extend(usable_labels(labels, &format!("{path}.labels"), errors));
    if let Some(text) = threshold {
        let path = format!("{path}.threshold");
        match read_threshold(def, text) {
            Ok(value) => (alert.threshold, alert.threshold_path) = (Some(value), Some(path)),
            Err(message) => errors.add(path, message),
        }
    }
    let mut duration = |field: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        let invalid = |_| {
            errors.add(
                format!("{path}.{field}"),
                format!(
                    "{} is not a valid duration: use h, m, s and ms, for example 5m",
                    quoted(text)
                ),
            );
        };
        PromDuration::parse_up_to_hours(text).map_err(invalid).ok()
    };
    alert.for_ = duration("for", for_).unwrap_or(alert.for_);
    alert.keep_firing_for = duration("keepFiringFor", keep_firing_for).filter(|time| !time.is_zero());
    match severity.as_deref() {
        Some(word) if is_word(word) => alert.severity = Some(word.to_owned()),
        Some(word) => errors.add(
            format!("{path}.severity"),
            format!(
                "{} is not a valid severity: use letters, digits, - and _, beginning and ending with a letter or digit, for example warning",
                quoted(word)
            ),
        ),
        None => {}
    }
    enabled.unwrap_or(true).then_some(alert)
}

fn read_threshold(def: &AlertDef, text: &str) -> Result<Decimal, String> {
    let Some(unit) = def.threshold_unit() else {
        return Err(format!(
            "{} is not a valid threshold: {} has none; remove the field",
            quoted(text),
            def.name
        ));
    };
    unit.parse(text)
        .map_err(|wanted| format!("{} is not a valid {wanted}", quoted(text)))
}

/// The labels that can be used; the others are named in `errors`.
fn usable_labels(labels: &BTreeMap<String, String>, path: &str, errors: &mut FieldErrors) -> BTreeMap<String, String> {
    let mut usable = BTreeMap::new();
    for (name, value) in labels {
        let path_of_label = || format!("{path}.{name}");
        if LabelName::new(name).as_str() != name || name.starts_with("__") {
            let name = quoted(name);
            errors.add(
                path,
                format!("{name} is not a valid label name: use letters, digits and _, for example team"),
            );
        } else if name.len() > MAX_LABEL_NAME {
            let name = quoted(name);
            errors.add(
                path,
                format!("{name} is not a valid label name: use at most {MAX_LABEL_NAME} characters, for example team"),
            );
        } else if name == SEVERITY {
            errors.add(
                path_of_label(),
                format!("{name} is not a valid label here: use the field severity of an override, for example warning"),
            );
        } else if RESERVED_LABELS.contains(&name.as_str()) {
            errors.add(
                path_of_label(),
                format!(
                    "{name} is not a valid label here, because the rules set it: use another name, for example team"
                ),
            );
        } else if value.contains(['{', '}', '\n']) {
            // Prometheus runs label values through its template engine, which can query every series that it has.
            let value = quoted(value);
            errors.add(
                path_of_label(),
                format!(
                    "{value} is not a valid label value: use text without braces and line breaks, for example shop"
                ),
            );
        } else {
            usable.insert(name.clone(), value.clone());
        }
    }
    usable
}

fn unknown_alert(name: &str) -> String {
    let known = nearest(name, alerts().map(|def| def.name)).join(", ");
    format!(
        "{} is not a valid alert name: use one of the alerts, for example {known}",
        quoted(name)
    )
}

/// Whether the address is `https` and holds nothing that Grafana or a template would read as a variable.
fn is_web_address(url: &str) -> bool {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!&'()*+,;=%".contains(c);
    url.strip_prefix("https://")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(usable))
}

fn is_word(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| letter(c) || c == '-' || c == '_';
    (1..=63).contains(&text.len()) && text.starts_with(letter) && text.ends_with(letter) && text.chars().all(inner)
}

struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    fn add(&mut self, path: impl Into<String>, message: String) {
        self.0.push(FieldError {
            path: path.into(),
            message,
        });
    }
}
