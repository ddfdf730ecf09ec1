//! What a Prometheus says about the MonitoredApis: its answers, read within bounds, and what follows for each of them.
//!
//! Every answer is foreign text: from it come counts, classes and names that were checked, and nothing else.

pub mod answer;
mod ask_error;
mod asked;
mod bounded_reader;
mod damping;
mod finding;
mod objective;
mod overall;
mod proxied;
pub mod queries;
mod scrape_finding;

pub use ask_error::AskError;
pub use asked::Answer;
pub use bounded_reader::BoundedReader;
pub use damping::Damped;
pub use finding::{Finding, Reading, RulesFinding, Subscription, find};
pub use objective::{ObjectiveFigures, ObjectiveReading, ObjectiveRows, WindowFigures, objective_rows};
pub use overall::{OverallEvidence, OverallUse};
pub use proxied::{ProxiedReading, ProxiedRequests, labels_of};
pub use scrape_finding::{JobKey, NearLabel, ScrapeFinding};

use crate::{facts::PrometheusSelectors, validate::syntax::is_dns_label};

/// Name of the Service that Prometheus Operator makes in front of every Prometheus that names none.
const OPERATED: &str = "prometheus-operated";

/// Where a Prometheus answers inside the cluster, without a slash at the end. `None`: its fields give no address.
///
/// Whoever may create a Prometheus in a namespace writes these fields, so they may only name a Service of that namespace, and
/// never another host.
#[must_use]
pub fn address_of(prometheus: &PrometheusSelectors) -> Option<String> {
    let service = prometheus.service_name.as_deref().unwrap_or(OPERATED);
    if !is_dns_label(service) {
        return None;
    }
    let prefix = prometheus.route_prefix.as_deref().unwrap_or("/");
    let address = format!(
        "http://{service}.{}.svc:9090/{}",
        prometheus.namespace,
        prefix.trim_matches('/')
    );
    let address = address.trim_end_matches('/').to_owned();
    is_address(&address).then_some(address)
}

/// Checks the address of a Prometheus that an administrator gives.
///
/// # Errors
///
/// A sentence that says what is wrong with it and what to write instead.
pub fn check_address(url: &str) -> Result<(), String> {
    if is_address(url) {
        return Ok(());
    }
    Err(format!(
        "{url:?} is not a valid address of a Prometheus: use http:// or https://, a host, and no user, query, spaces or \
         quotes, for example http://prometheus-operated.monitoring.svc:9090"
    ))
}

fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !host.starts_with(':') && rest.len() <= 512 && rest.bytes().all(allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_follows_from_the_object() {
        let prometheus = |service: Option<&str>, prefix: Option<&str>| PrometheusSelectors {
            namespace: "monitoring".to_owned(),
            service_name: service.map(str::to_owned),
            route_prefix: prefix.map(str::to_owned),
            ..PrometheusSelectors::default()
        };
        let cases = [
            (None, None, Some("http://prometheus-operated.monitoring.svc:9090")),
            (None, Some("/"), Some("http://prometheus-operated.monitoring.svc:9090")),
            (
                Some("mine"),
                Some("/prom/"),
                Some("http://mine.monitoring.svc:9090/prom"),
            ),
            (Some("evil.example/?"), None, None),
            (Some("evil.example/"), None, None),
            (Some("169.254.169.254:80/latest"), None, None),
            (Some("other.kube-system.svc:443/"), None, None),
            (Some("a@b"), None, None),
        ];
        for (service, prefix, expected) in cases {
            assert_eq!(address_of(&prometheus(service, prefix)).as_deref(), expected);
        }
    }

    #[test]
    fn an_address_that_can_not_be_used_is_refused() {
        for good in ["http://p:9090", "https://p.example/prom", "http://[::1]:9090"] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "p:9090",
            "ftp://p",
            "http://",
            "http://:9090",
            "http://u:p@host",
            "http://p/?a=b",
            "http://a b",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }
}
