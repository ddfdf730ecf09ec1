//! The service in each dialect: its page against the dialect's table, both ways, in both formats.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use axum::{Router, body::Body, http::Request, routing::get};
use common::{
    App, flags,
    page::{le, must_be_open_metrics, parse, sample},
};
use http_instrument::TraceId;
use metric_contract::{Attribute, DialectId, MetricId, MetricKind};

/// Metrics that the API itself never records; a user's own code does, with the same handles (`app/instrument/examples`).
const OF_USERS: &[MetricId] = &[
    MetricId::AuthEvents,
    MetricId::ExternalRequests,
    MetricId::ExternalRequestDuration,
    MetricId::Orders,
    MetricId::RevenueMinorUnits,
];
/// Metrics that this machine may lack: limits of a container.
const OF_CONTAINERS: &[MetricId] = &[
    MetricId::ContainerMemoryLimit,
    MetricId::ContainerMemoryUsed,
    MetricId::ContainerCpuLimit,
    MetricId::ContainerCpuPeriods,
    MetricId::ContainerCpuThrottledPeriods,
    MetricId::ContainerCpuThrottled,
    MetricId::ContainerOomKills,
];

/// Metrics that need two readings, some time apart.
const OF_TIME: &[MetricId] = &[MetricId::HostCpuPercent];
async fn panics() -> &'static str {
    panic!("deliberately")
}

/// A service in a dialect whose every route has been called, one that panics and one that does not exist among them.
async fn used(dialect: DialectId) -> App {
    let mut flags = flags("sqlite::memory:");
    flags.metrics_dialect = Some(dialect.as_str().to_owned());
    let app = App::with(flags, Router::new().route("/panics", get(panics))).await;
    let mut collector = app::telemetry::system::Collector::new(app.state.metrics(), None).unwrap();
    collector.collect();
    for (method, path, _) in app::routes::measured() {
        // Two to three seconds, for nothing.
        if path != "/api/slow" {
            let path = path.replace("{n}", "1").replace("{id}", "1");
            app.call(method.as_str(), &path, Some("{}")).await;
        }
    }
    app.get("/panics").await;
    app.get("/nowhere").await;
    app
}

async fn open_metrics(app: &App) -> String {
    let request = Request::get("/metrics").header("accept", "application/openmetrics-text;version=1.0.0");
    app.send(request.body(Body::empty()).unwrap()).await.text
}

#[tokio::test]
async fn the_page_is_the_dialects_table_and_the_table_is_the_page() {
    for id in DialectId::WRITTEN {
        let page = used(*id).await.get("/metrics").await.text;
        let found = parse(&page);
        let mut wanted = BTreeMap::new();
        let mut missing = Vec::new();
        for row in id.dialect().rows {
            let mut labels: BTreeSet<&str> = row.family.labels.iter().copied().collect();
            if row.family.kind == MetricKind::Histogram {
                labels.insert("le");
            }
            wanted.insert(row.family.name, labels);
            let Some(family) = found.get(row.family.name) else {
                missing.push(row.metric);
                continue;
            };
            let is = (family.kind.as_str(), family.help.as_str());
            assert_eq!(is, (row.family.kind.as_str(), row.family.help), "{id}");
            assert!(family.samples > 0, "{id}: {} has no sample", row.family.name);
        }
        missing.retain(|metric| ![OF_USERS, OF_CONTAINERS, OF_TIME].concat().contains(metric));
        assert_eq!(missing, [], "{id}: in the table and not on the page");
        for (name, family) in &found {
            let labels: BTreeSet<&str> = family.labels.iter().map(String::as_str).collect();
            assert_eq!(wanted.get(name.as_str()), Some(&labels), "{id}: {name}");
        }
    }
}

#[tokio::test]
async fn open_metrics_has_the_same_families_and_samples() {
    for id in DialectId::WRITTEN {
        let app = used(*id).await;
        let open = open_metrics(&app).await;
        must_be_open_metrics(&open);
        let plain = app.get("/metrics").await.text;
        let series = |page: &str| {
            let lines = page.lines().filter(|line| !line.starts_with('#'));
            lines.map(|line| sample(line).0.to_owned()).collect::<BTreeSet<_>>()
        };
        assert_eq!(
            series(&open),
            series(&plain),
            "{id}: a scraper may change formats and keep its series"
        );
    }
}

#[tokio::test]
async fn every_dialect_counts_the_same_requests() {
    for id in DialectId::WRITTEN {
        let app = used(*id).await;
        for _ in 0..3 {
            app.get("/api/error").await;
        }
        let page = app.get("/metrics").await.text;
        let spelling = id.spelling().requests().unwrap();
        let status = if page.contains(&format!("{}=\"5xx\"", spelling.status.unwrap())) {
            "5xx"
        } else {
            "500"
        };
        let is_it = |line: &&str| {
            line.starts_with(&format!("{}{{", spelling.series))
                && line.contains(&format!("{}=\"{status}\"", spelling.status.unwrap()))
                && line.contains(&format!("{}=\"/api/error\"", spelling.route.unwrap()))
        };
        let counted: f64 = page
            .lines()
            .filter(is_it)
            .map(|line| sample(line).1.parse::<f64>().unwrap())
            .sum();
        assert_eq!(counted, 4.0, "{id}");
    }
}

#[tokio::test]
async fn a_known_route_has_its_series_before_the_first_request() {
    for id in DialectId::WRITTEN {
        let mut flags = flags("sqlite::memory:");
        flags.metrics_dialect = Some(id.as_str().to_owned());
        let app = App::with(flags, Router::new()).await;
        let page = app.get("/metrics").await.text;
        let spelling = id.spelling().requests().unwrap();
        for (_, path, status) in app::routes::measured() {
            for status in [status.as_u16(), 500] {
                let statuses = [status.to_string(), format!("{}xx", status / 100)];
                let exists = page.lines().any(|line| {
                    line.starts_with(spelling.series.as_ref())
                        && line.ends_with("} 0")
                        && line.contains(&format!("{}=\"{path}\"", spelling.route.unwrap()))
                        && statuses
                            .iter()
                            .any(|status| line.contains(&format!("{}=\"{status}\"", spelling.status.unwrap())))
                });
                assert!(exists, "{id}: {path} {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_panic_is_an_exception_of_its_route_where_the_dialect_has_them() {
    for id in DialectId::WRITTEN {
        let Some(row) = id.dialect().row(MetricId::Exceptions) else {
            continue;
        };
        let [exception, route] = [Attribute::Exception, Attribute::Route].map(|label| row.label(label).unwrap());
        let name = id.dialect().error_names;
        let name = http_instrument::ErrorName::PANIC.label_value(name);
        let series = format!("{}{{{exception}=\"{name}\",{route}=\"/panics\"}}", row.family.name);
        assert_eq!(used(*id).await.sample(&series).await, Some(1.0), "{id}: {series}");
    }
}

#[tokio::test]
async fn errors_are_named_as_the_dialect_names_them() {
    for (id, name) in [(DialectId::Native, "deliberate"), (DialectId::S4, "HTTPException")] {
        let mut flags = flags("sqlite::memory:");
        flags.metrics_dialect = Some(id.as_str().to_owned());
        let app = App::with(flags, Router::new()).await;
        app.get("/api/error").await;
        let series = format!("api_errors_total{{error_type=\"{name}\"}}");
        assert_eq!(app.sample(&series).await, Some(1.0), "{id}");
    }
}

#[tokio::test]
async fn a_trace_stands_beside_the_duration_in_open_metrics_only() {
    for id in DialectId::WRITTEN {
        let mut flags = flags("sqlite::memory:");
        flags.metrics_dialect = Some(id.as_str().to_owned());
        let app = App::with(flags, Router::new()).await;
        let mut request = Request::get("/api/v1/data").body(Body::empty()).unwrap();
        // As the layer of trace contexts does it, and after it where there is one.
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let header = format!("00-{trace}-b7ad6b7169203331-01");
        request.headers_mut().insert("traceparent", header.parse().unwrap());
        let bytes: Vec<u8> = (0..16)
            .map(|n| u8::from_str_radix(&trace[2 * n..2 * n + 2], 16).unwrap())
            .collect();
        request.extensions_mut().insert(TraceId::new(bytes.try_into().unwrap()));
        app.send(request).await;
        let open = open_metrics(&app).await;
        must_be_open_metrics(&open);
        let with: Vec<&str> = open.lines().filter(|line| line.contains(trace)).collect();
        let duration = id.spelling().duration().unwrap();
        let wanted = format!("{}{{", duration.histogram.bucket_series());
        let of_route = |line: &&&str| line.starts_with(&wanted) && line.contains("/api/v1/data\"");
        assert_eq!(with.iter().filter(of_route).count(), 1, "{id}: {with:?}");
        assert!(!app.get("/metrics").await.text.contains(" # "), "{id}");
    }
}

#[tokio::test]
async fn the_version_of_the_api_is_from_a_bounded_set() {
    let mut flags = flags("sqlite::memory:");
    flags.metrics_dialect = Some("s2-advanced".to_owned());
    let app = App::with(flags, Router::new()).await;
    for n in 0..100 {
        let request = Request::get("/api/v1/data").header("x-api-version", format!("v{n}"));
        app.send(request.body(Body::empty()).unwrap()).await;
    }
    let page = app.get("/metrics").await.text;
    let versions: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.split("version=\"").nth(1)?.split('"').next())
        .collect();
    assert_eq!(versions, ["other", "v1", "v2"].into());
}

/// Series of the page by metric, the buckets of a histogram taken as one.
fn series(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let series = sample(line).0;
        let series = le(series).map_or(series, |(series, _)| series);
        let name = series.split('{').next().unwrap();
        found.entry(name.to_owned()).or_default().insert(series.to_owned());
    }
    found
}

/// `SCAN_REQUESTS` sets how many requests each dialect gets (the scoreboard's figure is 100,000).
#[tokio::test]
async fn a_scan_of_random_paths_methods_and_hosts_adds_one_series_a_metric_at_most() {
    let requests = std::env::var("SCAN_REQUESTS").map_or(400, |number| number.parse().unwrap());
    for id in DialectId::WRITTEN {
        let app = used(*id).await;
        let before = series(&app.get("/metrics").await.text);
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..requests {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [a, b, c] = [random >> 33, (random >> 20) & 0xff, random >> 50];
            let path = match b % 4 {
                0 => format!("/api/v1/data/{c}/{a:x}"),
                1 => "/api/v1/data/stats/summary".to_owned(),
                _ => format!("/{a:x}/{c}.php?id={b}"),
            };
            let standard = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"];
            let invented = format!("M{b:X}");
            let method = standard.get(c as usize % 12).copied().unwrap_or(&invented);
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("host", format!("h{a}.example"));
            app.send(request.body(Body::empty()).unwrap()).await;
        }
        for (name, after) in series(&app.get("/metrics").await.text) {
            let before = before.get(&name).map_or(0, BTreeSet::len);
            assert!(
                after.len() <= before + 1,
                "{id}: {name} had {before} series and has {}: {after:?}",
                after.len()
            );
        }
    }
}
