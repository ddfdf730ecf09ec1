//! Which MonitoredApis are asked about, and what their status shows of the answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_core::prometheus::{Damped, Finding, Subscription};
use controller_rules::Objective;

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
}

impl Entry {
    fn subscription(&self) -> Subscription {
        Subscription {
            address: self.address.as_deref().map(str::to_owned),
            rules_uid: self.rules_uid.as_ref().map(Uid::text),
            objectives: self.objectives.to_vec(),
            generation: self.generation,
        }
    }
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
        } = subscription;
        let entry = entries.entry(key.clone()).or_default();
        if entry.address.as_deref() != address.as_deref() {
            // What another Prometheus said does not hold for this one.
            entry.shown = Damped::default();
            entry.address = address.as_deref().map(interner::text);
        }
        if entry.generation != generation {
            entry.shown.expect_change();
            entry.generation = generation;
        }
        entry.rules_uid = rules_uid.as_deref().map(Uid::new);
        entry.objectives = objectives.into();
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

    /// Takes what a round found. Returns whether what the status shows changed.
    pub(crate) fn take(&self, key: &NamespacedName, finding: &Finding, now: Duration) -> bool {
        let mut entries = self.lock();
        entries.get_mut(key).is_some_and(|entry| entry.shown.take(finding, now))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
