//! The trace that a request belongs to, for exemplars.

use std::sync::Arc;

/// The id of the trace that a request belongs to. Put it into the request's extensions before the layer: with
/// `Builder::exemplars` the layer then names it beside the duration that it recorded.
///
/// A clone is the same and allocates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TraceId(Arc<[u8; 16]>);

impl TraceId {
    /// A W3C trace id: 16 bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Arc::new(bytes))
    }

    /// The 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 16] {
        *self.0
    }
}
