//! `cargo xtask capture`: records the answers of real programs, for tests that need no cluster.

use anyhow::Result;
use integration_tests::capture;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The API server's answers to the objects of each golden case, into controller/core/tests/applied.
    Applied,
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &Args) -> Result<()> {
    let written = match args.what {
        What::Applied => capture::applied()?,
    };
    for path in written {
        println!("{path}");
    }
    Ok(())
}
