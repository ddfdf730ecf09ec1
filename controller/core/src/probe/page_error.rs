//! Why a pod's page of metrics could not be read.

use std::fmt;

/// Why a pod's page could not be read. None has anything in it that the pod said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageError {
    /// Nothing listens on the port.
    NoListener,
    /// No connection, or one that was cut: a NetworkPolicy, or no HTTP behind the port.
    Unreachable,
    /// The whole page did not arrive in time.
    TooSlow,
    /// It leads to another address, which is not followed.
    Redirected,
    /// It asks for credentials.
    Unauthorized,
    /// There is no such page.
    NotFound,
    /// Any other status that is no success.
    ErrorStatus,
    /// It is a web page.
    WebPage,
    /// It is compressed, although that was not asked for.
    Compressed,
    /// It has more bytes or series than are read.
    TooLarge,
    /// Prometheus would refuse it.
    Malformed,
}

impl PageError {
    /// Every error.
    pub const ALL: [Self; 11] = [
        Self::NoListener,
        Self::Unreachable,
        Self::TooSlow,
        Self::Redirected,
        Self::Unauthorized,
        Self::NotFound,
        Self::ErrorStatus,
        Self::WebPage,
        Self::Compressed,
        Self::TooLarge,
        Self::Malformed,
    ];

    /// Its name as a value of a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoListener => "no-listener",
            Self::Unreachable => "unreachable",
            Self::TooSlow => "too-slow",
            Self::Redirected => "redirected",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not-found",
            Self::ErrorStatus => "error-status",
            Self::WebPage => "web-page",
            Self::Compressed => "compressed",
            Self::TooLarge => "too-large",
            Self::Malformed => "malformed",
        }
    }

    /// Whether it can be that the next attempt needs only more time.
    #[must_use]
    pub const fn needs_patience(self) -> bool {
        matches!(self, Self::TooSlow)
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(self) -> &'static str {
        match self {
            Self::NoListener => "set spec.metrics.port, or spec.port where the metrics are on it",
            Self::Unreachable => {
                "let the operator's pods reach the port if a NetworkPolicy keeps them away, and see that the port speaks plain HTTP"
            }
            Self::TooSlow => "see why the page takes so long, or let fewer series be exported",
            Self::Redirected | Self::NotFound | Self::WebPage => {
                "set spec.metrics.path, for example /metrics or /actuator/prometheus"
            }
            Self::Unauthorized => "serve the metrics without credentials, on a port of their own (spec.metrics.port)",
            Self::ErrorStatus => "look at the API's log",
            Self::Compressed => "send the page as it is where the request allows no compression",
            Self::TooLarge => "export fewer series: Prometheus has limits too (spec.metrics.limits)",
            Self::Malformed => {
                "correct the page: monitored-api detect with the page in a file says in which line the mistake is"
            }
        }
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoListener => "nothing listens on the metrics port",
            Self::Unreachable => "the metrics port does not answer as HTTP does",
            Self::TooSlow => "the page of metrics does not arrive in time",
            Self::Redirected => "the page of metrics leads to another address, which the operator does not follow",
            Self::Unauthorized => "the page of metrics asks for credentials",
            Self::NotFound => "there is no page of metrics (404)",
            Self::ErrorStatus => "the page of metrics answers with an error status",
            Self::WebPage => "there is a web page in place of the metrics",
            Self::Compressed => "the page of metrics is compressed, although that was not asked for",
            Self::TooLarge => "the page of metrics is larger than the operator reads",
            Self::Malformed => "the page of metrics is one that Prometheus refuses",
        })
    }
}
