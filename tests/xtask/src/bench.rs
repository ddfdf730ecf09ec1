//! `cargo xtask bench`: figures of performance, beside those of other programs. Prints tables in Markdown; those of
//! releases are kept in `docs/benchmarks.md`.

mod controller;
mod http;
mod load;
mod prometheus;
mod rules;
mod samples;

use std::path::PathBuf;

use anyhow::Result;
use integration_tests::image;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Measure what the operator costs on a real API server, beside a plain client that sends the same writes.
    Controller(controller::Args),
    /// Measure what the HTTP layer costs a request and a series, beside other layers. Needs valgrind.
    Http,
    /// Measure how true `load` is: servers of known latency, one of them stopped for a second, and 20,000 requests a second, beside
    /// wrk and oha where they are installed; takes five minutes a round.
    Load(load::Args),
    /// Measure what it costs that the operator asks a real Prometheus about 100 and 1,000 MonitoredApis; takes half an hour.
    Prometheus(prometheus::Args),
    /// Measure what `render` costs, and what the rules and a dashboard of one API cost a real Prometheus.
    Rules(rules::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Controller(args) => print(&controller::measure(args, &binary()?)?),
        Command::Http => http::measure()?,
        Command::Load(args) => print(&load::measure(args, &binary()?)?),
        Command::Prometheus(args) => print(&prometheus::measure(args, &binary()?)?),
        Command::Rules(args) => {
            if !args.only_samples {
                print(&rules::measure(args, &binary()?)?);
            }
            print(&samples::measure(&args.routes)?);
        }
    }
    Ok(())
}

/// The operator with optimizations: what `MONITORED_API_BIN` names, else built by cargo.
fn binary() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("MONITORED_API_BIN") {
        return Ok(path.into());
    }
    Ok(image::build_static(image::RELEASE)?.join("monitored-api"))
}

#[expect(clippy::print_stdout, reason = "the command line's output")]
fn print(table: &str) {
    println!("{table}");
}
