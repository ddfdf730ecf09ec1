//! Traefik itself between clients and two workloads, as `cargo xtask campaign proxies` runs it: it reads its routes from a real API
//! server, and a real Prometheus scrapes it and evaluates the rules of both workloads' APIs.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use metric_contract::{DialectId, ProxiedWorkload};
use serde_json::json;

use crate::{
    Traffic, eventually, panels,
    proxied::{OF_THE_OPERATOR, ProxiedApi, ProxyScrape},
    traefik::{Cluster, Port, Service, Traefik},
};

/// The name of the test bed.
const BED: &str = "campaign-traefik";
/// Requests a second to each workload.
const RATE: u32 = 12;
/// How long only the other workload fails.
const OTHER_FAILS: Duration = Duration::from_secs(75);
/// The window of the rules, and a minute.
const PATIENCE: Duration = Duration::from_secs(360);
/// The share of requests that fail in the end.
const WANTED: f64 = 0.25;
/// How far what the rules see may be from what is sent.
const TOLERANCE: f64 = 0.01;

/// What is told of a step that succeeded.
pub type Say<'a> = &'a dyn Fn(&str);

/// Runs the whole of it.
///
/// # Errors
/// When Traefik counts other than the dialect's table says, or the rules do.
pub fn run(say: Say<'_>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster = Cluster::start(BED)?;
    let traefik = Traefik::start(&cluster, &folder.path().join("traefik.log"), &[])?;
    say(&format!("Traefik {} reads the cluster", traefik.version()?));
    names_are_as_the_table_says(&cluster, &traefik.services()?, say)?;

    let apis = [api("orders")?, api("carts")?];
    let [orders, carts] = &apis;
    let scrape = ProxyScrape::start(&folder.path().join("prometheus"), traefik.port, false, &[orders, carts])?;
    let prometheus = &scrape.prometheus;
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", traefik.port);
    let traffic = |paths: &[&str]| Traffic::start(paths.iter().map(|path| url(path)).collect(), RATE);

    let _failing = traffic(&["/nowhere/fail"]);
    let working = traffic(&["/items/1", "/items/2"]);
    let begun = Instant::now();
    while begun.elapsed() < OTHER_FAILS {
        nothing_fires(&scrape, orders)?;
        std::thread::sleep(Duration::from_secs(1));
    }
    wait_firing(&scrape, carts)?;
    ensure!(
        orders.error_share(prometheus)? == Some(0.0),
        "{:?}",
        orders.error_share(prometheus)?
    );
    nothing_fires(&scrape, orders)?;
    let others = carts
        .error_share(prometheus)?
        .context("no share of the other's errors")?;
    ensure!((others - 1.0).abs() < TOLERANCE, "{others}");
    let rate = rate(&scrape, orders)?;
    ensure!(
        (rate - f64::from(RATE)).abs() < 1.0,
        "{rate} requests a second instead of {RATE}"
    );
    say(&format!(
        "only the other workload fails: {rate:.1} of {RATE} requests/s are ours, 0 % of them failed, {:.0} % of the other's",
        others * 100.0
    ));

    drop(working);
    let _burst = traffic(&["/items/1", "/items/2", "/items/3", "/fail"]);
    wait_firing(&scrape, orders)?;
    let share = eventually("the share of errors", PATIENCE, || {
        Ok(match orders.error_share(prometheus)? {
            Some(share) if (share - WANTED).abs() < TOLERANCE => Ok(share),
            seen => Err(format!("{seen:?}")),
        })
    })?;
    let recorded = orders
        .recorded(prometheus, "api_requests")?
        .context("no recorded rate")?;
    ensure!(
        (recorded - f64::from(RATE)).abs() < 1.0,
        "{recorded} requests a second are recorded"
    );
    panels::wait_for_data(
        prometheus,
        &orders.dashboard,
        &[],
        &OF_THE_OPERATOR,
        Duration::from_secs(60),
    )?;
    let queries = panels::values(prometheus, &orders.dashboard, &[])?.len();
    say(&format!(
        "| traefik | {:.1} % of {:.0} % | {recorded:.1} of {RATE} requests/s | ApiHighErrorRatio fires | {queries} queries of panels |",
        share * 100.0,
        WANTED * 100.0
    ));
    Ok(())
}

/// An API behind Traefik whose alerts wait for 15 seconds.
fn api(name: &str) -> Result<ProxiedApi> {
    let spec = json!({
        "image": "i", "metrics": {"dialect": "traefik"},
        "alerts": {"overrides": [{"name": "ApiHighErrorRatio", "for": "15s"}]},
        "objectives": [
            {"name": "availability", "type": "Availability", "target": "99.9"},
            {"name": "fast", "type": "Latency", "threshold": "300ms", "target": "99"},
        ],
    });
    ProxiedApi::new("shop", name, &spec)
}

/// Whether Traefik calls each Service what the dialect's table says.
fn names_are_as_the_table_says(cluster: &Cluster, known: &[String], say: Say<'_>) -> Result<()> {
    let proxy = DialectId::Traefik.proxy().context("the dialect is that of a proxy")?;
    let ours = |(service, number): &(Service, u16)| {
        let workload = ProxiedWorkload {
            namespace: service.namespace.to_owned(),
            kind: "deployment".to_owned(),
            name: service.name.to_owned(),
            service: service.name.to_owned(),
            ports: vec![match service.port {
                Port::Name => "http".to_owned(),
                Port::Number => number.to_string(),
            }],
            names_in_proxy: Vec::new(),
        };
        let conditions = proxy.series_of(&workload).into_iter().flatten();
        conditions
            .flat_map(|condition| condition.values)
            .collect::<std::collections::BTreeSet<_>>()
    };
    for service in cluster.services() {
        let names = ours(service);
        let found: Vec<_> = known
            .iter()
            .filter(|name| names.contains(*name))
            .map(String::as_str)
            .collect();
        let Service { namespace, name, .. } = service.0;
        ensure!(!found.is_empty(), "{namespace}/{name} is none of {known:?}");
        say(&format!("{namespace}/{name} is {}", found.join(", ")));
    }
    Ok(())
}

/// None of the API's alerts fires, or waits to do so.
fn nothing_fires(scrape: &ProxyScrape, api: &ProxiedApi) -> Result<()> {
    let alerts = api.alerts(&scrape.prometheus)?;
    ensure!(alerts.is_empty(), "{}: {alerts:?}", api.name);
    Ok(())
}

fn wait_firing(scrape: &ProxyScrape, api: &ProxiedApi) -> Result<()> {
    let what = format!("ApiHighErrorRatio of {} to fire", api.name);
    eventually(&what, PATIENCE, || {
        let alerts = api.alerts(&scrape.prometheus)?;
        let is_firing = alerts
            .iter()
            .any(|(name, state)| name == "ApiHighErrorRatio" && state == "firing");
        Ok(if is_firing { Ok(()) } else { Err(format!("{alerts:?}")) })
    })
}

/// Requests per second of the last minute, by the panel that shows them.
fn rate(scrape: &ProxyScrape, api: &ProxiedApi) -> Result<f64> {
    let panels = panels::values(&scrape.prometheus, &api.dashboard, &[])?;
    let panel = panels.iter().find(|panel| panel.title == "Request rate");
    panel
        .and_then(|panel| panel.first)
        .with_context(|| format!("no rate among {} queries", panels.len()))
}
