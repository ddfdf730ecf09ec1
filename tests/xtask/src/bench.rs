//! `cargo xtask bench`: figures of performance, beside those of other programs.

mod http;

use anyhow::Result;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Measure what the HTTP layer costs a request and a series, beside other layers. Needs valgrind.
    Http,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.command {
        Command::Http => http::measure(),
    }
}
