//! `monitored-api crd`: prints the CustomResourceDefinition.

use std::process::ExitCode;

use anyhow::Result;

/// Runs the command.
///
/// # Errors
///
/// The definition can't be written as YAML.
pub fn run() -> Result<ExitCode> {
    print!("{}", controller_core::yaml::to_string(&controller_api::crd())?);
    Ok(ExitCode::SUCCESS)
}
