//! Processes that are replaced under load, behind a balancer that learns of it late. Full numbers with `ABUSE=full`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{
    client::Protocol,
    is_full_campaign,
    load::{self, Plan},
    process::Program,
};
use rustix::process::Signal;
use tokio::net::{TcpListener, TcpStream};

/// Forwards connections, as a Service does: a connection stays where it is, new ones go to who is in the list.
#[derive(Clone, Default)]
struct Balancer {
    backends: Arc<Mutex<Vec<SocketAddr>>>,
    turn: Arc<AtomicUsize>,
}

impl Balancer {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let balancer = self.clone();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let backend = balancer.next();
                tokio::spawn(async move {
                    client.set_nodelay(true).unwrap();
                    let Ok(mut server) = TcpStream::connect(backend).await else {
                        return;
                    };
                    server.set_nodelay(true).unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        address
    }

    fn next(&self) -> SocketAddr {
        let backends = self.backends.lock().unwrap();
        backends[self.turn.fetch_add(1, Ordering::Relaxed) % backends.len()]
    }

    fn add(&self, program: &Program) {
        self.backends.lock().unwrap().push(program.address);
    }

    fn remove(&self, address: SocketAddr) {
        self.backends.lock().unwrap().retain(|backend| *backend != address);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_no_request() {
    // The balancer learns of a stop this late; a stop waits longer than that.
    let (lag, drain, rate, requests) = if is_full_campaign() {
        (Duration::from_secs(2), "5s", 300.0, 25_000)
    } else {
        (Duration::from_millis(500), "1s", 50.0, 300)
    };
    let start = || Program::ready(&[("DRAIN_DELAY", drain)]);
    let balancer = Balancer::default();
    let mut programs: Vec<Program> = (0..2).map(|_| start()).collect();
    programs.iter().for_each(|program| balancer.add(program));
    let address = balancer.start().await;
    let clients = [
        (Protocol::Http1, false),
        (Protocol::Http1, true),
        (Protocol::Http2, false),
        (Protocol::Http2, true),
    ];
    let traffic: Vec<_> = clients
        .into_iter()
        .map(|(protocol, fresh)| {
            let plan = Plan {
                address,
                protocol,
                path: "/api/v1/data",
                rate,
                requests,
                fresh,
            };
            tokio::spawn(load::run(plan))
        })
        .collect();
    let mut restarts = 0;
    while !traffic.iter().all(tokio::task::JoinHandle::is_finished) {
        let fresh = tokio::task::spawn_blocking(start_with(drain)).await.unwrap();
        balancer.add(&fresh);
        programs.push(fresh);
        let mut old = programs.remove(0);
        old.signal(Signal::TERM);
        tokio::time::sleep(lag).await;
        balancer.remove(old.address);
        let code = tokio::task::spawn_blocking(move || old.wait().code()).await.unwrap();
        assert_eq!(code, Some(0));
        restarts += 1;
    }
    assert!(restarts >= 2, "every process was replaced while there was load");
    for (traffic, client) in traffic.into_iter().zip(clients) {
        let report = traffic.await.unwrap();
        println!(
            "rolling restart: {client:?} (fresh connections: {}), {restarts} restarts, {} of {requests} answered 200, p99 {:?}",
            client.1,
            report.count(200),
            report.quantile(200, 0.99)
        );
        assert_eq!(report.failures, Vec::<String>::new(), "{client:?}");
        assert_eq!(report.count(200), requests, "{client:?}: {:?}", report.times.keys());
    }
}

fn start_with(drain: &'static str) -> impl FnOnce() -> Program {
    move || Program::ready(&[("DRAIN_DELAY", drain)])
}
