//! The project's tasks: `cargo xtask …`. Only dispatch here; every task is a module.

mod testbed;

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's tasks")]
enum Cli {
    /// A real Kubernetes on this machine, for tests and for trying things out.
    Testbed(testbed::Args),
}

fn main() -> ExitCode {
    if let Some(arguments) = testbed::supervisor_arguments() {
        return testbed::supervise(&arguments);
    }
    let result = match Cli::parse() {
        Cli::Testbed(args) => testbed::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the command line's errors")]
fn report(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}
