//! The work on a MonitoredApi: the queue says when, the worker runs it, and a reconcile gathers, applies and reports.

pub(crate) mod apply;
pub(crate) mod backoff;
pub(crate) mod contests;
pub(crate) mod context;
pub(crate) mod gather;
pub(crate) mod intrusions;
#[cfg(test)]
mod memory_tests;
pub(crate) mod name_lists;
mod planning;
pub(crate) mod queue;
pub(crate) mod reconcile;
pub(crate) mod referenced;
pub(crate) mod report;
#[cfg(test)]
pub(crate) mod scripted_api;
pub(crate) mod settled;
pub(crate) mod worker;
