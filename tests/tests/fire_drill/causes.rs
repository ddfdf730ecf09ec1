//! How each trouble is made for real, and how it ends.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use integration_tests::{Repeated, Traffic, api, cpu_group::CpuGroup, eventually};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    api::Api,
    trouble::{Recovery, Trouble},
};

/// How long something may take until it has begun.
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests that succeed, a second.
const GOOD_PER_SECOND: u32 = 200;
/// Between two requests of a client that makes trouble: they are few, so that the end shows soon in a ratio over five minutes.
const PAUSE: Duration = Duration::from_millis(150);

fn calls(address: SocketAddr, path: &str, clients: u32, per_second: u32) -> Vec<Traffic> {
    let start = |_| Traffic::start(vec![format!("http://{address}{path}")], (per_second / clients).max(1));
    (0..clients).map(start).collect()
}

fn good_traffic(address: SocketAddr) -> Recovery {
    Box::new(calls(address, "/", 4, GOOD_PER_SECOND))
}

/// Clients that ask for `path` one request after the other. They end soon after this is dropped.
fn clients(address: SocketAddr, path: &'static str, number: u32) -> Vec<Repeated> {
    let start = |_| {
        Repeated::start(move || {
            // Some answers are errors, on purpose.
            let _ = api::send(address, "GET", path, None);
            thread::sleep(PAUSE);
        })
    };
    (0..number).map(start).collect()
}

/// Requests for `path` until the trouble ends, then good ones.
fn instead_of_good(api: &Api, path: &'static str, number: u32) -> Result<Trouble> {
    let address = api.address;
    let bad = clients(address, path, number);
    Ok(Box::new(move || {
        drop(bad);
        Ok(good_traffic(address))
    }))
}

pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(pid.try_into()?).context("no process")?;
    Ok(kill_process(pid, signal)?)
}

pub(crate) fn hang(api: &Api) -> Result<Trouble> {
    let pid = api.pid()?;
    signal(pid, Signal::STOP)?;
    Ok(Box::new(move || {
        signal(pid, Signal::CONT)?;
        Ok(Box::new(()))
    }))
}

/// Each state lasts until Prometheus has seen it.
pub(crate) fn flap(api: &Api) -> Result<Trouble> {
    let pid = api.pid()?;
    for _ in 0..5 {
        for (kind, up) in [(Signal::STOP, 0.0), (Signal::CONT, 1.0)] {
            signal(pid, kind)?;
            eventually("the state in Prometheus", PATIENCE, || {
                let seen = api.prometheus.query(&format!("up{{job=\"{}\"}}", api.name))?;
                let is_seen = seen.iter().all(|(_, value)| (value - up).abs() < 0.5);
                Ok(is_seen.then_some(()).ok_or_else(|| format!("{seen:?}")))
            })?;
        }
    }
    Ok(Box::new(|| Ok(Box::new(()))))
}

pub(crate) fn fail(api: &Api) -> Result<Trouble> {
    instead_of_good(api, "/api/error", 1)
}

pub(crate) fn fail_few(api: &Api) -> Result<Trouble> {
    let address = api.address;
    for _ in 0..7 {
        api::send(address, "GET", "/api/error", None)?;
    }
    Ok(Box::new(move || Ok(good_traffic(address))))
}

pub(crate) fn fail_and_stop(api: &Api) -> Result<Trouble> {
    let bad = clients(api.address, "/api/error", 1);
    Ok(Box::new(move || {
        drop(bad);
        Ok(Box::new(()))
    }))
}

pub(crate) fn refuse(api: &Api) -> Result<Trouble> {
    instead_of_good(api, "/nowhere", 1)
}

pub(crate) fn slow(api: &Api) -> Result<Trouble> {
    instead_of_good(api, "/api/slow", 6)
}

pub(crate) fn leave(api: &Api) -> Result<Trouble> {
    let address = api.address;
    let leaving = Repeated::leave(address, "/api/slow");
    Ok(Box::new(move || {
        drop(leaving);
        Ok(good_traffic(address))
    }))
}

pub(crate) fn pile_up(api: &Api) -> Result<Trouble> {
    let many = clients(api.address, "/api/slow", 24);
    Ok(Box::new(move || {
        drop(many);
        Ok(Box::new(()))
    }))
}

/// Runs statements on the API's database, from outside.
fn on_database(api: &Api, statements: &'static [&'static str]) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(&api.database);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = options.busy_timeout(Duration::from_secs(30)).connect().await?;
        for statement in statements {
            sqlx::raw_sql(*statement).execute(&mut connection).await?;
        }
        Ok(connection)
    })
}

fn writes(address: SocketAddr, path: &'static str, body: &'static str, per_second: u32) -> Repeated {
    Repeated::start(move || {
        // Refused while the trouble lasts.
        let _ = api::send(address, "POST", path, Some(body));
        thread::sleep(Duration::from_secs(1) / per_second);
    })
}

const ITEM: &str = r#"{"name":"a","category":"c","value":1}"#;
const USER: &str = r#"{"name":"Ada Lovelace","email":"ada@example.com"}"#;

pub(crate) fn lock_database(api: &Api) -> Result<Trouble> {
    let address = api.address;
    let lock = on_database(api, &["BEGIN IMMEDIATE"])?;
    let clients: Vec<_> = (0..6).map(|_| writes(address, "/api/v1/data", ITEM, 10)).collect();
    Ok(Box::new(move || {
        // Its end gives the lock back.
        drop(lock);
        let reads = calls(address, "/api/v1/data?limit=1", 4, GOOD_PER_SECOND);
        Ok(Box::new((clients, reads)))
    }))
}

pub(crate) fn refuse_tasks(api: &Api) -> Result<Trouble> {
    const REFUSE: &str =
        "CREATE TRIGGER drill BEFORE UPDATE ON users BEGIN SELECT RAISE(ABORT, 'refused by the drill'); END";
    drop(on_database(api, &[REFUSE])?);
    let address = api.address;
    let few = writes(address, "/users", USER, 5);
    let api = api.clone();
    Ok(Box::new(move || {
        drop(few);
        drop(on_database(&api, &["DROP TRIGGER drill"])?);
        let many: Vec<_> = (0..4).map(|_| writes(address, "/users", USER, 50)).collect();
        Ok(Box::new(many))
    }))
}

pub(crate) fn compute(api: &Api) -> Result<Trouble> {
    let computing = clients(api.address, "/compute/30", 2);
    Ok(Box::new(move || {
        drop(computing);
        Ok(Box::new(()))
    }))
}

pub(crate) fn throttle(api: &Api) -> Result<Trouble> {
    let group = CpuGroup::create(&api.name)?;
    api.restart_within(&group)?;
    group.limit(10)?;
    let traffic = calls(api.address, "/", 4, GOOD_PER_SECOND);
    Ok(Box::new(move || {
        group.limit(400)?;
        Ok(Box::new((group, traffic)))
    }))
}

/// A user that takes a megabyte of the API's memory while its database is in memory.
pub(crate) fn large_user() -> String {
    format!(r#"{{"name":"x","rest":"{}"}}"#, "x".repeat(1_000_000))
}

pub(crate) fn fill_memory(api: &Api) -> Result<Trouble> {
    let address = api.address;
    for _ in 0..75 {
        let (status, answer) = api::send(address, "POST", "/users", Some(&large_user()))?;
        anyhow::ensure!(status == 200, "{status}: {answer}");
    }
    let api = api.clone();
    Ok(Box::new(move || {
        api.restart(&[])?;
        Ok(Box::new(()))
    }))
}

pub(crate) fn run_long(api: &Api) -> Result<Trouble> {
    api.write_page(Duration::from_secs(7 * 60 * 60))?;
    let api = api.clone();
    Ok(Box::new(move || {
        api.write_page(Duration::ZERO)?;
        Ok(Box::new(()))
    }))
}

/// A connection on which `path` is asked for.
fn ask(address: SocketAddr, path: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())?;
    Ok(stream)
}

pub(crate) fn connect(api: &Api) -> Result<Trouble> {
    // By default a connection may idle for a minute, which on a busy machine is over before the alerts fire.
    api.restart(&[("IDLE_TIMEOUT", "1h")])?;
    let mut open = Vec::new();
    for _ in 0..110 {
        // Without a first answer it would be closed after ten seconds.
        let mut stream = ask(api.address, "/")?;
        anyhow::ensure!(stream.read(&mut [0; 4096])? > 0, "no answer");
        open.push(stream);
    }
    Ok(Box::new(move || {
        drop(open);
        Ok(Box::new(()))
    }))
}

/// A thread starts for a computation that finds none idle, and stays.
pub(crate) fn many_threads(api: &Api) -> Result<Trouble> {
    const THREADS: usize = 40;
    api.restart(&[("COMPUTE_THREADS", &THREADS.to_string())])?;
    // The longest ones: none ends before all have begun. Each is given up when its client leaves.
    let asked = (0..THREADS).map(|_| ask(api.address, "/compute/45"));
    let computing = asked.collect::<Result<Vec<_>>>()?;
    let threads = format!("/proc/{}/task", api.pid()?);
    eventually("a thread for each computation", PATIENCE, || {
        let running = fs::read_dir(&threads)?.count();
        Ok((running > THREADS)
            .then_some(())
            .ok_or_else(|| format!("{running} threads")))
    })?;
    drop(computing);
    let api = api.clone();
    Ok(Box::new(move || {
        api.restart(&[])?;
        Ok(Box::new(()))
    }))
}

pub(crate) fn many_series(api: &Api) -> Result<Trouble> {
    let buckets: Vec<_> = (1..=250).map(|bound| bound.to_string()).collect();
    api.restart(&[("METRICS_BUCKETS", &buckets.join(","))])?;
    let api = api.clone();
    Ok(Box::new(move || {
        api.restart(&[])?;
        Ok(Box::new(()))
    }))
}

/// Enough requests that the rate over five minutes is that of a week ago, then none.
pub(crate) fn stay_away(api: &Api) -> Result<Trouble> {
    let address = api.address;
    for _ in 0..300 {
        api::send(address, "GET", "/", None)?;
    }
    Ok(Box::new(move || Ok(good_traffic(address))))
}

pub(crate) fn rush_in(api: &Api) -> Result<Trouble> {
    let many = calls(api.address, "/", 2, 40);
    Ok(Box::new(move || {
        drop(many);
        Ok(Box::new(()))
    }))
}

pub(crate) fn miss_cache(api: &Api) -> Result<Trouble> {
    let address = api.address;
    let missing = calls(address, "/users/987654", 2, 30);
    Ok(Box::new(move || {
        drop(missing);
        let (_, answer) = api::send(address, "POST", "/users", Some(USER))?;
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let user = format!("/users/{}", answer["user_id"]);
        Ok(Box::new(calls(address, &user, 4, GOOD_PER_SECOND)))
    }))
}

pub(crate) fn slow_scrape(api: &Api) -> Result<Trouble> {
    let way = Arc::clone(&api.way);
    way.delay(Duration::from_millis(2_700));
    Ok(Box::new(move || {
        way.delay(Duration::ZERO);
        Ok(Box::new(()))
    }))
}
