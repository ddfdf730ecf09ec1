//! `monitored-api render`: from files to objects, without a cluster.

mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use controller_core::facts::Settings;
use controller_core::omission::Omission;
use controller_core::render;
use serde_json::{Value, json};

use crate::input::{BAD_INPUT, DEFAULT_NAMESPACE, FINDINGS, FINE, Source, for_each};
use crate::left_out::LeftOut;
use crate::metrics_page::{MetricsArgs, MetricsPage};
use crate::print;
use crate::settings::SettingsArgs;
use output::Output;

/// Arguments of `render`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// yaml (the default), json (a List, with what is left out as `omitted`), or a directory (such as ./out): one file an
    /// object.
    #[arg(short, long, value_name = "yaml|json|DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the command.
///
/// # Errors
///
/// The output can't be written.
pub fn run(args: RenderArgs) -> Result<ExitCode> {
    let page = match args.metrics.page() {
        Ok(page) => page,
        Err(error) => {
            print::note(format_args!("{error:#}"));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let context = Context {
        settings: args.settings.settings(),
        page,
    };
    let mut output = Output::new(args.output)?;
    let mut left_out = LeftOut::default();
    let code = for_each(&args.files, DEFAULT_NAMESPACE, |source| {
        render_one(source, &context, &mut output, &mut left_out)
    })?;
    output.finish()?;
    left_out.lines().for_each(print::note);
    Ok(ExitCode::from(code))
}

/// What the objects follow from beside the MonitoredApi.
#[derive(Debug)]
struct Context {
    settings: Settings,
    page: Option<MetricsPage>,
}

/// Renders one MonitoredApi and prints what was found. Returns the exit code. What is left out is no finding.
fn render_one(source: &Source<'_>, context: &Context, output: &mut Output, left_out: &mut LeftOut) -> Result<u8> {
    let page = match context.page.as_ref().map(|page| page.spelling_of(source)).transpose() {
        Ok(page) => page,
        Err(error) => {
            source.say(&format!("{error:#}"));
            return Ok(BAD_INPUT);
        }
    };
    match render::render_with(
        source.api(),
        &context.settings,
        page.as_ref(),
        source.workload().as_ref(),
    ) {
        Ok(rendered) => {
            for object in &rendered.objects {
                output.write(object)?;
            }
            if !output.take_omissions(rendered.omissions.iter().map(|omission| row(source, omission))) {
                left_out.add(&source.file(), source.name(), &rendered.omissions);
            }
            Ok(FINE)
        }
        Err(violations) => {
            source.say_violations(&violations);
            Ok(FINDINGS)
        }
    }
}

/// What is left out, as data.
fn row(source: &Source<'_>, omission: &Omission) -> Value {
    let Omission { kind, name, reason, .. } = omission;
    json!({
        "namespace": source.namespace(), "monitoredApi": source.name(),
        "kind": kind.as_str(), "name": name, "reason": reason,
    })
}
