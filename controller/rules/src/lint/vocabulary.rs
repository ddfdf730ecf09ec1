//! The metrics that exist, and the labels of each: of a dialect, of Prometheus itself, of the operator, or of a captured
//! page.

use std::{borrow::Cow, collections::BTreeMap};

use metric_contract::{
    Family, MetricKind, Spelling, TargetKind,
    labels::{ALERT_NAME, ALERT_STATE, JOB, LE, NAMESPACE, OBJECTIVE},
    platform, recorded_series, sloth,
};

use super::label_set::LabelSet;

/// The metrics that rules and panels may read.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    target: TargetKind,
    series: BTreeMap<Cow<'static, str>, LabelSet>,
    /// By series, the labels that have what clients wrote.
    of_clients: BTreeMap<String, Vec<String>>,
    /// Whether a metric that is not in it is a mistake.
    complete: bool,
    /// Whether the series that our own rules record are in it.
    recorded: bool,
}

impl Vocabulary {
    /// The metrics of Prometheus itself and of the operator. No metric of an API is known, so each one passes.
    #[must_use]
    pub fn of_the_platform(target: TargetKind) -> Self {
        let mut vocabulary = Self {
            target,
            series: BTreeMap::new(),
            of_clients: BTreeMap::new(),
            complete: false,
            recorded: false,
        };
        for series in platform::TARGET_SERIES {
            vocabulary.insert::<&str>(Cow::Borrowed(series), &[], &[]);
        }
        // Where a Prometheus overrides the labels of the operator's own series, it stores theirs as exported.
        let exported: Vec<_> = target
            .reserved()
            .iter()
            .map(|label| format!("exported_{label}"))
            .collect();
        for family in platform::OPERATOR_FAMILIES {
            vocabulary.insert_own_family(family, &exported);
        }
        let mut alerts = LabelSet::unknown();
        alerts.add(ALERT_NAME);
        vocabulary
            .series
            .insert(Cow::Borrowed(platform::ALERTS_FOR_STATE), alerts.clone());
        alerts.add(ALERT_STATE);
        vocabulary.series.insert(Cow::Borrowed(platform::ALERTS.name), alerts);
        vocabulary
    }

    /// The same, and nothing else: a metric of an API is a mistake.
    #[must_use]
    pub fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// Adds the metrics of an API's page.
    #[must_use]
    pub fn with_spelling(mut self, spelling: &Spelling) -> Self {
        for metric in &spelling.metrics {
            let stored = |(label, _): &(Cow<'_, str>, _)| self.target.stored_label(label).into_owned();
            let labels = metric.labels.iter().map(stored).collect();
            self.insert_family(&metric.name, metric.kind, labels, &[]);
        }
        self.add_client_labels(spelling);
        self.complete()
    }

    /// Adds which labels of a page have what clients wrote.
    pub fn add_client_labels(&mut self, spelling: &Spelling) {
        for metric in &spelling.metrics {
            let labels = metric.labels.iter().filter(|(_, attribute)| attribute.is_of_client());
            let labels: Vec<String> = labels
                .map(|(label, _)| self.target.stored_label(label).into_owned())
                .collect();
            if !labels.is_empty() {
                for series in series_of(&metric.name, metric.kind) {
                    self.of_clients.insert(series, labels.clone());
                }
            }
        }
    }

    /// Adds what the operator exports about its own process, as applications do too.
    #[must_use]
    pub fn with_operators_process(mut self) -> Self {
        for family in [platform::PROCESS_CPU, platform::PROCESS_MEMORY] {
            self.insert_own_family(family, &[]);
        }
        self
    }

    /// Adds the series that our own rules record.
    #[must_use]
    pub fn with_recorded_series(mut self) -> Self {
        self.recorded = true;
        self
    }

    /// Adds a series of a captured page: the labels that each of its samples has, and those that some have.
    pub fn add_series(&mut self, name: &str, always: &[&str], sometimes: &[&str]) {
        let stored = |labels: &[&str]| -> Vec<String> {
            let stored = labels.iter().map(|label| self.target.stored_label(label).into_owned());
            stored.collect()
        };
        let (always, sometimes) = (stored(always), stored(sometimes));
        self.insert(Cow::Owned(name.to_owned()), &always, &sometimes);
        self.complete = true;
    }

    /// Adds a series of whose labels nothing is known.
    pub fn add_unlabelled(&mut self, name: &str) {
        self.series.insert(Cow::Owned(name.to_owned()), LabelSet::unknown());
    }

    /// Adds a label that targets have beside those that Prometheus gives each.
    pub fn add_target_label(&mut self, label: &str) {
        for labels in self.series.values_mut() {
            labels.add_possible(label);
        }
    }

    /// Adds a family whose labels no target renames.
    fn insert_own_family(&mut self, family: &Family, sometimes: &[String]) {
        let labels = family.labels.iter().map(ToString::to_string).collect();
        self.insert_family(family.name, family.kind, labels, sometimes);
    }

    fn insert_family(&mut self, name: &str, kind: MetricKind, always: Vec<String>, sometimes: &[String]) {
        for series in series_of(name, kind) {
            let mut always = always.clone();
            if series.ends_with(BUCKETS) && kind == MetricKind::Histogram {
                always.push(LE.to_owned());
            }
            self.insert(Cow::Owned(series), &always, sometimes);
        }
    }

    fn insert<L: AsRef<str>>(&mut self, name: Cow<'static, str>, always: &[L], sometimes: &[L]) {
        let reserved = self.target.reserved().iter().copied();
        let always = reserved.chain(always.iter().map(AsRef::as_ref));
        // A static scrape configuration may set the namespace itself.
        let sometimes = [NAMESPACE].into_iter().chain(sometimes.iter().map(AsRef::as_ref));
        self.series.insert(name, LabelSet::of(always, sometimes));
    }

    /// The labels of a metric's series; `None`: it does not exist.
    pub(super) fn labels(&self, metric: &str) -> Option<Cow<'_, LabelSet>> {
        self.series
            .get(metric)
            .map(Cow::Borrowed)
            .or_else(|| self.recorded_labels(metric).map(Cow::Owned))
    }

    fn recorded_labels(&self, metric: &str) -> Option<LabelSet> {
        // The name of a recorded series ends in the length of its window.
        let mut all = recorded_series::ALL.iter().filter(|_| self.recorded);
        if let Some(series) = all.find(|series| metric.starts_with(&series.name(""))) {
            return Some(LabelSet::of(series.labels(), []));
        }
        let labels = [NAMESPACE, JOB, OBJECTIVE, sloth::ID, sloth::SERVICE, sloth::SLO];
        let mut families = sloth::FAMILIES.iter().filter(|_| self.recorded);
        families
            .any(|family| metric.starts_with(family))
            .then(|| LabelSet::of(labels, [sloth::WINDOW]))
    }

    /// Whether a label of a metric's series has what clients wrote.
    pub(super) fn is_of_client(&self, metric: &str, label: &str) -> bool {
        let labels = self.of_clients.get(metric);
        labels.is_some_and(|labels| labels.iter().any(|of_client| of_client == label))
    }

    /// Whether a metric that is not in it is a mistake.
    pub(super) const fn is_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.series.keys().map(AsRef::as_ref)
    }
}

/// What the names of a histogram's buckets end in.
const BUCKETS: &str = "_bucket";

/// The series of a family.
fn series_of(name: &str, kind: MetricKind) -> Vec<String> {
    let endings: &[&str] = match kind {
        MetricKind::Counter | MetricKind::Gauge => &[""],
        MetricKind::Summary => &["_sum", "_count"],
        MetricKind::Histogram => &["_sum", "_count", BUCKETS],
    };
    endings.iter().map(|ending| format!("{name}{ending}")).collect()
}
