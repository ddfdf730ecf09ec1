//! `monitored-api compose`: what monitors APIs on one machine, as a folder with a compose file.

mod address;
mod notify;
mod targets;
mod write;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;
use controller_core::facts::Settings;
use controller_core::stack::folder::{self, FolderPlan, Record};
use controller_core::stack::{
    self, ApiService, ImageSource, Port, Ports, RESERVED_SERVICES, Secret, Stack, StackApi, StackFile,
};
use controller_core::validate::NATIVE;
use controller_rules::promql::PromDuration;
use metric_contract::Spelling;

use self::address::{Address, Host};
use self::notify::{NotificationArgs, Told};
use self::targets::{Described, TargetArgs, build_folder};
use self::write::{SecretValue, SecretsState};
use crate::input::{BAD_INPUT, FINE, shown};
use crate::left_out::LeftOut;
use crate::metrics_page::{MetricsArgs, MetricsPage};
use crate::print;
use crate::settings::RuleSettingsArgs;

/// How long Prometheus keeps its data unless more is needed, in days.
const DEFAULT_RETENTION_DAYS: u32 = 15;

/// Arguments of `compose`.
#[derive(Debug, Args)]
pub struct ComposeArgs {
    /// The folder to write. It is made if it does not exist. A file that you change in it is left alone from then on.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    metrics: MetricsArgs,
    /// Time between two evaluations of the rules.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    evaluation_interval: PromDuration,
    /// How long Prometheus keeps its data, such as 15d. Default: 15d, or as long as the objectives look back.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    retention: Option<PromDuration>,
    #[command(flatten)]
    notifications: NotificationArgs,
    /// Everybody who reaches Grafana may look at the dashboards.
    #[arg(long)]
    grafana_anonymous: bool,
    /// Port of 127.0.0.1 on which Prometheus is reached.
    #[arg(long, value_name = "PORT", default_value_t = 9090, value_parser = clap::value_parser!(u16).range(1..))]
    prometheus_port: u16,
    /// Port of 127.0.0.1 on which Alertmanager is reached.
    #[arg(long, value_name = "PORT", default_value_t = 9093, value_parser = clap::value_parser!(u16).range(1..))]
    alertmanager_port: u16,
    /// Port of 127.0.0.1 on which Grafana is reached.
    #[arg(long, value_name = "PORT", default_value_t = 3000, value_parser = clap::value_parser!(u16).range(1..))]
    grafana_port: u16,
    /// Overwrite files that were changed by hand, and write into a folder that holds other files.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    rules: RuleSettingsArgs,
}

/// Runs the command.
///
/// # Errors
///
/// Standard output takes no more.
pub fn run(args: ComposeArgs) -> Result<ExitCode> {
    match written(args) {
        Ok(report) => {
            print::result(&report.table)?;
            report.notes.iter().for_each(print::note);
            Ok(ExitCode::from(FINE))
        }
        Err(error) => {
            print::note(format_args!("monitored-api: {error:#}"));
            Ok(ExitCode::from(BAD_INPUT))
        }
    }
}

/// What is told in the end.
struct Report {
    /// A line for each file that was touched.
    table: String,
    notes: Vec<String>,
}

fn written(args: ComposeArgs) -> Result<Report> {
    let output = args.output.clone();
    let of_folder = || shown(&output);
    let force = args.force;
    let Built {
        stack,
        webhook_url,
        mut notes,
    } = built(args)?;
    let files = stack::files(&stack)?;
    let paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
    let state = write::state(&output, paths.iter().cloned(), force).with_context(of_folder)?;
    let ports = free_ports(&stack.published_ports(), state.record.as_ref())?;
    let secrets = secret_values(&stack, webhook_url);
    let secrets = write::secrets(&output, secrets).with_context(of_folder)?;
    let plan = folder::plan(files, ports, &state, force).map_err(|refusal| anyhow!("{}: {refusal}", of_folder()))?;
    write::carry_out(&output, &plan, &secrets.missing)
        .with_context(|| format!("{}: nothing is changed: make room or use another folder", of_folder()))?;
    let table = table(&plan, &secrets, &paths);
    notes.extend(notes_of_folder(&output, &plan, &secrets));
    notes.push(next_step(&output, &stack));
    Ok(Report { table, notes })
}

/// What the options describe.
struct Built {
    stack: Stack,
    webhook_url: Option<String>,
    /// Sentences for people.
    notes: Vec<String>,
}

fn built(args: ComposeArgs) -> Result<Built> {
    let settings = args.rules.settings();
    let described = args.targets.described()?;
    let mut notes = Vec::new();
    let api_service = api_service(&args.targets, &described)?;
    let page = args.metrics.page()?;
    let mut left_out = LeftOut::default();
    let mut apis = Vec::new();
    for one in &described {
        let api = stack_api(one, api_service.as_ref(), page.as_ref(), &settings)?;
        left_out.add(&one.file, one.name(), api.omissions());
        apis.push(api);
    }
    notes.extend(left_out.lines());
    let Told {
        notifications,
        webhook_url,
        on_this_machine,
    } = args.notifications.told()?;
    let targets_here = described
        .iter()
        .flat_map(|one| &one.addresses)
        .any(Address::is_this_machine)
        && api_service.is_none();
    if targets_here || on_this_machine {
        notes.push(
            "localhost: the containers reach this machine as host.docker.internal, so what runs on it has to listen on 0.0.0.0, not on 127.0.0.1 alone"
                .to_owned(),
        );
    }
    let stack = Stack {
        retention: retention(args.retention, &apis)?,
        apis,
        evaluation_interval: args.evaluation_interval,
        notifications,
        grafana_anonymous: args.grafana_anonymous,
        ports: Ports {
            prometheus: args.prometheus_port,
            alertmanager: args.alertmanager_port,
            grafana: args.grafana_port,
        },
        api_service,
        reaches_host: targets_here || on_this_machine,
    };
    Ok(Built {
        stack,
        webhook_url,
        notes,
    })
}

/// The API that the compose file runs too.
fn api_service(args: &TargetArgs, described: &[Described]) -> Result<Option<ApiService>> {
    let (option, image) = match (&args.image, &args.build) {
        (Some(image), _) => ("--image", ImageSource::Pulled(image.clone())),
        (None, Some(folder)) => ("--build", ImageSource::Built(build_folder(folder)?)),
        (None, None) => return Ok(None),
    };
    let [one] = described else {
        bail!(
            "{option}: it runs one API, and there are {}: leave it out, or use a command and a folder for each",
            described.len()
        );
    };
    let [address] = one.addresses.as_slice() else {
        bail!(
            "{option}: it runs one process, and {} has {} addresses: give it one",
            one.name(),
            one.addresses.len()
        );
    };
    let is_its_own = matches!(&address.host, Host::Name(name) if name == one.name());
    ensure!(
        is_its_own || address.is_this_machine(),
        "{option}: it runs the API on this machine, and {address} is another: use {}:{} or localhost:{}",
        one.name(),
        address.port,
        address.port
    );
    ensure!(
        !RESERVED_SERVICES.contains(&one.name()),
        "{option}: {} is already the name of a program of the stack: give the API another by --job NAME=localhost:{}",
        one.name(),
        address.port
    );
    Ok(Some(ApiService {
        name: one.name().to_owned(),
        image,
        port: address.port,
        is_native: one.preset().name == NATIVE.name,
    }))
}

fn stack_api(
    one: &Described,
    api_service: Option<&ApiService>,
    page: Option<&MetricsPage>,
    settings: &Settings,
) -> Result<StackApi> {
    let spelling = spelling(one, page)?;
    let addresses = one.addresses.iter().map(|address| match api_service {
        Some(service) => format!("{}:{}", service.name, service.port),
        None => address.seen_by_containers().to_string(),
    });
    StackApi::new(&one.api, settings, spelling.as_ref(), addresses.collect()).map_err(|violations| {
        let sentences: Vec<_> = violations
            .iter()
            .map(|violation| format!("{}: {violation}", one.origin()))
            .collect();
        anyhow!("{}", sentences.join("\n"))
    })
}

/// How a page spells the metrics of an API: the page that was given, or else its own, unless something names the dialect.
fn spelling(one: &Described, page: Option<&MetricsPage>) -> Result<Option<Arc<Spelling>>> {
    let say = |sentence: &str| print::note(format_args!("{}: {sentence}", one.origin()));
    if let Some(page) = page {
        return page.spelling_for(&one.api, say).map(Some);
    }
    let Some(address) = one.page_address().filter(|_| !one.names_dialect()) else {
        return Ok(None);
    };
    let page = MetricsPage::read(&address).with_context(|| {
        format!(
            "{}: its metrics can't be read: start it, give a page of them by --metrics FILE, or name their dialect by --dialect NAME",
            one.origin()
        )
    })?;
    page.spelling_for(&one.api, say).map(Some).with_context(|| {
        format!(
            "{}: send it a request and try again, or name the dialect by --dialect NAME",
            one.origin()
        )
    })
}

/// The time that was asked for, if every rule can fire with it; else as much as every rule needs.
fn retention(asked: Option<PromDuration>, apis: &[StackApi]) -> Result<PromDuration> {
    let default = PromDuration::from_minutes(DEFAULT_RETENTION_DAYS * 24 * 60);
    let longest = apis.iter().max_by_key(|api| api.needed_retention());
    let needed = longest.map_or(default, StackApi::needed_retention);
    match (asked, longest) {
        (Some(asked), Some(api)) if asked < needed => bail!(
            "--retention: {asked} is too short for {}, whose rules look back for up to {needed}: use {needed} or more",
            api.name()
        ),
        (Some(asked), _) => Ok(asked),
        (None, _) => Ok(needed.max(default)),
    }
}

/// The ports of the stack, if no other program listens there. One that the stack in this folder has already is its own.
fn free_ports(ports: &[Port], record: Option<&Record>) -> Result<BTreeSet<u16>> {
    let mut all = BTreeSet::new();
    for Port { service, number } in ports {
        ensure!(
            all.insert(*number),
            "port {number} is wanted twice, the second time by {service}: choose another by --prometheus-port, --alertmanager-port, \
             --grafana-port or in the address of the API"
        );
        if record.is_some_and(|record| record.ports.contains(number)) {
            continue;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, *number));
        let is_taken = listener.is_err_and(|error| error.kind() == ErrorKind::AddrInUse);
        ensure!(
            !is_taken,
            "port {number} of 127.0.0.1, for {service}, is taken by another program: choose another by --prometheus-port, \
             --alertmanager-port, --grafana-port or in the address of the API"
        );
    }
    Ok(all)
}

fn secret_values(stack: &Stack, mut webhook_url: Option<String>) -> Vec<(Secret, SecretValue)> {
    let secrets = stack.secrets().into_iter();
    let values = secrets.map(|secret| {
        let value = match secret {
            Secret::GrafanaAdminPassword => SecretValue::Drawn,
            Secret::SmtpPassword => SecretValue::ByHand,
            Secret::WebhookUrl => webhook_url.take().map_or(SecretValue::ByHand, SecretValue::Given),
        };
        (secret, value)
    });
    values.collect()
}

/// A line for each file that was touched, and how many were not.
fn table(plan: &FolderPlan, secrets: &SecretsState, paths: &[String]) -> String {
    let FolderPlan {
        write, remove, kept, ..
    } = plan;
    let new_secrets = secrets
        .missing
        .iter()
        .map(|(secret, _)| format!("{}/{}", Secret::FOLDER, secret.name()));
    let written = write
        .iter()
        .map(|StackFile { path, .. }| path.clone())
        .chain(new_secrets);
    let mut table = String::new();
    let rows = written
        .map(|path| ("written", path))
        .chain(remove.iter().map(|path| ("removed", path.clone())))
        .chain(kept.iter().map(|path| ("kept", path.clone())));
    for (what, path) in rows {
        // Writing into a String cannot fail, here and below.
        let _ = writeln!(table, "{what:9}  {path}");
    }
    let kept_of_these = kept.iter().filter(|path| paths.contains(path)).count();
    let unchanged = paths.len().saturating_sub(write.len() + kept_of_these);
    let _ = writeln!(table, "{:9}  {unchanged} files", "unchanged");
    table
}

fn notes_of_folder(output: &Path, plan: &FolderPlan, secrets: &SecretsState) -> Vec<String> {
    let place = |secret: &Secret| shown(&output.join(Secret::FOLDER).join(secret.name()));
    let kept = (!plan.kept.is_empty()).then(|| {
        format!(
            "left alone, because you changed them: {}; --force overwrites them",
            plan.kept.join(", ")
        )
    });
    let different = secrets
        .different
        .iter()
        .map(|secret| format!("{}: it has another value, which stays: change it there", place(secret)));
    let empty = secrets
        .empty
        .iter()
        .map(|secret| format!("{}: it is empty: write the password into it", place(secret)));
    kept.into_iter().chain(different).chain(empty).collect()
}

fn next_step(output: &Path, stack: &Stack) -> String {
    let folder = shown(output);
    format!(
        "next: cd {folder} && docker compose up -d (or podman-compose up -d); Grafana: http://localhost:{} as admin, whose password is in \
         {folder}/{}/{}",
        stack.ports.grafana,
        Secret::FOLDER,
        Secret::GrafanaAdminPassword.name()
    )
}

fn duration(text: &str) -> Result<PromDuration, String> {
    match PromDuration::parse(text) {
        Ok(duration) if duration >= PromDuration::from_seconds(1) => Ok(duration),
        Ok(_) | Err(_) => Err(format!(
            "{text:?} is not a valid duration: use at least 1s, for example 15s or 30d"
        )),
    }
}
