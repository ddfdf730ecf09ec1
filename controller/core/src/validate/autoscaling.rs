//! `spec.autoscaling`: the bounds, and the metrics by which pods are added and removed.

use controller_api::spec;
use metric_contract::{MetricId, MetricKind};

use super::workload::range;
use crate::{
    dialect_choice::DialectChoice,
    valid::{Autoscaling, RequestsTarget},
    violation::Violations,
};

/// Most pods, as for `spec.replicas`.
const MAX_REPLICAS: i64 = 10_000;
/// The CPU utilization without any target, in percent: the default of Kubernetes itself.
const DEFAULT_CPU_PERCENT: i32 = 80;
/// The field of the rate of requests.
const REQUESTS: &str = "spec.autoscaling.targetRequestsPerSecond";
/// Thousandths in one: a quantity has no finer digits.
const THOUSANDTHS: u64 = 1_000;

/// What the author wrote that concerns the autoscaler.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) autoscaling: Option<&'a spec::AutoscalingSpec>,
    pub(super) replicas: Option<i32>,
    pub(super) has_storage: bool,
    pub(super) dialect: Option<&'a DialectChoice>,
    /// Whether monitoring is on.
    pub(super) monitored: bool,
}

pub(super) fn autoscaling(given: Given<'_>, out: &mut Violations) -> Option<Autoscaling> {
    let spec::AutoscalingSpec {
        min_replicas,
        max_replicas,
        target_cpu_utilization_percentage: cpu,
        target_requests_per_second: requests,
    } = given.autoscaling?;
    if given.has_storage {
        out.add(
            "spec.autoscaling",
            "an autoscaler cannot add pods to the one that has the volume of spec.storage: remove spec.autoscaling, or keep the \
             data in a database and remove spec.storage",
        );
    }
    let min = min_replicas.unwrap_or(1);
    bounds(min, *max_replicas, out);
    if let Some(percent) = cpu {
        range(
            i64::from(*percent),
            1,
            100_000,
            "spec.autoscaling.targetCPUUtilizationPercentage",
            out,
        );
    }
    if requests.is_some() && !given.monitored {
        out.add(
            REQUESTS,
            "the rate of requests is recorded by the rules of the monitoring, which is off: use targetCPUUtilizationPercentage, or remove \
             spec.monitoring.enabled: false",
        );
    }
    Some(Autoscaling {
        min_replicas: min,
        max_replicas: *max_replicas,
        cpu_percent: cpu.or_else(|| requests.is_none().then_some(DEFAULT_CPU_PERCENT)),
        requests: requests
            .as_deref()
            .and_then(|rate| requests_target(rate, given.dialect, out)),
        ignores_replicas: given.replicas.is_some(),
    })
}

fn bounds(min: i32, max: i32, out: &mut Violations) {
    const MIN: &str = "spec.autoscaling.minReplicas";
    range(i64::from(max), 1, MAX_REPLICAS, "spec.autoscaling.maxReplicas", out);
    if min == 0 {
        out.add(
            MIN,
            "0 needs an alpha feature of Kubernetes: use at least 1, or remove spec.autoscaling and set spec.replicas: 0",
        );
    } else if min > max && max > 0 {
        out.add(
            MIN,
            format!("{min} is above maxReplicas {max}: lower it, or raise spec.autoscaling.maxReplicas"),
        );
    } else {
        range(i64::from(min), 1, MAX_REPLICAS, MIN, out);
    }
}

fn requests_target(rate: &str, dialect: Option<&DialectChoice>, out: &mut Violations) -> Option<RequestsTarget> {
    let per_second = quantity(rate);
    if per_second.is_none() {
        out.add(
            REQUESTS,
            format!(
                "{rate:?} is not a valid number of requests per second: use a number above 0 with at most three digits after the \
                 point, for example \"50\""
            ),
        );
    }
    let metric = requests_metric(dialect)
        .map_err(|why| {
            out.add(
                REQUESTS,
                format!("{why}, or use targetCPUUtilizationPercentage instead"),
            )
        })
        .ok();
    Some(RequestsTarget {
        per_second: per_second?,
        metric: metric?,
    })
}

/// The name under which prometheus-adapter's default rules offer the rate of requests of a pod: that of the counter without
/// `_total`. Of a series without this ending they make no rate but the sum of its values, which only grows, and a counter of
/// seconds loses more of its name (`charts/prometheus-adapter/templates/configmap.yaml` of prometheus-community/helm-charts).
fn requests_metric(dialect: Option<&DialectChoice>) -> Result<String, String> {
    let Some(dialect) = dialect else {
        return Err(
            "the metric that counts requests is not known while the dialect is auto: set spec.metrics.dialect, for example \
                    native"
                .to_owned(),
        );
    };
    if dialect.table().is_some_and(|id| id.proxy().is_some()) {
        return Err(format!(
            "dialect {dialect} is that of a proxy, whose counter prometheus-adapter makes no rate of a pod from: remove it"
        ));
    }
    let counter = dialect.spelling().metric(MetricId::Requests);
    counter
        .filter(|counter| counter.kind == MetricKind::Counter)
        .and_then(|counter| counter.name.strip_suffix("_total"))
        .filter(|name| !name.ends_with("_seconds"))
        .map(str::to_owned)
        .ok_or_else(|| {
            format!(
                "dialect {dialect} has no counter of requests whose name ends in _total, and of others prometheus-adapter makes \
                 no rate: remove it"
            )
        })
}

/// The number as Kubernetes writes it as a quantity, for example `500m` for 0.5 and `1k` for 1000: the API server stores it so,
/// and what is sent must equal what is stored. `None`: it is no number above 0 with at most three digits after the point.
fn quantity(number: &str) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let fraction: u64 = format!("{fraction:0<3}").parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    let mut amount = whole.checked_mul(THOUSANDTHS)?.checked_add(fraction)?;
    if amount == 0 {
        return None;
    }
    let mut units = ["m", "", "k", "M", "G"].into_iter();
    let mut unit = units.next()?;
    while amount % THOUSANDTHS == 0 {
        let Some(larger) = units.next() else { break };
        (amount, unit) = (amount / THOUSANDTHS, larger);
    }
    Some(format!("{amount}{unit}"))
}

#[cfg(test)]
mod tests {
    use metric_contract::DialectId;

    use super::*;

    #[test]
    fn a_rate_is_written_as_kubernetes_writes_quantities() {
        for (number, written) in [
            ("50", "50"),
            ("0.5", "500m"),
            ("12.50", "12500m"),
            ("0.001", "1m"),
            ("1000", "1k"),
            ("1500", "1500"),
            ("2000000", "2M"),
            ("007", "7"),
        ] {
            assert_eq!(quantity(number).as_deref(), Some(written), "{number}");
        }
        for number in [
            "",
            "0",
            "0.000",
            ".5",
            "5.",
            "-1",
            "1e3",
            "1.2345",
            "1,5",
            "99999999999999999999",
        ] {
            assert_eq!(quantity(number), None, "{number}");
        }
    }

    #[test]
    fn each_dialect_names_a_rate_of_requests_or_says_what_to_do() {
        let mut named = 0;
        for id in DialectId::ALL {
            match requests_metric(Some(&DialectChoice::Table(*id))) {
                Ok(metric) => {
                    named += 1;
                    let counter = format!("{metric}_total");
                    assert!(
                        id.spelling().metrics.iter().any(|metric| metric.name == counter),
                        "{id}"
                    );
                }
                Err(why) => assert!(why.contains(id.as_str()) && why.contains("remove it"), "{why}"),
            }
        }
        assert!((1..DialectId::ALL.len()).contains(&named), "{named}");
        let native = DialectChoice::Table(DialectId::Native);
        assert_eq!(requests_metric(Some(&native)).as_deref(), Ok("http_requests"));
        assert!(requests_metric(None).unwrap_err().contains("set spec.metrics.dialect"));
    }
}
