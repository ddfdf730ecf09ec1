//! Which of a MonitoredApi's children one is, in eight bytes: nearly all MonitoredApis have the same.

use std::sync::{Arc, LazyLock};

use controller_core::watched::WatchedKind;

use crate::cache::interner::Interner;
use crate::cache::namespaced_name::NamespacedName;

/// A child's name, beside that of its MonitoredApi.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum ChildName {
    /// The MonitoredApi's own name, with this behind it.
    Own(Box<str>),
    /// Another one.
    Other(Box<str>),
}

impl ChildName {
    pub(crate) fn new(name: &str, owner: &str) -> Self {
        name.strip_prefix(owner)
            .map_or_else(|| Self::Other(name.into()), |rest| Self::Own(rest.into()))
    }

    pub(crate) fn text(&self, owner: &str) -> String {
        match self {
            Self::Own(rest) => format!("{owner}{rest}"),
            Self::Other(name) => name.to_string(),
        }
    }
}

/// Tells the children of one MonitoredApi apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChildId(Arc<KindAndName>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct KindAndName {
    kind: WatchedKind,
    name: ChildName,
}

impl AsRef<Self> for KindAndName {
    fn as_ref(&self) -> &Self {
        self
    }
}

static IDS: LazyLock<Interner<KindAndName>> = LazyLock::new(Interner::new);

/// The id of the child of this name of the MonitoredApi `owner`.
pub(crate) fn child_id(kind: WatchedKind, owner: &NamespacedName, name: &str) -> ChildId {
    let name = ChildName::new(name, &owner.name);
    ChildId(IDS.get(KindAndName { kind, name }))
}

impl ChildId {
    pub(crate) fn kind(&self) -> WatchedKind {
        self.0.kind
    }

    /// The name of this child of the MonitoredApi `owner`.
    pub(crate) fn name(&self, owner: &NamespacedName) -> String {
        self.0.name.text(&owner.name)
    }
}

#[cfg(test)]
mod tests {
    use controller_core::ChildKind;

    use super::*;

    #[test]
    fn a_name_comes_back_whether_or_not_it_begins_with_the_apis() {
        let orders = NamespacedName::new("shop", "orders");
        for name in ["orders", "orders-metrics", "other", ""] {
            let id = child_id(WatchedKind::Child(ChildKind::SERVICE), &orders, name);
            assert_eq!(id.name(&orders), name);
        }
    }

    #[test]
    fn ids_of_children_of_different_apis_are_kept_once() {
        let id = |owner: &str, name: &str| {
            let owner = NamespacedName::new("shop", owner);
            child_id(WatchedKind::Child(ChildKind::SERVICE), &owner, name)
        };
        let (orders, users) = (id("orders", "orders-metrics"), id("users", "users-metrics"));
        assert!(Arc::ptr_eq(&orders.0, &users.0));
        assert_ne!(id("orders", "orders"), orders);
    }
}
