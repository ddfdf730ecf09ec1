//! Faults of the API server, of the network and of a second operator, on a real API server behind a proxy that breaks.
//!
//! `cargo xtask campaign faults [TEST]` repeats the same tests more often: `FAULT_ROUNDS=n`, and `SEED=n` repeats what is drawn.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic, and prints its seed"
)]

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use integration_tests::{
    api_proxy::{ApiProxy, Moment, Seen},
    audit::AuditLog,
    install::{Installed, OPERATOR_USER, operator_bed},
    kubernetes::{DEPLOYMENTS, IMAGE, Kubernetes, MONITORED_APIS, Resource, SERVICES, condition, monitored_api, says},
    operator::Operator,
};
use metric_contract::platform;
use serde_json::{Value, json};
use testbed::{Signal, Testbed};

const CLAIMS: Resource = Resource::new("", "v1", "persistentvolumeclaims");
const EVENTS: Resource = Resource::new("events.k8s.io", "v1", "events");
/// A refusal that is believed is tried again after two minutes.
const TRIED_AGAIN_WITHIN: Duration = Duration::from_secs(30);
/// MonitoredApis at rest whose statuses must not change.
const QUIET: usize = 10;
const PATIENCE: Duration = Duration::from_secs(90);
/// The operator waits 35 s for the answer to a write; the status must say what is wrong soon after.
const TOLD_WITHIN: Duration = Duration::from_secs(60);
/// Promised for an edit after a restored etcd.
const NOTICED_WITHIN: Duration = Duration::from_secs(30);

struct Bed {
    bed: Testbed,
    installed: Installed,
    audit: AuditLog,
}

static BED: LazyLock<Mutex<Bed>> = LazyLock::new(|| {
    let (bed, installed, audit) = operator_bed("faults").expect("start a test bed for the operator");
    Mutex::new(Bed { bed, installed, audit })
});

/// The bed for one test at a time.
fn lock_bed() -> MutexGuard<'static, Bed> {
    BED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How often each fault is made.
fn rounds() -> usize {
    std::env::var("FAULT_ROUNDS").map_or(1, |rounds| rounds.parse().expect("FAULT_ROUNDS is a number"))
}

/// Random numbers of this test, by `SEED`.
fn dice() -> fastrand::Rng {
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("SEED is a number"));
    println!("SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

impl Bed {
    fn connect(&self, namespace: &str) -> Kubernetes {
        let api = Kubernetes::connect(&self.bed.kubeconfig()).unwrap();
        api.create_namespace(namespace).unwrap();
        api
    }

    fn proxy(&self) -> ApiProxy {
        ApiProxy::start(&self.installed.anonymous_kubeconfig().unwrap()).unwrap()
    }

    /// An operator that goes through the proxy, if there is one.
    fn operator(&self, proxy: Option<&ApiProxy>, args: &[&str]) -> Operator {
        let server = proxy.map(ApiProxy::url);
        let kubeconfig = self.installed.operator_kubeconfig(server.as_deref()).unwrap();
        let mut operator = Operator::start(&kubeconfig, &self.installed.operator_log(), args).unwrap();
        operator.wait_ready().unwrap();
        operator
    }

    /// An operator that works alone.
    fn alone(&self, proxy: Option<&ApiProxy>) -> Operator {
        self.operator(proxy, &["--leader-elect=false"])
    }
}

fn create(api: &Kubernetes, namespace: &str, spec: &Value) {
    api.create(&MONITORED_APIS.within(namespace), &monitored_api("orders", spec))
        .unwrap();
}

fn orders(namespace: &str) -> String {
    MONITORED_APIS.object(namespace, "orders")
}

fn wait_applied(api: &Kubernetes, namespace: &str) {
    api.wait_for(&orders(namespace), PATIENCE, |found| {
        says(found, "ChildrenApplied", "True")
    })
    .unwrap();
}

/// Edits the image and waits until the Deployment has it.
fn edit(api: &Kubernetes, namespace: &str, image: &str, patience: Duration) {
    api.merge(&orders(namespace), &json!({"spec": {"image": image}}))
        .unwrap();
    api.wait_field(&DEPLOYMENTS.object(namespace, "orders"), IMAGE, &json!(image), patience)
        .unwrap();
}

fn wait_message(api: &Kubernetes, namespace: &str, words: &str, patience: Duration) {
    api.wait_for(&orders(namespace), patience, |found| {
        let told = condition(found, "ChildrenApplied");
        match told {
            Some(("False", _, message)) if message.contains(words) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .unwrap();
}

#[test]
fn large_resources_of_one_author_keep_nobody_else_from_being_served() {
    let bed = lock_bed();
    let api = bed.connect("large");
    // Each under the 1.5 MiB that etcd takes. Kept and decoded at once, they would be some 200 MB.
    let notes: BTreeMap<String, String> = (0..64)
        .map(|index| (format!("note-{index}"), "x".repeat(16_000)))
        .collect();
    for index in 0..60 {
        let large = monitored_api(
            &format!("large-{index}"),
            &json!({"image": "a", "podAnnotations": notes}),
        );
        api.create(&MONITORED_APIS.within("large"), &large).unwrap();
    }
    create(&api, "large", &json!({"image": "a"}));
    let operator = bed.alone(None);
    wait_applied(&api, "large");
    let refused = |found: &Value| match condition(found, "Accepted") {
        Some(("False", "InvalidSpec", message)) if message.contains("use at most 128 KiB") => Ok(()),
        other => Err(format!("{other:?}")),
    };
    api.wait_for(&MONITORED_APIS.object("large", "large-59"), PATIENCE, refused)
        .unwrap();
    let memory = operator.metric(platform::PROCESS_MEMORY.name).unwrap().unwrap();
    println!("{:.0} MB with 60 resources of 1 MB", memory / 1e6);
    assert!(memory < 128e6, "{memory} bytes");
    assert!(operator.stop().unwrap().success());
    bed.bed
        .kubectl(&["-n", "large", "delete", "monitoredapis", "--all", "--wait=false"])
        .unwrap();
}

#[test]
fn no_pod_mounts_a_foreign_claim_when_looking_at_the_claim_fails_once() {
    let bed = lock_bed();
    let proxy = bed.proxy();
    let operator = bed.alone(Some(&proxy));
    for round in 0..rounds() {
        let namespace = format!("claim-{round}");
        let api = bed.connect(&namespace);
        // Without our label, so that no watch shows it.
        let foreign = json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "orders"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}},
        });
        api.create(&CLAIMS.within(&namespace), &foreign).unwrap();
        proxy.fail_once("get", CLAIMS.plural);
        create(&api, &namespace, &json!({"image": "a", "storage": {"size": "1Gi"}}));
        wait_message(&api, &namespace, "does not belong to this MonitoredApi", PATIENCE);
        let made = api.get(&DEPLOYMENTS.object(&namespace, "orders")).unwrap();
        assert!(made.is_none(), "a Deployment was made whose pods mount a foreign claim");
        let seen = proxy.log().into_iter();
        let failed =
            |seen: &Seen| seen.namespace == namespace && seen.resource == CLAIMS.plural && seen.code == Some(500);
        assert_eq!(seen.filter(failed).count(), 1, "the fault did not happen");
    }
    assert!(operator.stop().unwrap().success());
}

#[test]
fn one_refusal_is_tried_again_soon_and_told_to_nobody() {
    let bed = lock_bed();
    let proxy = bed.proxy();
    let operator = bed.alone(Some(&proxy));
    for code in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let namespace = format!("refused-{}", code.as_u16());
        let api = bed.connect(&namespace);
        create(&api, &namespace, &json!({"image": "a:1"}));
        wait_applied(&api, &namespace);
        proxy.answer_once("patch", DEPLOYMENTS.plural, code);
        edit(&api, &namespace, "a:2", TRIED_AGAIN_WITHIN);
        wait_applied(&api, &namespace);
        let seen = proxy.log().into_iter();
        let refused = |seen: &Seen| seen.namespace == namespace && seen.code == Some(code.as_u16());
        assert_eq!(seen.filter(refused).count(), 1, "the fault did not happen");
        let events = api.list(&EVENTS.within(&namespace), "").unwrap();
        let told: Vec<_> = events.iter().filter(|event| event["reason"] == "Forbidden").collect();
        assert!(told.is_empty(), "{told:?}");
    }
    assert!(operator.stop().unwrap().success());
}

#[test]
fn when_no_write_is_answered_the_status_says_so_in_time() {
    let bed = lock_bed();
    let proxy = bed.proxy();
    let operator = bed.alone(Some(&proxy));
    for round in 0..rounds() {
        let namespace = format!("held-{round}");
        let api = bed.connect(&namespace);
        proxy.hold("patch");
        create(&api, &namespace, &json!({"image": "a"}));
        wait_message(&api, &namespace, "does not answer in time", TOLD_WITHIN);
        proxy.heal();
    }
    // It waits for the answer to the next write already.
    operator.kill().unwrap();
}

#[test]
fn an_operator_that_is_killed_during_a_repair_leaves_no_second_owner() {
    let bed = lock_bed();
    let proxy = bed.proxy();
    let mut dice = dice();
    for round in 0..rounds().max(2) {
        let namespace = format!("repair-{round}");
        let api = bed.connect(&namespace);
        let operator = bed.alone(Some(&proxy));
        create(&api, &namespace, &json!({"image": "a"}));
        wait_applied(&api, &namespace);
        // The writes of a repair: the apply that is refused, the merge, the apply, the removal of the merge's entry.
        let (nth, moment) = match round {
            0 => (2, Moment::AfterAnswer),
            1 => (4, Moment::BeforeForwarding),
            _ => (
                dice.usize(2..5),
                *dice.choice(&[Moment::BeforeForwarding, Moment::AfterAnswer]).unwrap(),
            ),
        };
        std::thread::sleep(Duration::from_secs(2));
        let stopped = proxy.stop_at(nth, moment);
        let service = SERVICES.object(&namespace, "orders");
        api.merge(&service, &json!({"spec": {"ports": [{"name": "http", "port": 81}]}}))
            .unwrap();
        let seen = stopped.recv_timeout(PATIENCE).expect("the repair to begin");
        assert_eq!(
            (seen.verb, seen.resource.as_str()),
            ("patch", "services"),
            "write {nth}"
        );
        operator.kill().unwrap();
        proxy.heal();
        let operator = bed.alone(Some(&proxy));
        let repaired = |found: &Value| {
            let entries = found["metadata"]["managedFields"].as_array().unwrap();
            let trace = entries.iter().any(|entry| entry["manager"] == "monitored-api-repair");
            let ports = &found["spec"]["ports"];
            let ok = !trace && ports.as_array().unwrap().len() == 1 && ports[0]["port"] == 80;
            if ok {
                Ok(())
            } else {
                Err(format!("{ports}, trace: {trace}"))
            }
        };
        api.wait_for(&service, PATIENCE, repaired)
            .unwrap_or_else(|error| panic!("killed at write {nth} {moment:?}: {error:#}"));
        assert!(operator.stop().unwrap().success());
    }
}

#[test]
fn a_leader_that_was_frozen_in_the_middle_of_a_reconcile_writes_nothing_after_another_took_over() {
    let bed = lock_bed();
    for round in 0..rounds() {
        let namespace = format!("frozen-{round}");
        let api = bed.connect(&namespace);
        let proxy = bed.proxy();
        let old = bed.operator(Some(&proxy), &[]);
        old.wait_until_leader().unwrap();
        let new = bed.operator(None, &[]);
        let stopped = proxy.stop_at(1, Moment::AfterAnswer);
        create(&api, &namespace, &json!({"image": "a"}));
        stopped.recv_timeout(PATIENCE).expect("a first write");
        old.signal(Signal::STOP).unwrap();
        new.wait_until_leader().unwrap();
        wait_applied(&api, &namespace);
        let before = proxy.log().len();
        // The answer is there when it wakes up.
        proxy.release();
        old.signal(Signal::CONT).unwrap();
        std::thread::sleep(Duration::from_secs(5));
        let log = proxy.log();
        let writes: Vec<_> = log[before..].iter().filter(|seen| seen.is_write()).collect();
        assert!(writes.is_empty(), "{writes:#?}");
        drop(old);
        assert!(new.stop().unwrap().success());
    }
}

/// resourceVersion of every MonitoredApi.
fn versions(api: &Kubernetes) -> BTreeMap<String, Value> {
    let all = api.list(&MONITORED_APIS.everywhere(), "").unwrap();
    all.into_iter()
        .map(|item| {
            let metadata = &item["metadata"];
            (
                format!("{}/{}", metadata["namespace"], metadata["name"]),
                metadata["resourceVersion"].clone(),
            )
        })
        .collect()
}

#[test]
fn an_api_server_that_is_killed_and_comes_back_changes_no_status() {
    let bed = lock_bed();
    let api = bed.connect("killed");
    let operator = bed.operator(None, &[]);
    operator.wait_until_leader().unwrap();
    for index in 0..QUIET {
        let quiet = monitored_api(&format!("quiet-{index}"), &json!({"image": "a", "replicas": 0}));
        api.create(&MONITORED_APIS.within("killed"), &quiet).unwrap();
    }
    create(&api, "killed", &json!({"image": "a:0"}));
    wait_applied(&api, "killed");
    for index in 0..QUIET {
        let path = MONITORED_APIS.object("killed", &format!("quiet-{index}"));
        api.wait_for(&path, PATIENCE, |found| says(found, "Ready", "True"))
            .unwrap();
    }
    std::thread::sleep(Duration::from_secs(2));
    let quiet = |mut all: BTreeMap<String, Value>| {
        all.retain(|name, _| name.contains("quiet-"));
        all
    };
    let before = quiet(versions(&api));
    for round in 0..rounds().max(2) {
        bed.bed.kill("kube-apiserver").unwrap();
        bed.bed.restart("kube-apiserver").unwrap();
        bed.bed.wait_ready().unwrap();
        operator.wait_until_leader().unwrap();
        edit(&api, "killed", &format!("a:{}", round + 1), PATIENCE);
    }
    // What a relist or a refusal leads to comes within seconds.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(quiet(versions(&api)), before, "a status was written");
    assert!(operator.stop().unwrap().success());
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

#[test]
fn after_a_restored_etcd_an_edit_is_applied_in_time() {
    let bed = lock_bed();
    for round in 0..rounds() {
        let namespace = format!("restored-{round}");
        let api = bed.connect(&namespace);
        let operator = bed.operator(None, &["--leader-elect=false"]);
        create(&api, &namespace, &json!({"image": "a:1"}));
        wait_applied(&api, &namespace);
        let (data, backup) = (
            bed.bed.state_dir().join("etcd"),
            bed.bed.state_dir().join("etcd-backup"),
        );
        bed.bed.kill("etcd").unwrap();
        copy(&data, &backup);
        bed.bed.restart("etcd").unwrap();
        bed.bed.wait_ready().unwrap();
        // What the restored state does not have: many versions, and a spec.
        for index in 0..300 {
            let note = json!({"metadata": {"annotations": {"note": index.to_string()}}});
            api.merge(&format!("/api/v1/namespaces/{namespace}"), &note).unwrap();
        }
        edit(&api, &namespace, "a:2", PATIENCE);
        bed.bed.kill("kube-apiserver").unwrap();
        bed.bed.kill("etcd").unwrap();
        copy(&backup, &data);
        bed.bed.restart("etcd").unwrap();
        bed.bed.restart("kube-apiserver").unwrap();
        bed.bed.wait_ready().unwrap();
        let restored = Instant::now();
        edit(&api, &namespace, "a:3", NOTICED_WITHIN);
        println!(
            "an edit was applied {:.1} s after the restore",
            restored.elapsed().as_secs_f64()
        );
        wait_applied(&api, &namespace);
        assert!(operator.stop().unwrap().success());
    }
}

#[test]
fn two_installations_that_disagree_soon_stop_undoing_each_other_and_say_so() {
    let bed = lock_bed();
    let api = bed.connect("contested");
    let mark = bed.audit.mark().unwrap();
    let start = |name: &str| {
        let labels = format!("--monitoring-object-labels=team={name}");
        bed.operator(
            None,
            &[&format!("--lease-name={name}"), &labels, "--watch-namespaces=contested"],
        )
    };
    let operators = [start("monitored-api"), start("monitored-api-b")];
    create(&api, "contested", &json!({"image": "a"}));
    wait_message(&api, "contested", "another installation of this operator", PATIENCE);
    std::thread::sleep(Duration::from_secs(5));
    let entries = bed.audit.since(mark, OPERATOR_USER).unwrap();
    let writes = |resource: &str| {
        let here = entries
            .iter()
            .filter(|entry| entry.namespace == "contested" && entry.is_write());
        here.filter(|entry| entry.resource == resource).count()
    };
    let (monitors, statuses) = (writes("servicemonitors"), writes("monitoredapis"));
    println!("{monitors} writes of the ServiceMonitor, {statuses} of the status");
    // Each of the two: the first time, five times at once, and a few times after ever longer waits.
    assert!((4..=20).contains(&monitors), "{monitors}");
    assert!(statuses <= 40, "{statuses}");
    drop(operators);
}
