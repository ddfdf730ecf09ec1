//! Many clients that are slow on purpose, while others want to be served. Full numbers with `ABUSE=full`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use common::{
    client::Protocol,
    is_full_campaign,
    load::{self, Plan},
    process::Program,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// Ways to be slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slow {
    Silent,
    HalfHead,
    DrippingHead,
    DrippingBody,
    PrefaceOnly,
    Http2Handshake,
}

const ALL: [Slow; 6] = [
    Slow::Silent,
    Slow::HalfHead,
    Slow::DrippingHead,
    Slow::DrippingBody,
    Slow::PrefaceOnly,
    Slow::Http2Handshake,
];
const BODY_HEAD: &[u8] =
    b"POST /api/v1/data HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The preface with empty settings, so that the handshake is complete.
const HANDSHAKE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const DRIP: Duration = Duration::from_millis(500);

impl Slow {
    fn opening(self) -> &'static [u8] {
        match self {
            Self::Silent => b"",
            Self::HalfHead => b"GET /api/v1/data HTTP/1.1\r\nHost: ",
            Self::DrippingHead => b"G",
            Self::DrippingBody => BODY_HEAD,
            Self::PrefaceOnly => PREFACE,
            Self::Http2Handshake => HANDSHAKE,
        }
    }

    fn drips(self) -> bool {
        matches!(self, Self::DrippingHead | Self::DrippingBody)
    }
}

/// How long the server puts up with it.
async fn endure(address: SocketAddr, slow: Slow) -> Duration {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let start = Instant::now();
    stream.write_all(slow.opening()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut received = Vec::new();
    let closed = reading.read_to_end(&mut received);
    let dripping = async {
        loop {
            tokio::time::sleep(DRIP).await;
            if slow.drips() && writing.write_all(b" ").await.is_err() {
                return;
            }
        }
    };
    // A reset is an end too.
    tokio::select! { _ = closed => {} () = dripping => {} }
    start.elapsed()
}

fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile).maximum;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit,
            maximum: limit,
        },
    )
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_closed_in_time_and_others_do_not_notice() {
    raise_file_limit();
    // In the small run time is short, in the full one it is what users get.
    let short = [
        ("FIRST_BYTE_TIMEOUT", "2s"),
        ("HEADER_TIMEOUT", "2s"),
        ("BODY_TIMEOUT", "3s"),
        ("IDLE_TIMEOUT", "3s"),
    ];
    let full = is_full_campaign();
    let (connections, rate, requests, patience, good) = if full {
        (5_000, 200.0, 7_000, Duration::from_secs(30), Duration::from_millis(50))
    } else {
        (500, 200.0, 1_000, Duration::from_secs(10), Duration::from_secs(1))
    };
    let program = Program::ready(if full { &[] } else { &short });
    let plan = Plan {
        address: program.address,
        protocol: Protocol::Http1,
        path: "/api/v1/data",
        rate,
        requests,
        fresh: false,
    };
    let traffic = tokio::spawn(load::run(plan));
    let mut slow = JoinSet::new();
    for n in 0..connections {
        let kind = ALL[n % ALL.len()];
        let address = program.address;
        slow.spawn(async move { (kind, endure(address, kind).await) });
    }
    let mut longest = [Duration::ZERO; ALL.len()];
    for (kind, endured) in slow.join_all().await {
        let longest = &mut longest[kind as usize];
        *longest = endured.max(*longest);
    }
    let report = traffic.await.unwrap();
    let peak_mib = program.peak_resident_bytes() >> 20;
    println!(
        "slow clients: {connections} connections, closed after at most {longest:?} ({ALL:?}); good traffic: {} of {requests} \
         answered 200, p99 {:?}, failures {:?}; peak memory {peak_mib} MiB",
        report.count(200),
        report.quantile(200, 0.99),
        report.failures.len()
    );
    assert!(longest.iter().all(|longest| *longest <= patience), "{longest:?}");
    assert_eq!(
        report.count(200),
        requests,
        "{:?} {:?}",
        report.failures,
        report.times.keys()
    );
    assert!(report.quantile(200, 0.99) <= good, "{:?}", report.quantile(200, 0.99));
    assert!(peak_mib <= 64, "{peak_mib} MiB");
}
