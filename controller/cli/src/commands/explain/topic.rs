//! What can be explained.

use controller_api::{ConditionType, Reason};
use controller_rules::{
    ApiFacts, ApiLimits,
    alerts::{self, AlertDef},
    dashboards::PanelDef,
    named_queries::{NAMED_QUERIES, NamedQuery},
    operator::{self, OperatorAlert},
    promql::{Decimal, PromDuration},
    reference,
};
use metric_contract::{Signal, TargetKind, dialects::DialectId};

use crate::runbooks;

/// Most similar names that a message proposes.
const PROPOSALS: usize = 5;

/// The time over which named queries take rates.
pub(super) const RATE_WINDOW: PromDuration = PromDuration::from_minutes(5);
/// The alert with whose threshold a named query compares the requests in flight.
pub(super) const IN_FLIGHT_ALERT: &str = "ApiTooManyInFlight";

/// Something that has a name and can be explained.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    Alert(&'static AlertDef),
    OperatorAlert(&'static OperatorAlert),
    Panel(&'static PanelDef),
    Query(&'static NamedQuery),
    Signal(Signal),
    Condition(ConditionType),
    Reason(Reason),
}

/// Everything that can be explained.
pub(super) fn all() -> Vec<Topic> {
    let alerts = alerts::alerts().map(Topic::Alert);
    alerts
        .chain(operator::ALERTS.iter().map(Topic::OperatorAlert))
        .chain(reference::panels().map(Topic::Panel))
        .chain(NAMED_QUERIES.iter().map(Topic::Query))
        .chain(Signal::ALL.iter().copied().map(Topic::Signal))
        .chain(ConditionType::ALL.iter().copied().map(Topic::Condition))
        .chain(Reason::ALL.iter().copied().map(Topic::Reason))
        .collect()
}

/// Everything of this name; a panel, a query and a signal may have the same.
pub(super) fn find(name: &str) -> Vec<Topic> {
    let named = |topic: &Topic| topic.name().eq_ignore_ascii_case(name);
    all().into_iter().filter(named).collect()
}

/// Some names that hold this text.
pub(super) fn similar(name: &str) -> Vec<String> {
    let name = name.to_lowercase();
    let names = all().into_iter().map(|topic| topic.name());
    names
        .filter(|known| known.to_lowercase().contains(&name))
        .take(PROPOSALS)
        .collect()
}

impl Topic {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Alert(_) | Self::OperatorAlert(_) => "alert",
            Self::Panel(_) => "panel",
            Self::Query(_) => "query",
            Self::Signal(_) => "signal",
            Self::Condition(_) => "condition",
            Self::Reason(_) => "reason",
        }
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Alert(def) => def.name.to_owned(),
            Self::OperatorAlert(def) => def.name.to_owned(),
            Self::Panel(def) => def.title.to_owned(),
            Self::Query(query) => query.title.to_owned(),
            Self::Signal(signal) => signal.name().to_owned(),
            Self::Condition(condition) => condition.as_str().to_owned(),
            Self::Reason(reason) => reason.as_str().to_owned(),
        }
    }

    /// The runbook, where it has one.
    pub(super) fn runbook(&self) -> Option<&'static str> {
        match self {
            Self::Alert(def) => runbooks::runbook(def.name),
            Self::OperatorAlert(def) => runbooks::runbook(def.name),
            Self::Panel(_) | Self::Query(_) | Self::Signal(_) | Self::Condition(_) | Self::Reason(_) => None,
        }
    }

    /// What is known of it, by name; nothing is empty.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let facts = match self {
            Self::Alert(def) => of_alert(def),
            Self::OperatorAlert(def) => vec![
                ("about", "the operator".to_owned()),
                ("severity", def.severity.as_str().to_owned()),
                ("for", def.for_.to_string()),
                ("says", def.summary.to_owned()),
            ],
            Self::Panel(def) => of_panel(def),
            Self::Query(query) => of_query(query),
            Self::Signal(signal) => of_signal(*signal),
            Self::Condition(condition) => vec![
                ("True means", condition.meaning().to_owned()),
                ("reasons", reasons(*condition)),
                ("repeats", condition.repeats().unwrap_or_default().to_owned()),
            ],
            Self::Reason(reason) => vec![
                (
                    "of",
                    joined(reason.conditions().iter().map(|condition| condition.as_str())),
                ),
                ("means", reason.meaning()),
                ("do", reason.action().to_owned()),
            ],
        };
        facts.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }
}

fn of_alert(def: &AlertDef) -> Vec<(&'static str, String)> {
    let threshold = reference::threshold(def).unwrap_or_default();
    let panel = reference::panel(def.panel).map(|panel| panel.title);
    vec![
        ("family", def.family.as_str().to_owned()),
        ("severity", def.severity.as_str().to_owned()),
        ("for", def.for_.to_string()),
        ("threshold", threshold),
        ("says", reference::summary(def)),
        ("panel", panel.unwrap_or_default().to_owned()),
        ("needs", joined(def.signals.iter().map(|signal| signal.name()))),
        ("change", format!("spec.alerts.overrides: [{{name: {}, …}}]", def.name)),
    ]
}

fn of_panel(def: &PanelDef) -> Vec<(&'static str, String)> {
    let alerts = alerts::alerts().filter(|alert| alert.panel == def.id);
    vec![
        ("shows", def.description.to_owned()),
        ("needs", joined(def.signals.iter().map(|signal| signal.name()))),
        ("alerts", joined(alerts.map(|alert| alert.name))),
    ]
}

fn of_query(query: &NamedQuery) -> Vec<(&'static str, String)> {
    let api = ApiFacts {
        namespace: "NAMESPACE",
        name: "NAME",
        spelling: Some(DialectId::Native.spelling()),
        proxy: None,
        has_overall: false,
        target: TargetKind::ServiceMonitor,
        scrape_interval_seconds: 30,
        excluded_routes: &[],
        limits: ApiLimits::default(),
        objectives: &[],
        compat: None,
    };
    let in_flight = alerts::alert(IN_FLIGHT_ALERT).and_then(AlertDef::default_threshold);
    let promql = query.promql(&api, RATE_WINDOW, in_flight.unwrap_or(Decimal::whole(1)));
    vec![
        ("unit", query.unit.to_owned()),
        ("in native", promql.unwrap_or_default()),
    ]
}

fn of_signal(signal: Signal) -> Vec<(&'static str, String)> {
    let alerts = alerts::alerts().filter(|alert| alert.signals.contains(&signal));
    vec![
        ("is", signal.help().to_owned()),
        ("dialects", joined(reference::dialects_of(signal))),
        ("alerts", joined(alerts.map(|alert| alert.name))),
        ("panels", joined(reference::panels_of(signal).map(|panel| panel.title))),
    ]
}

fn reasons(condition: ConditionType) -> String {
    let reasons = Reason::ALL.iter();
    joined(
        reasons
            .filter(|reason| reason.conditions().contains(&condition))
            .map(|reason| reason.as_str()),
    )
}

fn joined<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}
