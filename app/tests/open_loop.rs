//! An open loop beside a bare axum server: what the reference API adds to the time of an answer, and to memory.
//!
//! A measurement, not a timed test: it asserts that every request is answered and prints the rest. In full, on a quiet
//! machine: `ABUSE=full cargo test -p app --release --examples --test open_loop -- --nocapture --test-threads 1`.

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
    time::Duration,
};

use futures::future::{join_all, try_join_all};

use common::{
    client::{Client, Protocol},
    is_full_campaign,
    load::{self, Plan, Report},
    process::Program,
};

/// Connections over which memory is tried, and from the beginning of one request on a connection to that of the next:
/// 4,000 requests a second.
const CONNECTIONS: usize = 16;
const PAUSE: Duration = Duration::from_millis(4);
/// What memory may differ by between two looks, MiB: an allocator's blocks are not where they were. Seventy bytes lost with
/// each request would be seen in the small run, one in the full one.
const MOST_GROWTH: f64 = 1.0;

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

/// Resident memory, MiB: in all, and what of it is the program's own, not pages of its file.
fn resident(pid: u32) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (figure("VmRSS:"), figure("RssAnon:"))
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
        resident(api.pid()).0,
        resident(bare.child.id()).0
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
}

/// A number of connections that stays, each asked again and again, at most so often.
struct Callers(Vec<Client>);

impl Callers {
    async fn connect(address: SocketAddr) -> Self {
        let connect = (0..CONNECTIONS).map(|_| Client::connect(address, Protocol::Http1));
        Self(try_join_all(connect).await.unwrap())
    }

    async fn call(&mut self, path: &str, requests: usize) {
        join_all(self.0.iter_mut().map(|client| async move {
            let mut times = tokio::time::interval(PAUSE);
            for _ in 0..requests / CONNECTIONS {
                times.tick().await;
                assert!(client.is_ready().await, "the server closed a connection");
                assert_eq!(client.get(path).await.unwrap().0, 200);
            }
        }))
        .await;
    }
}

/// Without a scrape. In full: longer than the history of samples takes to fill. Not an open loop: where the machine stops
/// for a moment, that opens hundreds of connections, and the memory of any server, a bare one too, tells of them for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_does_not_grow_with_requests() {
    let (rounds, requests) = if is_full_campaign() { (40, 100_000) } else { (4, 5_008) };
    let (api, bare) = (Program::ready(&[]), Bare::start());
    let servers = [("API", api.address, api.pid()), ("bare", bare.address, bare.child.id())];
    let mut memory = servers.map(|(_, _, pid)| vec![resident(pid)]);
    let mut callers = [
        Callers::connect(api.address).await,
        Callers::connect(bare.address).await,
    ];
    for _ in 0..rounds {
        let [api, bare] = &mut callers;
        tokio::join!(api.call("/", requests), bare.call("/", requests));
        for ((_, _, pid), memory) in servers.iter().zip(&mut memory) {
            memory.push(resident(*pid));
        }
    }
    for ((who, ..), memory) in servers.iter().zip(&memory) {
        let (all, own): (Vec<_>, Vec<_>) = memory.iter().copied().unzip();
        println!("{who:>8} resident before, and after each {requests} requests: {all:.2?} MiB");
        println!("{who:>8} of it without pages of the program's file:        {own:.2?} MiB");
    }
    // The first round pays for what is needed once.
    let [own, _] = memory.map(|memory| memory.into_iter().map(|(_, own)| own).collect::<Vec<_>>());
    let more = own[rounds] - own[1];
    assert!(
        more < MOST_GROWTH,
        "{more} MiB more after {} requests",
        (rounds - 1) * requests
    );
}
