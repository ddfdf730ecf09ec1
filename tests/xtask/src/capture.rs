//! `cargo xtask capture`: records what real programs answer, for tests that need neither a cluster nor those programs.
//! This file only reads the command line and says what was written.

pub(crate) mod dialects;
pub(crate) mod install;
mod pages;
mod service;
mod traefik;

use anyhow::{Context, Result, bail};
use integration_tests::capture;

use dialects::{DIALECTS, Dialect};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Dialects whose metrics pages are taken, for example flask; every dialect when none is named.
    dialects: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// The API server's answers to the objects of each golden case, into controller/core/tests/applied.
    Applied,
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(args: &Args) -> Result<()> {
    match args.what {
        Some(What::Applied) => {
            for path in capture::applied()? {
                println!("{path}");
            }
            Ok(())
        }
        None => capture_all(&chosen(&args.dialects)?),
    }
}

/// The rows of these names, all when there are none.
fn chosen(names: &[String]) -> Result<Vec<&'static Dialect>> {
    if names.is_empty() {
        return Ok(DIALECTS.iter().collect());
    }
    let row = |name: &String| {
        let known = || DIALECTS.iter().map(|dialect| dialect.id).collect::<Vec<_>>().join(", ");
        DIALECTS
            .iter()
            .find(|dialect| dialect.id == name)
            .with_context(|| format!("NAME: {name} is not a dialect: use one of {}", known()))
    };
    names.iter().map(row).collect()
}

/// Takes the pages of each dialect; one that fails doesn't keep the others from theirs.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
fn capture_all(dialects: &[&Dialect]) -> Result<()> {
    let mut failed = Vec::new();
    for dialect in dialects {
        for release in dialect.releases {
            match pages::capture(dialect, release) {
                Ok(written) => written.iter().for_each(|path| println!("{path}")),
                Err(error) => {
                    eprintln!("{} {}: {error:#}", dialect.id, release.version);
                    failed.push(format!("{} {}", dialect.id, release.version));
                }
            }
        }
    }
    if !failed.is_empty() {
        bail!("no pages of {}: the reasons are above", failed.join(", "));
    }
    Ok(())
}
