//! `cargo xtask test`: runs everything that must pass before a change lands. CI runs exactly this.

use std::time::Instant;

use anyhow::{Context, Result};
use integration_tests::{
    image,
    workspace::{cargo, read, run},
};
use testbed::{Level, Toolbox};

use crate::{imports, lanes};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only what needs no cluster: formatting, lints, import rules, unit tests, licences.
    #[arg(long)]
    quick: bool,
}

/// One step; a later one assumes the earlier ones.
struct Step {
    name: &'static str,
    /// Whether `--quick` runs it.
    quick: bool,
    /// The subcommand of Cargo without which the step is left out; its package is `cargo-` and this name.
    needs: Option<&'static str>,
    run: fn() -> Result<()>,
}

/// The cheap steps come first, so that a small mistake is found within seconds.
const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        quick: true,
        needs: None,
        run: || run(cargo()?.args(["fmt", "--all", "--check"])),
    },
    Step {
        name: "import rules",
        quick: true,
        needs: None,
        run: imports::check,
    },
    Step {
        name: "lints",
        quick: true,
        needs: None,
        run: lints,
    },
    Step {
        name: "unit tests and drift",
        quick: true,
        needs: None,
        run: unit_tests,
    },
    Step {
        name: "licences and sources",
        quick: true,
        needs: Some("deny"),
        run: deny,
    },
    Step {
        name: "images",
        quick: false,
        needs: None,
        run: || image::build(image::TESTBED).map(drop),
    },
    Step {
        name: "test bed",
        quick: false,
        needs: None,
        run: build_tools,
    },
    Step {
        name: "integration tests",
        quick: false,
        needs: None,
        run: integration_tests,
    },
];

pub(crate) fn run_all(args: &Args) -> Result<()> {
    let mut ends: Vec<(&str, String)> = Vec::new();
    for step in STEPS.iter().filter(|step| step.quick || !args.quick) {
        say(&format!("\n== {} ==", step.name));
        let start = Instant::now();
        let end = match missing(step)? {
            Some(subcommand) => {
                let end = not_checked(subcommand);
                say(&end);
                end
            }
            None => {
                (step.run)().with_context(|| format!("step {:?}", step.name))?;
                format!("{:>6.0} s", start.elapsed().as_secs_f64())
            }
        };
        ends.push((step.name, end));
    }
    say("\nno step failed:");
    for (name, end) in ends {
        say(&format!("  {name:<24}{end}"));
    }
    Ok(())
}

/// The subcommand that the step needs, if it is not installed.
fn missing(step: &Step) -> Result<Option<&'static str>> {
    let Some(subcommand) = step.needs else {
        return Ok(None);
    };
    let is_installed = read(cargo()?.args([subcommand, "--version"])).is_ok();
    Ok((!is_installed).then_some(subcommand))
}

fn not_checked(subcommand: &str) -> String {
    format!("NOT CHECKED: install cargo-{subcommand} (cargo install --locked cargo-{subcommand})")
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
    run(cargo()?
        .args(["test", "--quiet"])
        .args(WORKSPACE)
        .args(["--lib", "--bins"]))?;
    run(cargo()?.args(["test", "--quiet", "--doc"]).args(WORKSPACE))
}

/// Checks licences, banned crates and sources. Advisories are left out, because their database is a repository on GitHub
/// that is not always within reach; `cargo deny --locked check advisories` checks them.
fn deny() -> Result<()> {
    run(cargo()?.args(["deny", "--locked", "check", "licenses", "bans", "sources"]))
}

fn build_tools() -> Result<()> {
    let toolbox = Toolbox::open()?;
    toolbox.ensure_level(Level::Node)?;
    for tool in [
        "promtool",
        "alertmanager",
        "amtool",
        "helm",
        "pint",
        "grafana-operator",
        "kwok",
    ] {
        toolbox.bin(tool)?;
    }
    Ok(())
}

fn integration_tests() -> Result<()> {
    let promtool = Toolbox::open()?.bin("promtool")?;
    // Also builds the binaries, because the tests start the operator and the test bed's supervisor, and would build them
    // with other features.
    run(cargo()?.args(["build", "--quiet", "--all-targets"]).args(WORKSPACE))?;
    let programs = testbed::profile_dir()?;
    let (operator, app) = (programs.join("monitored-api"), programs.join("monitored-app"));
    // The gate always uses the same seed; `SEED=$RANDOM cargo xtask test` draws other kills.
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
pub(crate) const WORKSPACE: [&str; 3] = ["--locked", "--workspace", "--all-features"];

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use testbed::PROGRAMS;

    use super::*;

    /// The packages of a build, each with its features.
    fn packages(selection: &[&str]) -> BTreeSet<String> {
        let edges = [
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p} [{f}]",
        ];
        let tree = read(cargo().unwrap().arg("tree").args(selection).args(edges)).unwrap();
        tree.lines().map(str::to_owned).collect()
    }

    #[test]
    fn cargo_builds_a_package_with_the_same_features_for_xtask_the_programs_and_the_tests() {
        let tests = packages(&WORKSPACE);
        for selection in [&["--locked", "--package", "xtask"][..], &PROGRAMS] {
            let others: Vec<_> = packages(selection).difference(&tests).cloned().collect();
            assert!(
                others.is_empty(),
                "these would be built twice: give tests/Cargo.toml what the tests' build has more: {others:#?}"
            );
        }
    }
}
