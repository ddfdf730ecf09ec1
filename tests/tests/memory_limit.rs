//! The reference API under a memory limit, while clients do their worst: it answers probes and good clients, and the
//! kernel never kills it. A short half by default; `MEMORY_CAMPAIGN=full` (`cargo xtask campaign memory`) takes 10,000
//! connections, each way on its own and all together, with 256 and 64 MiB.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{self, SocketAddr},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::{self, Process},
    memory_group::MemoryGroup,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpSocket,
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

const MIB: u64 = 1 << 20;
/// A client that was sent away comes back after this.
const COMES_BACK: Duration = Duration::from_secs(2);
/// The largest receive buffer of clients that do not read; the kernel doubles it.
const SMALL_BUFFER: u32 = 4 * 1024;

/// Ways to take memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Opens a connection and sends nothing.
    Silent,
    /// Asks now and then on a connection that it keeps.
    KeptAlive,
    /// Asks for the largest page and hardly reads it.
    SlowReader,
    /// Asks for small pages without end and reads none.
    Pipeline,
    /// Asks for a hundred small pages on HTTP/2 and gives no window.
    NoWindow,
    /// Sends the most small JSON values that a body may have.
    FatBody,
    /// Sends JSON that is nested as deep as a body may be long.
    DeepBody,
}

const WAYS: [Way; 7] = [
    Way::Silent,
    Way::KeptAlive,
    Way::SlowReader,
    Way::Pipeline,
    Way::NoWindow,
    Way::FatBody,
    Way::DeepBody,
];

/// The ways that take the most memory in a short time.
const SHORT_HALF: [Way; 4] = [Way::KeptAlive, Way::Pipeline, Way::NoWindow, Way::FatBody];

impl Way {
    /// What a client of this way sends.
    fn bytes(self) -> Vec<u8> {
        let post = |body: String| {
            format!(
                "POST /users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        };
        match self {
            Self::Silent => Vec::new(),
            Self::KeptAlive => b"GET /api/v1/data/1 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            Self::SlowReader => b"GET /api/v1/data?limit=200 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            Self::Pipeline => b"GET /api/v1/data?limit=3 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20_000),
            Self::NoWindow => without_window(b"/api/v1/data?limit=3", 100),
            Self::FatBody => post(format!("{{\"a\":[{}0]}}", "0,                    ".repeat(45_000))),
            Self::DeepBody => post("[".repeat(1_000_000)),
        }
    }

    /// Whether it reads nothing, or hardly anything.
    fn reads(self) -> bool {
        !matches!(self, Self::SlowReader | Self::Pipeline | Self::NoWindow)
    }

    /// Of so many clients, how many this way needs to do harm.
    fn clients(self, connections: usize) -> usize {
        match self {
            Self::Silent | Self::KeptAlive | Self::Pipeline => connections,
            Self::SlowReader => connections / 20,
            Self::NoWindow => connections / 10,
            Self::FatBody | Self::DeepBody => 50.min(connections / 20),
        }
    }
}

/// HTTP/2: the preface, settings with a window of 0, and so many requests for a path.
fn without_window(path: &[u8], requests: u32) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE (4) is 0.
    bytes.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    for n in 0..requests {
        // :method GET, :scheme http, then :path and :authority as literals (RFC 7541, 6.1 and 6.2.2).
        let mut head = vec![0x82, 0x86, 0x04, path.len() as u8];
        head.extend(path);
        head.extend([0x01, 1, b'x']);
        bytes.extend([0, 0, head.len() as u8, 1, 5]);
        bytes.extend((2 * n + 1).to_be_bytes());
        bytes.extend(head);
    }
    bytes
}

/// One client, which comes back whenever its connection ends.
async fn attack(address: SocketAddr, way: Way, bytes: Arc<Vec<u8>>) {
    loop {
        let _ = attack_once(address, way, &bytes).await;
        sleep(COMES_BACK).await;
    }
}

async fn attack_once(address: SocketAddr, way: Way, bytes: &[u8]) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    if !way.reads() {
        socket.set_recv_buffer_size(SMALL_BUFFER)?;
    }
    let mut stream = socket.connect(address).await?;
    stream.write_all(bytes).await?;
    let mut buffer = vec![0; 2 * 1024];
    loop {
        if !way.reads() {
            sleep(Duration::from_secs(20)).await;
        }
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        match way {
            Way::KeptAlive => {
                sleep(Duration::from_secs(5)).await;
                stream.write_all(bytes).await?;
            }
            Way::FatBody | Way::DeepBody => stream.write_all(bytes).await?,
            Way::Silent | Way::SlowReader | Way::Pipeline | Way::NoWindow => {}
        }
    }
}

/// The status of a `GET` on a connection of its own; 0 if there was no answer in time.
fn status(address: SocketAddr, path: &str, patience: Duration) -> u16 {
    let started = Instant::now();
    let left = || patience.checked_sub(started.elapsed()).filter(|left| !left.is_zero());
    let asking = || {
        let mut stream = net::TcpStream::connect_timeout(&address, patience).ok()?;
        stream.set_read_timeout(Some(left()?)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let head = String::from_utf8_lossy(answer.get(..12)?).into_owned();
        left()?;
        head.split(' ').nth(1)?.parse().ok()
    };
    asking().unwrap_or(0)
}

/// Asks at this pace until the time is over, on a thread of its own; how often each status came.
async fn ask(address: SocketAddr, path: &'static str, pace: Duration, until: Instant) -> Result<BTreeMap<u16, u32>> {
    let asking = spawn_blocking(move || {
        let mut statuses = BTreeMap::new();
        while Instant::now() < until {
            let started = Instant::now();
            *statuses
                .entry(status(address, path, Duration::from_secs(1)))
                .or_default() += 1;
            thread::sleep(pace.saturating_sub(started.elapsed()));
        }
        statuses
    });
    Ok(asking.await?)
}

fn share_of_200(statuses: &BTreeMap<u16, u32>) -> f64 {
    let all: u32 = statuses.values().sum();
    f64::from(statuses.get(&200).copied().unwrap_or(0)) / f64::from(all.max(1))
}

/// Two hundred items, each with as much metadata as it may have.
fn store_items(address: SocketAddr) -> Result<()> {
    let metadata = format!(r#"{{"text":"{}"}}"#, "x".repeat(4_000));
    let item = format!(r#"{{"name":"n","category":"c","value":1,"metadata":{metadata}}}"#);
    for _ in 0..2 {
        let bulk = format!("[{}]", vec![item.as_str(); 100].join(","));
        let (status, body) = api::send(address, "POST", "/api/v1/data/bulk", Some(&bulk))?;
        ensure!(status == 201, "{status}: {body}");
    }
    Ok(())
}

/// The most memory that a group needed, MiB, looked at until the time is over, on a thread of its own.
async fn most_needed(group: &Arc<MemoryGroup>, until: Instant) -> Result<f64> {
    let group = Arc::clone(group);
    let looking = spawn_blocking(move || {
        let mut most = 0;
        while Instant::now() < until {
            most = most.max(group.needed_bytes()?);
            thread::sleep(Duration::from_millis(20));
        }
        anyhow::Ok(most)
    });
    Ok(looking.await?? as f64 / MIB as f64)
}

/// `answered of asked`.
fn answered(statuses: &BTreeMap<u16, u32>) -> String {
    let all: u32 = statuses.values().sum();
    format!("{} of {all}", statuses.get(&200).copied().unwrap_or(0))
}

/// Attacks a service in these ways at once.
async fn campaign(limit_mib: u64, ways: &[Way], connections: usize, time: Duration) -> Result<()> {
    let group = Arc::new(MemoryGroup::create("memory-limit", limit_mib * MIB)?);
    let directory = tempfile::tempdir()?;
    let database = format!("sqlite://{}", directory.path().join("data.db").display());
    let app = Process::launch(group.command(&api::binary()?), &database, &[])?;
    app.wait_ready()?;
    let address = app.address;
    store_items(address)?;
    let before = group.needed_bytes()? as f64 / MIB as f64;

    let mut attackers = JoinSet::new();
    for way in ways {
        let bytes = Arc::new(way.bytes());
        for _ in 0..way.clients(connections / ways.len()) {
            attackers.spawn(attack(address, *way, Arc::clone(&bytes)));
        }
    }
    let number = attackers.len();
    let until = Instant::now() + time;
    let (live, ready, good, needed) = tokio::try_join!(
        ask(address, "/health/live", Duration::from_millis(200), until),
        ask(address, "/health/ready", Duration::from_millis(200), until),
        ask(address, "/api/v1/data/1", Duration::from_millis(100), until),
        most_needed(&group, until),
    )?;
    let kills = group.kills()?;
    attackers.shutdown().await;
    let name = match ways {
        [way] => format!("{way:?}"),
        _ => format!("{} ways", ways.len()),
    };
    println!(
        "| {name} | {limit_mib} | {number} | {kills} | {before:.0} | {needed:.0} | {} | {} | {} |",
        answered(&live),
        answered(&ready),
        answered(&good),
    );
    ensure!(kills == 0, "the kernel killed it");
    ensure!(
        needed <= limit_mib as f64,
        "with the buffers of its sockets it needed {needed:.1} MiB"
    );
    ensure!(share_of_200(&live) >= 0.98, "liveness: {live:?}");
    ensure!(share_of_200(&ready) >= 0.95, "readiness: {ready:?}");
    ensure!(share_of_200(&good) >= 0.5, "a good client: {good:?}");
    app.stop()
}

fn is_full() -> bool {
    std::env::var("MEMORY_CAMPAIGN").is_ok_and(|value| value == "full")
}

/// Both ends of every connection are in this machine, and one of them in this process.
fn raise_open_files() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).context("raise the limit on open files")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_take_memory_do_not_get_it_killed_nor_keep_probes_and_others_out() -> Result<()> {
    raise_open_files()?;
    println!("\n| way | limit, MiB | clients | kills | MiB before | MiB at most | live | ready | good client |");
    if !is_full() {
        return campaign(64, &SHORT_HALF, 4_000, Duration::from_secs(20)).await;
    }
    let mut failures = Vec::new();
    for limit in [256, 64] {
        for way in WAYS {
            if let Err(error) = campaign(limit, &[way], 10_000, Duration::from_secs(25)).await {
                failures.push(format!("{limit} MiB, {way:?}: {error:#}"));
            }
        }
        if let Err(error) = campaign(limit, &WAYS, 10_000, Duration::from_secs(60)).await {
            failures.push(format!("{limit} MiB, all: {error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
