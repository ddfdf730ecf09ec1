//! The captured pages of real libraries.

use std::{
    fs,
    path::{Path, PathBuf},
};

use controller_core::detect::{Detection, Page, PageFamily, detect, read_page};
use exposition::{Format, Limits};
use metric_contract::DialectId;

pub(crate) const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects");

/// A captured page.
pub(crate) struct Captured {
    /// Its place below `tests/dialects`.
    pub(crate) name: String,
    pub(crate) page: Page,
}

impl Captured {
    /// The dialect whose library wrote it; `None` where the program has none that we know.
    pub(crate) fn expected(&self) -> Option<DialectId> {
        let has = |ending: &str| self.page.families.iter().any(|family| family.name.ends_with(ending));
        let is_stable = has("http_server_request_duration_seconds") || has("http_server_request_duration");
        let folder = self.name.split('/').next().unwrap();
        match folder {
            // Programs that count by hand, and programs that count no requests.
            "promclient-node" | "promclient-python" | "runtime-only" => None,
            // A proxy: only an author can name it.
            "traefik" => None,
            // The newest version writes OpenTelemetry's names alone.
            "axum-otel-metrics" if is_stable && !has("requests_total") => Some(DialectId::OtelHttp),
            "otel-http" if is_stable => Some(DialectId::OtelHttp),
            "otel-http" => Some(DialectId::OtelHttpOld),
            _ => Some(folder.parse().unwrap()),
        }
    }

    pub(crate) fn is_after(&self) -> bool {
        self.name.contains(".after.")
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.parent().unwrap().parent().unwrap().ends_with("pages") {
            found.push(path);
        }
    }
}

/// Every captured page, but those in OpenMetrics whose names hold dots, as Go's exporter of OpenTelemetry writes them.
pub(crate) fn captured() -> Vec<Captured> {
    let mut paths = Vec::new();
    files(Path::new(PAGES), &mut paths);
    paths.sort();
    assert!(paths.len() > 500, "only {} pages in {PAGES}", paths.len());
    let pages = paths.iter().map(|path| {
        let text = fs::read(path).unwrap();
        let page = read_page(&text, Format::of_page(&text), Limits::default());
        Captured {
            name: path.strip_prefix(PAGES).unwrap().display().to_string(),
            page: page.unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        }
    });
    let has_dots = |captured: &Captured| captured.page.families.iter().any(|family| family.name.contains('.'));
    pages.filter(|captured| !has_dots(captured)).collect()
}

/// Those with different families or labels: the other versions and formats show nothing new.
pub(crate) fn distinct() -> Vec<Captured> {
    let shape = |page: &Page| {
        let family = |family: &PageFamily| {
            let labels: Vec<_> = family.labels.keys().cloned().collect();
            (family.name.clone(), family.kind, family.help.clone(), labels)
        };
        page.families
            .iter()
            .filter(|known| is_of_requests(known))
            .map(family)
            .collect::<Vec<_>>()
    };
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for page in captured().into_iter().filter(Captured::is_after) {
        let shape = shape(&page.page);
        if !seen.contains(&shape) {
            seen.push(shape);
            kept.push(page);
        }
    }
    kept
}

pub(crate) fn is_of_requests(family: &PageFamily) -> bool {
    let name = &family.name;
    (name.contains("request") || name.contains("http")) && !name.starts_with("nodejs_")
}

pub(crate) fn dialect(detection: &Detection) -> Option<DialectId> {
    detection.found.as_ref().map(|found| found.dialect)
}

/// What is found on one captured page.
pub(crate) fn found_on(name: &str) -> Detection {
    let text = fs::read(Path::new(PAGES).join(name)).unwrap();
    detect(&read_page(&text, Format::of_page(&text), Limits::default()).unwrap())
}
