//! What detection keeps of a metrics page: the families with their types, labels and bounds. Values of labels are looked at,
//! counted and forgotten.

use std::collections::{BTreeMap, BTreeSet};

use exposition::{Format, Limits, MetricFamily, MetricType, ReadError, Reader, Reason, Sample, lines};
use metric_contract::MetricKind;

use super::paths::{MAX_PATHS_OF_PAGE, PathCounter, PathCounts};

/// Most bounds of a histogram that are kept.
const MAX_BOUNDS: usize = 256;

/// Most names of labels of one family that are kept: no library comes near, and a page may be anybody's.
const MAX_LABELS: usize = 128;

/// Bytes that count for a label of a family beside its name: about what it takes in memory.
const LABEL: usize = 64;

/// The methods of HTTP that servers are asked with.
const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// A page, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The families that Prometheus would store, in the order of the page.
    pub families: Vec<PageFamily>,
}

/// A family on a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageFamily {
    /// The name under which Prometheus stores it: of a counter with `_total`, in both formats.
    pub name: String,
    /// Its type; `None` for one that no rule reads, or that the page does not say.
    pub kind: Option<MetricKind>,
    /// The text that describes it.
    pub help: String,
    /// The names of its labels, without `le` and `quantile`, and what their values look like.
    pub labels: BTreeMap<String, LabelValues>,
    /// The upper bounds of a histogram, ascending, without `+Inf`.
    pub bounds: Vec<f64>,
    /// How many samples it has.
    pub samples: usize,
    /// Whether any value is above 0.
    pub has_counted: bool,
}

/// What the values of one label look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelValues {
    /// How many there were, without empty ones.
    pub seen: usize,
    /// How many are a status: `404`.
    pub statuses: usize,
    /// How many are a class of statuses: `4xx`.
    pub classes: usize,
    /// How many are a method of HTTP, in any case of letters.
    pub methods: usize,
    /// The different paths among them.
    pub paths: PathCounts,
}

impl LabelValues {
    fn see(&mut self, value: &str) {
        if value.is_empty() {
            return;
        }
        self.seen += 1;
        self.statuses += usize::from(is_status(value));
        self.classes += usize::from(is_class(value));
        self.methods += usize::from(METHODS.iter().any(|method| method.eq_ignore_ascii_case(value)));
    }

    /// Whether every value is a status or a class of statuses.
    #[must_use]
    pub const fn are_statuses(self) -> bool {
        self.seen > 0 && self.statuses + self.classes == self.seen
    }

    /// Whether any value is a status or a class of statuses.
    #[must_use]
    pub const fn has_statuses(self) -> bool {
        self.statuses + self.classes > 0
    }

    /// Whether every value is a method.
    #[must_use]
    pub const fn are_methods(self) -> bool {
        self.seen > 0 && self.methods == self.seen
    }
}

fn is_status(value: &str) -> bool {
    value.len() == 3
        && value.starts_with(|first| ('1'..='5').contains(&first))
        && value.bytes().all(|b| b.is_ascii_digit())
}

fn is_class(value: &str) -> bool {
    value.len() == 3 && value.starts_with(|first| ('1'..='5').contains(&first)) && value.ends_with("xx")
}

/// Reads a page line by line. What it holds is bounded by the page's families and their labels, whatever the number of series:
/// names of labels have as many bytes as the limits give to those of families ([`Limits::metadata`]).
#[derive(Debug)]
pub struct PageReader {
    format: Format,
    limits: Limits,
    reader: Reader,
    line: usize,
    /// Bytes of the labels that are held.
    held: usize,
    families: Vec<PageFamily>,
    /// The paths among the values of each label, by the place of its family.
    paths: BTreeMap<usize, BTreeMap<String, PathCounter>>,
    paths_seen: usize,
    counted_with_total: BTreeSet<usize>,
}

impl PageReader {
    /// At the beginning of a page.
    #[must_use]
    pub fn new(format: Format, limits: Limits) -> Self {
        Self {
            format,
            limits,
            reader: Reader::new(format, limits),
            line: 0,
            held: 0,
            families: Vec::new(),
            paths: BTreeMap::new(),
            paths_seen: 0,
            counted_with_total: BTreeSet::new(),
        }
    }

    /// Reads the next line, without its line feed.
    ///
    /// # Errors
    /// When Prometheus would refuse the line, and beyond the limits.
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), ReadError> {
        self.line += 1;
        self.reader.push_line(line)?;
        if let Some((place, sample)) = self.reader.take_sample() {
            if self.families.len() <= place {
                self.families.resize_with(place + 1, PageFamily::default);
            }
            if sample.name.ends_with("_total") {
                self.counted_with_total.insert(place);
            }
            if let Some(family) = self.families.get_mut(place) {
                self.held = self.held.saturating_add(see(family, &sample));
                if self.paths_seen < MAX_PATHS_OF_PAGE {
                    self.paths_seen += see_paths(family, &sample, self.paths.entry(place).or_default());
                }
            }
        }
        match self.held > self.limits.metadata {
            true => Err(ReadError {
                line: self.line,
                reason: Reason::TooMuchMetadata(self.limits.metadata),
            }),
            false => Ok(()),
        }
    }

    /// The page.
    ///
    /// # Errors
    /// When a page in OpenMetrics does not end with `# EOF`.
    pub fn finish(mut self) -> Result<Page, ReadError> {
        let read = self.reader.finish()?;
        self.families.resize_with(read.len(), PageFamily::default);
        let named = read.into_iter().zip(self.families).enumerate();
        let families = named.map(|(place, (read, mut family))| {
            let is_counter = read.metric_type == MetricType::Counter;
            let with_total = is_counter
                && self.format == Format::OpenMetrics
                && (family.samples == 0 || self.counted_with_total.contains(&place));
            for (label, counter) in self.paths.remove(&place).into_iter().flatten() {
                if let Some(values) = family.labels.get_mut(&label) {
                    values.paths = counter.counts();
                }
            }
            family.kind = kind(&read);
            family.name = read.name;
            if with_total && !family.name.ends_with("_total") {
                family.name.push_str("_total");
            }
            family.help = read.help.unwrap_or_default().trim().to_owned();
            family.bounds.sort_by(f64::total_cmp);
            family
        });
        // Python's client writes when each series was made as a family of its own.
        let families = families.filter(|family| !family.name.ends_with("_created"));
        Ok(Page {
            families: families.collect(),
        })
    }
}

const fn kind(family: &MetricFamily) -> Option<MetricKind> {
    match family.metric_type {
        MetricType::Counter => Some(MetricKind::Counter),
        MetricType::Gauge => Some(MetricKind::Gauge),
        MetricType::Histogram => Some(MetricKind::Histogram),
        MetricType::Summary => Some(MetricKind::Summary),
        MetricType::GaugeHistogram | MetricType::Info | MetricType::StateSet | MetricType::Unknown => None,
    }
}

/// Takes from a sample what is kept of it; returns the bytes of the labels that are new.
fn see(family: &mut PageFamily, sample: &Sample) -> usize {
    let mut held = 0;
    family.samples += 1;
    // When a series was made is no count of anything.
    family.has_counted |= sample.value > 0.0 && !sample.name.ends_with("_created");
    for (name, value) in &sample.labels {
        match name.as_str() {
            "le" => {
                let bound = value.parse::<f64>().ok().filter(|bound| bound.is_finite());
                if let Some(bound) = bound
                    && family.bounds.len() < MAX_BOUNDS
                    && !family.bounds.contains(&bound)
                {
                    family.bounds.push(bound);
                }
            }
            "quantile" => {}
            // An empty value means the same as no label, but its name is the library's.
            _ => {
                if let Some(values) = family.labels.get_mut(name) {
                    values.see(value);
                } else if family.labels.len() < MAX_LABELS {
                    held += LABEL + name.len();
                    family.labels.entry(name.clone()).or_default().see(value);
                }
            }
        }
    }
    held
}

/// Counts the paths among the values of a sample's labels; returns how many are new.
fn see_paths(family: &PageFamily, sample: &Sample, paths: &mut BTreeMap<String, PathCounter>) -> usize {
    let mut new = 0;
    for (name, value) in &sample.labels {
        if value.contains('/') && family.labels.contains_key(name) {
            let counter = match paths.get_mut(name) {
                Some(counter) => counter,
                None => paths.entry(name.clone()).or_default(),
            };
            new += usize::from(counter.see(value));
        }
    }
    new
}

/// Reads a whole page.
///
/// # Errors
/// On the first line that Prometheus would refuse, and beyond the limits.
pub fn read_page(page: &[u8], format: Format, limits: Limits) -> Result<Page, ReadError> {
    let mut reader = PageReader::new(format, limits);
    for line in lines(page) {
        reader.push_line(line)?;
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_with_more_names_of_labels_than_memory_is_given_is_refused() {
        let labels: Vec<String> = (0..64).map(|number| format!("l{number}=\"1\"")).collect();
        let family = |number: usize| format!("f{number}{{{}}} 1\n", labels.join(","));
        let page = |families: usize| (0..families).map(family).collect::<String>();
        let limits = Limits {
            metadata: 256 << 10,
            ..Limits::default()
        };
        let read = |families| read_page(page(families).as_bytes(), Format::Text, limits);
        assert_eq!(read(60).map(|page| page.families.len()), Ok(60));
        let error = ReadError {
            line: 62,
            reason: Reason::TooMuchMetadata(256 << 10),
        };
        assert_eq!(read(1_000), Err(error));
        // The same labels again, and other values of them, are nothing new.
        assert!(read_page(page(60).repeat(20).as_bytes(), Format::Text, limits).is_ok());
    }
}
