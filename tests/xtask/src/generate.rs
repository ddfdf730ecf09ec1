//! `cargo xtask gen` and `bless`: write the generated files, accept the golden ones.

use anyhow::Result;
use integration_tests::{
    generated,
    workspace::{cargo, run as run_command},
};

/// Packages with golden files; their tests write them when `BLESS` is set.
const GOLDEN: &[&str] = &["controller-core", "controller-rules"];

pub(crate) fn run() -> Result<()> {
    for path in generated::write_all()? {
        say(&path);
    }
    Ok(())
}

pub(crate) fn bless() -> Result<()> {
    for package in GOLDEN {
        run_command(
            cargo()?
                .args(["test", "--quiet", "--package", package])
                .env("BLESS", "1"),
        )?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
