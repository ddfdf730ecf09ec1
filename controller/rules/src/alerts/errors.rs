//! Whether the API fails: the ratio of its own failures (5xx) to all requests, if there are enough requests for one; and
//! failures that no ratio of answers shows.

use metric_contract::{
    Signal,
    recorded_series::{ERRORS, REQUESTS},
};

use super::{
    AlertCondition, AlertDef, AlertFamily, CRITICAL_FOR, DEFAULT_FOR, MIN_REQUESTS, SourceSystem, ThresholdUnit,
};
use crate::{
    PanelId, Severity,
    promql::Decimal,
    queries::{ApiQueries, MissingSignal, QueryResult},
};

const DESCRIPTION: &str = "{api} answers {value} of its requests with a server error; the threshold is {threshold}.";
/// Of the few requests of an idle API's hour, the share that must have failed.
const LOW_VOLUME_RATIO: Decimal = Decimal::hundredths(10);

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
    AlertDef {
        name: "ApiLowVolumeErrors",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Requests, Signal::Errors],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(5),
            build: low_volume_errors,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ErrorRate,
        summary: "{api} has few requests and fails them",
        description: "In the last hour {api} failed {value} requests, more than a tenth of all. There were too few for the alerts on the error ratio; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiHighClientErrorRatio",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[SourceSystem::S0],
        signals: &[Signal::Requests, Signal::Errors],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(20),
            build: client_error_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::RequestsByStatus,
        summary: "{api} refuses more than {threshold} of its requests",
        description: "{api} answers {value} of its requests with a client error (4xx); the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiClientsGiveUp",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Requests, Signal::AbandonedRequests],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(5),
            build: abandoned_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::RequestsByStatus,
        summary: "More than {threshold} of the clients of {api} leave before an answer",
        description: "The clients of {value} of the requests to {api} left before an answer; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiExceptions",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Exceptions],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(5),
            build: exceptions_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ErrorsByType,
        summary: "Request handlers of {api} panic or fail",
        description: "In the last minutes {value} request handlers of {api} panicked or failed with an error of their own; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiDatabaseErrors",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::DatabaseOperations],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(5),
            build: database_error_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::DatabaseOperations,
        summary: "More than {threshold} of the database operations of {api} fail",
        description: "Of the database operations of {api}, {value} fail; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiBackgroundTaskFailures",
        family: AlertFamily::Errors,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::BackgroundTasks],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(10),
            build: task_failure_ratio_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::BackgroundTasks,
        summary: "More than {threshold} of the background tasks of {api} fail",
        description: "Of the background tasks of {api} that ended, {value} failed or were dropped; the threshold is {threshold}.",
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

/// Counts the failures of the last hour if it had no more requests than the alerts on the ratio need, and has not enough
/// for them now.
fn low_volume_errors(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    if !queries.answers(Signal::Errors) {
        return Err(MissingSignal(Signal::Errors));
    }
    let (errors, requests) = (
        queries.events_of_last_hour(&ERRORS),
        queries.events_of_last_hour(&REQUESTS),
    );
    let ratio = errors.clone().per(requests.clone());
    let enough_now = queries.at_least_events(queries.recorded(&REQUESTS), MIN_REQUESTS);
    Ok(errors
        .where_at_least(threshold)
        .and(ratio.where_above(LOW_VOLUME_RATIO))
        .and(requests.where_below(MIN_REQUESTS.saturating_mul(queries.windows_of_last_hour())))
        .unless(enough_now))
}

fn client_error_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let requests = queries.recorded(&REQUESTS);
    Ok(queries
        .share_of_enough(queries.client_error_rate()?, requests, MIN_REQUESTS)
        .where_above(threshold))
}

fn abandoned_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let requests = queries.recorded(&REQUESTS);
    Ok(queries
        .share_of_enough(queries.abandoned_rate()?, requests, MIN_REQUESTS)
        .where_above(threshold))
}

fn exceptions_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.events(queries.exception_rate()?).where_above(threshold))
}

fn database_error_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let (errors, all) = (queries.database_error_rate()?, queries.database_rate()?);
    Ok(queries
        .share_of_enough(errors, all, MIN_REQUESTS)
        .where_above(threshold))
}

fn task_failure_ratio_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let (failed, ended) = (queries.failed_task_rate()?, queries.ended_task_rate()?);
    Ok(queries
        .share_of_enough(failed, ended, MIN_REQUESTS)
        .where_above(threshold))
}
