//! `monitored-api diff`: what an apply of MonitoredApis would change in a cluster, on themselves and on the objects that the
//! operator writes for them. Reads, and asks the API server for dry runs; writes nothing.

mod children;
mod monitored_api;
mod report;
mod row;
mod three_way;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use controller_core::call_error::CallError;
use controller_core::facts::Settings;
use controller_core::failure::ErrorClass;
use controller_core::{Violation, render};
use serde_json::Value;

use self::children::Comparison;
use self::row::{Change, DiffRow};
use crate::cluster::{ApiServer, ClusterArgs, Connect};
use crate::input::{BAD_INPUT, FINDINGS, FINE, Source, for_each};
use crate::print::{self, ReportForm};
use crate::settings::SettingsArgs;

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Form of the output: for people a unified diff of each object that would change, as data a list of all objects.
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    output: ReportForm,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Why a MonitoredApi can't be compared.
#[derive(Debug)]
enum DiffError {
    /// The cluster does not answer as it must.
    Call(CallError),
    /// The spec that the cluster would have is invalid: the operator would write nothing.
    Violations(Vec<Violation>),
}

impl From<CallError> for DiffError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Runs the command.
///
/// # Errors
///
/// The output can't be written.
pub fn run(args: DiffArgs, connect: Connect) -> Result<ExitCode> {
    let DiffArgs {
        files,
        output,
        cluster,
        settings,
    } = args;
    let server = match connect(&cluster) {
        Ok(server) => server,
        Err(error) => {
            print::note(format_args!("monitored-api: {error:#}"));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let settings = settings.settings();
    let mut rows = Vec::new();
    let mut away = false;
    let code = for_each(&files, server.namespace(), |source| {
        // The API server refuses a field that it does not know, or drops it.
        if away || source.has_unknown_fields() {
            return Ok(BAD_INPUT);
        }
        Ok(match diff_one(source, server.as_ref(), &settings) {
            Ok(of_source) => {
                rows.extend(of_source);
                FINE
            }
            Err(DiffError::Violations(violations)) => {
                source.say_violations(&violations);
                BAD_INPUT
            }
            Err(DiffError::Call(error)) => {
                source.say(&sentence(&error));
                away = error.class.is_outage();
                BAD_INPUT
            }
        })
    })?;
    let differs = rows.iter().any(|row| row.change != Change::Unchanged);
    report::print(&rows, output)?;
    Ok(ExitCode::from(code.max(if differs { FINDINGS } else { FINE })))
}

/// The rows of one MonitoredApi of a file. What is wrong with the file needs no cluster to be told.
fn diff_one(source: &Source<'_>, server: &dyn ApiServer, settings: &Settings) -> Result<Vec<DiffRow>, DiffError> {
    // Without its workload a MonitoredApi that refers to one can't be rendered; the rest of it is checked all the same.
    if source.api().spec.workload_ref.is_none() {
        render::render(source.api(), settings).map_err(DiffError::Violations)?;
    }
    diff(server, settings, source.object(), (source.namespace(), source.name()))
}

/// What an apply of one MonitoredApi would change: itself first, then the objects that the operator writes, in apply order.
/// `name`: its namespace and name.
fn diff(
    server: &dyn ApiServer,
    settings: &Settings,
    object: &Value,
    (namespace, name): (&str, &str),
) -> Result<Vec<DiffRow>, DiffError> {
    let tried = monitored_api::attempt(server, object, namespace, name)?;
    let mut rows = vec![tried.row];
    if let Some(api) = tried.after {
        let comparison = Comparison {
            server,
            settings,
            api: &api,
            status: &tried.status,
            is_new: tried.is_new,
        };
        rows.extend(comparison.rows()?);
    }
    Ok(rows)
}

/// What went wrong with the cluster, and what to do.
fn sentence(error: &CallError) -> String {
    let hint = match error.class {
        ErrorClass::KindMissing => {
            ": the cluster does not serve MonitoredApis: install their CustomResourceDefinition (monitored-api crd | kubectl \
             apply --server-side -f -)"
        }
        ErrorClass::Unreachable | ErrorClass::Timeout => {
            ": the cluster does not answer: use a context whose cluster runs (--kubeconfig, --context)"
        }
        ErrorClass::Unauthenticated => {
            ": the cluster does not accept your credentials: log in again, or use another context"
        }
        ErrorClass::Forbidden => {
            ": diff needs the permission to get and patch MonitoredApis and the objects made for them"
        }
        ErrorClass::NotFound
        | ErrorClass::KindTerminating
        | ErrorClass::Conflict
        | ErrorClass::Invalid
        | ErrorClass::Gone
        | ErrorClass::Throttled
        | ErrorClass::Server
        | ErrorClass::TooLarge
        | ErrorClass::Decode => "",
    };
    format!("{error}{hint}")
}

/// Whether the API server would refuse a write. Otherwise it gave no answer that says so.
const fn is_refusal(class: ErrorClass) -> bool {
    match class {
        ErrorClass::NotFound
        | ErrorClass::KindMissing
        | ErrorClass::KindTerminating
        | ErrorClass::Conflict
        | ErrorClass::Forbidden
        | ErrorClass::Invalid
        | ErrorClass::Server => true,
        ErrorClass::Unauthenticated
        | ErrorClass::Gone
        | ErrorClass::Throttled
        | ErrorClass::Timeout
        | ErrorClass::Unreachable
        | ErrorClass::TooLarge
        | ErrorClass::Decode => false,
    }
}

#[cfg(test)]
mod tests;
