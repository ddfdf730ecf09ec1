//! `monitored-api preview`: one HTML page of what MonitoredApis lead to: objects, alerts with their thresholds, and every panel
//! drawn, from sample data or from a Prometheus.

mod chart;
mod content;
mod data;
mod destination;
mod limit;
mod page;
mod prometheus;
mod sample;
#[cfg(test)]
mod tests;
mod units;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use controller_core::{facts::Settings, prometheus::check_address, render};
use controller_rules::promql::PromDuration;

use self::content::Content;
use self::destination::Destination;
use self::page::{Origin, Page, Section};
use self::prometheus::Client;
use crate::input::{BAD_INPUT, DEFAULT_NAMESPACE, FINDINGS, FINE, Source, for_each};
use crate::metrics_page::{MetricsArgs, MetricsPage};
use crate::print;
use crate::settings::SettingsArgs;

/// Shortest time that charts show.
const SHORTEST: PromDuration = PromDuration::from_minutes(5);
/// Longest time that charts show.
const LONGEST: PromDuration = PromDuration::from_minutes(31 * 24 * 60);

/// Arguments of `preview`.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// File with MonitoredApis (YAML or JSON, several documents allowed), or - for standard input. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The file to write, for example preview.html. It replaces an older page of preview, and no other file. Default: standard
    /// output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Address of a Prometheus from which the panels are drawn. Without one they show sample data.
    #[arg(long, value_name = "URL", value_parser = prometheus_address)]
    prometheus: Option<String>,
    /// File with a token that is sent to the Prometheus as `Authorization: Bearer`.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    prometheus_bearer_token_file: Option<PathBuf>,
    /// The time before now that is drawn, from 5m to 31d.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = range, requires = "prometheus")]
    range: PromDuration,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    settings: SettingsArgs,
}

/// Runs the command.
///
/// # Errors
///
/// Standard output takes no more.
pub fn run(args: PreviewArgs) -> Result<ExitCode> {
    let prepared = match Preparation::new(&args) {
        Ok(prepared) => prepared,
        Err(error) => return bad_input(&error),
    };
    let settings = args.settings.settings();
    let mut contents = Vec::new();
    let code = for_each(&args.files, DEFAULT_NAMESPACE, |source| {
        content_of(source, &settings, prepared.metrics.as_ref(), &mut contents)
    })?;
    let Built { contents, failed } = contents.into_iter().fold(Built::default(), Built::with);
    if failed || code == BAD_INPUT || contents.is_empty() {
        print::note("monitored-api: no page is written, because not every MonitoredApi can be shown");
        return Ok(ExitCode::from(code));
    }
    let html = prepared.page(contents).html();
    match &prepared.destination {
        Some(destination) => match destination.write(&html) {
            Ok(()) => Ok(ExitCode::from(code)),
            Err(error) => bad_input(&error),
        },
        None => print::result(&html).map(|()| ExitCode::from(code)),
    }
}

fn bad_input(error: &anyhow::Error) -> Result<ExitCode> {
    print::note(format_args!("monitored-api: {error:#}"));
    Ok(ExitCode::from(BAD_INPUT))
}

/// What could be built of the MonitoredApis.
#[derive(Debug, Default)]
struct Built {
    contents: Vec<Content>,
    /// Whether one could not be.
    failed: bool,
}

impl Built {
    fn with(mut self, content: Option<Content>) -> Self {
        match content {
            Some(content) => self.contents.push(content),
            None => self.failed = true,
        }
        self
    }
}

/// What is read and asked before any MonitoredApi is.
#[derive(Debug)]
struct Preparation {
    destination: Option<Destination>,
    metrics: Option<MetricsPage>,
    prometheus: Option<(String, Client)>,
}

impl Preparation {
    /// # Errors
    ///
    /// A page of metrics that cannot be read, a Prometheus that does not answer, or a file that cannot be written.
    fn new(args: &PreviewArgs) -> Result<Self> {
        let destination = args.output.clone().map(Destination::new).transpose()?;
        let metrics = args.metrics.page()?;
        let connect = |address: &String| {
            let client = Client::connect(address, args.prometheus_bearer_token_file.as_deref(), args.range)?;
            anyhow::Ok((address.clone(), client))
        };
        Ok(Self {
            destination,
            metrics,
            prometheus: args.prometheus.as_ref().map(connect).transpose()?,
        })
    }

    /// The page of these MonitoredApis, with the data of their panels.
    fn page(&self, contents: Vec<Content>) -> Page {
        let section = |content: Content| Section {
            data: match &self.prometheus {
                Some((_, client)) => prometheus::data(&content, client),
                None => sample::data(&content),
            },
            content,
        };
        Page {
            origin: self.origin(),
            seconds: self
                .prometheus
                .as_ref()
                .map_or(sample::SECONDS, |(_, client)| client.range().millis() as f64 / 1_000.0),
            sections: contents.into_iter().map(section).collect(),
        }
    }

    fn origin(&self) -> Origin {
        let Some((address, client)) = &self.prometheus else {
            return Origin::Sample;
        };
        let [from, until] = client.shown().map(|time| {
            let time = time.map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
            time.unwrap_or_default()
        });
        Origin::Prometheus {
            address: address.clone(),
            from,
            until,
        }
    }
}

/// Adds what is shown of one MonitoredApi, or that it cannot be shown. Returns the exit code.
fn content_of(
    source: &Source<'_>,
    settings: &Settings,
    metrics: Option<&MetricsPage>,
    contents: &mut Vec<Option<Content>>,
) -> Result<u8> {
    let page = match metrics.map(|page| page.spelling_of(source)).transpose() {
        Ok(page) => page,
        Err(error) => {
            source.say(&format!("{error:#}"));
            contents.push(None);
            return Ok(BAD_INPUT);
        }
    };
    match render::render_with(source.api(), settings, page.as_ref(), source.workload().as_ref()) {
        Ok(rendered) => {
            contents.push(Some(Content::new(rendered)?));
            Ok(FINE)
        }
        Err(violations) => {
            source.say_violations(&violations);
            contents.push(None);
            Ok(FINDINGS)
        }
    }
}

fn prometheus_address(text: &str) -> Result<String, String> {
    check_address(text).map(|()| text.to_owned())
}

fn range(text: &str) -> Result<PromDuration, String> {
    let range = PromDuration::parse(text).ok();
    let fits = |range: &PromDuration| (SHORTEST.millis()..=LONGEST.millis()).contains(&range.millis());
    range
        .filter(fits)
        .ok_or_else(|| format!("{text:?} is not a valid time: use 5m to 31d, for example 1h"))
}
