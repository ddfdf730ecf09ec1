//! Test beds at the level of the control plane: isolation, clean-up, sharing. They need root and namespaces.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{HostTraces, cgroups_of, eventually, leftovers, turn};
use testbed::{Level, Testbed};

/// Starts a test bed in a separate process, which can be killed.
fn driver(name: &str, level: &str) -> (Child, PathBuf) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_testbed-supervisor"))
        .args(["hold", "--name", name, "--level", level])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(!line.is_empty(), "the driver failed");
    (child, PathBuf::from(line.trim()))
}

/// Makes a few requests to a test bed; returns its network namespace.
fn use_it(name: &str) -> String {
    let bed = Testbed::attach(name).unwrap();
    bed.kubectl(&["create", "namespace", "shop"]).unwrap();
    bed.kubectl(&["-n", "shop", "create", "configmap", "prices", "--from-literal=tea=3"])
        .unwrap();
    let prices = ["-n", "shop", "get", "configmap", "prices", "-o", "jsonpath={.data.tea}"];
    assert_eq!(bed.kubectl(&prices).unwrap(), "3");
    let link = "/proc/self/ns/net";
    let network = bed.run_inside("/usr/bin/readlink".as_ref(), &[link]).unwrap();
    let entered = bed
        .command_inside("/usr/bin/readlink".as_ref())
        .unwrap()
        .arg(link)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&entered.stdout), network);
    network.trim().to_owned()
}

fn kill_driver_and_check(name: &str, level: &str) {
    let before = HostTraces::now();
    let (mut child, state) = driver(name, level);
    let network = use_it(name);
    assert!(
        !leftovers(&network, &state).is_empty(),
        "the check must notice a running test bed"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("all processes to end", Duration::from_secs(10), || {
        leftovers(&network, &state).is_empty().then_some(())
    });
    assert_eq!(HostTraces::now(), before);
    assert_eq!(cgroups_of(name), Vec::<String>::new());
}

#[test]
fn killing_the_driver_leaves_nothing() {
    let _turn = turn();
    kill_driver_and_check("t-kill", "control-plane");
}

#[test]
fn killing_the_driver_of_real_nodes_leaves_nothing() {
    let _turn = turn();
    kill_driver_and_check("t-kill-node", "node");
}

#[test]
fn killing_the_supervisor_leaves_nothing_but_cgroups_until_the_next_start() {
    let _turn = turn();
    let before = HostTraces::now();
    let (mut child, state) = driver("t-kill-sup", "control-plane");
    let network = use_it("t-kill-sup");
    let supervisor = leftovers("", &state)
        .into_iter()
        .find(|row| row.contains(" supervise "))
        .unwrap();
    let pid = supervisor.split(' ').next().unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), testbed::Signal::KILL).unwrap();
    eventually("all processes to end", Duration::from_secs(10), || {
        leftovers(&network, &state).is_empty().then_some(())
    });
    assert_eq!(HostTraces::now(), before);
    drop(child.stdin.take());
    child.wait().unwrap();
    let (mut child, _) = driver("t-kill-sup", "control-plane");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn two_test_beds_side_by_side_know_nothing_of_each_other() {
    let _turn = turn();
    let begin = Instant::now();
    let one = Testbed::builder("t-side-1").start().unwrap();
    println!("a warm start took {:.1} s", begin.elapsed().as_secs_f64());
    let two = Testbed::builder("t-side-2").start().unwrap();
    one.kubectl(&["create", "namespace", "only-in-one"]).unwrap();
    let namespaces = ["get", "namespaces", "-o", "name"];
    assert!(one.kubectl(&namespaces).unwrap().contains("only-in-one"));
    assert!(!two.kubectl(&namespaces).unwrap().contains("only-in-one"));
}

#[test]
fn a_name_is_taken_while_its_test_bed_runs() {
    let _turn = turn();
    let first = Testbed::builder("t-taken").start().unwrap();
    let error = Testbed::builder("t-taken").start().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the test bed t-taken runs already: end it with cargo xtask testbed down --name t-taken"
    );
    first.shutdown().unwrap();
    assert!(Testbed::attach("t-taken").is_err());
}

#[test]
fn a_shared_test_bed_ends_when_no_process_uses_it() {
    let _turn = turn();
    let builder = || Testbed::builder("t-shared").idle(Duration::from_secs(2));
    let first = builder().start_or_attach().unwrap();
    first.kubectl(&["create", "namespace", "seen-by-both"]).unwrap();
    let second = builder().start_or_attach().unwrap();
    second.kubectl(&["get", "namespace", "seen-by-both"]).unwrap();
    drop(first);
    std::thread::sleep(Duration::from_secs(4));
    second.kubectl(&["get", "namespace", "seen-by-both"]).unwrap();
    drop(second);
    eventually("the test bed to end", Duration::from_secs(20), || {
        Testbed::attach("t-shared").is_err().then_some(())
    });
}

#[test]
fn fake_nodes_run_pods_and_the_audit_log_names_who_asked() {
    let _turn = turn();
    let bed = Testbed::builder("t-kwok").level(Level::ControlPlane).start().unwrap();
    bed.start_kwok(3).unwrap();
    bed.kubectl(&[
        "create",
        "deployment",
        "web",
        "--image=localhost/none:1",
        "--replicas=5",
    ])
    .unwrap();
    bed.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"])
        .unwrap();
    let log = std::fs::read_to_string(bed.audit_log()).unwrap();
    let created = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find(|event| event["verb"] == "create" && event["objectRef"]["resource"] == "deployments")
        .unwrap();
    assert_eq!(created["user"]["username"], "admin");
    assert_eq!(created["level"], "Metadata");
    assert_eq!(created["responseStatus"]["code"], 201);
}

#[test]
fn a_killed_api_server_comes_back_with_its_objects() {
    let _turn = turn();
    let bed = Testbed::builder("t-fault").start().unwrap();
    bed.kubectl(&["create", "namespace", "kept"]).unwrap();
    bed.kill("kube-scheduler").unwrap();
    bed.kill("kube-apiserver").unwrap();
    assert!(bed.wait_ready().is_err(), "it must not be started again");
    assert!(
        bed.kubectl(&["get", "namespace", "kept", "--request-timeout=3s"])
            .is_err()
    );
    bed.restart("kube-apiserver").unwrap();
    bed.wait_ready().unwrap();
    bed.kubectl(&["get", "namespace", "kept"]).unwrap();
}

#[test]
fn the_operator_definitions_of_prometheus_can_be_installed() {
    let _turn = turn();
    let bed = Testbed::builder("t-crds").start().unwrap();
    let manifest = bed.prometheus_operator_crds().unwrap();
    assert!(
        bed.kubectl(&["get", "crd", "prometheusrules.monitoring.coreos.com"])
            .is_err(),
        "the definitions must not be installed by default"
    );
    bed.kubectl(&["apply", "--server-side", "-f", &manifest.to_string_lossy()])
        .unwrap();
    bed.kubectl(&["get", "crd", "prometheusrules.monitoring.coreos.com"])
        .unwrap();
}
