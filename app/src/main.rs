//! `monitored-app`: reads settings, then serves or checks a service that does. Exit codes: 0 well, 1 failed, 2 settings.

use std::{io::IsTerminal as _, process::ExitCode};

use anyhow::Context as _;
use app::{
    config::{Config, Flags, Surroundings},
    healthcheck, run,
    telemetry::logs,
};
use clap::{Parser, Subcommand};

/// The reference API of monitored-api.
#[derive(Debug, Parser)]
#[command(name = "monitored-app", version)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask a service whether it is ready: exit 0 if so, 1 if not. For containers without a shell.
    Healthcheck {
        /// What to ask, `http://host:port/path`. Default: readiness of this machine at the port that is set.
        url: Option<String>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let surroundings = Surroundings {
        is_terminal: std::io::stdout().is_terminal(),
        has_data_directory: rustix::fs::access("/data/.", rustix::fs::Access::WRITE_OK).is_ok(),
    };
    let config = match Config::from_flags(&cli.flags, surroundings) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let result = match cli.command {
        Some(Command::Healthcheck { url }) => check(&config, url),
        None => serve(config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check(config: &Config, url: Option<String>) -> anyhow::Result<()> {
    let port = config.listen.address.port();
    let url = url.unwrap_or_else(|| format!("http://127.0.0.1:{port}/health/ready"));
    healthcheck::check(&url)?;
    Ok(())
}

fn serve(config: Config) -> anyhow::Result<()> {
    logs::start(config.log_format, config.log_level);
    // One worker for each core that a container's quota leaves.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    let result = runtime.block_on(run::run(config));
    // What is still running after the grace is cut off, not waited for.
    runtime.shutdown_background();
    Ok(result?)
}
