//! The MonitoredApis for which nothing was left to do, with what that depended on.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use controller_core::settled::Settled;

use crate::cache::interner::Interner;
use crate::cache::namespaced_name::NamespacedName;

/// By MonitoredApi. In memory only: after a restart every plan is built once.
#[derive(Debug, Default)]
pub(crate) struct SettledApis(Mutex<HashMap<NamespacedName, Settled>>);

/// Lists of what a dialect lacks: the same for all MonitoredApis of one dialect.
static MISSING: LazyLock<Interner<[String]>> = LazyLock::new(Interner::new);

impl SettledApis {
    pub(crate) fn get(&self, key: &NamespacedName) -> Option<Settled> {
        self.lock().get(key).cloned()
    }

    /// `None`: something is left to do.
    pub(crate) fn set(&self, key: &NamespacedName, settled: Option<Settled>) {
        let mut known = self.lock();
        match settled {
            Some(settled) => known.insert(key.clone(), settled),
            None => known.remove(key),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NamespacedName, Settled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shared copy of a list of what is missing.
pub(crate) fn missing(list: &[String]) -> Arc<[String]> {
    MISSING.get(list.to_vec())
}
