//! `cargo xtask test`: everything that must pass before a change lands. CI runs exactly this.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use integration_tests::{
    image,
    workspace::{cargo, read, run},
};
use testbed::{Level, Toolbox};

use crate::{imports, lanes};

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
        run: imports::check,
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
        name: "integration tests",
        quick: false,
        run: integration_tests,
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

fn integration_tests() -> Result<()> {
    let promtool = Toolbox::open()?.bin("promtool")?;
    // Binaries too: the tests start the operator and the test bed's supervisor, and would build them with other features.
    run(cargo()?.args(["build", "--quiet", "--all-targets"]).args(WORKSPACE))?;
    let programs = testbed::profile_dir()?;
    let (operator, app) = (programs.join("monitored-api"), programs.join("monitored-app"));
    // A gate is the same for everybody; `SEED=$RANDOM cargo xtask test`, or the test on its own, draws other kills.
    let seed = std::env::var("SEED").unwrap_or_else(|_| "1".to_owned());
    lanes::run(
        &WORKSPACE,
        &[
            ("PROMTOOL", &promtool),
            ("MONITORED_API_BIN", &operator),
            ("MONITORED_APP_BIN", &app),
        ],
        &seed,
    )
}

/// The same packages and features in every call, so that Cargo builds everything once.
const WORKSPACE: [&str; 3] = ["--locked", "--workspace", "--all-features"];

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
