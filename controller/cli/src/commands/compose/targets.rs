//! Which APIs are monitored, and at which addresses: from `--target`, `--job` and files with MonitoredApis.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use controller_api::{MonitoredApi, MonitoredApiSpec, spec::MetricsSpec};
use controller_core::settings::check_namespace;
use controller_core::validate::{AUTO, NATIVE, Preset, preset};
use controller_rules::promql::PromDuration;
use metric_contract::DialectId;

use super::address::{Address, Host};
use crate::input::{FINE, for_each, shown};

/// The image of an API that is not started here. A MonitoredApi needs one, and nothing reads it.
const IMAGE_OF_A_TARGET: &str = "started-elsewhere";
/// What messages call the options that describe an API, in the place of a file.
const OPTIONS: &str = "options";
/// The name of an API on this machine that has no other.
const UNNAMED: &str = "api";

/// What is monitored.
#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    /// Where an API serves its metrics; localhost is this machine. May be repeated: each is an API of its own, called after its
    /// host. With exactly one MonitoredApi by -f, all are processes of that one.
    #[arg(long = "target", value_name = "HOST:PORT")]
    targets: Vec<Address>,
    /// An API with a name, and the addresses of its processes. May be repeated.
    #[arg(long = "job", value_name = "NAME=HOST:PORT,…", value_parser = job)]
    jobs: Vec<Job>,
    /// File with MonitoredApis, as for a cluster: thresholds, objectives, routes that don't count. The addresses of each stand in
    /// the --job of its name. What they say of pods means nothing here. May be repeated.
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The label `namespace` of the series of APIs that name none.
    #[arg(long, value_name = "NAMESPACE", default_value = "default", value_parser = namespace)]
    namespace: String,
    /// The dialect of APIs that name none, such as native or flask. Without one, and without --metrics, the page of the first
    /// address is read.
    #[arg(long, value_name = "NAME", value_parser = dialect)]
    dialect: Option<String>,
    /// Time between two scrapes of APIs that name none. Default: 15s.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    scrape_interval: Option<String>,
    /// Run the API too, from this image. Its one address says the port. An API of the preset or dialect native gets the health
    /// check and the folder for data of the reference API.
    #[arg(long, value_name = "IMAGE", conflicts_with = "build", value_parser = image)]
    pub(super) image: Option<String>,
    /// The same from a folder with a Dockerfile.
    #[arg(long, value_name = "FOLDER")]
    pub(super) build: Option<PathBuf>,
}

/// An API with a name.
#[derive(Debug, Clone)]
struct Job {
    name: String,
    addresses: Vec<Address>,
}

/// An API that is to be monitored.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) api: MonitoredApi,
    /// At least one.
    pub(super) addresses: Vec<Address>,
    /// Where it is described: a file, or the options.
    pub(super) file: String,
}

impl Described {
    /// What messages call it.
    pub(super) fn origin(&self) -> String {
        format!("{}: {}", self.file, self.name())
    }

    pub(super) fn name(&self) -> &str {
        self.api.metadata.name.as_deref().unwrap_or_default()
    }

    /// Its preset; that of APIs of which nothing is known where it names none that exists, which is reported elsewhere.
    pub(super) fn preset(&self) -> &'static Preset {
        preset(self.api.spec.preset.as_deref().unwrap_or(AUTO.name)).unwrap_or(&AUTO)
    }

    /// Whether the spec or the preset says how the metrics are spelled.
    pub(super) fn names_dialect(&self) -> bool {
        let metrics = self.api.spec.metrics.as_ref();
        match metrics.and_then(|metrics| metrics.dialect.as_deref()) {
            Some(named) => named != "auto",
            None => self.preset().dialect.is_some(),
        }
    }

    /// The address of its page, at its first process.
    pub(super) fn page_address(&self) -> Option<String> {
        let metrics = self.api.spec.metrics.as_ref();
        let path = metrics.and_then(|metrics| metrics.path.as_deref());
        let address = self.addresses.first()?;
        Some(format!(
            "http://{address}{}",
            path.unwrap_or(self.preset().metrics_path)
        ))
    }
}

impl TargetArgs {
    /// The APIs, the addresses as the command was given them.
    ///
    /// # Errors
    ///
    /// A file can't be read (which was said already), or the options don't fit.
    pub(super) fn described(&self) -> Result<Vec<Described>> {
        let mut described = Vec::new();
        let code = for_each(&self.files, &self.namespace, |source| {
            described.push(Described {
                api: source.api().clone(),
                addresses: Vec::new(),
                file: source.file(),
            });
            Ok(FINE)
        })?;
        ensure!(code == FINE, "nothing is written: correct the files first");
        let mut jobs = self.jobs(&described)?;
        for one in &mut described {
            let at = jobs.iter().position(|job| job.name == one.name());
            let at = at.with_context(|| {
                format!(
                    "{}: it has no address: add --job {}=HOST:PORT",
                    one.origin(),
                    one.name()
                )
            })?;
            one.addresses = jobs.swap_remove(at).addresses;
        }
        jobs.sort_by(|one, other| one.name.cmp(&other.name));
        described.extend(jobs.into_iter().map(|job| self.synthesized(job)));
        ensure!(
            !described.is_empty(),
            "there is nothing to monitor: add --target HOST:PORT, or --job NAME=HOST:PORT"
        );
        described.iter_mut().for_each(|one| self.fill(&mut one.api.spec));
        Ok(described)
    }

    /// The addresses by the name of their API.
    fn jobs(&self, described: &[Described]) -> Result<Vec<Job>> {
        let mut jobs = self.jobs.clone();
        match described {
            [one] if !self.targets.is_empty() => jobs.push(Job {
                name: one.name().to_owned(),
                addresses: self.targets.clone(),
            }),
            _ => jobs.extend(self.targets.iter().map(|target| Job {
                name: name_of(target),
                addresses: vec![target.clone()],
            })),
        }
        let mut names: Vec<_> = jobs.iter().map(|job| &job.name).collect();
        names.sort();
        if let Some([name, _]) = names.array_windows().find(|[one, next]| one == next) {
            bail!(
                "two APIs would be called {name}: give them names by --job NAME=HOST:PORT, or one name with all addresses of one API"
            );
        }
        let mut names: Vec<_> = described.iter().map(Described::name).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[one, next]| one == next) {
            bail!("two MonitoredApis are called {name}: use a command and a folder for each");
        }
        Ok(jobs)
    }

    /// A MonitoredApi that says nothing but the options.
    fn synthesized(&self, job: Job) -> Described {
        let is_native = self.dialect.as_deref() == Some(DialectId::Native.as_str());
        let spec = MonitoredApiSpec {
            image: Some(IMAGE_OF_A_TARGET.to_owned()),
            preset: is_native.then(|| NATIVE.name.to_owned()),
            ..MonitoredApiSpec::default()
        };
        let mut api = MonitoredApi::new(&job.name, spec);
        api.metadata.namespace = Some(self.namespace.clone());
        Described {
            api,
            file: OPTIONS.to_owned(),
            addresses: job.addresses,
        }
    }

    /// What the options say where the spec says nothing.
    fn fill(&self, spec: &mut MonitoredApiSpec) {
        let names_dialect = spec
            .preset
            .as_deref()
            .and_then(preset)
            .is_some_and(|preset| preset.dialect.is_some());
        let metrics = spec.metrics.get_or_insert_with(MetricsSpec::default);
        if metrics.interval.is_none() {
            metrics.interval.clone_from(&self.scrape_interval);
        }
        if metrics.dialect.is_none() && !names_dialect {
            metrics.dialect.clone_from(&self.dialect);
        }
        if let Some(image) = &self.image {
            spec.image = Some(image.clone());
        }
    }
}

/// The name of an API after its host: the first label of a name, in the form that a MonitoredApi's name has.
fn name_of(address: &Address) -> String {
    match &address.host {
        Host::Name(name) if !address.is_this_machine() => {
            let label = name.split('.').next().unwrap_or(name);
            label.replace('_', "-")
        }
        Host::Name(_) | Host::Ip(_) => UNNAMED.to_owned(),
    }
}

fn job(text: &str) -> Result<Job, String> {
    let invalid =
        || format!("{text:?} is not a valid job: use NAME=HOST:PORT,HOST:PORT, for example orders=app1:8000,app2:8000");
    let (name, addresses) = text.split_once('=').ok_or_else(invalid)?;
    if name.is_empty() {
        return Err(invalid());
    }
    let addresses: Result<Vec<Address>, String> = addresses.split(',').map(str::parse).collect();
    Ok(Job {
        name: name.to_owned(),
        addresses: addresses?,
    })
}

fn namespace(text: &str) -> Result<String, String> {
    check_namespace(text).map(|()| text.to_owned())
}

fn dialect(text: &str) -> Result<String, String> {
    let known = DialectId::from_str(text).map_err(|error| error.to_string())?;
    Ok(known.as_str().to_owned())
}

fn image(text: &str) -> Result<String, String> {
    if !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} is not a valid image name: use registry/repository:tag without spaces, for example ghcr.io/acme/orders:1.4.2"
    ))
}

fn interval(text: &str) -> Result<String, String> {
    match PromDuration::parse_up_to_hours(text) {
        Ok(interval) if interval >= PromDuration::from_seconds(1) => Ok(interval.to_string()),
        Ok(_) | Err(_) => Err(format!(
            "{text:?} is not a valid interval: use at least 1s, in h, m and s, for example 15s"
        )),
    }
}

/// The folder of `--build`, from the root: compose would look for it beside its own file.
pub(super) fn build_folder(folder: &Path) -> Result<String> {
    let absolute = folder
        .canonicalize()
        .ok()
        .filter(|folder| folder.is_dir())
        .with_context(|| format!("--build: {} is no folder: use one with a Dockerfile", shown(folder)))?;
    let text = absolute.to_str();
    text.map(str::to_owned)
        .with_context(|| format!("--build: {} is not UTF-8: use another path", shown(folder)))
}
