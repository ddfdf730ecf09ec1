//! The project's tasks: `cargo xtask …`. This file only dispatches; every task is a module.

mod bench;
mod browser;
mod campaign;
mod capture;
mod demo;
mod generate;
mod image;
mod imports;
mod lanes;
mod pages;
mod pictures;
mod stacks;
mod test;
#[cfg(test)]
mod test_names;
mod testbed;

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's tasks")]
enum Cli {
    /// Run everything that must pass before a change lands; CI runs exactly this.
    Test(test::Args),
    /// Repeat tests of the gate with faults drawn anew.
    Campaign(campaign::Args),
    /// Run the whole chain on this machine: cluster, operator, an API, traffic; every link is shown.
    Demo(demo::Args),
    /// Run services with the libraries of other frameworks in the cluster, and show that each is recognised, alerted on and drawn.
    Stacks(stacks::Args),
    /// Start and use a real Kubernetes on this machine, for tests and for trying things out.
    Testbed(testbed::Args),
    /// Build the container images, or their contents.
    Image(image::Args),
    /// Record the answers of real programs, for tests that need no cluster.
    Capture(capture::Args),
    /// Measure performance, beside that of other programs.
    Bench(bench::Args),
    /// Open the pages that commands write in Chromium: pictures, and what the browser and axe-core find.
    Pages(pages::Args),
    /// Take the pictures of the documentation anew: the demo's page, an alert, a load report, kubectl. Runs both demos.
    Pictures(pictures::Args),
    /// Write the generated files again: CRD, chart pieces, manifests.
    Gen,
    /// Accept changed golden files; look at the diff before you commit it.
    Bless,
}

/// The commands that the documentation shows.
#[cfg(test)]
#[path = "../../../controller/src/cli/documented.rs"]
mod documented;

fn main() -> ExitCode {
    if let Some(arguments) = testbed::supervisor_arguments() {
        return testbed::supervise(&arguments);
    }
    let result = match Cli::parse() {
        Cli::Test(args) => test::run_all(&args),
        Cli::Campaign(args) => campaign::run(&args),
        Cli::Demo(args) => demo::run(&args),
        Cli::Stacks(args) => stacks::run(&args),
        Cli::Testbed(args) => testbed::run(args),
        Cli::Image(args) => image::run(&args),
        Cli::Capture(args) => capture::run(&args),
        Cli::Bench(args) => bench::run(&args),
        Cli::Pages(args) => pages::run(&args),
        Cli::Pictures(args) => pictures::run(&args),
        Cli::Gen => generate::run(),
        Cli::Bless => generate::bless(),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use integration_tests::workspace;

    use super::*;

    #[test]
    fn every_task_of_the_documentation_is_one_that_exists() {
        let commands = documented::commands(&workspace::root().unwrap(), &["cargo xtask"]).unwrap();
        assert!(commands.len() > 20, "{}: {commands:?}", commands.len());
        let refused = documented::refused(&commands, &Cli::command());
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}
