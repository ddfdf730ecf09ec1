//! How much a page may hold.

/// Bounds on the pages that [`read`](crate::read) accepts. It stops with an error at the first bound that a page
/// exceeds, so they bound its memory too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the page.
    pub bytes: usize,
    /// Samples of the page. The same bound holds for families.
    pub samples: usize,
    /// Labels of one sample or exemplar.
    pub labels: usize,
    /// Bytes of the names and help texts of all families, and 64 for each family: what whoever takes each sample at once
    /// ([`crate::Reader::take_sample`]) holds of a page.
    pub metadata: usize,
}

impl Default for Limits {
    /// 64 MiB, a million samples, 128 labels a sample, 64 MiB of names and texts: more than a target should ever have, and still harmless to read.
    fn default() -> Self {
        Self {
            bytes: 64 * 1024 * 1024,
            samples: 1_000_000,
            labels: 128,
            metadata: 64 * 1024 * 1024,
        }
    }
}
