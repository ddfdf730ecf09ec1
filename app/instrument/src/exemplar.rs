//! A request whose trace is known, as an example of a duration that was recorded.

use std::time::Duration;

/// An example of the requests in a bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exemplar {
    /// The W3C trace id.
    pub(crate) trace: [u8; 16],
    pub(crate) nanoseconds: u64,
    /// When it ended, since the epoch.
    pub(crate) at: Duration,
    pub(crate) status: u16,
}
