//! Whether Prometheus can read the API's metrics, and how near they are to the limits of a scrape.

use metric_contract::Signal;

use super::{AlertCondition, AlertDef, AlertFamily, DEFAULT_FOR, ThresholdUnit};
use crate::{
    PanelId, Severity,
    promql::Decimal,
    queries::{ApiQueries, QueryResult},
};

pub(super) const ALERTS: &[AlertDef] = &[
    AlertDef {
        name: "ApiScrapeFailing",
        family: AlertFamily::Scrape,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::Up, Signal::ReplicasReady],
        condition: AlertCondition::Plain(scrape_failing),
        for_: DEFAULT_FOR,
        panel: PanelId::TargetsUp,
        summary: "The metrics of {api} cannot be read",
        description: "For {for}, no target of {api} has answered Prometheus although pods are ready ({value}). Until one answers, no alert on errors or latency can fire.",
    },
    AlertDef {
        name: "ApiScrapeSlow",
        family: AlertFamily::Scrape,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::ScrapeCost, Signal::ScrapeTimeout],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(80),
            build: scrape_seconds_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ScrapeDuration,
        summary: "Reading the metrics of {api} takes almost too long",
        description: "A scrape of {api} takes {value} of the time after which it is given up; the threshold is {threshold}. A scrape that is given up counts as a target that is down.",
    },
    AlertDef {
        name: "ApiScrapeNearLimit",
        family: AlertFamily::Scrape,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::ScrapeCost, Signal::SampleLimit],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Ratio,
            default: Decimal::hundredths(80),
            build: samples_near_limit,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ScrapeSamples,
        summary: "{api} exports almost more series than a scrape may have",
        description: "A target of {api} exports {value} of the samples that a scrape may have; the threshold is {threshold}. Above the limit the whole scrape fails.",
    },
    AlertDef {
        name: "ApiCardinalityHigh",
        family: AlertFamily::Scrape,
        severity: Severity::Warning,
        sources: &[],
        signals: &[Signal::ScrapeCost],
        condition: AlertCondition::Threshold {
            unit: ThresholdUnit::Count,
            default: Decimal::whole(10_000),
            build: samples_above,
        },
        for_: DEFAULT_FOR,
        panel: PanelId::ScrapeSamples,
        summary: "{api} exports very many series",
        description: "A target of {api} exports {value} samples; the threshold is {threshold}.",
    },
];

/// Prometheus knows targets and none of them is up, while pods are ready. The value is the number of ready pods.
fn scrape_failing(queries: &ApiQueries<'_>) -> QueryResult {
    let ready = queries.replicas_ready().where_above(0);
    Ok(ready.and(queries.targets_up()?.where_equal(0)))
}

fn scrape_seconds_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.scrape_timeout_ratio()?.where_above(threshold))
}

fn samples_near_limit(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.sample_limit_ratio()?.where_above(threshold))
}

fn samples_above(queries: &ApiQueries<'_>, threshold: Decimal) -> QueryResult {
    Ok(queries.scrape_samples()?.where_above(threshold))
}
