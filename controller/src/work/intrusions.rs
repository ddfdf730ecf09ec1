//! Objects of others into which an apply of ours put fields, because they appeared between our read and our apply.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The uids of those whose fields of ours were not taken back yet.
#[derive(Debug, Default)]
pub(crate) struct Intrusions(Mutex<HashSet<String>>);

impl Intrusions {
    pub(crate) fn add(&self, uid: &str) {
        self.lock().insert(uid.to_owned());
    }

    pub(crate) fn remove(&self, uid: &str) {
        self.lock().remove(uid);
    }

    pub(crate) fn contains(&self, uid: &str) -> bool {
        self.lock().contains(uid)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
