//! Why requests to the API server fail, as a bounded set.

/// Why a request failed: decides on requeue, metric label and log level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The object (or its namespace) does not exist.
    NotFound,
    /// The API server does not serve this kind: its CRD is not installed.
    KindMissing,
    /// The CRD of this kind is being deleted, so that no object of the kind can be created.
    KindTerminating,
    /// Another writer was faster, another manager owns a field, or a precondition does not hold.
    Conflict,
    /// The API server does not accept who asks (401): its authentication is away, or the credentials ran out.
    Unauthenticated,
    /// The operator's rights do not cover the request.
    Forbidden,
    /// The API server refuses the object itself.
    Invalid,
    /// The resource version is too old to go on from.
    Gone,
    /// The API server asks for fewer requests.
    Throttled,
    /// No answer in time.
    Timeout,
    /// No connection, or it broke.
    Unreachable,
    /// The API server failed.
    Server,
    /// The answer is larger than what is taken of one answer.
    TooLarge,
    /// The answer could not be decoded.
    Decode,
}

impl ErrorClass {
    /// Label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::KindMissing => "kind_missing",
            Self::KindTerminating => "kind_terminating",
            Self::Conflict => "conflict",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Invalid => "invalid",
            Self::Gone => "gone",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Server => "server",
            Self::TooLarge => "too_large",
            Self::Decode => "decode",
        }
    }

    /// The API server is away or overloaded; the request itself may be fine.
    #[must_use]
    pub const fn is_outage(self) -> bool {
        match self {
            Self::Unauthenticated | Self::Throttled | Self::Timeout | Self::Unreachable | Self::Server => true,
            Self::NotFound
            | Self::KindMissing
            | Self::KindTerminating
            | Self::Conflict
            | Self::Forbidden
            | Self::Invalid
            | Self::Gone
            | Self::TooLarge
            | Self::Decode => false,
        }
    }
}
