//! The MonitoredApi that everything here is about, by its identity.

use controller_api::MonitoredApi;

/// A MonitoredApi by namespace, name and uid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiRef {
    /// Namespace of the MonitoredApi and of all its children.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: identity is by uid, so that an object of a deleted namesake is not ours. Empty offline, where no cluster
    /// gave it one; the objects then have no owner reference.
    pub uid: String,
}

impl ApiRef {
    /// The reference of a MonitoredApi; the namespace is `default` where it names none.
    #[must_use]
    pub fn of(api: &MonitoredApi) -> Self {
        Self {
            namespace: api.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            name: api.metadata.name.clone().unwrap_or_default(),
            uid: api.metadata.uid.clone().unwrap_or_default(),
        }
    }

    /// The same without a uid, for objects without an owner reference.
    #[must_use]
    pub fn without_uid(self) -> Self {
        Self {
            uid: String::new(),
            ..self
        }
    }
}
