//! Monitoring as a whole, alerts and dashboard.

use std::collections::BTreeMap;

use controller_api::spec;
use controller_rules::{AlertOverride, AlertSettings, check_runbook_base_url};

use super::{syntax, workload::RESERVED_LABELS};
use crate::{
    facts::Settings,
    valid::{DashboardSettings, Monitoring},
    violation::Violations,
};

/// Label by which Grafana's sidecar finds dashboards unless it is set up otherwise.
const DASHBOARD_LABEL: (&str, &str) = ("grafana_dashboard", "1");
/// Longest name of a folder.
const MAX_FOLDER: usize = 64;

pub(super) fn monitoring(
    monitoring: Option<&spec::MonitoringSpec>,
    dashboard: Option<DashboardSettings>,
    settings: &Settings,
    out: &mut Violations,
) -> Option<Monitoring> {
    let spec::MonitoringSpec { enabled, object_labels } = monitoring.cloned().unwrap_or_default();
    let path = "spec.monitoring.objectLabels";
    let object_labels = merged(&settings.monitoring_object_labels, object_labels, path, out);
    enabled.unwrap_or(true).then_some(Monitoring {
        object_labels,
        dashboard,
    })
}

pub(super) fn alert_settings(alerts: Option<&spec::AlertsSpec>, settings: &Settings) -> AlertSettings {
    let spec::AlertsSpec {
        enabled,
        labels,
        runbook_base_url,
        overrides,
    } = alerts.cloned().unwrap_or_default();
    AlertSettings {
        enabled: enabled.unwrap_or(true),
        labels: labels.unwrap_or_default(),
        runbook_base_url: runbook_base_url.or_else(|| usable_runbook_base_url(settings)),
        overrides: overrides.unwrap_or_default().into_iter().map(alert_override).collect(),
    }
}

/// The installation's. It was checked at the start; one that cannot be used must not become a violation of a resource
/// that does not even contain it.
fn usable_runbook_base_url(settings: &Settings) -> Option<String> {
    let url = settings.runbook_base_url.as_deref()?;
    check_runbook_base_url(url).ok().map(|()| url.to_owned())
}

fn alert_override(given: spec::AlertOverride) -> AlertOverride {
    let spec::AlertOverride {
        name,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels,
        enabled,
    } = given;
    AlertOverride {
        name,
        threshold,
        for_,
        keep_firing_for,
        severity,
        labels: labels.unwrap_or_default(),
        enabled,
    }
}

pub(super) fn dashboard_settings(
    dashboard: Option<&spec::DashboardSpec>,
    settings: &Settings,
    out: &mut Violations,
) -> Option<DashboardSettings> {
    let spec::DashboardSpec {
        enabled,
        form,
        folder,
        object_labels,
    } = dashboard.cloned().unwrap_or_default();
    if folder.as_deref().is_some_and(|folder| !is_folder(folder)) {
        out.add(
            "spec.dashboard.folder",
            "not a valid folder: use letters, digits, spaces, ., _ and -, beginning with a letter or digit, for example Team A",
        );
    }
    let mut object_labels = merged(
        &settings.dashboard_object_labels,
        object_labels,
        "spec.dashboard.objectLabels",
        out,
    );
    if object_labels.is_empty() {
        let (key, value) = DASHBOARD_LABEL;
        object_labels.insert(key.to_owned(), value.to_owned());
    }
    enabled.unwrap_or(true).then_some(DashboardSettings {
        form: form.unwrap_or_default(),
        folder,
        object_labels,
        instance_labels: settings.grafana_instance_labels.clone(),
    })
}

/// Whether the text can name a folder. The sidecar makes a directory of it: with a slash it would write somewhere else.
fn is_folder(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| letter(c) || " ._-".contains(c);
    text.len() <= MAX_FOLDER && text.starts_with(letter) && text.chars().all(inner)
}

/// The installation's labels with the author's over them.
pub(super) fn merged(
    settings: &BTreeMap<String, String>,
    given: Option<BTreeMap<String, String>>,
    path: &str,
    out: &mut Violations,
) -> BTreeMap<String, String> {
    let given = given.unwrap_or_default();
    syntax::labels(&given, path, &RESERVED_LABELS, out);
    let mut labels = settings.clone();
    labels.extend(given);
    labels
}
