//! `monitored-api test`: writes unit tests for the alerts of MonitoredApis and runs them with promtool: each alert must fire in
//! its trouble and be silent while everything works.

mod promtool;
mod report;

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum as _};
use controller_core::{alert_tests, yaml};
use controller_rules::alert_tests::{AlertTest, AlertTestFile, AlertTests};
use serde_json::Value;
use tempfile::TempDir;

use self::promtool::Promtool;
use self::report::TestRow;
use crate::input::{BAD_INPUT, DEFAULT_NAMESPACE, FINDINGS, FINE, Source, for_each};
use crate::metrics_page::MetricsArgs;
use crate::print::{self, ReportForm};
use crate::settings::SettingsArgs;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// table (the default), json, yaml, or a directory (such as ./out) in which the rules and their tests are written and kept.
    /// May be given twice: a form and a directory.
    #[arg(short, long, value_name = "table|json|yaml|DIR")]
    output: Vec<PathBuf>,
    /// The program promtool, which comes with Prometheus. Default: that of PATH.
    #[arg(long, env = "PROMTOOL", value_name = "FILE")]
    promtool: Option<PathBuf>,
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
pub fn run(args: TestArgs) -> Result<ExitCode> {
    let TestArgs {
        files,
        output,
        promtool,
        metrics,
        settings,
    } = args;
    let page = match metrics.page() {
        Ok(page) => page,
        Err(error) => return bad_input(&format!("{error:#}")),
    };
    let (form, directory) = match outputs(output) {
        Ok(outputs) => outputs,
        Err(sentence) => return bad_input(&sentence),
    };
    let promtool = match Promtool::find(promtool) {
        Ok(promtool) => promtool,
        Err(sentence) => return bad_input(&sentence),
    };
    if promtool.is_none() && directory.is_none() {
        return bad_input(
            "promtool is not on PATH: name it by --promtool (it comes with Prometheus), or write the tests into a directory by \
             -o DIR",
        );
    }
    let folder = Folder::new(directory)?;
    let settings = settings.settings();
    let mut rows = Vec::new();
    let code = for_each(&files, DEFAULT_NAMESPACE, |source| {
        let page = match page.as_ref().map(|page| page.spelling_of(source)).transpose() {
            Ok(page) => page,
            Err(error) => {
                source.say(&format!("{error:#}"));
                return Ok(BAD_INPUT);
            }
        };
        match alert_tests::of(source.api(), &settings, page.as_ref(), source.workload().as_ref()) {
            Ok(None) => {
                source.say("it has no alerts, so there is nothing to test");
                Ok(FINE)
            }
            Ok(Some(tests)) => test_one(source, &tests, &folder, promtool.as_ref(), &mut rows),
            Err(violations) => {
                source.say_violations(&violations);
                Ok(BAD_INPUT)
            }
        }
    })?;
    if promtool.is_some() {
        report::print(&rows, form)?;
    } else {
        let path = folder.path().display();
        print::note(format_args!(
            "promtool is not on PATH, so the tests are written and not run: promtool test rules {path}/*.test.yaml"
        ));
    }
    Ok(ExitCode::from(code))
}

fn bad_input(sentence: &str) -> Result<ExitCode> {
    print::note(format_args!("monitored-api: {sentence}"));
    Ok(ExitCode::from(BAD_INPUT))
}

/// The form of the report, and the directory that is to be kept.
fn outputs(wanted: Vec<PathBuf>) -> Result<(ReportForm, Option<PathBuf>), String> {
    let (mut form, mut directory) = (None, None);
    for output in wanted {
        let named = output.to_str().map(|name| ReportForm::from_str(name, false));
        let twice = match named {
            Some(Ok(named)) => form.replace(named).is_some(),
            Some(Err(_)) | None => directory.replace(output).is_some(),
        };
        if twice {
            return Err("--output: one form (table, json or yaml) and one directory at most".to_owned());
        }
    }
    Ok((form.unwrap_or(ReportForm::Table), directory))
}

/// Where files are written.
enum Folder {
    Kept(PathBuf),
    /// Deleted at the end.
    Temporary(TempDir),
}

impl Folder {
    fn new(directory: Option<PathBuf>) -> Result<Self> {
        let Some(path) = directory else {
            return Ok(Self::Temporary(
                tempfile::tempdir().context("create a temporary directory")?,
            ));
        };
        fs::create_dir_all(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self::Kept(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// Writes the tests of one MonitoredApi and runs them. Returns the exit code.
fn test_one(
    source: &Source<'_>,
    tests: &AlertTests,
    folder: &Folder,
    promtool: Option<&Promtool>,
    rows: &mut Vec<TestRow>,
) -> Result<u8> {
    for sentence in &tests.untested {
        source.say(sentence);
    }
    let prefix = format!("{}-{}", source.namespace(), source.name());
    let rules = format!("{prefix}.rules.yaml");
    write(&folder.path().join(&rules), &serde_json::to_value(&tests.rules)?)?;
    let mut files = Vec::new();
    for file in &tests.files {
        let path = folder.path().join(format!("{prefix}.{}.test.yaml", file.alert));
        write(&path, &file.json(&rules, &file.tests))?;
        files.push((file, path));
    }
    let Some(promtool) = promtool else { return Ok(FINE) };
    let failed = match failures(promtool, &files, &folder.path().join(&rules)) {
        Ok(failed) => failed,
        Err(error) => {
            source.say(&format!("{error:#}"));
            return Ok(BAD_INPUT);
        }
    };
    let of_source = files.iter().flat_map(|(file, _)| &file.tests);
    rows.extend(of_source.map(|test| TestRow::new(source, test, !failed.contains(&test))));
    Ok(if failed.is_empty() { FINE } else { FINDINGS })
}

fn write(path: &Path, value: &Value) -> Result<()> {
    let text = yaml::to_string(value)?;
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

/// The tests that fail, in their order. Each file is run on its own, as many at a time as the machine has processors.
fn failures<'a>(
    promtool: &Promtool,
    files: &[(&'a AlertTestFile, PathBuf)],
    rules: &Path,
) -> Result<Vec<&'a AlertTest>> {
    let rules = rules
        .canonicalize()
        .with_context(|| format!("find {}", rules.display()))?;
    let next = AtomicUsize::new(0);
    let worker = || -> Result<Vec<(usize, &'a AlertTest)>> {
        let mut failed = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some((file, path)) = files.get(at) else {
                return Ok(failed);
            };
            failed.extend(
                failures_of(promtool, file, path, &rules)?
                    .into_iter()
                    .map(|test| (at, test)),
            );
        }
    };
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let mut failed = Vec::new();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            match worker.join() {
                Ok(of_worker) => failed.extend(of_worker?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        anyhow::Ok(())
    })?;
    failed.sort_by_key(|(at, _)| *at);
    Ok(failed.into_iter().map(|(_, test)| test).collect())
}

/// The tests of a file that fail. promtool tells only whether all of them pass, so those of a failed file are run one by one.
fn failures_of<'a>(
    promtool: &Promtool,
    file: &'a AlertTestFile,
    path: &Path,
    rules: &Path,
) -> Result<Vec<&'a AlertTest>> {
    if promtool.passes(path)? {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir().context("create a temporary directory")?;
    let single = folder.path().join("single.test.yaml");
    let mut failed = Vec::new();
    for test in &file.tests {
        write(&single, &file.json(&rules.to_string_lossy(), [test]))?;
        if !promtool.passes(&single)? {
            failed.push(test);
        }
    }
    Ok(failed)
}
