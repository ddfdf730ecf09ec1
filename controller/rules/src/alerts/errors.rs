//! Does the API fail? Ratios of its own failures (5xx) to all requests, where there is enough traffic to speak of one.

use metric_contract::{
    Signal,
    recorded_series::{ERRORS, REQUESTS},
};

use super::{
    AlertDef, AlertFamily, CRITICAL_FOR, Condition, DEFAULT_FOR, MIN_REQUESTS, Severity, SourceSystem, ThresholdUnit,
};
use crate::{
    dashboards::PanelId,
    promql::Decimal,
    series::{Built, Missing, Series},
};

const DESCRIPTION: &str = "{api} answers {value} of its requests with a server error; the threshold is {threshold}.";

pub(super) const API_HIGH_ERROR_RATIO: AlertDef = AlertDef {
    name: "ApiHighErrorRatio",
    family: AlertFamily::Errors,
    severity: Severity::Warning,
    sources: &[SourceSystem::S0],
    signals: &[Signal::Requests, Signal::Errors],
    condition: Condition::Threshold {
        unit: ThresholdUnit::Ratio,
        default: Decimal::hundredths(1),
        build: error_ratio_above,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::ErrorRate,
    summary: "{api} fails more than {threshold} of its requests",
    description: DESCRIPTION,
};

pub(super) const API_CRITICAL_ERROR_RATIO: AlertDef = AlertDef {
    name: "ApiCriticalErrorRatio",
    family: AlertFamily::Errors,
    severity: Severity::Critical,
    sources: &[SourceSystem::S0],
    signals: &[Signal::Requests, Signal::Errors],
    condition: Condition::Threshold {
        unit: ThresholdUnit::Ratio,
        default: Decimal::hundredths(5),
        build: error_ratio_above,
    },
    for_: CRITICAL_FOR,
    panel: PanelId::ErrorRate,
    summary: "{api} fails more than {threshold} of its requests",
    description: DESCRIPTION,
};

fn error_ratio_above(series: &Series<'_>, threshold: Decimal) -> Built {
    if !series.answers(Signal::Errors) {
        return Err(Missing(Signal::Errors));
    }
    let requests = series.recorded(&REQUESTS);
    let ratio = series.recorded(&ERRORS).per(requests.clone());
    Ok(ratio
        .above(threshold)
        .and(series.at_least_events(requests, MIN_REQUESTS)))
}
