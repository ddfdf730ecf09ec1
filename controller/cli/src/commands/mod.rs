//! The table of commands: one variant each.

pub mod completions;
pub mod compose;
pub mod crd;
pub mod detect;
pub mod diff;
pub mod explain;
pub mod lint;
pub mod load;
pub mod man;
pub mod preview;
pub mod render;
pub mod test;

use std::process::ExitCode;

use clap::Subcommand;

use crate::cluster::Connect;

/// A command that needs no running operator.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the objects that MonitoredApis lead to. Exit code 0: fine, 1: findings, 2: unreadable input.
    Render(render::RenderArgs),
    /// Show what an apply of MonitoredApis would change in a cluster, and change nothing: the API server tries each write and
    /// does not make it. Exit code 0: no difference, 1: differences, 2: unreadable input, or no cluster that answers. Needs the
    /// permission to get and patch MonitoredApis and the objects made for them. Give it the settings that the operator has.
    Diff(diff::DiffArgs),
    /// Say what an alert, a panel, a signal, a condition or a reason means, and what becomes of it for given MonitoredApis.
    Explain(explain::ExplainArgs),
    /// Say which library wrote a page of metrics, what its families answer, and what is missing. Exit code 0: one library, 1: none
    /// or more than one, 2: unreadable input, or a page that Prometheus refuses.
    Detect(detect::DetectArgs),
    /// Check rules and dashboards: those that MonitoredApis lead to, or those in files. Exit code 0: fine, 1: findings, 2:
    /// unreadable input.
    Lint(lint::LintArgs),
    /// Write unit tests for the alerts of MonitoredApis and run them with promtool: each alert must fire in its trouble and be
    /// silent while everything works. Exit code 0: all pass, 1: some fail, 2: unreadable input, or no promtool.
    Test(test::TestArgs),
    /// Send requests to a service at a given rate, whatever its answers do, and tell how long their users wait. Exit code 0: fine, 1:
    /// a limit is exceeded, or the test was stopped (Ctrl-C), 2: unusable options, or a service that can't be reached.
    Load(load::LoadArgs),
    /// Write what monitors APIs on one machine, without a cluster: a compose file with Prometheus, Alertmanager and Grafana, their
    /// configuration, and the rules and dashboards that the operator would make. Writing twice changes nothing. Exit code 0: it is
    /// written, 2: it is not, because of the sentence on standard error.
    Compose(Box<compose::ComposeArgs>),
    /// Write one HTML page of what MonitoredApis lead to: the objects, the alerts with their thresholds, and every panel drawn, from
    /// sample data or from a Prometheus. Exit code 0: fine, 1: findings, 2: unreadable input, no Prometheus that answers, or a file
    /// that can't be written.
    Preview(preview::PreviewArgs),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Print the script with which a shell completes commands, options and file names of monitored-api. Exit code 0: it is printed,
    /// 2: no such shell.
    Completions(completions::CompletionsArgs),
    /// Print the man page of monitored-api, or write it and one for each command into a folder. Exit code 0: it is done, 2: a folder
    /// or a file that can't be written.
    Man(man::ManArgs),
}

impl Command {
    /// Runs the command. Results go to standard output, findings to standard error. `connect`: how commands that need a cluster
    /// get a connection. `command_line`: the definition of the whole command line, of which this is a part.
    ///
    /// # Errors
    ///
    /// What keeps the command as a whole from going on, such as a directory that can't be written.
    pub fn run(self, connect: Connect, command_line: fn() -> clap::Command) -> anyhow::Result<ExitCode> {
        match self {
            Self::Render(args) => render::run(args),
            Self::Diff(args) => diff::run(args, connect),
            Self::Explain(args) => explain::run(args),
            Self::Detect(args) => detect::run(args),
            Self::Lint(args) => lint::run(args),
            Self::Load(args) => load::run(args),
            Self::Test(args) => test::run(args),
            Self::Compose(args) => compose::run(*args),
            Self::Preview(args) => preview::run(args),
            Self::Crd => crd::run(),
            Self::Completions(args) => completions::run(&args, command_line()),
            Self::Man(args) => man::run(args, command_line()),
        }
    }
}
