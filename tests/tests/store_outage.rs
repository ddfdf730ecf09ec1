//! An outage of the database: readiness becomes false, liveness stays true, requests are answered in time, and soon after
//! the end of the outage every request succeeds. `STORE_OUTAGE_SECONDS` is its length (default 4).

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use integration_tests::{
    api::{self, Process},
    postgres::{Durability, PASSWORD, Postgres},
    tcp_proxy::TcpProxy,
};

/// When a request began, how long it took, and the status of its answer (0 if there was none).
type Sample = (Instant, Duration, u16);

/// Repeats a request until `stop` is set.
fn client(
    address: SocketAddr,
    method: &'static str,
    path: &'static str,
    pause: Duration,
    stop: &Arc<AtomicBool>,
) -> JoinHandle<Vec<Sample>> {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        let body = (method == "POST").then_some(r#"{"name":"a","category":"c","value":1}"#);
        let mut samples = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            let answer = api::send(address, method, path, body);
            if let Ok((_, text)) = &answer {
                assert!(!text.contains(PASSWORD) && !text.contains("postgres"), "{text}");
            }
            samples.push((start, start.elapsed(), answer.map_or(0, |(status, _)| status)));
            thread::sleep(pause);
        }
        samples
    })
}

fn join(clients: Vec<JoinHandle<Vec<Sample>>>) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for client in clients {
        samples.extend(client.join().map_err(|_| anyhow!("a client panicked"))?);
    }
    Ok(samples)
}

/// The clients' samples of one outage, and when it began and ended.
struct Outage {
    load: Vec<Sample>,
    ready: Vec<Sample>,
    live: Vec<Sample>,
    cut: Instant,
    healed: Instant,
}

/// When a sample's answer had arrived.
fn end(&(start, took, _): &Sample) -> Instant {
    start + took
}

impl Outage {
    /// Runs the clients while the proxy cuts the database off for this long.
    fn run(address: SocketAddr, proxy: &TcpProxy, length: Duration) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let often = Duration::from_millis(50);
        let ready = client(address, "GET", "/health/ready", often, &stop);
        let live = client(address, "GET", "/health/live", often, &stop);
        let load = (0..6)
            .map(|n| {
                let (method, path) = if n % 2 == 0 {
                    ("GET", "/api/v1/data?limit=1")
                } else {
                    ("POST", "/api/v1/data")
                };
                client(address, method, path, often, &stop)
            })
            .collect();
        thread::sleep(Duration::from_secs(1));
        let cut = Instant::now();
        proxy.cut();
        thread::sleep(length);
        let healed = Instant::now();
        proxy.heal();
        thread::sleep(Duration::from_secs(4));
        stop.store(true, Ordering::Relaxed);
        Ok(Self {
            load: join(load)?,
            ready: join(vec![ready])?,
            live: join(vec![live])?,
            cut,
            healed,
        })
    }

    /// The time from the cut until the service first reported that it is not ready.
    fn not_ready_after(&self) -> Result<Duration> {
        let no = self.ready.iter().find(|sample| sample.2 == 503 && sample.0 >= self.cut);
        Ok(end(no.context("readiness did not become false")?) - self.cut)
    }

    /// The durations of the requests that were answered with 503, sorted.
    fn errors(&self) -> Vec<Duration> {
        let mut errors: Vec<_> = self
            .load
            .iter()
            .filter(|sample| sample.2 == 503)
            .map(|(_, took, _)| *took)
            .collect();
        errors.sort();
        errors
    }

    /// The time from the end of the outage until one of these requests first succeeded.
    fn first_success(&self, samples: &[Sample]) -> Option<Duration> {
        samples
            .iter()
            .filter(|sample| (200..300).contains(&sample.2) && sample.0 > self.cut && end(sample) > self.healed)
            .map(|sample| end(sample) - self.healed)
            .min()
    }
}

#[test]
fn an_outage_of_the_database_is_reported_survived_and_over_when_it_ends() -> Result<()> {
    let seconds = std::env::var("STORE_OUTAGE_SECONDS").map_or(Ok(4), |text| text.parse())?;
    let postgres = Postgres::start(Durability::None)?;
    postgres.create_database("outage")?;
    let proxy = TcpProxy::start(postgres.address())?;
    let app = Process::start(&postgres.url_by(proxy.address(), "outage"))?;
    app.wait_ready()?;
    let outage = Outage::run(app.address, &proxy, Duration::from_secs(seconds))?;

    ensure!(
        outage.live.iter().all(|(_, _, status)| *status == 200),
        "liveness must not depend on the database"
    );
    ensure!(
        outage
            .load
            .iter()
            .all(|(_, _, status)| matches!(status, 200 | 201 | 503)),
        "every request must be answered, at worst with 503"
    );
    let errors = outage.errors();
    ensure!(
        errors.len() > 10,
        "only {} errors: the database was not cut off",
        errors.len()
    );
    let flipped = outage.not_ready_after()?;
    let p99 = *errors
        .get(errors.len() * 99 / 100)
        .context("no request was answered with 503")?;
    let first = outage
        .first_success(&outage.load)
        .context("no request succeeded after the outage")?;
    let again = outage
        .first_success(&outage.ready)
        .context("readiness did not become true again")?;
    println!(
        "outage of {seconds} s: not ready after {flipped:?}; {} errors, p99 {p99:?}; first success after {first:?}, ready after {again:?}",
        errors.len()
    );
    ensure!(
        flipped <= Duration::from_secs(3),
        "readiness became false only after {flipped:?}"
    );
    ensure!(p99 <= Duration::from_millis(1_100), "p99 of errors {p99:?}");
    ensure!(first <= Duration::from_secs(2), "first success after {first:?}");
    ensure!(again <= Duration::from_secs(2), "ready after {again:?}");
    let settled = outage.healed + Duration::from_secs(2);
    let late: Vec<_> = outage.load.iter().filter(|sample| sample.0 > settled).collect();
    ensure!(
        !late.is_empty() && late.iter().all(|sample| sample.2 < 300),
        "every request must succeed two seconds after the outage"
    );
    app.stop()
}
