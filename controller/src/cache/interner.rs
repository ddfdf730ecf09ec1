//! Interning: texts that many MonitoredApis have in common are kept once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A set of shared values. Each stays for as long as it is used.
#[derive(Debug)]
pub(crate) struct Interner<T: ?Sized> {
    known: Mutex<Known<T>>,
}

#[derive(Debug)]
struct Known<T: ?Sized> {
    values: HashSet<Arc<T>>,
    /// Size at which values that are no longer used are removed.
    clean_at: usize,
}

/// Sizes under this are not worth cleaning.
const SMALL: usize = 1024;

impl<T: ?Sized + Eq + Hash> Interner<T> {
    pub(crate) fn new() -> Self {
        Self {
            known: Mutex::new(Known {
                values: HashSet::new(),
                clean_at: SMALL,
            }),
        }
    }

    /// Returns the shared copy of `value`.
    pub(crate) fn get<V>(&self, value: V) -> Arc<T>
    where
        V: AsRef<T> + Into<Arc<T>>,
    {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.values.get(value.as_ref()) {
            return Arc::clone(same);
        }
        if known.values.len() >= known.clean_at {
            known.values.retain(|value| Arc::strong_count(value) > 1);
            known.clean_at = known.values.len().saturating_mul(2).max(SMALL);
        }
        let new: Arc<T> = value.into();
        known.values.insert(Arc::clone(&new));
        new
    }
}

static TEXTS: LazyLock<Interner<str>> = LazyLock::new(Interner::new);

/// Returns the shared copy of a text.
pub(crate) fn text(text: &str) -> Arc<str> {
    TEXTS.get(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        assert!(Arc::ptr_eq(&text("the spec is valid"), &text("the spec is valid")));
    }

    #[test]
    fn unused_values_are_removed() {
        let interner = Interner::<str>::new();
        let kept = interner.get("kept");
        for index in 0..10 * SMALL {
            interner.get(format!("passing {index}").as_str());
        }
        assert!(interner.known.lock().unwrap().values.len() <= SMALL);
        assert!(Arc::ptr_eq(&kept, &interner.get("kept")));
    }
}
