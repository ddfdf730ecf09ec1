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
    let folder = tempfile::tempdir()?;
    let input = folder.path().join("resources.yaml");
    let documents: Vec<String> = (0..args.resources).map(|index| document(index).to_string()).collect();
    fs::write(&input, documents.join("\n---\n"))?;
    let before = process::cpu_of_ended_children()?;
    let started = Instant::now();
    let mut memory = 0;
    for _ in 0..args.runs {
        memory = memory.max(peak(Command::new(binary).arg("render").arg("-f").arg(&input))?);
    }
    let runs = u32::try_from(args.runs)?;
    let (wall, cpu) = (
        started.elapsed() / runs,
        (process::cpu_of_ended_children()? - before) / runs,
    );
    Ok(format!(
        "`render` of {} resources, mean of {runs} runs.\n\n| # | measure | now | goal |\n|---|---|---|---|\n\
         | R1 | CPU, ms | {} | at most 50 |\n\
         | R1 | clock, ms | {} | |\n\
         | R1 | memory at its peak, MiB | {} | at most 32 |\n",
        args.resources,
        cpu.as_millis(),
        wall.as_millis(),
        memory >> 20,
    ))
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

fn document(index: usize) -> Value {
    json!({
        "apiVersion": "monitoredapi.io/v1alpha1", "kind": "MonitoredApi",
        "metadata": {"name": format!("api-{index}"), "namespace": "shop"},
        "spec": {"image": "example.org/orders:1", "preset": "native"},
    })
}
