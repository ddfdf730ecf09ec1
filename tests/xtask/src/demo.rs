//! `cargo xtask demo`: the whole chain on this machine, from an empty cluster to a monitored API; each link is printed.

mod local;
mod programs;
mod shared;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use integration_tests::{
    Traffic,
    chain::{Chain, example, show_conditions},
    database, eventually, image,
    panels::PanelValue,
};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use testbed::{Cache, Need, StateDir, Testbed, Toolbox};

/// Name of the demo's test bed.
const BED: &str = "demo";
const NAMESPACE: &str = "shop";
const API: &str = "orders";
/// Requests a second of the demo's traffic; one in forty is an error, below the alerts' thresholds.
const RATE: u32 = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check and print every link, then exit: 0 if all hold.
    #[arg(long)]
    exit: bool,
    /// Without a cluster, containers or root: the API, Prometheus and Alertmanager as processes; an alert fires and resolves.
    #[arg(long, conflicts_with = "postgres")]
    local: bool,
    /// With a PostgreSQL in the cluster, and two pods of the API that share its data.
    #[arg(long)]
    postgres: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// End a running demo.
    Down,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(Command::Down) = args.command {
        return down();
    }
    if args.local {
        return local::run(args.exit);
    }
    let start = Instant::now();
    let Running { chain, url, _traffic } = up(args.postgres)?;
    if args.postgres {
        shared::check(&chain, NAMESPACE, API)?;
    }
    say(&format!(
        "\nAll links hold, {} s after the start.",
        start.elapsed().as_secs()
    ));
    if args.exit {
        return chain.bed.shutdown();
    }
    stay(&chain, &url)
}

/// A demo in which every link holds.
pub(crate) struct Running {
    /// Its cluster.
    pub(crate) chain: Chain,
    /// Where the API is reached.
    url: String,
    _traffic: Traffic,
}

/// Brings everything up, and checks and prints every link.
pub(crate) fn up(postgres: bool) -> Result<Running> {
    ensure_not_running()?;
    say(&first_words()?);
    step("images: two static binaries from this checkout");
    say("  built by Cargo, which shows its progress");
    let images = image::build(image::TESTBED)?;
    step("cluster: a real control plane, a real node, Prometheus Operator, Prometheus, Alertmanager");
    let chain = Chain::up(BED, &images)?;
    step("helm install monitored-api");
    chain.install(&[])?;
    chain.namespace(NAMESPACE)?;
    if postgres {
        step("a PostgreSQL as a pod, its URL in a Secret");
        database::load(&chain.bed)?;
        database::up(&chain.bed, NAMESPACE)?;
    }
    let file = if postgres {
        "orders-with-postgres.yaml"
    } else {
        "orders.yaml"
    };
    step(&format!("kubectl apply -f manifests/examples/{file}"));
    chain.apply_file(NAMESPACE, &example(file))?;
    chain.wait_condition(NAMESPACE, API, "Ready", "True", Duration::from_secs(120))?;
    let url = chain.service_url(NAMESPACE, API, 80)?;
    let traffic = Traffic::start(traffic(&url), RATE);
    check(&chain, if postgres { 2 } else { 1 })?;
    Ok(Running {
        chain,
        url,
        _traffic: traffic,
    })
}

/// Ends a running demo's cluster; the process that started it then ends too.
fn down() -> Result<()> {
    if !state()?.is_alive()? {
        bail!("no demo is running: end one that still builds with Ctrl-C in its terminal");
    }
    Testbed::end(BED)?;
    say("The demo's cluster has ended; the process that started it ends within a second.");
    Ok(())
}

fn state() -> Result<StateDir> {
    StateDir::of(&Cache::locate()?, BED)
}

fn ensure_not_running() -> Result<()> {
    if state()?.is_alive()? {
        bail!("a demo is running already: end it with `cargo xtask demo down`");
    }
    Ok(())
}

/// Says what will be built, and how long that usually takes on two cores.
fn first_words() -> Result<String> {
    let toolbox = Toolbox::open()?;
    let missing = toolbox.missing(|need| need != Need::OnDemand);
    Ok(if missing.is_empty() {
        "The tools of the test bed are built already: the demo is up within some minutes.".to_owned()
    } else {
        format!(
            "First run: {} of the test bed's tools (Kubernetes, Prometheus, …) are built from source and cached for later \
             runs. That takes about {} minutes on two cores, and the images some more.",
            missing.len(),
            missing
                .iter()
                .map(|tool| u64::from(tool.usual_seconds))
                .sum::<u64>()
                .div_ceil(60)
        )
    })
}

/// Paths of the traffic: reads, and one error in each forty requests.
fn traffic(url: &str) -> Vec<String> {
    let mut paths = vec!["/api/v1/data"; 39];
    paths.push("/api/error");
    paths.into_iter().map(|path| format!("{url}{path}")).collect()
}

/// Checks every link of the chain in order, and prints each.
fn check(chain: &Chain, pods: usize) -> Result<()> {
    show_resource(chain)?;
    step("targets that Prometheus scrapes");
    chain.wait_targets_up(NAMESPACE, API, pods, Duration::from_secs(90))?;
    for (health, error) in chain.prometheus.targets(NAMESPACE, API)? {
        say(&format!("  {NAMESPACE}/{API}  {health} {error}"));
    }
    step("rules that Prometheus evaluates");
    chain.wait_rules_ok(NAMESPACE, API, Duration::from_secs(90))?;
    for rule in chain.prometheus.rules(&format!("{NAMESPACE}-{API}-"))? {
        say(&format!("  {:<42} health {:<4} {}", rule.name, rule.health, rule.state));
    }
    step("the current values of each panel of the dashboard");
    for panel in panels_with_data(chain)? {
        say(&format!(
            "  {:<36} {:>3} series, first {}",
            panel.title,
            panel.series,
            panel.first.map_or("–".to_owned(), |value| format!("{value:.4}"))
        ));
    }
    chain.wait_condition(NAMESPACE, API, "MonitorSelected", "True", Duration::from_secs(60))?;
    Ok(())
}

fn panels_with_data(chain: &Chain) -> Result<Vec<PanelValue>> {
    eventually("data in every panel", Duration::from_secs(120), || {
        let panels = chain.panel_values(NAMESPACE, API)?;
        let empty: Vec<_> = panels
            .iter()
            .filter(|panel| panel.series == 0)
            .map(|panel| panel.title.clone())
            .collect();
        Ok(if empty.is_empty() && !panels.is_empty() {
            Ok(panels)
        } else {
            Err(format!("no data in {}", empty.join(", ")))
        })
    })
}

fn show_resource(chain: &Chain) -> Result<()> {
    step("the resource");
    say(&chain.bed.kubectl(&[
        "--namespace",
        NAMESPACE,
        "get",
        "monitoredapi,deployment,service,servicemonitor,prometheusrule,configmap",
        "--selector",
        &format!("monitoredapi.io/name={API}"),
    ])?);
    say(&chain
        .bed
        .kubectl(&["--namespace", NAMESPACE, "get", "monitoredapi", API, "-o", "wide"])?);
    say(&show_conditions(&chain.api(NAMESPACE, API)?));
    Ok(())
}

fn stay(chain: &Chain, url: &str) -> Result<()> {
    say("\nOn this machine:");
    say(&format!("  the API        {url}"));
    say(&format!("  Prometheus     {}", chain.prometheus.url));
    say(&format!("  Alertmanager   {}", chain.alertmanager));
    say(&format!(
        "  the cluster    export KUBECONFIG={}",
        chain.bed.kubeconfig().display()
    ));
    say(&format!(
        "\nMake an alert fire:  while sleep .1; do curl -so /dev/null {url}/api/error; done"
    ));
    say("Ctrl-C, or `cargo xtask demo down`, ends it.");
    let mut stops = watch_for_ctrl_c()?;
    let state = state()?;
    while stops.pending().next().is_none() {
        if !state.is_alive()? {
            say("the demo was ended by `cargo xtask demo down`");
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn watch_for_ctrl_c() -> Result<Signals> {
    Signals::new([SIGINT, SIGTERM, SIGHUP]).context("watch for Ctrl-C")
}

fn step(what: &str) {
    say(&format!("\n== {what}"));
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
