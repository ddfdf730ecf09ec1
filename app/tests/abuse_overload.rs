//! Ten times as many requests as the service can answer. Full numbers with `ABUSE=full`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::time::{Duration, Instant};

use common::{
    client::{Client, Protocol},
    is_full_campaign,
    load::{self, Plan},
    process::Program,
};
use tokio::task::JoinSet;

const PATH: &str = "/compute/30";

/// Answers per second to clients that wait for each answer.
async fn peak(program: &Program, clients: usize, duration: Duration) -> f64 {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let mut client = Client::connect(program.address, Protocol::Http1).await.unwrap();
        running.spawn(async move {
            let mut served = 0;
            while start.elapsed() < duration {
                served += usize::from(client.get(PATH).await.unwrap().0 == 200);
            }
            served
        });
    }
    let served: usize = running.join_all().await.into_iter().sum();
    served as f64 / start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_ten_times_its_capacity_it_serves_as_much_as_before_and_refuses_the_rest_at_once() {
    let duration = Duration::from_secs(if is_full_campaign() { 20 } else { 3 });
    let program = Program::ready(&[]);
    let peak = peak(&program, 4, duration).await;
    let rate = peak * 10.0;
    let plan = Plan {
        address: program.address,
        protocol: Protocol::Http1,
        path: PATH,
        rate,
        requests: (rate * duration.as_secs_f64()) as usize,
        fresh: false,
    };
    let report = load::run(plan).await;
    let good = report.count(200) as f64 / report.took.as_secs_f64();
    println!(
        "overload: peak {peak:.0}/s, offered {rate:.0}/s, answered {good:.0}/s ({:.0} %), shed {} in p99 {:?}, p99 of answers {:?}",
        100.0 * good / peak,
        report.count(503),
        report.quantile(503, 0.99),
        report.quantile(200, 0.99)
    );
    assert_eq!(report.failures, Vec::<String>::new());
    assert!(
        report.times.keys().all(|status| [200, 503].contains(status)),
        "{:?}",
        report.times.keys()
    );
    assert!(report.count(503) > 0, "it was overloaded");
    assert!(report.count(200) > 0, "it served on");
    // The generator and other tests share the cores with it: how much and how fast is for a full run, in release.
    if is_full_campaign() {
        assert!(good >= 0.8 * peak, "{good} of {peak}");
        let shed = report.quantile(503, 0.99);
        assert!(shed <= Duration::from_millis(20), "{shed:?}");
    }
}
