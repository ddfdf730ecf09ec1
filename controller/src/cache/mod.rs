//! The cache: the watched objects, trimmed to what a reconcile reads, in little memory.

pub(crate) mod child;
pub(crate) mod child_id;
pub(crate) mod interner;
pub(crate) mod managed_fields_hash;
pub(crate) mod namespaced_name;
pub(crate) mod pod;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod versioned_map;
pub(crate) mod watched;
