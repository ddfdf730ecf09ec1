//! `cargo xtask gen`: write the generated files again. Which files, and from what, stands in `integration_tests::generated`.

use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    for path in integration_tests::generated::write_all()? {
        say(&path);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
