//! Whether the API's cache helps.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, ThresholdUnit};
use crate::{
    PanelId, Severity,
    promql::Decimal,
    queries::{ApiQueries, QueryResult},
};

/// Fewest lookups within a window for which their ratio is meaningful; a cache that was just started has few.
const MIN_LOOKUPS: u64 = 100;

pub(super) const ALERTS: &[AlertDef] = &[AlertDef {
    name: "ApiCacheHitRatioLow",
    family: AlertFamily::Cache,
    severity: Severity::Warning,
    sources: &[],
    signals: &[Signal::CacheOperations],
    condition: AlertCondition::Threshold {
        unit: ThresholdUnit::Ratio,
        default: Decimal::hundredths(50),
        build: hit_ratio_below,
    },
    for_: DEFAULT_FOR,
    panel: PanelId::CacheLookups,
    summary: "The cache of {api} answers less than {threshold} of its lookups",
    description: "The cache of {api} answers {value} of its lookups; the threshold is {threshold}.",
}];

fn hit_ratio_below(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    let (hits, lookups) = (queries.cache_hit_rate()?, queries.cache_lookup_rate()?);
    Ok(queries
        .share_of_enough(hits, lookups, MIN_LOOKUPS)
        .where_below(threshold))
}
