//! `cargo xtask campaign`: tests of the gate, more often and with faults drawn anew. A campaign has no code of its own: it runs a
//! program of integration tests with more rounds. Only fuzzing has programs of its own; the stack of `compose` runs in containers
//! here alone, because that needs podman, and Traefik, because its build takes a quarter of an hour.

mod fuzz;

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use integration_tests::{
    container_stack, traefik_campaign,
    workspace::{cargo, run as run_command},
};
use testbed::Toolbox;

use crate::test::WORKSPACE;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to repeat.
    #[arg(value_enum)]
    campaign: Campaign,
    /// Only the tests whose names contain this; of `alerts`, only this alert; of `fuzz`, only this target.
    #[arg(value_name = "NAME")]
    test: Option<String>,
    /// How often each fault is made.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// Repeats what an earlier campaign drew. Default: another one each time.
    #[arg(long, env = "SEED")]
    seed: Option<u64>,
    /// How long `fuzz` looks, all targets together.
    #[arg(long, default_value_t = 20)]
    minutes: u32,
    /// Puts the pages that `fuzz` found into the repository.
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Campaign {
    /// Faults of the API server, of the network and of a second operator.
    Faults,
    /// Clients that take memory, against the reference API under a memory limit. Takes 10,000 connections; draws nothing.
    Memory,
    /// Generated MonitoredApis, 200 a round: `render` against the API server and the operator.
    Differential,
    /// The fire drill of all alerts, also of those that take up to half an hour; draws nothing.
    Alerts,
    /// The stack that `compose` writes, in containers: an alert reaches a webhook and a mail server. Needs podman, netavark and
    /// aardvark-dns; draws nothing.
    Compose,
    /// Traefik between clients and two workloads: the rules of an API count its requests and no others, and its alert fires. Draws
    /// nothing.
    Proxies,
    /// Coverage-guided fuzzing of the reader of metrics pages, and of detection with the rules built from it.
    Fuzz,
}

impl Campaign {
    /// Its program of integration tests.
    const fn program(self) -> Option<&'static str> {
        match self {
            Self::Faults => Some("faults"),
            Self::Memory => Some("memory_limit"),
            Self::Differential => Some("differential"),
            Self::Alerts => Some("fire_drill"),
            Self::Compose | Self::Proxies | Self::Fuzz => None,
        }
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &Args) -> Result<()> {
    let seed = match args.seed {
        Some(seed) => seed,
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos()),
    };
    let say = |step: &str| println!("{step}");
    match args.campaign {
        Campaign::Compose => return container_stack::run(&say),
        Campaign::Proxies => return traefik_campaign::run(&say),
        Campaign::Faults | Campaign::Memory | Campaign::Differential | Campaign::Alerts | Campaign::Fuzz => {}
    }
    let Some(program) = args.campaign.program() else {
        println!("{} minutes; SEED={seed}", args.minutes);
        return fuzz::run(args.test.as_deref(), args.minutes, seed, args.keep);
    };
    println!("{} rounds; SEED={seed} repeats this campaign", args.rounds);
    let promtool = Toolbox::open()?.bin("promtool")?;
    run_command(cargo()?.args(["build", "--quiet", "--bins"]).args(WORKSPACE))?;
    let programs = testbed::profile_dir()?;
    let (alert, test) = match args.campaign {
        Campaign::Alerts => (args.test.as_deref(), None),
        Campaign::Faults
        | Campaign::Memory
        | Campaign::Differential
        | Campaign::Compose
        | Campaign::Proxies
        | Campaign::Fuzz => (None, args.test.as_deref()),
    };
    let mut command = cargo()?;
    command
        .args(["test", "--quiet", "--test", program])
        .args(WORKSPACE)
        .arg("--")
        .args(test)
        .args(["--test-threads", "1", "--nocapture"])
        .env("FAULT_ROUNDS", args.rounds.to_string())
        .env("MEMORY_CAMPAIGN", "full")
        .env("DIFFERENTIAL", (args.rounds * 200).to_string())
        .env("FIRE_DRILL", alert.unwrap_or("full"))
        .env("SEED", seed.to_string())
        .env("PROMTOOL", promtool)
        .env("MONITORED_API_BIN", programs.join("monitored-api"))
        .env("MONITORED_APP_BIN", programs.join("monitored-app"));
    run_command(&mut command).with_context(|| format!("SEED={seed}"))
}
