//! Whether the API fails: the ratio of its own failures (5xx) to all requests, if there are enough requests for one.

use metric_contract::{
    Signal,
    recorded_series::{ERRORS, REQUESTS},
};

use super::{
    AlertCondition, AlertDef, AlertFamily, CRITICAL_FOR, DEFAULT_FOR, MIN_REQUESTS, Severity, SourceSystem,
    ThresholdUnit,
};
use crate::{
    PanelId,
    promql::Decimal,
    queries::{ApiQueries, MissingSignal, QueryResult},
};

const DESCRIPTION: &str = "{api} answers {value} of its requests with a server error; the threshold is {threshold}.";

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiHighErrorRatio",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Requests, Signal::Errors],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(1),
            build: error_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ErrorRate,
        summary: "{api} fails more than {threshold} of its requests",
        description: DESCRIPTION,
    },
    AlertDef {
        name: "ApiCriticalErrorRatio",
        family: AlertFamily::Errors,
        severity: Severity::Critical,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Requests, Signal::Errors],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(5),
            build: error_ratio_above,
        },
        for_: CRITICAL_FOR,
        panel: PanelId::ErrorRate,
        summary: "{api} fails more than {threshold} of its requests",
        description: DESCRIPTION,
    },
];

fn error_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    if !queries.answers(Signal::Errors) {
        return Err(MissingSignal(Signal::Errors));
    }
    let requests = queries.recorded(&REQUESTS);
    let ratio = queries.recorded(&ERRORS).per(requests.clone());
    Ok(ratio
        .where_above(threshold)
        .and(queries.at_least_events(requests, MIN_REQUESTS)))
}
