//! Which MonitoredApis are asked about, and what their status shows of the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_core::prometheus::{Damped, Finding, OverallUse, ProxiedRequests, Subscription};
use controller_rules::Objective;
use metric_contract::DialectId;

use crate::cache::child::Uid;
use crate::cache::interner;
use crate::cache::namespaced_name::NamespacedName;

/// A [`Subscription`] in little memory, and what is shown.
#[derive(Debug, Default)]
struct Entry {
    /// Most MonitoredApis have the same.
    address: Option<Arc<str>>,
    rules_uid: Option<Uid>,
    objectives: Box<[Objective]>,
    generation: i64,
    shown: Damped,
    /// Whether the rules read what targets count over all routes, where those of the dialect can.
    overall: Option<(DialectId, OverallUse)>,
    /// How its requests are known, where a proxy counts them.
    proxied: Option<Arc<ProxiedRequests>>,
}

impl Entry {
    fn subscription(&self) -> Subscription {
        Subscription {
            address: self.address.as_deref().map(str::to_owned),
            rules_uid: self.rules_uid.as_ref().map(Uid::text),
            objectives: self.objectives.to_vec(),
            generation: self.generation,
            overall: self.overall.map(|(dialect, _)| dialect),
            reads_overall: self.overall.is_some_and(|(_, used)| used.in_use()),
            proxied: self.proxied.clone(),
        }
    }

    /// Sets the dialect whose rules can read what targets count over all routes. What was found for it so far stays: the plan
    /// that comes with `in_use` may be older.
    fn set_overall(&mut self, dialect: Option<DialectId>, in_use: bool) {
        if self.overall.map(|(known, _)| known) != dialect {
            self.overall = dialect.map(|dialect| (dialect, OverallUse::new(in_use)));
        }
    }
}

/// What a round changed for a MonitoredApi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing.
    Nothing,
    /// What its status shows.
    Status,
    /// What its rules read, and perhaps what its status shows.
    Rules,
}

/// By MonitoredApi: what is asked, and what is shown. In memory only.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<Entries>);

/// Boxed, because a hash table keeps as many free places as it has entries.
type Entries = HashMap<NamespacedName, Box<Entry>>;

impl Board {
    /// Sets what is asked about a MonitoredApi; `None`: nothing, because it is not monitored. Returns what its status shows.
    pub(crate) fn subscribe(&self, key: &NamespacedName, subscription: Option<Subscription>) -> Finding {
        let mut entries = self.lock();
        let Some(subscription) = subscription else {
            entries.remove(key);
            return Finding::default();
        };
        let Subscription {
            address,
            rules_uid,
            objectives,
            generation,
            overall,
            reads_overall,
            proxied,
        } = subscription;
        let entry = entries.entry(key.clone()).or_default();
        if entry.address.as_deref() != address.as_deref() {
            // What another Prometheus said does not hold for this one.
            entry.shown = Damped::default();
            if let Some((_, used)) = &mut entry.overall {
                used.forget_answers();
            }
            entry.address = address.as_deref().map(interner::text);
        }
        if entry.generation != generation {
            entry.shown.expect_change();
            entry.generation = generation;
        }
        if entry.proxied != proxied {
            // What was found of another workload's series, or of targets, does not hold for these.
            entry.shown.forget_scrape();
            entry.proxied = proxied;
        }
        entry.rules_uid = rules_uid.as_deref().map(Uid::new);
        entry.objectives = objectives.into();
        entry.set_overall(overall, reads_overall);
        if entry.address.is_none() {
            Finding::no_address()
        } else {
            entry.shown.finding()
        }
    }

    /// Everything that is asked of the Prometheus at each address.
    pub(crate) fn by_address(&self) -> HashMap<Arc<str>, Vec<(NamespacedName, Subscription)>> {
        let mut asked = HashMap::<_, Vec<_>>::new();
        for (key, entry) in &*self.lock() {
            if let Some(address) = &entry.address {
                let about = (key.clone(), entry.subscription());
                asked.entry(Arc::clone(address)).or_default().push(about);
            }
        }
        asked
    }

    /// Takes what a round found.
    pub(crate) fn take(&self, key: &NamespacedName, finding: &Finding, now: Duration) -> Taken {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(key) else {
            return Taken::Nothing;
        };
        let status = entry.shown.take(finding, now);
        let used = entry.overall.as_mut().map(|(_, used)| used);
        match (used.is_some_and(|used| used.take(&finding.overall, now)), status) {
            (true, _) => Taken::Rules,
            (false, true) => Taken::Status,
            (false, false) => Taken::Nothing,
        }
    }

    /// Whether the rules of a MonitoredApi may read what its targets count over all routes. `None`: its status says it, because
    /// nothing was found since.
    pub(crate) fn reads_overall(&self, key: &NamespacedName) -> Option<bool> {
        let entries = self.lock();
        let (_, used) = entries.get(key)?.overall?;
        Some(used.in_use())
    }

    /// Forgets what was found for rules in an earlier term of leadership: the statuses that another leader wrote since count.
    pub(crate) fn begin_term(&self) {
        for entry in self.lock().values_mut() {
            entry.overall = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
