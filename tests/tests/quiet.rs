//! The operator writes nothing for a hundred MonitoredApis that are Ready: neither while nothing happens nor after a
//! restart. `STEADY_SECONDS` sets the length of each window; the acceptance criterion is 300.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use integration_tests::{
    audit::{AuditLog, Entry, Mark},
    eventually,
    install::{Installed, OPERATOR_USER, prometheus_operator_crds},
    kubernetes::{Kubernetes, MONITORED_APIS, monitored_api, says},
    operator::Operator,
};
use metric_contract::platform;
use serde_json::{Value, json};
use testbed::Testbed;

const APIS: usize = 100;
const NAMESPACES: usize = 10;
/// How long nothing may be written after a restart; the acceptance criterion is one minute.
const AFTER_RESTART: Duration = Duration::from_secs(60);

/// How long nothing may be written while nothing happens. The acceptance criterion is five minutes; the gate takes less, to
/// save time.
fn steady() -> Duration {
    let seconds = std::env::var("STEADY_SECONDS").map_or(60, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

fn spec(index: usize) -> Value {
    let metrics = if index.is_multiple_of(5) {
        json!({"port": 9090})
    } else {
        Value::Null
    };
    json!({"image": "example.org/orders:1", "preset": "native", "replicas": 1 + index % 2, "metrics": metrics})
}

fn create_all(api: &Kubernetes) {
    for namespace in 0..NAMESPACES {
        api.create_namespace(&format!("quiet-{namespace}")).unwrap();
    }
    for index in 0..APIS {
        let object = monitored_api(&format!("api-{index}"), &spec(index));
        api.create(
            &MONITORED_APIS.within(&format!("quiet-{}", index % NAMESPACES)),
            &object,
        )
        .unwrap();
    }
}

fn wait_all_ready(api: &Kubernetes) {
    eventually("all MonitoredApis to be Ready", Duration::from_secs(180), || {
        let all = api.list(&MONITORED_APIS.everywhere(), "")?;
        let not_ready: Vec<_> = all
            .iter()
            .filter_map(|object| says(object, "Ready", "True").err())
            .collect();
        let first = not_ready.first().cloned().unwrap_or_default();
        Ok(if not_ready.is_empty() {
            Ok(())
        } else {
            Err(format!("{} are not Ready, one of them is {first}", not_ready.len()))
        })
    })
    .unwrap();
}

/// The operator's writes since `mark`, without those of the Lease, which is renewed all the time.
fn writes(audit: &AuditLog, mark: Mark) -> Vec<Entry> {
    let entries = audit.since(mark, OPERATOR_USER).unwrap();
    entries
        .into_iter()
        .filter(|entry| entry.is_write() && entry.resource != "leases")
        .collect()
}

/// Observes the audit log for `window` and fails at the first write.
fn assert_quiet(what: &str, audit: &AuditLog, mark: Mark, window: Duration) {
    let started = Instant::now();
    while started.elapsed() < window {
        std::thread::sleep(Duration::from_secs(1));
        let writes: Vec<_> = writes(audit, mark).iter().map(Entry::show).collect();
        assert!(
            writes.is_empty(),
            "{what}, after {} s: {writes:#?}",
            started.elapsed().as_secs()
        );
    }
    let mut reads: BTreeMap<String, usize> = BTreeMap::new();
    for entry in audit.since(mark, OPERATOR_USER).unwrap() {
        *reads.entry(format!("{} {}", entry.verb, entry.resource)).or_default() += 1;
    }
    println!("{what}: no write in {} s; requests: {reads:?}", window.as_secs());
}

#[test]
fn a_hundred_ready_resources_cause_no_write_while_idle_or_after_a_restart() {
    let bed = Testbed::builder("quiet").start().unwrap();
    bed.start_kwok(4).unwrap();
    prometheus_operator_crds(&bed).unwrap();
    let installed = Installed::into(&bed).unwrap();
    let api = Kubernetes::connect(&bed.kubeconfig()).unwrap();
    let audit = AuditLog::of(&bed);
    let kubeconfig = installed.operator_kubeconfig(None).unwrap();
    // With leader election, as the chart installs it, so that the rights on the Lease are tested too.
    let start = || Operator::start(&kubeconfig, &installed.operator_log(), &[]).unwrap();

    let begin = audit.mark().unwrap();
    let mut operator = start();
    operator.wait_ready().unwrap();
    let created = Instant::now();
    create_all(&api);
    wait_all_ready(&api);
    println!("{APIS} Ready after {:.1} s", created.elapsed().as_secs_f64());
    // A change of status is written up to a second later.
    eventually("the operator to stop writing", Duration::from_secs(60), || {
        let before = writes(&audit, begin).len();
        std::thread::sleep(Duration::from_secs(5));
        let now = writes(&audit, begin).len();
        Ok(if now == before {
            Ok(())
        } else {
            Err(format!("{} writes in 5 s", now - before))
        })
    })
    .unwrap();
    println!("writes until then: {}", writes(&audit, begin).len());
    let refused: Vec<_> = audit
        .since(begin, OPERATOR_USER)
        .unwrap()
        .iter()
        .filter(|entry| entry.code == 403)
        .map(Entry::show)
        .collect();
    assert!(refused.is_empty(), "the generated RBAC lacks rights: {refused:#?}");

    let cpu = operator.metric(platform::PROCESS_CPU.name).unwrap().unwrap_or_default();
    assert_quiet("steady", &audit, audit.mark().unwrap(), steady());
    let used = operator.metric(platform::PROCESS_CPU.name).unwrap().unwrap_or_default() - cpu;
    println!("steady: {used:.2} s of processor time");

    let mark = audit.mark().unwrap();
    assert!(operator.stop().unwrap().success());
    let mut operator = start();
    operator.wait_ready().unwrap();
    assert_quiet("after a restart", &audit, mark, AFTER_RESTART);
    // The operator still works: it applies a change.
    api.merge(
        &MONITORED_APIS.object("quiet-1", "api-1"),
        &json!({"spec": {"port": 8001}}),
    )
    .unwrap();
    wait_all_ready(&api);
    assert!(!writes(&audit, mark).is_empty());
    assert!(operator.stop().unwrap().success());
}
