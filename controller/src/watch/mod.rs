//! The watches, what is decoded of their objects, how each of them fares, and how their objects reach the cache.

pub(crate) mod board;
pub(crate) mod observe;
pub(crate) mod sink;
pub(crate) mod watcher;
