//! The metrics that linted files may read: of a dialect, and of captured pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use controller_rules::lint::Vocabulary;
use exposition::{Format, Limits, MetricFamily};
use metric_contract::{DialectId, TargetKind};

use crate::input::{shown, text};

/// The metrics that the arguments name.
#[derive(Debug)]
pub(super) struct Vocabularies(Vocabulary);

impl Vocabularies {
    pub(super) fn new(
        target: TargetKind,
        dialect: Option<DialectId>,
        pages: &[PathBuf],
        target_labels: &[String],
    ) -> Result<Self> {
        let mut vocabulary = Vocabulary::of_the_platform(target);
        if let Some(dialect) = dialect {
            vocabulary = vocabulary.with_spelling(dialect.spelling()).with_recorded_series();
        }
        for page in pages {
            for family in families(page).with_context(|| format!("read the metrics of {}", shown(page)))? {
                add(&mut vocabulary, &family);
            }
        }
        for label in target_labels {
            vocabulary.add_target_label(label);
        }
        Ok(Self(vocabulary))
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

fn families(page: &Path) -> Result<Vec<MetricFamily>> {
    let text = text(page)?;
    Ok(exposition::read(
        text.as_bytes(),
        Format::of_page(text.as_bytes()),
        &Limits::default(),
    )?)
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
