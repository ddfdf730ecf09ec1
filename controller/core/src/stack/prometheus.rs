//! The configuration of Prometheus.

use std::collections::BTreeMap;

use controller_rules::promql::PromDuration;
use metric_contract::labels::{JOB, NAMESPACE};
use serde::Serialize;

use super::{Layout, StackApi};
use crate::valid::Metrics;

/// A configuration of Prometheus. Serializes as `prometheus.yml`.
#[derive(Debug, Serialize)]
pub struct PrometheusConfig<'a> {
    global: Global,
    rule_files: [&'a str; 1],
    alerting: Alerting<'a>,
    scrape_configs: Vec<ScrapeConfig<'a>>,
}

#[derive(Debug, Serialize)]
struct Global {
    evaluation_interval: PromDuration,
}

#[derive(Debug, Serialize)]
struct Alerting<'a> {
    alertmanagers: [StaticTargets<'a>; 1],
}

#[derive(Debug, Serialize)]
struct StaticTargets<'a> {
    static_configs: [StaticConfig<'a>; 1],
}

#[derive(Debug, Serialize)]
struct StaticConfig<'a> {
    targets: Vec<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'static str, &'a str>,
}

#[derive(Debug, Serialize)]
struct ScrapeConfig<'a> {
    job_name: String,
    #[serde(flatten)]
    limits: Option<ScrapeLimits<'a>>,
    #[serde(flatten)]
    found: StaticTargets<'a>,
}

/// As the ServiceMonitor of the same MonitoredApi has them.
#[derive(Debug, Serialize)]
struct ScrapeLimits<'a> {
    metrics_path: &'a str,
    scrape_interval: &'a str,
    scrape_timeout: &'a str,
    sample_limit: i64,
    label_limit: i64,
    body_size_limit: &'a str,
}

/// The configuration by which these APIs are scraped, their rules evaluated and their alerts sent.
#[must_use]
pub fn config<'a>(apis: &'a [StackApi], layout: &'a Layout, evaluation_interval: PromDuration) -> PrometheusConfig<'a> {
    let of_the_stack = [
        ("prometheus", &layout.prometheus),
        ("alertmanager", &layout.alertmanager),
    ];
    let of_the_stack = of_the_stack.map(|(name, address)| ScrapeConfig {
        job_name: name.to_owned(),
        limits: None,
        found: static_targets(vec![address], BTreeMap::new()),
    });
    PrometheusConfig {
        global: Global { evaluation_interval },
        rule_files: [&layout.rules],
        alerting: Alerting {
            alertmanagers: [static_targets(vec![&layout.alertmanager], BTreeMap::new())],
        },
        scrape_configs: apis.iter().map(scrape).chain(of_the_stack).collect(),
    }
}

fn static_targets<'a>(targets: Vec<&'a str>, labels: BTreeMap<&'static str, &'a str>) -> StaticTargets<'a> {
    StaticTargets {
        static_configs: [StaticConfig { targets, labels }],
    }
}

/// The rules select by `namespace` and `job`. The label replaces the job's name, which has to be another one for each API.
fn scrape(api: &StackApi) -> ScrapeConfig<'_> {
    let Metrics {
        path,
        port: _,
        interval,
        interval_seconds: _,
        timeout,
        dialect: _,
        excluded_routes: _,
        sample_limit,
        body_size_limit,
        label_limit,
    } = api.metrics();
    let labels = BTreeMap::from([(NAMESPACE, api.namespace()), (JOB, api.name())]);
    ScrapeConfig {
        job_name: format!("{}/{}", api.namespace(), api.name()),
        limits: Some(ScrapeLimits {
            metrics_path: path,
            scrape_interval: interval,
            scrape_timeout: timeout,
            sample_limit: *sample_limit,
            label_limit: *label_limit,
            body_size_limit,
        }),
        found: static_targets(api.targets().iter().map(String::as_str).collect(), labels),
    }
}
