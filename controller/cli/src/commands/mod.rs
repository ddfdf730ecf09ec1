//! The table of commands: one variant each.

pub mod crd;
pub mod explain;
pub mod lint;
pub mod render;
pub mod test;

use std::process::ExitCode;

use clap::Subcommand;

/// A command that needs no running operator.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the objects that MonitoredApis lead to. Exit code 0: fine, 1: findings, 2: unreadable input.
    Render(render::RenderArgs),
    /// Say what an alert, a panel, a signal, a condition or a reason means, and what becomes of it for given MonitoredApis.
    Explain(explain::ExplainArgs),
    /// Check rules and dashboards: those that MonitoredApis lead to, or those in files. Exit code 0: fine, 1: findings, 2:
    /// unreadable input.
    Lint(lint::LintArgs),
    /// Write unit tests for the alerts of MonitoredApis and run them with promtool: each alert must fire in its trouble and be
    /// silent while everything works. Exit code 0: all pass, 1: some fail, 2: unreadable input, or no promtool.
    Test(test::TestArgs),
    /// Print the CustomResourceDefinition.
    Crd,
}

impl Command {
    /// Runs the command. Results go to standard output, findings to standard error.
    ///
    /// # Errors
    ///
    /// What keeps the command as a whole from going on, such as a directory that can't be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Render(args) => render::run(args),
            Self::Explain(args) => explain::run(args),
            Self::Lint(args) => lint::run(args),
            Self::Test(args) => test::run(args),
            Self::Crd => crd::run(),
        }
    }
}
