//! Objectives: what is promised of an API, the share of failures that this allows (the error budget), and alerts when the
//! budget is spent too fast.
//!
//! Multi-window, multi-burn-rate, as in chapter 5 of Google's SRE workbook. Events are counted once, and every longer window
//! adds up the counts of a shorter one, so a ratio is weighted by traffic and costs the same whatever number of routes an API
//! has.

mod build;
mod counters;
mod settings;
mod sloth;
mod window;

pub use self::{
    build::omitted_objectives,
    settings::{DEFAULT_MIN_EVENTS_PER_HOUR, ObjectiveSettings, ObjectiveType, read_objectives},
};
pub(crate) use self::{
    build::{Burn, ObjectiveRules, build_objectives},
    window::BurnTier,
};
