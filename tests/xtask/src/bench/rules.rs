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
    let costs = [
        cost(args, binary, document)?,
        cost(args, binary, yaml_document)?,
        cost(args, binary, different_document)?,
    ];
    let row = |measure: &str, of: fn(&Cost) -> u128, goal: &str| {
        let figures = costs.iter().map(|cost| format!(" {} |", of(cost)));
        format!("| R1 | {measure} |{} {goal} |\n", figures.collect::<String>())
    };
    Ok(format!(
        "`render` of {} resources with two objectives each, mean of {} runs.\n\n\
         | # | measure | differing in their names, in JSON | the same in YAML | every one with a threshold of its own | goal |\n\
         |---|---|---|---|---|---|\n{}{}{}{}",
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

fn cost(args: &Args, binary: &Path, document: fn(usize) -> String) -> Result<Cost> {
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("resources.yaml");
    let documents: Vec<String> = (0..args.resources).map(document).collect();
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
fn document(index: usize) -> String {
    resource(index, &json!([])).to_string()
}

/// The same as people write it.
fn yaml_document(index: usize) -> String {
    format!(
        "apiVersion: monitoredapi.io/v1alpha1\n\
         kind: MonitoredApi\n\
         metadata:\n\
         \x20 name: api-{index}\n\
         \x20 namespace: shop\n\
         spec:\n\
         \x20 image: example.org/orders:1\n\
         \x20 preset: native\n\
         \x20 alerts:\n\
         \x20   overrides: []\n\
         \x20 objectives:\n\
         \x20   - name: availability\n\
         \x20     type: Availability\n\
         \x20     target: \"99.9\"\n\
         \x20   - name: latency\n\
         \x20     type: Latency\n\
         \x20     target: \"99\"\n\
         \x20     threshold: 500ms\n"
    )
}

/// A resource with a threshold that no other one has.
fn different_document(index: usize) -> String {
    let threshold = format!("{}ms", 400 + index);
    resource(index, &json!([{"name": "ApiHighLatencyP95", "threshold": threshold}])).to_string()
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
