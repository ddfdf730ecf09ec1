//! Whether an API is scraped, or the proxy that counts its requests: what can be found.

use super::answer::ScrapeError;

/// Namespace and job.
pub type JobKey = (String, String);

/// Whether an API is scraped, or the proxy that counts its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScrapeFinding {
    /// Every target is up. Also the other jobs that scrape the same addresses, at most three of them.
    Up(Vec<String>),
    /// Some targets are down, for this reason.
    PartlyDown(Option<ScrapeError>),
    /// Every target is down, for this reason.
    Down(Option<ScrapeError>),
    /// There is no target.
    NoTarget,
    /// Prometheus has series of a proxy that counts its requests.
    Counted,
    /// Prometheus has series of the proxy, of others only. Also what labels are there where all others are as they should be.
    NotCounted(Box<[NearLabel]>),
    /// Prometheus has no series of the proxy, of whatever workload.
    ProxyUnread,
}

/// What a label is where series are of an API in all but this label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearLabel {
    /// The label.
    pub label: String,
    /// Some of its values, checked for a sentence.
    pub values: Vec<String>,
}

/// Whether a name from an answer, such as that of a job, can stand in a sentence.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    !name.is_empty() && name.len() <= 128 && name.bytes().all(plain)
}
