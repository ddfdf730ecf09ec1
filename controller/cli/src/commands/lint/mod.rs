//! `monitored-api lint`: what is wrong with rules and dashboards, without a cluster.

mod document;
mod report;
mod vocabulary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use controller_core::facts::Settings;
use controller_core::manifest;
use metric_contract::{DialectId, TargetKind};

use self::document::Linter;
use self::report::{LintedFile, Problem};
use self::vocabulary::{LintedPage, Vocabularies};
use crate::input::{BAD_INPUT, FINDINGS, FINE, shown, text};
use crate::metrics_page::MetricsPage;
use crate::print::{self, ReportForm};
use crate::settings::SettingsArgs;
use crate::workloads;

/// Arguments of `lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// File to check, or - for standard input: MonitoredApis (what is generated for them is checked), PrometheusRules, rule
    /// files of Prometheus, Grafana dashboards as JSON, ConfigMaps with dashboards. YAML or JSON, several documents
    /// allowed. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Dialect of the metrics that rule files and dashboards read. Without it and without --metrics every metric passes.
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<DialectId>,
    /// Page of metrics, as an application or exporter serves it: an address (http:// or https://) or a file. Rule files and
    /// dashboards may read its metrics, in addition to those of --dialect; may be repeated for them. What is generated for
    /// MonitoredApis is made for the page, and where they name other metrics or another dialect than it has, that is found.
    #[arg(long, value_name = "URL|FILE")]
    metrics: Vec<String>,
    /// How Prometheus finds the targets, which decides which labels it renames to exported_*.
    #[arg(long, value_name = "TARGET", default_value = "service-monitor")]
    target: TargetArg,
    /// Label that targets have beside those that Prometheus gives each, such as cluster. May be repeated.
    #[arg(long = "target-label", value_name = "LABEL")]
    target_labels: Vec<String>,
    /// Form of the output: for people each finding with its line, as data a list of findings.
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: ReportForm,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// How Prometheus finds a target.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TargetArg {
    /// Through a ServiceMonitor.
    ServiceMonitor,
    /// Through `static_configs`.
    Static,
}

impl TargetArg {
    const fn kind(self) -> TargetKind {
        match self {
            Self::ServiceMonitor => TargetKind::ServiceMonitor,
            Self::Static => TargetKind::Static,
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// The output can't be written.
pub fn run(args: LintArgs) -> Result<ExitCode> {
    let LintArgs {
        files,
        dialect,
        metrics,
        target,
        target_labels,
        output,
        settings,
    } = args;
    let settings = settings.settings();
    let mut code = FINE;
    let mut sources = Vec::new();
    let several = files.len() > 1;
    for file in files {
        match read(&file, several) {
            Ok(source) => sources.push(source),
            Err(error) => {
                print::note(format_args!("{}: {error:#}", shown(&file)));
                code = BAD_INPUT;
            }
        }
    }
    let pages = match pages(&metrics, &sources) {
        Ok(pages) => pages,
        Err(error) => {
            print::note(format_args!("{error:#}"));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let vocabularies = Vocabularies::new(target.kind(), dialect, &pages, &target_labels);
    let page = pages.first().map(|page| &page.metrics);
    let problems = lint(&sources, vocabularies, page, &settings);
    for problem in &problems {
        code = code.max(if problem.is_bad_input() { BAD_INPUT } else { FINDINGS });
    }
    report::print(&problems, &sources, output)?;
    Ok(ExitCode::from(code))
}

/// `several`: it is one of several files, and may hold only workloads to which MonitoredApis of others refer.
fn read(file: &Path, several: bool) -> Result<LintedFile> {
    let text = text(file)?;
    let manifests = manifest::read(&text)?;
    ensure!(
        manifests.iter().any(document::can_be_checked) || (several && manifests.iter().any(workloads::is_workload)),
        "nothing here can be checked: use MonitoredApis, PrometheusRules, rule files (groups: …) or dashboards (panels: …)"
    );
    Ok(LintedFile {
        name: shown(file),
        text,
        manifests,
    })
}

/// Reads the pages of metrics.
fn pages(metrics: &[String], sources: &[LintedFile]) -> Result<Vec<LintedPage>> {
    let mut manifests = sources.iter().flat_map(|source| &source.manifests);
    ensure!(
        metrics.len() < 2 || !manifests.any(document::is_monitored_api),
        "--metrics: the files have MonitoredApis, whose rules are made for one page: give --metrics once"
    );
    metrics.iter().map(|source| LintedPage::read(source)).collect()
}

/// Checks every document. Rules and dashboards may read what the rules of any file record.
fn lint(
    sources: &[LintedFile],
    vocabularies: Vocabularies,
    page: Option<&MetricsPage>,
    settings: &Settings,
) -> Vec<Problem> {
    let manifests = || sources.iter().flat_map(|source| &source.manifests);
    let recorded = manifests().flat_map(document::recorded_series);
    let linter = Linter {
        vocabulary: vocabularies.with_recorded(recorded),
        settings,
        page,
        manifests: manifests().collect(),
    };
    let mut problems = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let of_source = source.manifests.iter().flat_map(|manifest| linter.lint(manifest));
        problems.extend(of_source.map(|problem| problem.in_source(at)));
    }
    problems
}

#[cfg(test)]
mod tests;
