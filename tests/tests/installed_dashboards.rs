//! The dashboards of the whole installation have data: a real Prometheus scrapes a real operator and the reference API, and
//! evaluates the rules that the operator made for that API.
#![expect(clippy::print_stdout, reason = "a test may panic, and prints its figures")]

use std::{fs, time::Duration};

use controller_rules::{InstalledDashboard, build_installed_dashboard};
use integration_tests::{
    Traffic,
    api::Process,
    eventually,
    install::{Installed, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, monitored_api},
    operator::Operator,
    panels,
    prometheus::Prometheus,
    prometheus_server::{PrometheusServer, Start, Target},
};
use serde_json::json;
use testbed::Testbed;

const TARGET: Target = Target {
    namespace: "shop",
    name: "orders",
};
const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
const PATIENCE: Duration = Duration::from_secs(2 * 60);

#[test]
fn every_panel_of_the_dashboards_of_the_installation_has_data() {
    let bed = Testbed::builder("installed-dashboards").start().unwrap();
    bed.start_kwok(1).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[]).unwrap();
    operator.wait_ready().unwrap();
    let kubernetes = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    kubernetes.create_namespace(TARGET.namespace).unwrap();
    let spec = json!({"image": "example.org/orders:1", "preset": "native"});
    kubernetes
        .create(
            &MONITORED_APIS.within(TARGET.namespace),
            &monitored_api(TARGET.name, &spec),
        )
        .unwrap();
    let rule = eventually("the rules of the API", PATIENCE, || {
        let rule = kubernetes.get(&PROMETHEUS_RULES.object(TARGET.namespace, TARGET.name))?;
        Ok(rule.ok_or_else(|| "there are none".to_owned()))
    })
    .unwrap();

    let api = Process::start_with("sqlite::memory:", &[("METRICS_COLLECTION_INTERVAL", "1s")]).unwrap();
    let base = format!("http://{}", api.address);
    let _traffic = Traffic::start(vec![format!("{base}/"), format!("{base}/api/error")], 10);
    let folder = tempfile::tempdir().unwrap();
    let server = PrometheusServer::start(Start {
        folder: folder.path(),
        target: TARGET,
        scraped: Some(api.address.port()),
        others: &[],
        retention: "1d",
    })
    .unwrap();
    server.wait_ready().unwrap();
    let config = folder.path().join("prometheus.yml");
    let with_operator = fs::read_to_string(&config).unwrap()
        + &format!(
            "- job_name: operator\n  honor_labels: true\n  static_configs:\n  - targets: [\"{}\"]\n    \
             labels: {{namespace: ops, job: monitored-api, pod: monitored-api-0}}\n",
            operator.listen()
        );
    fs::write(&config, with_operator).unwrap();
    server.load(&rule, rule.pointer("/spec").unwrap()).unwrap();

    let prometheus = Prometheus { url: server.url() };
    // Nothing fires or fails here, and without the address of a Prometheus the operator knows of no API that it is monitored.
    let quiet: [(InstalledDashboard, &[&str]); 2] = [
        (InstalledDashboard::Apis, &["Monitored", "ALERTS{"]),
        (
            InstalledDashboard::Operator,
            &["Alerts firing", "Errors by class", "Watch failures"],
        ),
    ];
    for (dashboard, quiet) in quiet {
        let namespace = match dashboard {
            InstalledDashboard::Apis => ".*",
            InstalledDashboard::Operator => "ops",
        };
        let variables = [("namespace", namespace), ("job", "monitored-api")];
        let built = serde_json::to_value(build_installed_dashboard(dashboard)).unwrap();
        panels::wait_for_data(&prometheus, &built, &variables, quiet, PATIENCE).unwrap();
        for value in panels::values(&prometheus, &built, &variables).unwrap() {
            println!("{}: {} series, first {:?}", value.title, value.series, value.first);
        }
    }
    assert!(operator.stop().unwrap().success());
}
