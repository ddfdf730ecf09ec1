//! `cargo xtask testbed …`: the test bed's driver on the command line.
#![expect(clippy::print_stdout, reason = "the commands' results")]

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use testbed::{Cache, Level, StateDir, SupervisorProgram, Testbed, Toolbox};

/// The first argument that makes this program run as a test bed's supervisor.
const SUPERVISOR: &str = "testbed-supervisor";

/// Arguments of `cargo xtask testbed`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Which test bed; test beds of different names are independent.
    #[arg(long, default_value = "default")]
    name: String,
}

#[derive(Debug, clap::Args)]
struct UpArgs {
    /// How much of Kubernetes.
    #[arg(long, value_enum, default_value_t = Level::ControlPlane)]
    level: Level,
    /// Real nodes, at level node.
    #[arg(long, default_value_t = 1)]
    nodes: usize,
    /// Fake nodes by kwok.
    #[arg(long, default_value_t = 0)]
    fake_nodes: usize,
    /// Prometheus Operator, Prometheus and Alertmanager, at level node.
    #[arg(long)]
    monitoring: bool,
    #[command(flatten)]
    name: Name,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a test bed that stays until `down`.
    Up(UpArgs),
    /// End a test bed.
    Down(Name),
    /// List the test beds, and the components and forwarders of those that run.
    Status,
    /// Print the path of the kubeconfig.
    Kubeconfig(Name),
    /// Print the log of a component, or the names of those that have one.
    Logs {
        /// Component, for example kube-apiserver.
        component: Option<String>,
        #[command(flatten)]
        name: Name,
    },
    /// Build tools ahead of time: those of a level, or single ones by the names of their binaries.
    Build {
        /// All tools of a level.
        #[arg(long, value_enum)]
        level: Option<Level>,
        /// Binaries, for example promtool helm.
        binaries: Vec<String>,
    },
    /// Remove what ended test beds and older pins left in the cache.
    Clean,
}

/// The supervisor's arguments, if this process was started to be one.
pub(crate) fn supervisor_arguments() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip(1);
    (arguments.next().as_deref() == Some(SUPERVISOR)).then(|| arguments.collect())
}

/// Runs as supervisor.
pub(crate) fn supervise(arguments: &[String]) -> ExitCode {
    testbed::supervisor_main(&[SUPERVISOR.to_owned()], arguments)
}

/// Runs a subcommand.
pub(crate) fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Up(args) => up(&args),
        Command::Down(name) => down(&name.name),
        Command::Status => status(),
        Command::Kubeconfig(name) => {
            println!("{}", Testbed::attach(&name.name)?.kubeconfig().display());
            Ok(())
        }
        Command::Logs { component, name } => logs(component.as_deref(), &name.name),
        Command::Build { level, binaries } => build(level, &binaries),
        Command::Clean => clean(),
    }
}

fn up(args: &UpArgs) -> Result<()> {
    let supervisor = SupervisorProgram {
        program: std::env::current_exe()?,
        prefix: vec![SUPERVISOR.to_owned()],
    };
    let builder = Testbed::builder(&args.name.name)
        .level(args.level)
        .nodes(args.nodes)
        .supervisor(supervisor);
    let bed = builder.start_detached()?;
    if args.fake_nodes > 0 {
        bed.start_kwok(args.fake_nodes)?;
    }
    if args.monitoring {
        let monitoring = bed.monitoring_up()?;
        println!("# Prometheus {}", monitoring.prometheus);
        println!("# Alertmanager {}", monitoring.alertmanager);
    }
    println!("export KUBECONFIG={}", bed.kubeconfig().display());
    println!("export PATH={}:$PATH", Toolbox::open()?.bin_dir().display());
    Ok(())
}

fn down(name: &str) -> Result<()> {
    Testbed::end(name)
}

fn status() -> Result<()> {
    let cache = Cache::locate()?;
    for name in cache.names()? {
        let state = StateDir::of(&cache, &name)?;
        if !state.is_alive()? {
            println!("{name}: ended; logs in {}", state.root().join("log").display());
            continue;
        }
        let Ok(bed) = Testbed::attach(&name) else {
            println!("{name}: starting; logs in {}", state.root().join("log").display());
            continue;
        };
        println!("{name}: running, KUBECONFIG={}", bed.kubeconfig().display());
        for row in bed.components()? {
            match (row.pid, row.ended) {
                (Some(_), _) => println!("  {} running (start {})", row.name, row.starts),
                (None, ended) => println!("  {} ended: {}", row.name, ended.unwrap_or_default()),
            }
        }
        for forward in bed.forwards()? {
            println!("  127.0.0.1:{} -> {}", forward.port, forward.target);
        }
    }
    Ok(())
}

fn logs(component: Option<&str>, name: &str) -> Result<()> {
    let state = StateDir::of(&Cache::locate()?, name)?;
    match component {
        Some(component) => {
            let path = state.log(component);
            let mut file = fs::File::open(&path).with_context(|| format!("open {}", path.display()))?;
            std::io::copy(&mut file, &mut std::io::stdout())?;
        }
        None => {
            let directory = state.root().join("log");
            for entry in fs::read_dir(&directory).with_context(|| format!("read {}", directory.display()))? {
                if let Some(component) = entry?.path().file_stem().and_then(|stem| stem.to_str()) {
                    println!("{component}");
                }
            }
        }
    }
    Ok(())
}

fn build(level: Option<Level>, binaries: &[String]) -> Result<()> {
    let toolbox = Toolbox::open()?;
    if let Some(level) = level {
        toolbox.ensure_level(level)?;
    } else if binaries.is_empty() {
        bail!("nothing to build: give --level LEVEL or the names of binaries, for example promtool helm");
    }
    for binary in binaries {
        toolbox.bin(binary)?;
    }
    println!("{}", toolbox.bin_dir().display());
    Ok(())
}

fn clean() -> Result<()> {
    let cache = Cache::locate()?;
    for name in cache.names()? {
        StateDir::of(&cache, &name)?.forget_if_ended()?;
    }
    let current = Toolbox::open()?;
    for entry in fs::read_dir(cache.root())? {
        let path = entry?.path();
        if path.is_dir() && path != cache.run() && path != cache.tools() && path != current.root() {
            remove(&path)?;
        }
    }
    let tools = current.kept_tools()?;
    for entry in fs::read_dir(cache.tools())? {
        let path = entry?.path();
        if !tools.contains(&path) {
            remove(&path)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    println!("removing {}", path.display());
    fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))
}
