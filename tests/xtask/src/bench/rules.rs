//! What `monitored-api render` costs: 1,000 resources, in a process of its own.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use integration_tests::process;
use serde_json::{Value, json};

/// How often the memory is read.
const LOOK_EVERY: Duration = Duration::from_millis(2);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// MonitoredApis.
    #[arg(long, default_value_t = 1000)]
    resources: usize,
    /// Runs.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Routes of the API whose rules and dashboard a Prometheus evaluates.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 200])]
    pub(super) routes: Vec<usize>,
    /// Leave `render` out, which needs a build with optimizations.
    #[arg(long)]
    pub(super) only_samples: bool,
}

/// Measures, and returns the table.
pub(super) fn measure(args: &Args, binary: &Path) -> Result<String> {
    ensure!(
        args.resources > 0 && args.runs > 0,
        "--resources and --runs must be at least 1"
    );
    let alike = cost(args, binary, document)?;
    let different = cost(args, binary, different_document)?;
    let row = |measure: &str, of: fn(&Cost) -> u128, goal: &str| {
        format!("| R1 | {measure} | {} | {} | {goal} |\n", of(&alike), of(&different))
    };
    Ok(format!(
        "`render` of {} resources with two objectives each, mean of {} runs.\n\n\
         | # | measure | differing in their names | every one with a threshold of its own | goal |\n|---|---|---|---|---|\n{}{}{}{}",
        args.resources,
        args.runs,
        row("CPU, ms", |cost| cost.cpu.as_millis(), "at most 50"),
        row("clock, ms", |cost| cost.clock.as_millis(), ""),
        row(
            "memory at its peak, MiB",
            |cost| u128::from(cost.memory >> 20),
            "at most 32"
        ),
        row("output, MB", |cost| u128::from(cost.output / 1_000_000), ""),
    ))
}

/// What `render` costs: a mean of some runs; the memory is the most of all.
#[derive(Debug)]
struct Cost {
    cpu: Duration,
    clock: Duration,
    memory: u64,
    output: u64,
}

fn cost(args: &Args, binary: &Path, document: fn(usize) -> Value) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("resources.yaml");
    let documents: Vec<String> = (0..args.resources).map(|index| document(index).to_string()).collect();
    fs::write(&input, documents.join("\n---\n"))?;
    let render = || {
        let mut command = Command::new(binary);
        command.arg("render").arg("-f").arg(&input);
        command
    };
    let output = render().output().context("run render")?.stdout.len();
    let before = process::cpu_of_ended_children()?;
    let started = Instant::now();
    let mut memory = 0;
    for _ in 0..args.runs {
        memory = memory.max(peak(&mut render())?);
    }
    let runs = u32::try_from(args.runs)?;
    Ok(Cost {
        cpu: (process::cpu_of_ended_children()? - before) / runs,
        clock: started.elapsed() / runs,
        memory,
        output: u64::try_from(output)?,
    })
}

/// Runs a program and returns the most memory that it had, in bytes.
fn peak(command: &mut Command) -> Result<u64> {
    let mut child = command.stdout(Stdio::null()).spawn().context("run render")?;
    let mut peak = 0;
    let status = loop {
        // The figure only grows, so the last one before the end is the one that counts.
        peak = process::peak(child.id()).unwrap_or(peak);
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(LOOK_EVERY);
    };
    ensure!(status.success(), "render ended with {status}");
    Ok(peak)
}

/// A resource that differs from the others in its name alone.
fn document(index: usize) -> Value {
    resource(index, &json!([]))
}

/// A resource with a threshold that no other one has.
fn different_document(index: usize) -> Value {
    let threshold = format!("{}ms", 400 + index);
    resource(index, &json!([{"name": "ApiHighLatencyP95", "threshold": threshold}]))
}

fn resource(index: usize, overrides: &Value) -> Value {
    json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": format!("api-{index}"), "namespace": "shop"},
        "spec": {
            "image": "example.org/orders:1",
            "preset": "native",
            "alerts": {"overrides": overrides},
            "objectives": [
                {"name": "availability", "type": "Availability", "target": "99.9"},
                {"name": "latency", "type": "Latency", "target": "99", "threshold": "500ms"},
            ],
        },
    })
}
