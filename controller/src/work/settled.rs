//! The MonitoredApis for which nothing was left to do, with what that depended on.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use controller_core::settled::Settled;

use crate::cache::interner::Interner;
use crate::cache::namespaced_name::NamespacedName;

/// By MonitoredApi, with the hash of its spec. In memory only: after a restart every plan is built once.
#[derive(Debug, Default)]
pub(crate) struct SettledApis(Mutex<HashMap<NamespacedName, (u64, Settled)>>);

/// Lists of what a dialect lacks: the same for all MonitoredApis of one dialect.
static MISSING: LazyLock<Interner<Vec<String>>> = LazyLock::new(Interner::new);

impl SettledApis {
    pub(crate) fn get(&self, key: &NamespacedName, spec: u64) -> Option<Settled> {
        let known = self.lock();
        let (_, settled) = known.get(key).filter(|(known, _)| *known == spec)?;
        Some(settled.clone())
    }

    /// `None`: something is left to do.
    pub(crate) fn set(&self, key: &NamespacedName, spec: u64, settled: Option<Settled>) {
        let mut known = self.lock();
        match settled {
            Some(settled) => known.insert(key.clone(), (spec, settled)),
            None => known.remove(key),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NamespacedName, (u64, Settled)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shared copy of a list of what is missing.
pub(crate) fn missing(list: &[String]) -> Arc<Vec<String>> {
    MISSING.get(list.to_vec())
}
