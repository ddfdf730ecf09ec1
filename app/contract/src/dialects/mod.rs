//! The dialects, one file each.

pub mod native;
