//! An exemplar: the trace, duration and time of one of the requests that a bucket counts.

use std::time::Duration;

/// One of the requests that a bucket of durations counts, with its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exemplar {
    /// The W3C trace id.
    pub(crate) trace: [u8; 16],
    pub(crate) nanoseconds: u64,
    /// The time when the request ended, since the epoch.
    pub(crate) at: Duration,
    pub(crate) status: u16,
}
