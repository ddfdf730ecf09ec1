//! The name by which the caches, the queue and the metrics know a MonitoredApi.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::cache::interner;

/// Namespace and name of a MonitoredApi. A pointer: each is known to many tables.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ApiKey(Arc<Names>);

/// What an [`ApiKey`] points to.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Names {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Box<str>,
}

impl ApiKey {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Self(Arc::new(Names {
            namespace: interner::text(namespace),
            name: name.into(),
        }))
    }

    /// Nobody else knows this key.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Deref for ApiKey {
    type Target = Names;

    fn deref(&self) -> &Names {
        &self.0
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
