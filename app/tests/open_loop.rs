//! An open loop beside a bare axum server: what the reference API adds to the time of an answer, and to memory.
//!
//! A measurement, not a timed test: it asserts that every request is answered and prints the rest. In full, on a quiet
//! machine: `ABUSE=full cargo test -p app --release --examples --test open_loop -- --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use common::{
    client::Protocol,
    is_full_campaign,
    load::{self, Plan, Report},
    process::Program,
};

/// The example `bare`, which Cargo builds beside the tests. Ends with the test.
struct Bare {
    child: Child,
    address: SocketAddr,
}

impl Bare {
    fn start() -> Self {
        let test = std::env::current_exe().unwrap();
        let built = test.ancestors().nth(2).unwrap();
        let mut child = Command::new(built.join("examples/bare"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example bare is built: cargo build -p app --examples");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts every thread of a server on the first core; the generator keeps the others.
fn on_one_core(pid: u32) {
    let done = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", "0", &pid.to_string()])
        .stdout(Stdio::null())
        .status();
    assert!(done.unwrap().success(), "taskset (Debian: util-linux)");
}

/// Resident memory, MiB.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

async fn send(address: SocketAddr, path: &'static str, rate: f64, requests: usize) -> Report {
    let report = load::run(Plan {
        address,
        protocol: Protocol::Http1,
        path,
        rate,
        requests,
        fresh: false,
    })
    .await;
    assert_eq!(report.failures, Vec::<String>::new());
    assert_eq!(report.count(200), requests, "{path}: {:?}", report.times.keys());
    report
}

fn show(who: &str, what: &str, report: &Report) {
    let at = |share| report.quantile(200, share).as_secs_f64() * 1e3;
    println!(
        "{who:>8} {what:<44} p50 {:6.2} ms  p99 {:6.2} ms  max {:6.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_an_open_loop_is_answered_as_by_a_bare_server() {
    let (seconds, plain, heavy) = if is_full_campaign() {
        (20, 1_000.0, 100.0)
    } else {
        (1, 100.0, 10.0)
    };
    let requests = |rate: f64| (rate as usize) * seconds;
    let api = Program::ready(&[]);
    let bare = Bare::start();
    println!(
        "    idle resident memory: API {:.1} MiB, bare {:.1} MiB",
        resident(api.pid()),
        resident(bare.child.id())
    );
    for pid in [api.pid(), bare.child.id()] {
        on_one_core(pid);
    }
    // Interleaved, so that both see the same machine.
    for _ in 0..3 {
        for (who, address) in [("bare", bare.address), ("API", api.address)] {
            show(
                who,
                "GET /health/live",
                &send(address, "/health/live", plain, requests(plain)).await,
            );
            show(who, "GET /", &send(address, "/", plain, requests(plain)).await);
            let probes = tokio::spawn(send(address, "/health/live", 20.0, requests(20.0)));
            show(
                who,
                "GET /compute/30",
                &send(address, "/compute/30", heavy, requests(heavy)).await,
            );
            show(who, "GET /health/live beside /compute/30", &probes.await.unwrap());
        }
    }
    if is_full_campaign() {
        for (who, address, pid) in [("API", api.address, api.pid()), ("bare", bare.address, bare.child.id())] {
            let mut memory = vec![resident(pid)];
            for _ in 0..11 {
                send(address, "/", 5_000.0, 100_000).await;
                memory.push(resident(pid));
            }
            println!("{who:>8} resident memory before, and after each 100,000 requests: {memory:.1?} MiB");
        }
    }
}
