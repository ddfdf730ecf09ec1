//! The operator reads a real Prometheus: what it says of targets, rules and alerts reaches the status, also when it breaks,
//! and nothing is written while it stays the same.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use integration_tests::{
    audit::{AuditLog, Entry},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds, select_everything},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, condition, monitored_api, says},
    operator::Operator,
    page_server,
    prometheus::Prometheus,
    prometheus_server::{PrometheusServer, Start, Target},
};
use serde_json::json;
use testbed::Testbed;

const NAMESPACE: &str = "shop";
const TARGET: Target = Target {
    namespace: NAMESPACE,
    name: "orders",
};
const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
/// News is shown once it was the same in two rounds of half a minute; after several changes, in eight.
const PATIENCE: Duration = Duration::from_secs(6 * 60);
/// How long nothing may be written while nothing happens.
const STEADY: Duration = Duration::from_secs(65);

/// The operator's writes since `mark`, without those of the Lease.
fn writes(audit: &AuditLog, mark: integration_tests::audit::Mark) -> Vec<String> {
    let entries = audit.since(mark, OPERATOR_USER).unwrap();
    let writes = entries
        .iter()
        .filter(|entry| entry.is_write() && entry.resource != "leases");
    writes.map(Entry::show).collect()
}

/// Waits for the status of a condition, and then for a part of its reason and message.
fn wait(api: &Kubernetes, name: &str, status: &str, part: &str) {
    let started = Instant::now();
    eventually(&format!("{name}={status} with {part:?}"), PATIENCE, || {
        let object = api.get(&MONITORED_APIS.object(NAMESPACE, "orders"))?.unwrap();
        let found = says(&object, name, status);
        let (_, reason, message) = condition(&object, name).unwrap_or_default();
        let told = format!("{reason}: {message}");
        Ok(found.and_then(|()| if told.contains(part) { Ok(()) } else { Err(told) }))
    })
    .unwrap();
    println!("{name}={status} after {:.0} s", started.elapsed().as_secs_f64());
}

#[test]
fn targets_rules_and_alerts_reach_the_status_and_so_does_each_break() {
    let bed = Testbed::builder("prometheus-reader").start().unwrap();
    bed.start_kwok(1).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    let audit = AuditLog::of(&bed);
    let folder = tempfile::tempdir().unwrap();
    let start = Start {
        folder: folder.path(),
        target: TARGET,
        scraped: None,
        others: &[],
        retention: "1d",
    };
    let mut prometheus = PrometheusServer::start(start).unwrap();
    select_everything(&api).unwrap();
    let url = format!("--prometheus-url={}", prometheus.url());
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[&url]).unwrap();
    operator.wait_ready().unwrap();

    api.create_namespace(NAMESPACE).unwrap();
    let spec = json!({"image": "example.org/orders:1", "preset": "native"});
    api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api("orders", &spec))
        .unwrap();
    wait(&api, "RulesHealthy", "False", "RulesNotLoaded");
    wait(&api, "Scraped", "True", "TargetUp");
    let rule = api.get(&PROMETHEUS_RULES.object(NAMESPACE, "orders")).unwrap().unwrap();
    let rules = rule.pointer("/spec").unwrap();
    prometheus.load(&rule, rules).unwrap();
    wait(&api, "RulesHealthy", "True", "RetentionTooShort: every rule is loaded");
    wait(&api, "Monitored", "True", "");
    let path = MONITORED_APIS.object(NAMESPACE, "orders");
    api.wait_field(&path, "/status/firingAlerts", &json!(0), PATIENCE)
        .unwrap();

    let mark = audit.mark().unwrap();
    std::thread::sleep(STEADY);
    assert_eq!(writes(&audit, mark), Vec::<String>::new(), "nothing happened");

    let mut failing = rules.clone();
    // Five series match five others without a label that tells them apart.
    let broken = json!({"alert": "ApiBroken", "expr": "go_gc_duration_seconds * on () go_gc_duration_seconds"});
    let first = failing.pointer_mut("/groups/0/rules").unwrap().as_array_mut().unwrap();
    first.push(broken);
    prometheus.load(&rule, &failing).unwrap();
    wait(
        &api,
        "RulesHealthy",
        "False",
        "the rule ApiBroken fails: several series match",
    );
    wait(&api, "Monitored", "False", "RuleFails");
    prometheus.load(&rule, rules).unwrap();

    prometheus.scrape(1).unwrap();
    wait(&api, "Scraped", "False", "spec.metrics.port");
    wait(&api, "Monitored", "False", "TargetDown");
    wait(&api, "Ready", "True", "");
    prometheus.kill().unwrap();
    wait(&api, "Scraped", "Unknown", "PrometheusUnanswered");
    wait(&api, "Monitored", "Unknown", "PrometheusUnanswered");
    wait(&api, "Ready", "True", "");
    assert!(operator.stop().unwrap().success());
}

/// The page of Istio's proxies: requests, by who counts them, namespace and name of the workload.
fn istio_page(series: &[(&str, &str, &str)]) -> String {
    let mut page = "# TYPE istio_requests_total counter\n".to_owned();
    for (reporter, namespace, workload) in series {
        page.push_str(&format!(
            "istio_requests_total{{reporter=\"{reporter}\",destination_workload=\"{workload}\",\
             destination_workload_namespace=\"{namespace}\",response_code=\"200\"}} 7\n"
        ));
    }
    page
}

#[test]
fn requests_that_a_proxy_counts_of_others_are_no_proof_and_those_of_the_api_are() {
    let bed = Testbed::builder("proxy-reader").start().unwrap();
    bed.start_kwok(1).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    let audit = AuditLog::of(&bed);
    let page = Arc::new(Mutex::new(istio_page(&[])));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = Start {
        folder: folder.path(),
        target: Target {
            namespace: "istio-system",
            name: "envoy-stats-monitor",
        },
        scraped: Some(listener.local_addr().unwrap().port()),
        others: &[],
        retention: "15d",
    };
    let served = Arc::clone(&page);
    page_server::serve(listener, move || served.lock().unwrap().clone());
    let serve = |series: &[(&str, &str, &str)]| *page.lock().unwrap() = istio_page(series);
    let server = PrometheusServer::start(start).unwrap();
    select_everything(&api).unwrap();
    let url = format!("--prometheus-url={}", server.url());
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[&url]).unwrap();
    operator.wait_ready().unwrap();

    api.create_namespace(NAMESPACE).unwrap();
    let spec = json!({"image": "example.org/orders:1", "metrics": {"dialect": "istio"}});
    api.create(&MONITORED_APIS.within(NAMESPACE), &monitored_api("orders", &spec))
        .unwrap();
    wait(
        &api,
        "Scraped",
        "False",
        "ProxyNotScraped: Prometheus has no series of istio_requests_total",
    );
    let rule = api.get(&PROMETHEUS_RULES.object(NAMESPACE, "orders")).unwrap().unwrap();
    server.load(&rule, rule.pointer("/spec").unwrap()).unwrap();
    let prometheus = Prometheus { url: server.url() };
    let recorded = || {
        let rate = "namespace_job:api_requests:rate5m{namespace=\"shop\", job=\"orders\"}";
        prometheus.query(rate).unwrap().len()
    };

    let others = [
        ("destination", NAMESPACE, "orders-v2"),
        ("destination", "pay", "orders"),
        ("source", NAMESPACE, "orders"),
    ];
    serve(&others);
    let near = "(but some where destination_workload is orders-v2; and some where reporter is source)";
    wait(&api, "Scraped", "False", near);
    wait(&api, "Monitored", "False", "RequestsNotCounted");
    wait(&api, "RulesHealthy", "True", "");
    assert_eq!(recorded(), 0, "the rules see none of the others either");

    serve(&[&others[..], &[("destination", NAMESPACE, "orders")]].concat());
    wait(&api, "Scraped", "True", "RequestsCounted");
    wait(&api, "Monitored", "True", "");
    assert_eq!(recorded(), 1, "the rules see what the status says");

    // The proxy was started anew and had no request since: its series end at once.
    let mark = audit.mark().unwrap();
    serve(&others);
    std::thread::sleep(2 * STEADY);
    let gone = prometheus.query("istio_requests_total{destination_workload=\"orders\", reporter=\"destination\", destination_workload_namespace=\"shop\"}");
    assert_eq!(gone.unwrap().len(), 0);
    assert_eq!(writes(&audit, mark), Vec::<String>::new(), "an hour is not over");
    wait(&api, "Scraped", "True", "RequestsCounted");
    assert!(operator.stop().unwrap().success());
}
