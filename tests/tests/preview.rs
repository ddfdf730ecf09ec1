//! `monitored-api preview --prometheus`: a real Prometheus scrapes the reference API under traffic, and every panel of the page is
//! drawn from it. And a disk that is full.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and prints its figures"
)]

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use anyhow::Result;
use integration_tests::{
    Repeated, Traffic, api, eventually,
    operator::Operator,
    prometheus_server::{PrometheusServer, Start, Target},
    workspace,
};

const ORDERS: Target = Target {
    namespace: "default",
    name: "orders",
};
const PATIENCE: Duration = Duration::from_secs(180);
/// Panels that are empty without the operator, which reports their figures.
const OF_THE_OPERATOR: [&str; 2] = ["Replicas wanted and ready", "Restarts"];

fn orders() -> PathBuf {
    workspace::root().unwrap().join("manifests/examples/orders.yaml")
}

fn preview(page: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(Operator::binary().unwrap());
    command.arg("preview").arg("-f").arg(orders()).arg("-o").arg(page);
    command.args(arguments).output().unwrap()
}

/// The titles of the panels of a page that say why they have no data, and how many panels there are.
fn without_data(html: &str) -> (Vec<String>, usize) {
    let panels: Vec<_> = html.split("<article class=\"panel ").skip(1).collect();
    let empty = panels
        .iter()
        .filter(|panel| panel.contains("<strong>No data: </strong>"));
    let title = |panel: &&str| {
        let (_, heading) = panel.split_once("<h5 ").unwrap();
        let (_, text) = heading.split_once('>').unwrap();
        text.split('<').next().unwrap().to_owned()
    };
    (empty.map(title).collect(), panels.len())
}

/// Requests that succeed, fail and are slow; writes to the database with a task each, and lookups in the cache.
fn traffic(address: SocketAddr) -> (Traffic, Repeated) {
    let paths = [
        "/",
        "/api/v1/data",
        "/api/error",
        "/nowhere",
        "/users/1",
        "/users/987654",
    ];
    let urls = paths.iter().map(|path| format!("http://{address}{path}")).collect();
    let user = r#"{"name":"Ada Lovelace","email":"ada@example.com"}"#;
    let writes = Repeated::start(move || {
        // The panels show it if a write fails.
        let _ = api::send(address, "POST", "/users", Some(user));
        std::thread::sleep(Duration::from_millis(100));
    });
    (Traffic::start(urls, 60), writes)
}

#[test]
fn every_panel_is_drawn_from_a_prometheus_that_scrapes_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("api.db").display());
    let settings = [("METRICS_COLLECTION_INTERVAL", "1s"), ("SYSTEM_METRICS_INTERVAL", "1s")];
    let process = api::Process::launch(Command::new(api::binary().unwrap()), &database, &settings).unwrap();
    process.wait_ready().unwrap();
    let _traffic = traffic(process.address);
    let server = PrometheusServer::start(Start {
        folder: folder.path(),
        target: ORDERS,
        scraped: Some(process.address.port()),
        others: &[],
        retention: "1d",
    })
    .unwrap();
    server.wait_ready().unwrap();

    let page = folder.path().join("preview.html");
    let url = server.url();
    let begun = Instant::now();
    let (html, panels) = eventually(
        "data in every panel",
        PATIENCE,
        || -> Result<Result<(String, usize), String>> {
            let output = preview(&page, &["--prometheus", &url, "--range", "5m"]);
            assert!(output.status.success(), "{output:?}");
            let html = fs::read_to_string(&page)?;
            let (empty, panels) = without_data(&html);
            let is_excused = empty.iter().map(String::as_str).eq(OF_THE_OPERATOR);
            Ok(if is_excused {
                Ok((html, panels))
            } else {
                Err(format!("{empty:?}"))
            })
        },
    )
    .unwrap();
    println!(
        "{panels} panels, data in all but {OF_THE_OPERATOR:?} after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    assert!(panels > 20, "{panels}");
    assert!(html.contains("Measured data") && html.contains(&url) && !html.contains("Sample data"));
    assert!(html.contains("/users/{"), "the routes are those of the API");
    if let Some(kept) = std::env::var_os("PREVIEW_PAGE") {
        fs::copy(&page, kept).unwrap();
    }
}

#[test]
fn a_page_that_does_not_fit_on_the_disk_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    // A disk of 64 KiB of its own: a page is larger.
    let script = "mount -t tmpfs -o size=64k tmpfs \"$1\" && \"$2\" preview -f \"$3\" -o \"$1/page.html\"; code=$?; ls -A \"$1\"; exit $code";
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", script, "sh"]);
    command.arg(&disk).arg(Operator::binary().unwrap()).arg(orders());
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        told.contains("free some space there") && told.contains("No space left on device"),
        "{told}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}
