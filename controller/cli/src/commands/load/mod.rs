//! `monitored-api load`: sends requests to a service at given times, and tells how long their users would have waited.

mod args;
mod files;
mod progress;
mod table;

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use anyhow::Result;
use controller_load::report::LimitResult;
use controller_load::units::time;
use controller_load::{LoadError, Plan, Report};

pub use self::args::LoadArgs;

use self::files::ReportFiles;
use crate::input::{BAD_INPUT, FINDINGS, FINE};
use crate::print::{self, ReportForm};

/// Runs the command.
///
/// # Errors
///
/// The result can't be printed.
pub fn run(args: LoadArgs) -> Result<ExitCode> {
    let plan = match args.plan() {
        Ok(plan) => plan,
        Err(sentence) => return Ok(bad_input(&sentence)),
    };
    let files = match ReportFiles::begin(&args.reports, args.force) {
        Ok(files) => files,
        Err(sentence) => return Ok(bad_input(&sentence)),
    };
    let report = match watched(plan) {
        Ok(report) => report,
        Err(error) => return Ok(bad_input(&error.to_string())),
    };
    let mut code = verdict(&report, args.output);
    if let Err(sentences) = files.write(&report) {
        for sentence in sentences {
            code = bad_input(&sentence);
        }
    }
    print::report(args.output, &report, |_| table::table(&report))?;
    Ok(code)
}

fn bad_input(sentence: &str) -> ExitCode {
    print::note(format_args!("monitored-api: {sentence}"));
    ExitCode::from(BAD_INPUT)
}

/// Runs the test in a thread of its own, so that a terminal that takes nothing can't hold it up.
fn watched(plan: Plan) -> Result<Report, LoadError> {
    let (progress, looks) = mpsc::channel();
    let shown = plan.clone();
    let test = thread::spawn(move || controller_load::run(plan, progress));
    progress::draw(&shown, &looks);
    test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Says what was found, and returns the exit code.
fn verdict(report: &Report, output: ReportForm) -> ExitCode {
    let judgement = &report.judgement;
    // The table says it itself.
    let unsaid = judgement.distrust.iter().filter(|_| output != ReportForm::Table);
    for reason in unsaid {
        print::note(format_args!("not trustworthy: {reason}"));
    }
    for limit in judgement.limits.iter().filter(|limit| !limit.holds) {
        print::note(exceeded(limit));
    }
    let fine = judgement.limits_hold() && !report.ended_early;
    ExitCode::from(if fine { FINE } else { FINDINGS })
}

fn exceeded(limit: &LimitResult) -> String {
    let LimitResult {
        step,
        option,
        limit,
        measured,
        ..
    } = limit;
    match (*option, measured) {
        ("--max-p99", Some(measured)) => {
            format!(
                "step {step}: {option}: p99 is {}, the limit {}",
                time(*measured),
                time(*limit)
            )
        }
        (_, Some(measured)) => {
            format!("step {step}: {option}: {measured} of the requests failed, the limit is {limit}")
        }
        (_, None) => format!("step {step}: {option}: no request was answered"),
    }
}
