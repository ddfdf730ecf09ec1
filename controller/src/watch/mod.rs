//! The watches, what is decoded of their objects, how each of them fares, and how their objects reach the cache.

pub(crate) mod handler;
pub(crate) mod observe;
pub(crate) mod status;
pub(crate) mod watcher;
