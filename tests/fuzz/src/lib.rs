//! What must hold of any page of metrics, whoever wrote it. Two programs of `engine/` look for pages of which it does not, and
//! `tests/corpus.rs` tries the pages that they kept.
//!
//! Everything follows from the page's bytes alone, so that a page that breaks a property breaks it again.

mod arrival;
pub mod detection;
mod held;
pub mod reader;
mod rules;
mod status_bounds;

pub use rules::Depth;
