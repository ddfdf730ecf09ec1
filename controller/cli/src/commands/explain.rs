//! `monitored-api explain NAME`: what an alert, a panel, a query, a signal, a condition or a reason means, and what becomes of it
//! for given MonitoredApis.

mod in_api;
mod topic;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use controller_core::yaml;
use serde_json::{Map, Value, json};

use crate::input::{BAD_INPUT, DEFAULT_NAMESPACE, FINDINGS, FINE, for_each};
use crate::metrics_page::MetricsArgs;
use crate::print::{self, ReportForm};
use crate::settings::SettingsArgs;
use topic::Topic;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Name of an alert, a signal, a condition or a reason, or title of a panel or a query, in capital or small letters. Without
    /// one all names are listed.
    #[arg(value_name = "NAME")]
    name: Vec<String>,
    /// File with MonitoredApis, or - for standard input: shows what becomes of it there. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = ReportForm::Table)]
    output: ReportForm,
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
pub fn run(args: ExplainArgs) -> Result<ExitCode> {
    let name = args.name.join(" ");
    if name.is_empty() {
        return list(args.output);
    }
    let topics = topic::find(&name);
    if topics.is_empty() {
        print::note(unknown(&name));
        return Ok(ExitCode::from(BAD_INPUT));
    }
    if args.metrics.is_given() && args.files.is_empty() {
        print::note("--metrics: a page is of the API of a MonitoredApi: give its file too, with -f FILE");
        return Ok(ExitCode::from(BAD_INPUT));
    }
    let page = match args.metrics.page() {
        Ok(page) => page,
        Err(error) => {
            print::note(format_args!("{error:#}"));
            return Ok(ExitCode::from(BAD_INPUT));
        }
    };
    let settings = args.settings.settings();
    let mut apis = vec![Vec::new(); topics.len()];
    let code = for_each(&args.files, DEFAULT_NAMESPACE, |source| {
        let spelling = match page.as_ref().map(|page| page.spelling_of(source)).transpose() {
            Ok(spelling) => spelling,
            Err(error) => {
                source.say(&format!("{error:#}"));
                return Ok(BAD_INPUT);
            }
        };
        match in_api::Generated::new(source.api(), &settings, spelling.as_ref(), source.workload().as_ref()) {
            Ok(generated) => {
                for (topic, found) in topics.iter().zip(&mut apis) {
                    found.extend(generated.about(topic));
                }
                Ok(FINE)
            }
            Err(violations) => {
                source.say_violations(&violations);
                Ok(FINDINGS)
            }
        }
    })?;
    let explained: Vec<_> = topics
        .iter()
        .zip(apis)
        .map(|(topic, apis)| explain(topic, apis))
        .collect();
    let table = |_| explained.iter().map(text).collect::<Vec<_>>().join("\n");
    print::report(args.output, &explained, table)?;
    Ok(ExitCode::from(code))
}

fn list(form: ReportForm) -> Result<ExitCode> {
    let topics = topic::all();
    let rows: Vec<_> = topics
        .iter()
        .map(|topic| json!({"kind": topic.kind(), "name": topic.name()}))
        .collect();
    let table = |_| {
        let lines = topics
            .iter()
            .map(|topic| format!("{:10} {}\n", topic.kind(), topic.name()));
        lines.collect()
    };
    print::report(form, &rows, table)?;
    Ok(ExitCode::SUCCESS)
}

fn unknown(name: &str) -> String {
    let near = topic::similar(name);
    let example = if near.is_empty() {
        "ApiHighErrorRatio".to_owned()
    } else {
        near.join(", ")
    };
    format!(
        "NAME: {name:?} is not a valid name of an alert, panel, query, signal, condition or reason: use one that `monitored-api explain` \
         lists, for example {example}"
    )
}

fn explain(topic: &Topic, apis: Vec<Value>) -> Value {
    let mut fields = Map::from_iter([
        ("kind".to_owned(), topic.kind().into()),
        ("name".to_owned(), topic.name().into()),
    ]);
    let facts = topic.facts().into_iter();
    fields.extend(facts.map(|(name, value)| (name.to_owned(), value.into())));
    if !apis.is_empty() {
        fields.insert("monitoredApis".to_owned(), apis.into());
    }
    if let Some(runbook) = topic.runbook() {
        fields.insert("runbook".to_owned(), runbook.into());
    }
    Value::Object(fields)
}

/// An explanation for people: kind and name, a line for each fact, then what becomes of it in each MonitoredApi, then the runbook.
fn text(explained: &Value) -> String {
    let field = |name: &str| explained.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{} {}\n\n", field("kind"), field("name"));
    let fields = explained.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, _)| !["kind", "name"].contains(&name.as_str())) {
        // Writing into a String cannot fail, here and below.
        let _ = match (name.as_str(), value) {
            ("runbook", Value::String(page)) => write!(text, "\n{page}"),
            (_, Value::String(value)) => writeln!(text, "{:14} {value}", format!("{name}:")),
            (_, other) => writeln!(
                text,
                "{name}:\n{}",
                yaml::to_string(other).unwrap_or_default().trim_end()
            ),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_listed_is_explained() {
        for topic in topic::all() {
            let explained = topic::find(&topic.name());
            assert!(explained.iter().any(|found| found.kind() == topic.kind()), "{topic:?}");
            let text = text(&explain(&topic, Vec::new()));
            assert!(text.contains(&topic.name()) && text.lines().count() > 2, "{text}");
        }
    }

    #[test]
    fn an_alert_is_explained_with_its_default_and_its_runbook_whatever_the_letters() {
        let topics = topic::find("apihigherrorratio");
        assert_eq!(topics.len(), 1);
        let explained = explain(&topics[0], Vec::new());
        assert_eq!(explained["threshold"], "1 %");
        assert_eq!(explained["severity"], "warning");
        assert!(
            explained["runbook"]
                .as_str()
                .unwrap()
                .starts_with("# ApiHighErrorRatio\n")
        );
    }

    #[test]
    fn a_query_that_people_ask_for_by_its_title_is_there() {
        for title in [
            "Request throughput per minute",
            "errors by type",
            "LATENCY P50",
            "Garbage collection rate",
            "Uptime",
        ] {
            let kinds: Vec<_> = topic::find(title).iter().map(Topic::kind).collect();
            assert!(kinds.contains(&"query"), "{title}: {kinds:?}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_answered_with_similar_ones() {
        let told = unknown("ErrorRatio");
        assert!(told.contains("ApiHighErrorRatio, ApiCriticalErrorRatio"), "{told}");
        assert!(unknown("zzz").contains("for example ApiHighErrorRatio"));
    }
}
