//! Prints progress to standard error; standard output belongs to the commands' results.

use std::fmt::Display;

/// Prints one line of progress.
pub(crate) fn say(line: impl Display) {
    #[expect(clippy::print_stderr, reason = "the one place that talks to the person who waits")]
    {
        eprintln!("testbed: {line}");
    }
}
