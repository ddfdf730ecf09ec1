//! Rules of the dialect native read the series of routes, which each page of it has, and what its targets count over all
//! routes once a real Prometheus proves that every one of them does: one write, kept over a restart, and taken back when a
//! target lacks it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test may panic, prints its figures, and a JSON value indexed by key gives null"
)]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use integration_tests::{
    api::Process,
    audit::{AuditLog, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, Resource, monitored_api, says},
    operator::Operator,
    prometheus_server::{PrometheusServer, Start, Target},
};
use serde_json::{Value, json};
use testbed::Testbed;

const NAMESPACE: &str = "shop";
/// The targets of this one count over all routes.
const ORDERS: Target = Target {
    namespace: NAMESPACE,
    name: "orders",
};
/// The page of this one has exactly the families of the contract.
const CARTS: Target = Target {
    namespace: NAMESPACE,
    name: "carts",
};
const PROMETHEUS_RULES: Resource = Resource::new("monitoring.coreos.com", "v1", "prometheusrules");
const CONFIG_MAPS: Resource = Resource::new("", "v1", "configmaps");
/// Three answers in two minutes, and the reload of a loaded machine.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// In this time each question was asked again.
const A_ROUND: Duration = Duration::from_secs(70);

/// The reference API's page, which can be served as a build without metrics over all routes would.
struct Page {
    port: u16,
    by_route_only: Arc<AtomicBool>,
}

impl Page {
    /// The thread ends with the test.
    fn of(app: &Process, by_route_only: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://{}/metrics", app.address);
        let by_route_only = Arc::new(AtomicBool::new(by_route_only));
        let shorten = Arc::clone(&by_route_only);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let page = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
                let keeps = |line: &&str| !shorten.load(Ordering::Relaxed) || !line.contains("_overall");
                let page: String = page.lines().filter(keeps).flat_map(|line| [line, "\n"]).collect();
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                    page.len()
                );
                // A scrape that was given up is made again.
                let _ = stream.write_all(format!("{head}{page}").as_bytes());
            }
        });
        Self { port, by_route_only }
    }
}

/// Of the rules and of the dashboard of an API, whether each reads what is counted over all routes.
fn reads_overall(api: &Kubernetes, name: &str) -> (bool, bool) {
    let rule = api.get(&PROMETHEUS_RULES.object(NAMESPACE, name)).unwrap().unwrap();
    let dashboard = CONFIG_MAPS.object(NAMESPACE, &format!("{name}-dashboard"));
    let dashboard = api.get(&dashboard).unwrap().unwrap();
    let reads = |object: &Value, field: &str| object[field].to_string().contains("_overall");
    (reads(&rule, "spec"), reads(&dashboard, "data"))
}

/// Waits until an API's rules read what is counted over all routes, or do not any more.
fn wait_until_overall(api: &Kubernetes, name: &str, wanted: bool) {
    let started = Instant::now();
    eventually(&format!("{name} over all routes: {wanted}"), PATIENCE, || {
        let object = api.get(&MONITORED_APIS.object(NAMESPACE, name))?.unwrap();
        let shown = object["status"]["metrics"]["overall"] == true;
        Ok(if shown == wanted {
            Ok(())
        } else {
            Err(format!("{}", object["status"]["metrics"]))
        })
    })
    .unwrap();
    assert_eq!(reads_overall(api, name), (wanted, wanted));
    println!(
        "{name} over all routes: {wanted} after {:.0} s",
        started.elapsed().as_secs_f64()
    );
}

/// Writes of an API's rules and of its dashboard since `mark`.
fn writes(audit: &AuditLog, mark: Mark, name: &str) -> (usize, usize) {
    let entries = audit.since(mark, OPERATOR_USER).unwrap();
    let of = |resource: &str, name: &str| {
        let ours = entries
            .iter()
            .filter(|entry| entry.is_write() && entry.resource == resource);
        ours.filter(|entry| entry.name == name).count()
    };
    (
        of("prometheusrules", name),
        of("configmaps", &format!("{name}-dashboard")),
    )
}

/// Every write of the operator since `mark`, without those of the Lease.
fn all_writes(audit: &AuditLog, mark: Mark) -> Vec<String> {
    let entries = audit.since(mark, OPERATOR_USER).unwrap();
    let writes = entries
        .iter()
        .filter(|entry| entry.is_write() && entry.resource != "leases");
    writes.map(|entry| entry.show()).collect()
}

fn create(api: &Kubernetes, target: Target) {
    let spec = json!({"image": "example.org/api:1", "preset": "native"});
    let object = monitored_api(target.name, &spec);
    api.create(&MONITORED_APIS.within(NAMESPACE), &object).unwrap();
    let rule = PROMETHEUS_RULES.object(NAMESPACE, target.name);
    api.wait_for(&rule, PATIENCE, |_| Ok(())).unwrap();
    let dashboard = CONFIG_MAPS.object(NAMESPACE, &format!("{}-dashboard", target.name));
    api.wait_for(&dashboard, PATIENCE, |_| Ok(())).unwrap();
}

/// Loads the rules of orders as they are now, and waits until the status says that all of them are evaluated.
fn load_rules(api: &Kubernetes, prometheus: &PrometheusServer) {
    let rule = api
        .get(&PROMETHEUS_RULES.object(NAMESPACE, ORDERS.name))
        .unwrap()
        .unwrap();
    prometheus.load(&rule, &rule["spec"]).unwrap();
    eventually("the rules to be evaluated", PATIENCE, || {
        let object = api.get(&MONITORED_APIS.object(NAMESPACE, ORDERS.name))?.unwrap();
        Ok(says(&object, "RulesHealthy", "True"))
    })
    .unwrap();
}

#[test]
fn rules_change_once_where_every_target_counts_over_all_routes_and_back_where_one_lacks_it() {
    let app = Process::start_with("sqlite::memory:", &[]).unwrap();
    let (orders, carts) = (Page::of(&app, false), Page::of(&app, true));
    let folder = tempfile::tempdir().unwrap();
    let prometheus = PrometheusServer::start(Start {
        folder: folder.path(),
        target: ORDERS,
        scraped: Some(orders.port),
        others: &[(CARTS, carts.port)],
        retention: "15d",
    })
    .unwrap();
    let bed = Testbed::builder("overall").start().unwrap();
    bed.start_kwok(1).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    let audit = AuditLog::of(&bed);
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    let url = format!("--prometheus-url={}", prometheus.url());
    let start = || {
        let mut operator = Operator::start(&kubeconfig, &installed.operator_log(), &[&url]).unwrap();
        operator.wait_ready().unwrap();
        operator
    };
    let operator = start();
    api.create_namespace(NAMESPACE).unwrap();
    create(&api, ORDERS);
    create(&api, CARTS);
    assert_eq!(reads_overall(&api, "orders"), (false, false), "nothing is known yet");

    wait_until_overall(&api, "orders", true);
    load_rules(&api, &prometheus);
    assert_eq!(
        writes(&audit, Mark::BEGIN, "orders"),
        (2, 2),
        "created, and changed once"
    );
    assert_eq!(writes(&audit, Mark::BEGIN, "carts"), (1, 1), "created");
    wait_until_overall(&api, "carts", false);

    assert!(operator.stop().unwrap().success());
    let operator = start();
    let mark = audit.mark().unwrap();
    thread::sleep(A_ROUND);
    assert_eq!(
        all_writes(&audit, mark),
        Vec::<String>::new(),
        "a restart writes nothing"
    );
    wait_until_overall(&api, "orders", true);

    // A rollout to an older build.
    orders.by_route_only.store(true, Ordering::Relaxed);
    wait_until_overall(&api, "orders", false);
    assert_eq!(writes(&audit, mark, "orders"), (1, 1));
    assert_eq!(writes(&audit, mark, "carts"), (0, 0));
    assert!(operator.stop().unwrap().success());
}
