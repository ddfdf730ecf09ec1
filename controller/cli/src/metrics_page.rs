//! A metrics page from a file, standard input or an address.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use controller_api::MonitoredApi;
use controller_core::detect::{
    CustomOnPage, Detection, Found, NotOnPage, Outcome, Page, custom_on_page, detect, read_page,
};
use controller_core::lint::FittedPage;
use controller_core::validate::custom_spelling;
use exposition::{Format, Limits, ReadError};
use metric_contract::Spelling;
use ureq::Agent;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};

use crate::input::{Source, shown};

/// How long an address may take for its whole page. Prometheus waits ten seconds unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The page of metrics that rules and panels are made for.
#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Page of the API's metrics: an address (http:// or https://) or a file. Rules and panels are made for the names, labels and
    /// bounds that stand there, as the operator does with what a running pod exports. A dialect that a MonitoredApi names is
    /// kept; without one it is that of the page. Of metrics that it names by hand (`custom`), the page tells types and bounds.
    #[arg(long, value_name = "URL|FILE")]
    metrics: Option<String>,
}

impl MetricsArgs {
    /// The page; `None`: none was given.
    ///
    /// # Errors
    ///
    /// The page cannot be read, or Prometheus would refuse it.
    pub(crate) fn page(&self) -> Result<Option<MetricsPage>> {
        let Some(source) = &self.metrics else {
            return Ok(None);
        };
        MetricsPage::read(source).map(Some)
    }

    /// Whether one was given.
    pub(crate) const fn is_given(&self) -> bool {
        self.metrics.is_some()
    }
}

/// A page that was given for MonitoredApis.
#[derive(Debug)]
pub(crate) struct MetricsPage {
    source: String,
    page: Page,
    outcome: Outcome,
    /// The dialect, where it is that of one library.
    found: Option<Found>,
    /// How it spells what it exports then.
    spelling: Option<Arc<Spelling>>,
}

impl MetricsPage {
    /// The page of a source: a file, - for standard input, or an address that begins with http:// or https://.
    ///
    /// # Errors
    ///
    /// It cannot be read, or Prometheus would refuse it.
    pub(crate) fn read(source: &str) -> Result<Self> {
        let (page, format) = fetch(source)?;
        Self::of(source, &page, format)
    }

    /// The same of a page that was fetched.
    ///
    /// # Errors
    ///
    /// Prometheus would refuse it.
    pub(crate) fn of(source: &str, page: &[u8], format: Format) -> Result<Self> {
        let page = read_page(page, format, Limits::default());
        let page = page.with_context(|| format!("{}: Prometheus refuses the page", name(source)))?;
        let Detection { outcome, found, .. } = detect(&page);
        Ok(Self {
            source: source.to_owned(),
            page,
            outcome,
            spelling: found.as_ref().map(|found| Arc::new(found.spelling.clone())),
            found,
        })
    }

    /// The dialect that was found on it, if it is that of one library.
    pub(crate) const fn found(&self) -> Option<&Found> {
        self.found.as_ref()
    }

    /// The page as it fits a MonitoredApi.
    ///
    /// # Errors
    ///
    /// Those of [`Self::spelling_of`].
    pub(crate) fn fitted(&self, api: &MonitoredApi) -> Result<FittedPage<'_>> {
        let (spelling, absent) = self.fitting(api)?;
        Ok(FittedPage {
            page: &self.page,
            found: self.found.as_ref(),
            spelling,
            absent,
        })
    }

    /// How the page spells what a MonitoredApi exports: where this names its metrics by hand, under these names. Those that the
    /// page does not have are said.
    ///
    /// # Errors
    ///
    /// The MonitoredApi names no metrics, and the page is not that of one library.
    pub(crate) fn spelling_of(&self, of: &Source<'_>) -> Result<Arc<Spelling>> {
        self.spelling_for(of.api(), |sentence| of.say(sentence))
    }

    /// The same for a MonitoredApi that stands in no file. `say`: what to do with a sentence about it, for people.
    ///
    /// # Errors
    ///
    /// Those of [`Self::spelling_of`].
    pub(crate) fn spelling_for(&self, api: &MonitoredApi, say: impl Fn(&str)) -> Result<Arc<Spelling>> {
        let (spelling, absent) = self.fitting(api)?;
        absent.iter().for_each(|absent| say(&absent.to_string()));
        Ok(spelling)
    }

    /// The same, with what a MonitoredApi names by hand and the page does not have.
    ///
    /// # Errors
    ///
    /// Those of [`Self::spelling_of`].
    fn fitting(&self, api: &MonitoredApi) -> Result<(Arc<Spelling>, Vec<NotOnPage>)> {
        if let Some(custom) = custom_spelling(&api.spec) {
            let CustomOnPage { spelling, absent } = custom_on_page(&custom, &self.page);
            return Ok((Arc::new(spelling), absent));
        }
        let spelling = self.spelling.clone().with_context(|| {
            let source = &self.source;
            format!(
                "{}: the library that wrote the page is not clear ({}): monitored-api detect {source} says more",
                name(source),
                self.outcome.as_str()
            )
        })?;
        Ok((spelling, Vec::new()))
    }
}

/// Reads the page of a source: a file, - for standard input, or an address that begins with http:// or https://.
///
/// # Errors
///
/// The source cannot be read. The inner result is an error where Prometheus would refuse the page.
pub(crate) fn read(source: &str) -> Result<Result<Page, ReadError>> {
    let (page, format) = fetch(source)?;
    Ok(read_page(&page, format, Limits::default()))
}

/// The bytes of the page of a source, and their format.
///
/// # Errors
///
/// The source cannot be read.
pub(crate) fn fetch(source: &str) -> Result<(Vec<u8>, Format)> {
    let limits = Limits::default();
    Ok(if source.starts_with("http://") || source.starts_with("https://") {
        fetched(source, limits.bytes).with_context(|| format!("fetch {source}"))?
    } else {
        let page = stored(Path::new(source), limits.bytes).with_context(|| format!("read {}", name(source)))?;
        let format = Format::of_page(&page);
        (page, format)
    })
}

/// The source as messages name it.
pub(crate) fn name(source: &str) -> String {
    shown(Path::new(source))
}

fn stored(file: &Path, most: usize) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        bounded(io::stdin().lock(), most)
    } else {
        bounded(File::open(file)?, most)
    }
}

fn fetched(address: &str, most: usize) -> Result<(Vec<u8>, Format)> {
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .user_agent(concat!("monitored-api/", env!("CARGO_PKG_VERSION")))
        .build();
    let agent = Agent::new_with_config(config);
    let answer = agent.get(address).header(ACCEPT, Format::ACCEPT).call()?;
    if !answer.status().is_success() {
        bail!("it answered {}", answer.status());
    }
    let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = match content_type {
        Some(known) if known.starts_with("application/openmetrics-text") => Format::OpenMetrics,
        Some(known) if known.starts_with("text/html") => {
            bail!(
                "it answered a web page (text/html): use the path of the metrics, for example /metrics or /actuator/prometheus"
            )
        }
        _ => Format::Text,
    };
    Ok((bounded(answer.into_body().into_reader(), most)?, format))
}

/// All bytes, or an error as soon as there are too many.
fn bounded(reader: impl Read, most: usize) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    let above = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(above).read_to_end(&mut page)?;
    if page.len() > most {
        bail!(
            "it has more than {} MiB, more than a page of metrics should have",
            most >> 20
        );
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use crate::input::{FINE, for_each};

    use super::*;

    const PAGE: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/dialects/flask/pages/0.23.2/default.after.text"
    );

    /// What a page says for the MonitoredApi with these metrics: the first bound of the durations, or the error.
    fn first_bound(page: &str, metrics: &str) -> Result<Option<f64>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = folder.path().join("api.yaml");
        let manifest = format!(
            "apiVersion: monitoredapi.io/v1alpha1\nkind: MonitoredApi\nmetadata: {{name: orders}}\nspec: {{image: i, metrics: {metrics}}}\n"
        );
        fs::write(&file, manifest).unwrap();
        let metrics = Some(page.to_owned());
        let page = MetricsArgs { metrics }.page().unwrap().unwrap();
        let mut said = None;
        for_each(&[file], "default", |source| {
            let spelling = page.spelling_of(source).map_err(|error| error.to_string());
            said = Some(spelling.map(|spelling| Some(spelling.duration()?.histogram.bounds()?[0])));
            Ok(FINE)
        })
        .unwrap();
        said.unwrap()
    }

    #[test]
    fn a_page_is_read_by_the_names_that_a_monitored_api_gives() {
        let histogram = "{dialect: custom, custom: {duration: {name: my_latency_ms}}}";
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("page");
        fs::write(
            &page,
            "# TYPE my_latency_ms histogram\nmy_latency_ms_bucket{le=\"7\"} 1\nmy_latency_ms_bucket{le=\"+Inf\"} 1\n",
        )
        .unwrap();
        let page = page.to_str().unwrap();
        assert_eq!(first_bound(page, histogram), Ok(Some(7.0)));
        // The page of a library, of whose names the MonitoredApi gives none.
        assert_eq!(first_bound(PAGE, histogram), Ok(None));
        assert_eq!(first_bound(PAGE, "{}"), Ok(Some(0.005)));
        let unclear = first_bound(page, "{}").unwrap_err();
        assert!(
            unclear.contains("is not clear (no-http-metrics): monitored-api detect"),
            "{unclear}"
        );
    }
}
