//! Printing. `print!` and `eprintln!` panic where a reader such as `head` has left, or a disk is full.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use controller_core::yaml;
use serde::Serialize;

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// For people.
    Table,
    /// As JSON.
    Json,
    /// As YAML.
    Yaml,
}

/// Prints a report: the data, or what `table` makes for people. `table` is told whether to use colours.
///
/// # Errors
///
/// Standard output takes no more.
pub fn report(form: ReportForm, data: &impl Serialize, table: impl FnOnce(bool) -> String) -> Result<()> {
    result(&match form {
        // As other programs are told not to colour: https://no-color.org
        ReportForm::Table => table(io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()),
        ReportForm::Json => serde_json::to_string_pretty(data)? + "\n",
        ReportForm::Yaml => yaml::to_string(data)?,
    })
}

/// Prints a result, all of it or an error.
///
/// # Errors
///
/// Standard output takes no more.
pub fn result(text: &str) -> Result<()> {
    let mut to = io::stdout().lock();
    to.write_all(text.as_bytes())
        .and_then(|()| to.flush())
        .context("write to standard output")
}

/// Prints a sentence for people.
pub fn note(sentence: impl Display) {
    // There is nobody else who could be told that nobody reads it.
    // In one piece: standard error has no buffer, so that each piece would be a system call.
    let line = format!("{sentence}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Whether an error means no more than that the reader of the output has left, as `head` does.
#[must_use]
pub fn reader_has_left(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        io.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind())
    });
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}
