//! Does the API run out of something?

use metric_contract::Signal;

use super::{AlertDef, AlertFamily, Condition, DEFAULT_FOR, Severity, SourceSystem, ThresholdUnit};
use crate::{
    dashboards::PanelId,
    promql::Decimal,
    series::{Built, Series},
};

pub(super) const API_TOO_MANY_IN_FLIGHT: AlertDef = AlertDef {
    name: "ApiTooManyInFlight",
    family: AlertFamily::Saturation,
    severity: Severity::Warning,
    sources: &[SourceSystem::S0],
    signals: &[Signal::InFlight, Signal::Up],
    condition: Condition::Threshold {
        unit: ThresholdUnit::Count,
        default: Decimal::whole(10),
        build: in_flight_above,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::ActiveRequests,
    summary: "{api} has too many requests in flight",
    description: "Each replica of {api} serves {value} requests at once on average; the threshold is {threshold}.",
};

fn in_flight_above(series: &Series<'_>, threshold: Decimal) -> Built {
    Ok(series.in_flight()?.per(series.targets_up()).above(threshold))
}
