//! The dashboard, whatever kind of object holds it.

use controller_api::{ChildRecord, MonitoredApiStatus, spec::DashboardForm};
use controller_rules::{GeneratedValue, generate_dashboard, lint::Finding};
use serde_json::Value;

use super::{BuildInput, BuildOutput, child_kind};
use crate::{
    facts::{Facts, KindState},
    from_live::DashboardObject,
    kind::ChildKind,
    omission,
    plan::AppliedChild,
    valid::{DashboardSettings, ValidApi},
};

impl DashboardObject {
    /// The object for a valid spec.
    ///
    /// While it is not known whether the cluster serves GrafanaDashboards, the dashboard stays in the object that it is in, and
    /// while the spec is suspended too: nothing is written then.
    pub(crate) fn of(api: &ValidApi, facts: &Facts) -> Self {
        let so_far = || {
            Self::ALL
                .into_iter()
                .find(|object| Some(object.kind()) == facts.dashboard_in)
        };
        match dashboard(api).map(|settings| settings.form).unwrap_or_default() {
            DashboardForm::ConfigMap => Self::ConfigMap,
            DashboardForm::GrafanaDashboard => Self::GrafanaDashboard,
            DashboardForm::Auto => match facts.state(ChildKind::GRAFANA_DASHBOARD) {
                KindState::Synced if !api.suspend => Self::GrafanaDashboard,
                KindState::Missing if !api.suspend => Self::ConfigMap,
                KindState::Synced | KindState::Missing | KindState::Pending | KindState::Forbidden => {
                    so_far().unwrap_or_default()
                }
            },
        }
    }
}

/// The kind of object that held the dashboard when a status was written. `None`: there was no dashboard.
#[must_use]
pub fn recorded(status: &MonitoredApiStatus) -> Option<ChildKind> {
    let mut records = status.children.iter();
    records.find_map(|record| child_kind(&record.kind).filter(|kind| is_kind(*kind)))
}

/// The dashboards in an object, as JSON. None in an object of another kind.
pub fn texts(object: &Value) -> impl Iterator<Item = &str> {
    let of_kind =
        |wanted: ChildKind| move |_: &&Value| object.get("kind").and_then(Value::as_str) == Some(wanted.as_str());
    let files = object
        .get("data")
        .filter(of_kind(ChildKind::CONFIG_MAP))
        .and_then(Value::as_object);
    let text = object
        .pointer("/spec/json")
        .filter(of_kind(ChildKind::GRAFANA_DASHBOARD));
    files
        .into_iter()
        .flat_map(|files| files.values())
        .chain(text)
        .filter_map(Value::as_str)
}

/// Whether objects of this kind hold dashboards.
pub(crate) fn is_kind(kind: ChildKind) -> bool {
    DashboardObject::ALL.into_iter().any(|object| object.kind() == kind)
}

/// The object that is looked for in the cluster to find out what kind of object the dashboard comes to be in. `None`: the spec
/// says it, or there is no dashboard.
#[must_use]
pub fn to_look_for(api: &ValidApi) -> Option<(ChildKind, String)> {
    let is_looked_for = dashboard(api).is_some_and(|settings| settings.form == DashboardForm::Auto);
    is_looked_for.then(|| (ChildKind::GRAFANA_DASHBOARD, name(&api.owner.name)))
}

/// Whether an object that is no longer wanted stays until another one holds the dashboard, so that Grafana never lacks it.
#[must_use]
pub fn holds_it_still(record: &ChildRecord, applied: &[AppliedChild]) -> bool {
    let another = applied.iter().find(|child| is_kind(child.kind));
    child_kind(&record.kind).is_some_and(is_kind) && another.is_some_and(|child| !child.outcome.is_as_planned())
}

fn dashboard(api: &ValidApi) -> Option<&DashboardSettings> {
    api.monitoring.as_ref()?.dashboard.as_ref()
}

/// The name of the object that holds the dashboard of a MonitoredApi.
#[must_use]
pub fn name(api: &str) -> String {
    format!("{api}-dashboard")
}

/// A dashboard that goes into an object.
pub(super) struct Dashboard<'a> {
    pub(super) settings: &'a DashboardSettings,
    /// Name of the object.
    pub(super) name: String,
    /// Its JSON, as text.
    pub(super) json: GeneratedValue,
    pub(super) findings: Vec<Finding>,
}

/// The dashboard, if it goes into an object of this kind.
pub(super) fn build<'a>(
    object: DashboardObject,
    input: &BuildInput<'a>,
    built: &mut BuildOutput,
) -> Option<Dashboard<'a>> {
    let api = input.api;
    let settings = dashboard(api).filter(|_| input.live.dashboard == object)?;
    let facts = input.rule_facts();
    let dashboard = generate_dashboard(&facts, &api.alerts);
    built
        .omissions
        .extend(omission::of_dashboard(dashboard.omitted_panels(), facts.spelling));
    Some(Dashboard {
        settings,
        name: name(&api.owner.name),
        json: dashboard.json(&facts),
        findings: dashboard.findings().to_vec(),
    })
}
