//! The operator's writes, as the API server's audit log records them: no write is needless, none is repeated, and none
//! follows a restart.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use integration_tests::{
    audit::{AuditLog, Entry, Mark},
    eventually,
    install::{Installed, OPERATOR, OPERATOR_USER, operator_bed},
    kubernetes::{DEPLOYMENTS, IMAGE, Kubernetes, MONITORED_APIS, Resource, SERVICES, monitored_api, says},
    operator::Operator,
};
use metric_contract::platform;
use serde_json::{Value, json};
use testbed::{Signal, Testbed};

const LEASES: Resource = Resource::new("coordination.k8s.io", "v1", "leases");
const PATIENCE: Duration = Duration::from_secs(90);
/// How long no write may happen until the operator counts as idle: longer than every delay of the operator.
const REST: Duration = Duration::from_secs(8);

struct Bed {
    bed: Testbed,
    installed: Installed,
    audit: AuditLog,
}

static BED: LazyLock<Mutex<Bed>> = LazyLock::new(|| {
    let (bed, installed, audit) = operator_bed("operator-restart").expect("start a test bed for the operator");
    Mutex::new(Bed { bed, installed, audit })
});

/// Gives the test bed to one test at a time, because each counts the writes of the one operator.
fn lock_bed() -> MutexGuard<'static, Bed> {
    BED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bed {
    fn connect(&self) -> Kubernetes {
        Kubernetes::connect(&self.bed.kubeconfig()).unwrap()
    }

    fn operator(&self) -> Operator {
        let mut operator = self.started();
        operator.wait_ready().unwrap();
        operator
    }

    fn started(&self) -> Operator {
        let kubeconfig = self.installed.operator_kubeconfig(None).unwrap();
        Operator::start(&kubeconfig, &self.installed.operator_log(), &[]).unwrap()
    }

    /// Starts an operator and waits until it leads, which a second one does once the first is gone.
    fn leader(&self) -> Operator {
        let operator = self.operator();
        operator.wait_until_leader().unwrap();
        operator
    }

    /// The operator's writes since `mark`, without those of the Lease.
    fn writes(&self, mark: Mark) -> Vec<Entry> {
        let mut entries = self.audit.since(mark, OPERATOR_USER).unwrap();
        entries.retain(|entry| entry.is_write() && entry.resource != "leases");
        entries
    }

    /// Waits until the operator has written nothing for a while.
    fn rest(&self) {
        loop {
            let mark = self.audit.mark().unwrap();
            std::thread::sleep(REST);
            if self.writes(mark).is_empty() {
                return;
            }
        }
    }
}

fn show(writes: &[Entry]) -> String {
    writes.iter().map(Entry::show).collect::<Vec<_>>().join("\n")
}

fn create(api: &Kubernetes, namespace: &str, names: &[&str], spec: &Value) {
    if api.get(&format!("/api/v1/namespaces/{namespace}")).unwrap().is_none() {
        api.create_namespace(namespace).unwrap();
    }
    for name in names {
        api.create(&MONITORED_APIS.within(namespace), &monitored_api(name, spec))
            .unwrap();
    }
}

fn wait_applied(api: &Kubernetes, namespace: &str, names: &[&str]) {
    for name in names {
        let path = MONITORED_APIS.object(namespace, name);
        api.wait_for(&path, PATIENCE, |found| says(found, "ChildrenApplied", "True"))
            .unwrap();
    }
}

#[test]
fn each_child_of_a_new_api_is_written_once_and_then_nothing_is() {
    let bed = lock_bed();
    let api = bed.connect();
    let operator = bed.leader();
    let mark = bed.audit.mark().unwrap();
    create(&api, "new", &["orders"], &json!({"image": "a"}));
    wait_applied(&api, "new", &["orders"]);
    bed.rest();
    let writes = bed.writes(mark);
    let mut children = BTreeMap::<_, usize>::new();
    let (mut status, mut events) = (0, 0);
    for write in &writes {
        assert!(write.code < 300, "{}", show(&writes));
        match (write.resource.as_str(), write.subresource.as_str()) {
            ("monitoredapis", "status") => status += 1,
            ("events", _) => events += 1,
            (kind, _) => *children.entry(format!("{kind}/{}", write.name)).or_default() += 1,
        }
    }
    assert_eq!(children.len(), 6, "{children:?}");
    assert!(children.values().all(|count| *count == 1), "{children:?}");
    // Pods stay Pending in this test bed: one status is written with the children, and at most three more follow while the
    // workload changes.
    assert!((1..=4).contains(&status), "{}", show(&writes));
    assert!(events <= 2, "{}", show(&writes));
    let mark = bed.audit.mark().unwrap();
    std::thread::sleep(Duration::from_secs(20));
    assert_eq!(show(&bed.writes(mark)), "");
    assert!(operator.stop().unwrap().success());
}

#[test]
fn a_restart_writes_nothing_and_what_changed_meanwhile_is_repaired() {
    let bed = lock_bed();
    let api = bed.connect();
    let names = ["one", "two", "three"];
    let operator = bed.leader();
    create(&api, "restart", &names, &json!({"image": "example.org/a:1"}));
    wait_applied(&api, "restart", &names);
    bed.rest();
    operator.kill().unwrap();

    let mark = bed.audit.mark().unwrap();
    let operator = bed.leader();
    bed.rest();
    assert_eq!(show(&bed.writes(mark)), "");
    assert!(operator.stop().unwrap().success());

    // While no operator runs: a field of ours is changed, a child deleted, a spec edited, a MonitoredApi deleted.
    let service = SERVICES.object("restart", "one");
    api.merge(
        &service,
        &json!({"spec": {"selector": {"monitoredapi.io/name": "evil"}}}),
    )
    .unwrap();
    api.delete(&SERVICES.object("restart", "two")).unwrap();
    let edit = json!({"spec": {"image": "example.org/a:2"}});
    api.merge(&MONITORED_APIS.object("restart", "two"), &edit).unwrap();
    api.delete(&MONITORED_APIS.object("restart", "three")).unwrap();
    let operator = bed.leader();
    let selected = "/spec/selector/monitoredapi.io~1name";
    api.wait_field(&service, selected, &json!("one"), PATIENCE).unwrap();
    api.wait_for(&SERVICES.object("restart", "two"), PATIENCE, |_| Ok(()))
        .unwrap();
    api.wait_field(
        &DEPLOYMENTS.object("restart", "two"),
        IMAGE,
        &json!("example.org/a:2"),
        PATIENCE,
    )
    .unwrap();
    api.wait_gone(&DEPLOYMENTS.object("restart", "three"), PATIENCE)
        .unwrap();
    assert!(operator.stop().unwrap().success());
}

#[test]
fn a_lost_write_record_costs_no_write_to_children_that_are_as_wanted() {
    let bed = lock_bed();
    let api = bed.connect();
    let operator = bed.leader();
    create(&api, "lost", &["orders"], &json!({"image": "a"}));
    wait_applied(&api, "lost", &["orders"]);
    bed.rest();
    let mark = bed.audit.mark().unwrap();
    // Restored without its status, as a backup tool does it.
    let path = MONITORED_APIS.object("lost", "orders");
    let lost = json!({"status": {"children": null, "conditions": null}});
    api.merge(&format!("{path}/status"), &lost).unwrap();
    wait_applied(&api, "lost", &["orders"]);
    bed.rest();
    let mut writes = bed.writes(mark);
    writes.retain(|write| write.resource != "monitoredapis" && write.resource != "events");
    assert_eq!(show(&writes), "");
    assert!(operator.stop().unwrap().success());
}

#[test]
fn of_two_operators_one_works_and_the_other_takes_over_at_once_when_it_stops() {
    let bed = lock_bed();
    let api = bed.connect();
    let first = bed.leader();
    let second = bed.operator();
    assert_eq!(second.metric(platform::LEADER.name).unwrap(), Some(0.0));
    create(&api, "two", &["orders"], &json!({"image": "a"}));
    wait_applied(&api, "two", &["orders"]);
    // Only the leader exports series of single MonitoredApis; otherwise sums over both operators would be twice too high.
    assert_eq!(second.metric(platform::INFO.name).unwrap(), None);
    bed.rest();
    let mark = bed.audit.mark().unwrap();
    let stopping = Instant::now();
    assert!(first.stop().unwrap().success());
    assert!(stopping.elapsed() < Duration::from_secs(5), "{:?}", stopping.elapsed());
    let waiting = Instant::now();
    second.wait_until_leader().unwrap();
    assert!(waiting.elapsed() < Duration::from_secs(5), "{:?}", waiting.elapsed());
    bed.rest();
    assert_eq!(show(&bed.writes(mark)), "");
    assert!(second.metric(platform::INFO.name).unwrap().is_some());
    assert!(second.stop().unwrap().success());
    // The last operator released the Lease.
    let lease = api.get(&LEASES.object(OPERATOR, OPERATOR)).unwrap().unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], json!(""));
}

#[test]
fn a_standby_takes_over_from_a_killed_leader_when_its_lease_is_over_and_not_before() {
    let bed = lock_bed();
    let api = bed.connect();
    let leader = bed.leader();
    let standby = bed.operator();
    create(&api, "standby", &["orders"], &json!({"image": "example.org/a:1"}));
    wait_applied(&api, "standby", &["orders"]);
    bed.rest();
    let mark = bed.audit.mark().unwrap();
    leader.kill().unwrap();
    let killed = Instant::now();
    // No operator leads now, so this edit has to wait.
    api.merge(
        &MONITORED_APIS.object("standby", "orders"),
        &json!({"spec": {"image": "example.org/a:2"}}),
    )
    .unwrap();
    standby.wait_until_leader().unwrap();
    let took = killed.elapsed();
    println!("a standby led {:.1} s after the leader was killed", took.as_secs_f64());
    // The Lease lasts 15 s, and the killed operator may have renewed it some seconds before.
    assert!(took > Duration::from_secs(8), "{took:?}");
    wait_applied(&api, "standby", &["orders"]);
    bed.rest();
    let mut writes = bed.writes(mark);
    writes.retain(|write| write.resource != "monitoredapis" && write.resource != "events");
    assert_eq!(writes.len(), 1, "{}", show(&writes));
    assert_eq!((writes[0].resource.as_str(), writes[0].code), ("deployments", 200));
    assert!(standby.stop().unwrap().success());
}

#[test]
fn an_operator_that_loses_its_lease_ends_and_says_why() {
    let bed = lock_bed();
    let api = bed.connect();
    let mut operator = bed.leader();
    let usurper = json!({"spec": {"holderIdentity": "somebody-else", "renewTime": "2026-01-01T00:00:00.000000Z"}});
    api.merge(&LEASES.object(OPERATOR, OPERATOR), &usurper).unwrap();
    eventually("the operator to end", Duration::from_secs(20), || {
        Ok(if operator.is_running()? {
            Err("it runs".to_owned())
        } else {
            Ok(())
        })
    })
    .unwrap();
    assert!(
        operator.log_tail().contains("leadership lost"),
        "{}",
        operator.log_tail()
    );
    // So that the next test need not wait for the Lease to expire.
    api.delete(&LEASES.object(OPERATOR, OPERATOR)).unwrap();
}

#[test]
fn many_apis_at_once_are_all_applied_and_the_operator_stays_small() {
    let bed = lock_bed();
    let api = bed.connect();
    let operator = bed.leader();
    let names: Vec<String> = (0..60).map(|index| format!("api-{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    create(&api, "many", &names, &json!({"image": "a", "replicas": 0}));
    wait_applied(&api, "many", &names);
    let panics = operator.metric(platform::RECONCILE_PANICS.name).unwrap();
    assert_eq!(panics.unwrap_or(0.0), 0.0);
    let memory = operator.metric(platform::PROCESS_MEMORY.name).unwrap().unwrap();
    assert!(memory < 96e6, "{memory} bytes");
    assert!(operator.stop().unwrap().success());
}

#[test]
fn an_outage_of_the_api_server_ends_no_operator_and_it_goes_on_afterwards() {
    let bed = lock_bed();
    let api = bed.connect();
    let mut operator = bed.leader();
    create(&api, "outage", &["orders"], &json!({"image": "example.org/a:1"}));
    wait_applied(&api, "outage", &["orders"]);
    bed.rest();
    let mark = bed.audit.mark().unwrap();
    // The API server is frozen for longer than a Lease lasts: connections stay open and get no answer.
    bed.bed.signal("kube-apiserver", Signal::STOP).unwrap();
    std::thread::sleep(Duration::from_secs(25));
    assert!(operator.is_running().unwrap(), "{}", operator.log_tail());
    assert_eq!(operator.metric(platform::LEADER.name).unwrap(), Some(0.0));
    bed.bed.signal("kube-apiserver", Signal::CONT).unwrap();
    operator.wait_until_leader().unwrap();
    let path = MONITORED_APIS.object("outage", "orders");
    api.merge(&path, &json!({"spec": {"image": "example.org/a:2"}}))
        .unwrap();
    api.wait_field(
        &DEPLOYMENTS.object("outage", "orders"),
        IMAGE,
        &json!("example.org/a:2"),
        PATIENCE,
    )
    .unwrap();
    bed.rest();
    let mut writes = bed.writes(mark);
    writes.retain(|write| write.resource != "monitoredapis" && write.resource != "events");
    assert_eq!(writes.len(), 1, "{}", show(&writes));
    assert!(operator.stop().unwrap().success());
}
