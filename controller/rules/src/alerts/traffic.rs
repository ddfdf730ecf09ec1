//! Whether the API gets much less or much more traffic than at the same hour a week ago.

use metric_contract::{Signal, recorded_series::REQUESTS};

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, ThresholdUnit};
use crate::{
    PanelId, Severity,
    promql::Decimal,
    queries::{ApiQueries, MissingSignal, QueryResult},
};

/// Fewest requests within a window for which their number can be compared: an API with less traffic has hours of silence.
const MIN_REQUESTS_TO_COMPARE: u64 = 100;

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiTrafficDrop",
        family: AlertFamily::Traffic,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Requests],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(20),
            build: traffic_below,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::RequestRate,
        summary: "{api} gets less than {threshold} of its usual traffic",
        description: "{api} gets {value} of the requests that it got at this hour a week ago; the threshold is {threshold}.",
    },
    AlertDef {
        name: "ApiTrafficSpike",
        family: AlertFamily::Traffic,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Requests],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(3),
            build: traffic_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::RequestRate,
        summary: "{api} gets more than {threshold} times its usual traffic",
        description: "{api} gets {value} times as many requests as at this hour a week ago; the threshold is {threshold} times.",
    },
];

fn traffic_below(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    if !queries.answers(Signal::Requests) {
        return Err(MissingSignal(Signal::Requests));
    }
    let (now, then) = (queries.recorded(&REQUESTS), queries.rate_a_week_ago(&REQUESTS));
    Ok(queries
        .share_of_enough(now, then, MIN_REQUESTS_TO_COMPARE)
        .where_below(threshold))
}

fn traffic_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    if !queries.answers(Signal::Requests) {
        return Err(MissingSignal(Signal::Requests));
    }
    let now = queries.recorded(&REQUESTS);
    let then = queries.rate_a_week_ago(&REQUESTS).where_above(0);
    Ok(now
        .clone()
        .per(then)
        .where_above(threshold)
        .and(queries.at_least_events(now, MIN_REQUESTS_TO_COMPARE)))
}
