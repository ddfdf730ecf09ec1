//! `monitored-app`: reads settings, then serves or checks a service that does. Exit codes: 0 well, 1 failed, 2 settings.

use std::{
    fs,
    io::{ErrorKind, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use app::{
    config::{Config, Flags, SettingsFile, Sources, Surroundings},
    run,
    telemetry::logs,
};
use clap::{Parser, Subcommand};

/// The reference API of monitored-api.
#[derive(Debug, Parser)]
#[command(name = "monitored-app", version)]
struct Cli {
    /// Settings file: YAML, a map from a setting's key (`drain_delay`) to its value. The weakest source.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// File of lines `NAME=value`. Weaker than the environment. Default: `.env` in the working directory, if it is there.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
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
    let Cli {
        config,
        env_file,
        flags,
        command,
    } = cli;
    let config = sources(config.as_deref(), env_file.as_deref(), flags)
        .and_then(|sources| Ok(Config::from_sources(sources, surroundings)?));
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    let result = match command {
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

/// Reads everything that settings come from.
fn sources(config: Option<&Path>, env_file: Option<&Path>, flags: Flags) -> anyhow::Result<Sources> {
    let env_file = match env_file {
        Some(path) => Some(read(path)?),
        None => read_if_there(Path::new(".env"))?,
    };
    Ok(Sources {
        flags,
        // A name or value that is not UTF-8 cannot be an alias of ours.
        environment: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        env_file,
        file: config.map(read).transpose()?,
    })
}

fn read(path: &Path) -> anyhow::Result<SettingsFile> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    Ok(SettingsFile { name, text })
}

fn read_if_there(path: &Path) -> anyhow::Result<Option<SettingsFile>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(_) | Ok(_) => read(path).map(Some),
    }
}

fn check(config: &Config, url: Option<String>) -> anyhow::Result<()> {
    let port = config.listen.port();
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
        .context("the tokio runtime cannot be started")?;
    let result = runtime.block_on(run::run(config));
    // Tasks that still run after the grace period are aborted.
    runtime.shutdown_background();
    Ok(result?)
}
