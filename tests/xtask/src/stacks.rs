//! `cargo xtask stacks`: services with the libraries of other frameworks, as pods of the test bed's cluster. A MonitoredApi with little
//! more than the image must find out what each exports; an error burst must fire the alert, with the right share of errors, and every
//! panel must have data. With `--existing` a Deployment, StatefulSet or DaemonSet of somebody else runs the image, and the
//! MonitoredApi refers to that.
//!
//! The programs are those of `tests/dialects`, installed as `cargo xtask capture` installs them.

#![expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by key gives null, never a panic"
)]

mod image;
mod workload;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use integration_tests::{
    Traffic,
    chain::{Chain, condition_of, show_conditions},
    eventually, image as images, panels,
};
use serde_json::{Value, json};

use crate::capture::{
    dialects::{DIALECTS, Dialect},
    install::install,
};

const BED: &str = "stacks";
const NAMESPACE: &str = "stacks";
/// Where most libraries have their page.
const METRICS: &str = "/metrics";
const MINUTE: Duration = Duration::from_secs(60);
/// Within which a dialect must be known once requests come in.
const KNOWN_WITHIN: Duration = MINUTE;
/// Requests a second to each service.
const RATE: u32 = 12;
/// One in so many is answered with a 500.
const FAILS_EVERY: usize = 4;
/// How far the share of errors that the rules see may be from that.
const TOLERANCE: f64 = 0.05;

/// A framework's service.
#[derive(Debug, Clone, Copy)]
struct Stack {
    /// Its row in the table of dialects.
    program: &'static str,
    /// The dialect that must be found.
    dialect: &'static str,
    /// The port on which it serves everything.
    port: u16,
    /// The path of its metrics page.
    path: &'static str,
}

const fn stack(program: &'static str) -> Stack {
    Stack {
        program,
        dialect: program,
        port: 8000,
        path: METRICS,
    }
}

/// The kinds of workloads of somebody else, one service after the other.
const EXISTING: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Every service that is run.
const STACKS: &[Stack] = &[
    stack("fastapi-instrumentator"),
    stack("starlette-exporter"),
    stack("flask"),
    stack("django-prometheus"),
    stack("promhttp"),
    stack("gin"),
    stack("echo"),
    Stack {
        dialect: "otel-http",
        ..stack("otel-http/go")
    },
    stack("express-prom-bundle"),
    stack("fastify-metrics"),
    Stack {
        port: 8080,
        path: "/actuator/prometheus",
        ..stack("spring-boot")
    },
    stack("axum-prometheus"),
    stack("actix-web-prom"),
];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Programs of tests/dialects, for example flask; all of the table when none is named.
    programs: Vec<String>,
    /// Run the images in workloads that are not the operator's, and refer to those.
    #[arg(long)]
    existing: bool,
}

impl Stack {
    /// Name of the MonitoredApi.
    fn name(&self) -> String {
        self.program.replace('/', "-")
    }

    fn row(&self) -> Result<&'static Dialect> {
        let row = DIALECTS.iter().find(|dialect| dialect.id == self.program);
        row.with_context(|| format!("{} is not in the table of dialects", self.program))
    }
}

/// What was seen of one stack.
#[derive(Debug)]
struct Seen {
    stack: &'static Stack,
    traffic: Traffic,
    /// From the first request until the status named the dialect.
    known_after: Duration,
    confidence: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let chosen = chosen(&args.programs)?;
    let images = images::build(images::TESTBED)?;
    let chain = Chain::up(BED, &images)?;
    chain.install(&[])?;
    chain.namespace(NAMESPACE)?;
    let mut failed = Vec::new();
    let mut applied = Vec::new();
    for (index, stack) in chosen.into_iter().enumerate() {
        say(&format!("{}: install, make an image, apply", stack.program));
        let existing = args.existing.then(|| EXISTING[index % EXISTING.len()]);
        match apply(&chain, stack, existing) {
            Ok(()) => applied.push(stack),
            Err(error) => failed.push(format!("{}: {error:#}", stack.program)),
        }
    }
    let mut running = Vec::new();
    for stack in applied {
        match recognised(&chain, stack) {
            Ok(seen) => running.push(seen),
            Err(error) => failed.push(format!("{}: {error:#}", stack.program)),
        }
    }
    for seen in running {
        if let Err(error) = monitored(&chain, &seen) {
            failed.push(format!("{}: {error:#}", seen.stack.program));
        }
    }
    chain.bed.shutdown()?;
    ensure!(failed.is_empty(), "\n{}", failed.join("\n"));
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Stack>> {
    for name in names {
        if !STACKS.iter().any(|stack| stack.program == name) {
            let known: Vec<_> = STACKS.iter().map(|stack| stack.program).collect();
            bail!(
                "PROGRAMS: {name} is not one of the stacks: use one of {}",
                known.join(", ")
            );
        }
    }
    let is_chosen = |stack: &&Stack| names.is_empty() || names.iter().any(|name| name == stack.program);
    Ok(STACKS.iter().filter(is_chosen).collect())
}

/// Makes an image of the program and applies a MonitoredApi of it.
fn apply(chain: &Chain, stack: &Stack, existing: Option<&str>) -> Result<()> {
    let row = stack.row()?;
    let newest = row.releases.first().context("a release")?;
    let installed = install(row, newest)?;
    let reference = format!("localhost/{}:{}", stack.name(), newest.version);
    let tar = image::write(row.runtime, &installed, &reference)?;
    chain
        .bed
        .load_image(&tar)
        .with_context(|| format!("load {reference}"))?;
    std::fs::remove_file(&tar).with_context(|| format!("remove {}", tar.display()))?;
    match existing {
        Some(kind) => {
            chain
                .bed
                .apply(&workload::manifest(NAMESPACE, kind, stack, &reference))?;
            apply_api(
                chain,
                stack,
                &json!({"workloadRef": {"kind": kind, "name": stack.name()}}),
            )
        }
        None => {
            let mut spec = json!({"image": reference, "port": stack.port});
            if stack.path != METRICS {
                spec["metrics"] = json!({"path": stack.path});
            }
            apply_api(chain, stack, &spec)
        }
    }
}

fn apply_api(chain: &Chain, stack: &Stack, spec: &Value) -> Result<()> {
    let object = json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": stack.name(), "namespace": NAMESPACE}, "spec": spec,
    });
    chain.bed.apply(&object.to_string())
}

/// Waits until the dialect is known, from the first requests on.
fn recognised(chain: &Chain, stack: &'static Stack) -> Result<Seen> {
    let name = stack.name();
    chain.wait_condition(NAMESPACE, &name, "Ready", "True", 5 * MINUTE)?;
    let traffic = traffic(&chain.service_url(NAMESPACE, &name, 80)?);
    eventually(&format!("answers of {name}"), MINUTE, || {
        Ok(if traffic.answered() > 0 {
            Ok(())
        } else {
            Err("none".to_owned())
        })
    })?;
    let begun = Instant::now();
    let metrics = eventually(&format!("the dialect of {name}"), 3 * MINUTE, || {
        let api = chain.api(NAMESPACE, &name)?;
        let is_known = condition_of(&api, "DialectKnown").is_some_and(|(status, _)| status == "True");
        let metrics = api["status"]["metrics"].clone();
        Ok(if is_known && metrics["families"].is_array() {
            Ok(metrics)
        } else {
            Err(show_conditions(&api))
        })
    })?;
    let known_after = begun.elapsed();
    let text = |key: &str| metrics[key].as_str().unwrap_or("-").to_owned();
    say(&format!(
        "{name}: {} ({}, route {}, status {}) after {} s",
        text("dialect"),
        text("confidence"),
        text("routeLabel"),
        text("statusStyle"),
        known_after.as_secs()
    ));
    ensure!(
        metrics["dialect"] == json!(stack.dialect),
        "the status names {}",
        metrics["dialect"]
    );
    ensure!(known_after <= KNOWN_WITHIN, "known after {known_after:?}");
    Ok(Seen {
        stack,
        traffic,
        known_after,
        confidence: text("confidence"),
    })
}

/// Reads and, one in [`FAILS_EVERY`], failures.
fn traffic(url: &str) -> Traffic {
    let mut paths = vec!["/items/1", "/items/2", "/slow"];
    paths.truncate(FAILS_EVERY - 1);
    paths.push("/fail");
    Traffic::start(paths.into_iter().map(|path| format!("{url}{path}")).collect(), RATE)
}

/// Waits until the alert fires with the right share of errors, and every panel has data.
fn monitored(chain: &Chain, seen: &Seen) -> Result<()> {
    let name = seen.stack.name();
    for condition in ["Scraped", "RulesHealthy", "DashboardPlaced", "Monitored"] {
        chain.wait_condition(NAMESPACE, &name, condition, "True", 6 * MINUTE)?;
    }
    eventually(&format!("ApiHighErrorRatio of {name} to fire"), 8 * MINUTE, || {
        let state = chain.alert_state(NAMESPACE, &name, "ApiHighErrorRatio")?;
        Ok(if state == "firing" { Ok(()) } else { Err(state) })
    })?;
    let wanted = 1.0 / f64::from(u32::try_from(FAILS_EVERY)?);
    let share = eventually(&format!("the share of errors of {name}"), 6 * MINUTE, || {
        let share = chain.prometheus.error_share(NAMESPACE, &name)?.unwrap_or_default();
        Ok(if (share - wanted).abs() < TOLERANCE {
            Ok(share)
        } else {
            Err(format!("{share} instead of {wanted}"))
        })
    })?;
    let dashboard: Value = chain.dashboard(NAMESPACE, &name)?;
    panels::wait_for_data(&chain.prometheus, &dashboard, &[], &[], 3 * MINUTE)?;
    let panels = chain.panel_values(NAMESPACE, &name)?.len();
    let rules = chain.wait_rules_ok(NAMESPACE, &name, MINUTE)?.len();
    ensure!(seen.traffic.answered() > 0);
    say(&format!(
        "| {} | {} | {} | {} s | {:.1} % of {:.0} % | {rules} | {panels} |",
        seen.stack.program,
        seen.stack.dialect,
        seen.confidence,
        seen.known_after.as_secs(),
        share * 100.0,
        wanted * 100.0,
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(text: &str) {
    println!("{text}");
}
