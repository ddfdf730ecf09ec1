//! The watches: the loop, the parts of each object that are decoded, each watch's status, and the handlers that fill the
//! cache.

pub(crate) mod handler;
pub(crate) mod observe;
pub(crate) mod status;
pub(crate) mod watcher;

#[cfg(test)]
mod large_resources;
