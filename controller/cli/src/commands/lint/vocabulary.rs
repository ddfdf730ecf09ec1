//! The metrics that linted files may read: of a dialect, and of captured pages.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use controller_rules::lint::Vocabulary;
use exposition::{Limits, MetricFamily};
use metric_contract::{DialectId, TargetKind};

use crate::metrics_page::{self, MetricsPage};

/// The metrics that the arguments name.
#[derive(Debug)]
pub(super) struct Vocabularies(Vocabulary);

impl Vocabularies {
    pub(super) fn new(
        target: TargetKind,
        dialect: Option<DialectId>,
        pages: &[LintedPage],
        target_labels: &[String],
    ) -> Self {
        let mut vocabulary = Vocabulary::of_the_platform(target);
        if let Some(dialect) = dialect {
            vocabulary = vocabulary.with_spelling(dialect.spelling()).with_recorded_series();
        }
        for page in pages {
            page.families.iter().for_each(|family| add(&mut vocabulary, family));
            if let Some(found) = page.metrics.found() {
                vocabulary.add_client_labels(&found.spelling);
            }
        }
        for label in target_labels {
            vocabulary.add_target_label(label);
        }
        Self(vocabulary)
    }

    /// With these series, of whose labels nothing is known.
    pub(super) fn with_recorded(self, series: impl Iterator<Item = String>) -> Vocabulary {
        let Self(mut vocabulary) = self;
        for name in series {
            vocabulary.add_unlabelled(&name);
        }
        vocabulary
    }
}

/// A page of metrics with its series.
#[derive(Debug)]
pub(super) struct LintedPage {
    pub(super) metrics: MetricsPage,
    families: Vec<MetricFamily>,
}

impl LintedPage {
    /// # Errors
    ///
    /// The page cannot be read, or Prometheus would refuse it.
    pub(super) fn read(source: &str) -> Result<Self> {
        let (page, format) = metrics_page::fetch(source)?;
        let metrics = MetricsPage::of(source, &page, format)?;
        let families = exposition::read(&page, format, &Limits::default());
        let families = families.with_context(|| format!("read the metrics of {}", metrics_page::name(source)))?;
        Ok(Self { metrics, families })
    }
}

fn add(vocabulary: &mut Vocabulary, family: &MetricFamily) {
    // A family without samples, such as one before the first request, has series all the same.
    if family.samples.is_empty() {
        for suffix in family.metric_type.suffixes() {
            vocabulary.add_unlabelled(&format!("{}{suffix}", family.name));
        }
    }
    let mut series = BTreeMap::<&str, Vec<BTreeSet<&str>>>::new();
    for sample in &family.samples {
        let there = sample.labels.iter().filter(|(_, value)| !value.is_empty());
        let labels = there.map(|(name, _)| name.as_str()).collect();
        series.entry(&sample.name).or_default().push(labels);
    }
    for (name, samples) in series {
        let all: BTreeSet<&str> = samples.iter().flatten().copied().collect();
        let (always, sometimes): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|label| samples.iter().all(|sample| sample.contains(label)));
        vocabulary.add_series(name, &always, &sometimes);
    }
}
