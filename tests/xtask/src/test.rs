//! `cargo xtask test`: everything that must pass before a change lands. CI runs exactly this.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use integration_tests::{
    image,
    workspace::{self, cargo, read, run},
};
use serde_json::Value;
use testbed::{Level, Toolbox};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what needs no cluster: formatting, lints, import rules, unit tests.
    #[arg(long)]
    quick: bool,
}

/// One step; a later one assumes the earlier ones.
struct Step {
    name: &'static str,
    quick: bool,
    run: fn() -> Result<()>,
}

/// Cheap ones first, so that a slip costs seconds.
const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        quick: true,
        run: || run(cargo()?.args(["fmt", "--all", "--check"])),
    },
    Step {
        name: "import rules",
        quick: true,
        run: import_rules,
    },
    Step {
        name: "lints",
        quick: true,
        run: lints,
    },
    Step {
        name: "unit tests and drift",
        quick: true,
        run: unit_tests,
    },
    Step {
        name: "licences and sources",
        quick: true,
        run: deny,
    },
    Step {
        name: "images",
        quick: false,
        run: || image::build(image::TESTBED).map(drop),
    },
    Step {
        name: "test bed",
        quick: false,
        run: build_tools,
    },
    Step {
        name: "real cluster",
        quick: false,
        run: cluster_tests,
    },
];

pub(crate) fn run_all(args: &Args) -> Result<()> {
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for step in STEPS.iter().filter(|step| step.quick || !args.quick) {
        say(&format!("\n== {} ==", step.name));
        let start = Instant::now();
        (step.run)().with_context(|| format!("step {:?}", step.name))?;
        times.push((step.name, start.elapsed()));
    }
    say("\nall steps passed:");
    for (name, time) in times {
        say(&format!("  {name:<24}{:>6.0} s", time.as_secs_f64()));
    }
    Ok(())
}

/// Which packages may never reach which crates, whatever the way. The first column is a package, the second what its
/// normal dependencies must not hold.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("metric-contract", &["tokio", "serde_json", "kube-core"]),
    (
        "controller-rules",
        &["tokio", "kube-core", "k8s-openapi", "reqwest", "hyper"],
    ),
    (
        "controller-api",
        &["tokio", "kube-client", "kube-runtime", "reqwest", "hyper"],
    ),
    (
        "controller-core",
        &["tokio", "kube-client", "kube-runtime", "reqwest", "hyper"],
    ),
    ("http-instrument", &["kube-core", "controller-rules", "app"]),
    ("app", &["kube-core", "controller-core", "controller-api", "controller"]),
    ("controller", &["app", "http-instrument", "aws-lc-rs", "openssl-sys"]),
];

fn import_rules() -> Result<()> {
    let mut broken = Vec::new();
    for (package, forbidden) in FORBIDDEN {
        let tree = read(cargo()?.args([
            "tree",
            "--locked",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            package,
        ]))?;
        let names: Vec<_> = tree.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
        broken.extend(
            forbidden
                .iter()
                .filter(|crate_| names.contains(crate_))
                .map(|crate_| format!("{package} must not depend on {crate_}")),
        );
    }
    if !broken.is_empty() {
        bail!("{}\nsee ARCHITECTURE.md, rooms", broken.join("\n"));
    }
    Ok(())
}

fn lints() -> Result<()> {
    run(cargo()?.args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))
}

fn unit_tests() -> Result<()> {
    run(cargo()?.args([
        "test",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-features",
        "--lib",
        "--bins",
    ]))?;
    run(cargo()?.args(["test", "--quiet", "--locked", "--package", "http-instrument", "--doc"]))
}

/// `cargo deny` where it is installed. Advisories need a database that is fetched; they are checked where it is at hand.
fn deny() -> Result<()> {
    if read(cargo()?.args(["deny", "--version"])).is_err() {
        say("cargo-deny is not installed: left out (cargo install --locked cargo-deny)");
        return Ok(());
    }
    run(cargo()?.args(["deny", "--offline", "check", "licenses", "bans", "sources"]))
}

fn build_tools() -> Result<()> {
    let toolbox = Toolbox::open()?;
    toolbox.ensure_level(Level::Node)?;
    for tool in ["promtool", "alertmanager", "helm"] {
        toolbox.bin(tool)?;
    }
    Ok(())
}

/// The test of the whole chain mostly waits for Prometheus's clocks, so it runs beside all the others.
const BESIDE: &str = "chain";

fn cluster_tests() -> Result<()> {
    let promtool = Toolbox::open()?.bin("promtool")?;
    // Binaries too: the tests start the operator and the test bed's supervisor, and would build them with other features.
    run(cargo()?.args(["build", "--quiet", "--all-targets"]).args(WORKSPACE))?;
    let operator = workspace::target()?.join("debug/monitored-api");
    // A gate is the same for everybody; `SEED=$RANDOM cargo xtask test`, or the test on its own, draws other kills.
    let seed = std::env::var("SEED").unwrap_or_else(|_| "1".to_owned());
    let names = test_targets()?;
    let log = workspace::target()?.join("chain.log");
    let mut beside = one_at_a_time(&[BESIDE.to_owned()])?;
    let output = std::fs::File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let mut beside = beside
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .context("start the test of the chain")?;
    let others: Vec<_> = names.into_iter().filter(|name| name != BESIDE).collect();
    let result = run(one_at_a_time(&others)?
        .env("PROMTOOL", promtool)
        .env("MONITORED_API_BIN", operator)
        .env("SEED", seed));
    say("\nbeside them, the test of the chain:");
    let status = beside.wait().context("wait for the test of the chain")?;
    say(&std::fs::read_to_string(&log).unwrap_or_default());
    result?;
    if !status.success() {
        bail!("the test of the chain ended with {status}");
    }
    Ok(())
}

/// The same packages and features in every call, so that Cargo builds everything once.
const WORKSPACE: [&str; 3] = ["--locked", "--workspace", "--all-features"];

/// Test binaries one after the other, and one test at a time in each: a cluster wants the two cores for itself.
fn one_at_a_time(names: &[String]) -> Result<Command> {
    let mut command = cargo()?;
    command.arg("test").args(WORKSPACE);
    for name in names {
        command.args(["--test", name]);
    }
    command.args(["--", "--test-threads=1", "--nocapture"]);
    Ok(command)
}

/// Every integration test of the workspace by name.
#[expect(
    clippy::indexing_slicing,
    reason = "indexing a JSON value by key gives null, never a panic"
)]
fn test_targets() -> Result<Vec<String>> {
    let metadata = read(cargo()?.args(["metadata", "--no-deps", "--locked", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata prints JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists packages")?;
    let targets = packages
        .iter()
        .flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let mut names: Vec<_> = targets
        .filter(|target| target["kind"][0] == "test")
        .filter_map(|target| target["name"].as_str().map(ToOwned::to_owned))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
