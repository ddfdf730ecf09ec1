//! An API behind Traefik, by the pages of a running Traefik that stand in `tests/dialects/traefik`: a real Prometheus scrapes them, as
//! if as many requests came again every second, and evaluates the rules of two APIs. `cargo xtask campaign proxies` does the same with
//! Traefik itself.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, TcpListener},
    time::{Duration, Instant},
};

use integration_tests::{
    eventually, page_server, panels,
    proxied::{OF_THE_OPERATOR, ProxiedApi, ProxyScrape},
    workspace,
};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(180);

/// A captured page of Traefik with these options, after some requests.
fn captured(variant: &str) -> String {
    let pages = workspace::root().unwrap().join("tests/dialects/traefik/pages");
    let [version] = &fs::read_dir(pages).unwrap().collect::<Vec<_>>()[..] else {
        panic!("one version of Traefik")
    };
    let page = version.as_ref().unwrap().path().join(format!("{variant}.after.text"));
    fs::read_to_string(page).unwrap()
}

/// The page after the same requests were made so many times.
fn repeated(page: &str, times: u64) -> String {
    let repeat = |line: &str| match line.rsplit_once(' ') {
        Some((series, value)) if !line.starts_with('#') && series.starts_with("traefik_") => {
            let value: f64 = value.parse().unwrap();
            format!("{series} {}\n", value * f64::from(u32::try_from(times).unwrap()))
        }
        _ => format!("{line}\n"),
    };
    page.lines().map(repeat).collect()
}

/// Requests of a Service on the page, by status.
fn requests(page: &str, service: &str) -> BTreeMap<String, f64> {
    let mut by_status = BTreeMap::new();
    let own = format!("service=\"{service}\"");
    for line in page
        .lines()
        .filter(|line| line.starts_with("traefik_service_requests_total{"))
    {
        let (series, value) = line.rsplit_once(' ').unwrap();
        if series.contains(&own) {
            let (_, status) = series.split_once("code=\"").unwrap();
            let status = status.split('"').next().unwrap().to_owned();
            *by_status.entry(status).or_insert(0.0) += value.parse::<f64>().unwrap();
        }
    }
    by_status
}

/// The rules of two APIs behind Traefik count the requests that the page has of each, and the panels have data.
fn assert_counted(variant: &str, honor_labels: bool) {
    let page = captured(variant);
    let orders = requests(&page, "shop-orders-http@kubernetes");
    let all: f64 = orders.values().sum();
    let failed: f64 = orders
        .iter()
        .filter(|(status, _)| status.starts_with('5'))
        .map(|(_, count)| count)
        .sum();
    assert!(failed > 0.0 && failed < all && orders.contains_key("499"), "{orders:?}");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let begun = Instant::now();
    page_server::serve(listener, move || repeated(&page, begun.elapsed().as_secs() + 1));
    let spec = json!({"image": "i", "metrics": {"dialect": "traefik"}, "objectives": [
        {"name": "availability", "type": "Availability", "target": "99.9"},
        {"name": "fast", "type": "Latency", "threshold": "300ms", "target": "99"},
    ]});
    // The last has a Service whose name begins like another's, and no series.
    let [orders, carts, order] = ["orders", "carts", "order"].map(|name| ProxiedApi::new("shop", name, &spec).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let scrape = ProxyScrape::start(folder.path(), port, honor_labels, &[&orders, &carts, &order]).unwrap();
    let prometheus = &scrape.prometheus;
    let label = if honor_labels { "service" } else { "exported_service" };

    let share = eventually("the share of errors", PATIENCE, || {
        let share = orders.error_share(prometheus)?;
        Ok(match share {
            Some(share) if (share - failed / all).abs() < 0.001 => Ok(share),
            seen => Err(format!("{seen:?} instead of {}", failed / all)),
        })
    })
    .unwrap();
    // What a person would ask Prometheus of this Service.
    let by_hand = format!("sum(rate(traefik_service_requests_total{{{label}=\"shop-orders-http@kubernetes\"}}[5m]))");
    let rate = eventually("the rate of requests", PATIENCE, || {
        let recorded = orders.recorded(prometheus, "api_requests")?.unwrap_or_default();
        let by_hand = prometheus.query(&by_hand)?.first().map_or(0.0, |(_, value)| *value);
        // A rule was evaluated up to a second ago.
        let is_equal = recorded > 0.0 && (recorded / by_hand - 1.0).abs() < 0.1;
        Ok(if is_equal {
            Ok(recorded)
        } else {
            Err(format!("{recorded} instead of {by_hand}"))
        })
    })
    .unwrap();
    eventually("the alert about errors", PATIENCE, || {
        let alerts = orders.alerts(prometheus)?;
        let is_seen = alerts.iter().any(|(name, _)| name == "ApiHighErrorRatio");
        Ok(if is_seen { Ok(()) } else { Err(format!("{alerts:?}")) })
    })
    .unwrap();
    assert_eq!(carts.error_share(prometheus).unwrap(), Some(0.0));
    assert!(carts.recorded(prometheus, "api_requests").unwrap().unwrap() < rate);
    assert_eq!(order.recorded(prometheus, "api_requests").unwrap(), None);
    panels::wait_for_data(prometheus, &orders.dashboard, &[], &OF_THE_OPERATOR, PATIENCE).unwrap();
    println!(
        "| traefik, {variant}, label {label} | {:.1} % of {:.1} % | {:.0} s |",
        share * 100.0,
        failed / all * 100.0,
        begun.elapsed().as_secs_f64()
    );
}

#[test]
fn rules_count_the_requests_that_traefiks_page_has_of_the_workload_however_it_is_scraped() {
    // Both wait for the next full minute.
    std::thread::scope(|both| {
        both.spawn(|| assert_counted("default", false));
        both.spawn(|| assert_counted("header-labels", true));
    });
}
