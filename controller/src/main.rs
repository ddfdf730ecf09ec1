//! The operator and the command line monitored-api.

mod admin;
mod cache;
mod cli;
mod cluster;
mod lease;
mod probe;
mod prometheus;
mod run;
mod timeline;
mod watch;
mod work;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, Parser};
use controller_cli::print;

use crate::admin::logs;
use crate::cli::{Cli, Command};

/// Most of the work is to read and build JSON, in many small allocations: with glibc's allocator they took two fifths of the
/// CPU, and what the lists at the start needed was never given back. Set up in `.cargo/config.toml`.
#[cfg(not(test))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli.command) {
        Ok(code) => code,
        Err(error) if print::reader_has_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "ended");
            print::note(format_args!("monitored-api: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Controller(args) => controller(args.into()),
        Command::Offline(command) => command.run(cluster::trial::connect, Cli::command),
        Command::Healthcheck(args) => {
            healthcheck::check(&args.url)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Version => {
            print::result(concat!(env!("CARGO_PKG_VERSION"), "\n"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn controller(options: run::Options) -> anyhow::Result<ExitCode> {
    logs::init();
    // Before anything speaks TLS; the one provider of the workspace.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    // One thread for the work, and this one for the lease, which the work must never keep waiting. More would not be
    // faster, for the API server is not, and each has a heap of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("can't start the runtime")?;
    let result = runtime.block_on(run::run(options));
    // What still runs must not hold up the end, least of all after leadership was lost.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}
