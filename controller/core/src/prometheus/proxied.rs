//! Whether Prometheus has series of an API's requests where a proxy counts them.
//!
//! One answer holds the combinations of labels of all that the proxy counts. An API's are found in it by the conditions that its
//! rules select by.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use metric_contract::{Condition, DialectId, LabelCondition};

use super::{
    answer::SeriesLabels,
    ask_error::AskError,
    asked::Answer,
    scrape_finding::{JobKey, NearLabel, ScrapeFinding, is_plain},
};

/// How the series of an API's requests are known, where a proxy counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxiedRequests {
    /// The dialect of the proxy.
    pub dialect: DialectId,
    /// The sets of conditions by which its series are of the API, in the order of the dialect's table.
    pub series: Vec<Vec<LabelCondition>>,
}

/// Labels that are told at most, and values of each. A status has a few hundred bytes of them.
const MAX_LABELS: usize = 2;
const MAX_VALUES: usize = 3;
/// Longest value that is told, in bytes.
const MAX_VALUE: usize = 100;

/// What the answers about proxies say of each API that was asked about. It holds for the conditions of that time.
#[derive(Debug, Default)]
pub struct ProxiedReading(BTreeMap<JobKey, (Arc<ProxiedRequests>, Answer<ScrapeFinding>)>);

impl ProxiedReading {
    /// What is known of an API by these conditions.
    pub(super) fn of(&self, key: &JobKey, requests: &ProxiedRequests) -> Answer<ScrapeFinding> {
        let asked = self.0.get(key).filter(|(asked, _)| **asked == *requests);
        asked.map_or(Answer::NotYet, |(_, answer)| answer.clone())
    }

    /// Forgets every API that is not asked about any more.
    pub fn retain(&mut self, is_asked: impl Fn(&JobKey) -> bool) {
        self.0.retain(|key, _| is_asked(key));
    }

    /// Takes that there was no answer about this API.
    pub fn set_failed(&mut self, key: JobKey, requests: &Arc<ProxiedRequests>, error: AskError) {
        self.0.insert(key, (Arc::clone(requests), Answer::Failed(error)));
    }

    /// Takes the answer to [`super::queries::counted_by_proxy`] for APIs of one dialect. Returns those that are not in it.
    pub fn take<'a>(
        &mut self,
        rows: &[SeriesLabels],
        apis: impl IntoIterator<Item = (JobKey, &'a Arc<ProxiedRequests>)>,
    ) -> Vec<(JobKey, &'a Arc<ProxiedRequests>)> {
        let apis: Vec<_> = apis.into_iter().collect();
        let rows = Rows::of(rows, &named_alone(apis.iter().map(|(_, requests)| *requests)));
        let mut missing = Vec::new();
        for (key, requests) in apis {
            let finding = rows.finding(&key.0, requests);
            if finding != ScrapeFinding::Counted {
                missing.push((key.clone(), requests));
            }
            self.0.insert(key, (Arc::clone(requests), Answer::Known(finding)));
        }
        missing
    }
}

/// The labels by which these APIs are known.
pub fn labels_of<'a>(apis: impl IntoIterator<Item = &'a Arc<ProxiedRequests>>) -> BTreeSet<&'a str> {
    let conditions = apis.into_iter().flat_map(|api| api.series.iter().flatten());
    conditions.map(|condition| condition.label.as_str()).collect()
}

/// The labels of these that alone say which workload a series is about, with its namespace in the value.
fn named_alone<'a>(apis: impl Iterator<Item = &'a Arc<ProxiedRequests>>) -> BTreeSet<&'a str> {
    let alone = apis.flat_map(|api| &api.series).filter_map(names_alone);
    alone.collect()
}

/// The label of a set of conditions that alone says which workload a series is about: the only one that a series must have.
fn names_alone<'a>(set: impl IntoIterator<Item = &'a LabelCondition>) -> Option<&'a str> {
    let mut needed = set.into_iter().filter(|condition| !condition.holds(""));
    let first = needed.next()?;
    needed.next().is_none().then_some(first.label.as_str())
}

/// A condition of an API, and the row of the dialect's table from which it is.
type Told<'a> = (&'a Condition, &'a LabelCondition);

/// Whether series that fulfil all other conditions are near to the API's: a label that must be there has another value. One of
/// another namespace is not near, whatever it is called.
fn can_be_missed((of, condition): Told<'_>) -> bool {
    condition.is && !of.is_of_namespace() && !condition.holds("")
}

impl ProxiedRequests {
    fn sets(&self) -> impl Iterator<Item = Vec<Told<'_>>> {
        let table = self.dialect.proxy().map_or(&[][..], |proxy| proxy.series);
        let sets = table.iter().zip(&self.series);
        sets.map(|(of, conditions)| of.iter().zip(conditions).collect())
    }
}

/// The rows of an answer, found by one label's value, so that the work does not grow with rows times APIs.
struct Rows<'r> {
    all: &'r [SeriesLabels],
    by_value: BTreeMap<(&'r str, &'r str), Vec<&'r SeriesLabels>>,
    /// Values of labels that alone say which workload a series is about, by what can be its namespace.
    by_namespace: BTreeMap<(&'r str, &'r str), BTreeSet<&'r str>>,
}

impl<'r> Rows<'r> {
    fn of(all: &'r [SeriesLabels], named_alone: &BTreeSet<&str>) -> Self {
        let mut by_value = BTreeMap::<_, Vec<_>>::new();
        for row in all {
            for label in row.all() {
                by_value.entry(label).or_default().push(row);
            }
        }
        let mut by_namespace = BTreeMap::<_, BTreeSet<_>>::new();
        for (label, value) in by_value.keys().filter(|(label, _)| named_alone.contains(label)) {
            for namespace in namespaces_in(value) {
                by_namespace.entry((*label, namespace)).or_default().insert(*value);
            }
        }
        Self {
            all,
            by_value,
            by_namespace,
        }
    }

    fn finding(&self, namespace: &str, requests: &ProxiedRequests) -> ScrapeFinding {
        if requests.sets().any(|set| self.has(&set)) {
            ScrapeFinding::Counted
        } else if requests.sets().any(|set| self.has_any(&set)) {
            ScrapeFinding::NotCounted(self.near(namespace, requests).into())
        } else {
            ScrapeFinding::ProxyUnread
        }
    }

    /// The rows that fulfil a condition on a label that must be there.
    fn fulfilling(&self, condition: &LabelCondition) -> Vec<&'r SeriesLabels> {
        let mut rows = Vec::new();
        for value in &condition.values {
            let of_value = self.by_value.get(&(condition.label.as_str(), value.as_str()));
            rows.extend(of_value.into_iter().flatten().copied());
        }
        rows
    }

    /// Whether a row fulfils every condition of a set.
    fn has(&self, set: &[Told<'_>]) -> bool {
        // What names the workload, because most rows are of others.
        let found = set.iter().find(|told| !told.0.is_common() && can_be_missed(**told));
        let holds = |row: &SeriesLabels| set.iter().all(|(_, condition)| fulfils(row, condition));
        found.is_some_and(|(_, condition)| self.fulfilling(condition).into_iter().any(holds))
    }

    /// Whether a row is of this proxy, whatever workload it is about: the labels are there that every series of it has.
    fn has_any(&self, set: &[Told<'_>]) -> bool {
        let is_there = |row: &SeriesLabels, condition: &LabelCondition| {
            !condition.is || condition.holds("") || !row.value(&condition.label).is_empty()
        };
        let common = || set.iter().filter(|(of, _)| of.is_common());
        let mut rows = self.all.iter();
        rows.any(|row| common().all(|(_, condition)| is_there(row, condition)))
    }

    /// What labels are instead where rows of the namespace are of the API in all others.
    fn near(&self, namespace: &str, requests: &ProxiedRequests) -> Vec<NearLabel> {
        let mut found = BTreeMap::<&str, (BTreeSet<&str>, &LabelCondition)>::new();
        for set in requests.sets() {
            let missed = set.iter().enumerate().filter(|(_, told)| can_be_missed(**told));
            for (index, (_, condition)) in missed {
                let values = match names_alone(set.iter().map(|(_, condition)| *condition)) {
                    Some(label) => self.of_namespace(label, namespace),
                    None => self.but_for(&set, index),
                };
                let (known, _) = found
                    .entry(&condition.label)
                    .or_insert_with(|| (BTreeSet::new(), condition));
                known.extend(values);
            }
        }
        let near = found
            .into_iter()
            .map(|(label, (values, condition))| near_label(label, &values, condition));
        near.filter(|near| !near.values.is_empty()).take(MAX_LABELS).collect()
    }

    /// The values of a label that have the name of the namespace in them.
    fn of_namespace(&self, label: &str, namespace: &str) -> BTreeSet<&'r str> {
        self.by_namespace.get(&(label, namespace)).cloned().unwrap_or_default()
    }

    /// The values of the label of one condition of a set, among the rows that fulfil the others.
    fn but_for(&self, set: &[Told<'_>], index: usize) -> BTreeSet<&'r str> {
        let Some((_, missed)) = set.get(index) else {
            return BTreeSet::new();
        };
        let others = || set.iter().enumerate().filter(|(other, _)| *other != index);
        let is_key = |(_, (_, condition)): &(usize, &Told<'_>)| condition.is && !condition.holds("");
        // The namespace first, which most rows are not of.
        let key = others()
            .find(|(_, (of, _))| of.is_of_namespace())
            .or_else(|| others().find(is_key));
        let Some((_, (_, key))) = key else {
            return BTreeSet::new();
        };
        let rows = self.fulfilling(key).into_iter();
        let rows = rows.filter(|row| others().all(|(_, (_, condition))| fulfils(row, condition)));
        rows.map(|row| row.value(&missed.label)).collect()
    }
}

fn fulfils(row: &SeriesLabels, condition: &LabelCondition) -> bool {
    condition.holds(row.value(&condition.label))
}

/// A label with the values that are told of it: those that look like a wanted one first.
fn near_label(label: &str, values: &BTreeSet<&str>, condition: &LabelCondition) -> NearLabel {
    let is_told = |value: &&&str| value.len() <= MAX_VALUE && is_plain(value) && !condition.holds(value);
    let resembles = |value: &str| {
        condition
            .values
            .iter()
            .any(|of| value.contains(of) || of.contains(value))
    };
    let mut values: Vec<_> = values.iter().filter(is_told).copied().collect();
    values.sort_by_key(|value| !resembles(value));
    values.truncate(MAX_VALUES);
    NearLabel {
        label: label.to_owned(),
        values: values.into_iter().map(str::to_owned).collect(),
    }
}

/// What can be the name of the namespace in what a proxy calls a workload, with a kind of route before it or not:
/// `shop_orders_80`, `shop/orders`, `httproute/shop/orders/rule/0`. Where all is joined by hyphens it cannot be told where the
/// namespace ends: `shop-orders-80@kubernetes` gives `shop` and `shop-orders` too.
fn namespaces_in(value: &str) -> impl Iterator<Item = &str> {
    let is_sign = |sign: char| !sign.is_ascii_alphanumeric() && sign != '-';
    let rest = value.split_once(|sign| sign == '-' || is_sign(sign));
    let rest = rest.filter(|(kind, _)| kind.ends_with("route"));
    let value = rest.map_or(value, |(_, rest)| rest);
    let first = value.split(is_sign).next().unwrap_or_default();
    let is_whole = matches!(value.strip_prefix(first), Some(rest) if rest.is_empty() || rest.starts_with('@'));
    let hyphens = first.match_indices('-').filter(move |_| is_whole);
    let beginnings = hyphens.filter_map(|(end, _)| first.get(..end));
    std::iter::once(first).chain(beginnings)
}

#[cfg(test)]
mod tests;
