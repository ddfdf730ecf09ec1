//! Which MonitoredApis are asked about, and what their status shows of the answers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_core::prometheus::{Damped, Finding, Subscription};

use crate::cache::namespaced_name::NamespacedName;

#[derive(Debug, Default)]
struct Entry {
    subscription: Subscription,
    shown: Damped,
}

/// By MonitoredApi: what is asked, and what is shown. In memory only.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<HashMap<NamespacedName, Entry>>);

impl Board {
    /// Sets what is asked about a MonitoredApi; `None`: nothing, because it is not monitored. Returns what its status shows.
    pub(crate) fn subscribe(&self, key: &NamespacedName, subscription: Option<Subscription>) -> Finding {
        let mut entries = self.lock();
        let Some(subscription) = subscription else {
            entries.remove(key);
            return Finding::default();
        };
        let entry = entries.entry(key.clone()).or_default();
        if entry.subscription.address != subscription.address {
            // What another Prometheus said does not hold for this one.
            entry.shown = Damped::default();
        }
        if entry.subscription.generation != subscription.generation {
            entry.shown.expect_change();
        }
        entry.subscription = subscription;
        if entry.subscription.address.is_none() {
            Finding::no_address()
        } else {
            entry.shown.finding()
        }
    }

    /// Everything that is asked of the Prometheus at each address.
    pub(crate) fn by_address(&self) -> HashMap<String, Vec<(NamespacedName, Subscription)>> {
        let mut asked = HashMap::<String, Vec<_>>::new();
        for (key, entry) in &*self.lock() {
            if let Some(address) = &entry.subscription.address {
                let about = (key.clone(), entry.subscription.clone());
                match asked.get_mut(address) {
                    Some(all) => all.push(about),
                    None => drop(asked.insert(address.clone(), vec![about])),
                }
            }
        }
        asked
    }

    /// Takes what a round found. Returns whether what the status shows changed.
    pub(crate) fn take(&self, key: &NamespacedName, finding: &Finding, now: Duration) -> bool {
        let mut entries = self.lock();
        entries.get_mut(key).is_some_and(|entry| entry.shown.take(finding, now))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NamespacedName, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
