//! `monitored-api detect`: which library wrote a metrics page, and what can be made of it.

mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use controller_core::detect::{Outcome, detect_with_proxies};

use self::report::Report;
use crate::input::{BAD_INPUT, FINDINGS, FINE};
use crate::metrics_page;
use crate::print::{self, ReportForm};

/// Arguments of `detect`.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// The page: an address (http:// or https://), a file, or - for standard input. Text and OpenMetrics are read as Prometheus
    /// reads them.
    #[arg(value_name = "URL|FILE|-")]
    source: String,
    /// Form of the output.
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: ReportForm,
}

/// Runs the command.
///
/// # Errors
///
/// The page cannot be fetched or read, or the output can't be written.
pub fn run(args: DetectArgs) -> Result<ExitCode> {
    let DetectArgs { source, output } = args;
    let page = match metrics_page::read(&source) {
        Ok(page) => page,
        Err(error) => {
            print::note(format_args!("{error:#}"));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let (report, code) = match page {
        Ok(page) => {
            let detection = detect_with_proxies(&page);
            let code = if detection.outcome == Outcome::Match {
                FINE
            } else {
                FINDINGS
            };
            (Report::of(&detection), code)
        }
        Err(error) => (Report::malformed(&error), BAD_INPUT),
    };
    print::report(output, &report, |_| report.table(&metrics_page::name(&source)))?;
    Ok(ExitCode::from(code))
}

#[cfg(test)]
mod tests;
