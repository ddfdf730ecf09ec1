//! `monitored-api crd`: prints the CustomResourceDefinition.

use std::process::ExitCode;

use anyhow::Result;

use crate::print;

/// Runs the command.
///
/// # Errors
///
/// The definition can't be written.
pub fn run() -> Result<ExitCode> {
    print::result(&controller_core::yaml::to_string(&controller_api::crd())?)?;
    Ok(ExitCode::SUCCESS)
}
