//! The database goes away for a while and comes back: readiness tells, liveness does not care, requests are answered
//! in time, and all is well soon after. `STORE_OUTAGE_SECONDS` is how long (default 4).

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

/// When a request began, how long it took, what it was answered (0: nothing).
type Sample = (Instant, Duration, u16);

/// Asks again and again until it is told to stop.
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

#[test]
fn an_outage_of_the_database_is_told_survived_and_over_when_it_is_over() -> Result<()> {
    let seconds = std::env::var("STORE_OUTAGE_SECONDS").map_or(Ok(4), |text| text.parse())?;
    let postgres = Postgres::start(Durability::None)?;
    postgres.create_database("outage")?;
    let proxy = TcpProxy::start(postgres.address())?;
    let app = Process::start(&postgres.url_by(proxy.address(), "outage"))?;
    app.wait_ready()?;

    let stop = Arc::new(AtomicBool::new(false));
    let often = Duration::from_millis(50);
    let address = app.address;
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
    thread::sleep(Duration::from_secs(seconds));
    let healed = Instant::now();
    proxy.heal();
    thread::sleep(Duration::from_secs(4));
    stop.store(true, Ordering::Relaxed);

    let load = join(load)?;
    let ready = join(vec![ready])?;
    let live = join(vec![live])?;
    ensure!(
        live.iter().all(|(_, _, status)| *status == 200),
        "liveness does not care"
    );
    let ends = |(start, took, _): &Sample| *start + *took;
    let flipped = ready
        .iter()
        .find(|sample| sample.2 == 503 && sample.0 >= cut)
        .context("readiness never said no")?;
    let flipped = ends(flipped) - cut;
    ensure!(flipped <= Duration::from_secs(3), "readiness said no after {flipped:?}");
    ensure!(
        load.iter().all(|(_, _, status)| matches!(status, 200 | 201 | 503)),
        "every request is answered, with 503 at worst"
    );
    let mut errors: Vec<_> = load
        .iter()
        .filter(|sample| sample.2 == 503)
        .map(|(_, took, _)| *took)
        .collect();
    errors.sort();
    ensure!(
        errors.len() > 10,
        "{} errors only: the fault did not fire",
        errors.len()
    );
    let p99 = *errors.get(errors.len() * 99 / 100).context("no errors")?;
    let first = load
        .iter()
        .filter(|sample| sample.2 < 300 && ends(sample) > healed && sample.0 > cut)
        .map(|sample| ends(sample) - healed)
        .min()
        .context("no success after the outage")?;
    let again = ready
        .iter()
        .filter(|sample| sample.2 == 200 && sample.0 > cut && ends(sample) > healed)
        .map(|sample| ends(sample) - healed)
        .min()
        .context("readiness never said yes again")?;
    println!(
        "outage of {seconds} s: not ready after {flipped:?}; {} errors, p99 {p99:?}; first success after {first:?}, ready after {again:?}",
        errors.len()
    );
    ensure!(p99 <= Duration::from_millis(1_100), "p99 of errors {p99:?}");
    ensure!(first <= Duration::from_secs(2), "first success after {first:?}");
    ensure!(again <= Duration::from_secs(2), "ready after {again:?}");
    let late = load.iter().filter(|sample| sample.0 > healed + Duration::from_secs(2));
    ensure!(
        late.clone().count() > 0 && late.into_iter().all(|sample| sample.2 < 300),
        "all is well again"
    );
    app.stop()
}
