//! The namespace and name by which the cache, the queue and the metrics identify an object.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::cache::interner;

/// Namespace and name of a MonitoredApi, or of a watched object that belongs to none, such as a Prometheus or a Namespace.
/// Copies share one allocation, because many maps hold the same key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NamespacedName(Arc<Names>);

/// What an [`NamespacedName`] points to.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Names {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Box<str>,
}

impl NamespacedName {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self(Arc::new(Names {
            namespace: interner::text(namespace),
            name: name.into(),
        }))
    }

    /// Whether this is the only copy of the key.
    pub(crate) fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Deref for NamespacedName {
    type Target = Names;

    fn deref(&self) -> &Names {
        &self.0
    }
}

impl fmt::Display for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for NamespacedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
