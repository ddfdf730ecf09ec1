//! Whether the API runs out of a resource.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, Severity, SourceSystem, ThresholdUnit};
use crate::{
    PanelId,
    promql::Decimal,
    queries::{ApiQueries, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[AlertDef {
    name: "ApiTooManyInFlight",
    family: AlertFamily::Saturation,
    severity: Severity::Warning,
    sources: &[SourceSystem::S0],
    signals: &[Signal::InFlight, Signal::Up],
    condition: AlertCondition::Threshold {
        unit: ThresholdUnit::Count,
        default: Decimal::whole(10),
        build: in_flight_above,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::ActiveRequests,
    summary: "{api} has too many requests in flight",
    description: "Each replica of {api} serves {value} requests at once on average; the threshold is {threshold}.",
}];

fn in_flight_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.in_flight_per_replica()?.where_above(threshold))
}
