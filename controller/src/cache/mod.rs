//! The cache: the watched objects, trimmed to what a reconcile reads, in little memory.

pub(crate) mod api_key;
pub(crate) mod compact;
pub(crate) mod intern;
pub(crate) mod managed_fields_hash;
pub(crate) mod packed;
pub(crate) mod store;
pub(crate) mod table;
