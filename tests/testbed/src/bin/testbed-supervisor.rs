//! The supervisor of a test bed as a separate program, for test binaries that cannot run as one.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    testbed::supervisor_main(&[], &arguments)
}
