//! The supervisor of a test bed as a program of its own, for test binaries that cannot serve as one themselves.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    testbed::supervisor_main(&[], &arguments)
}
