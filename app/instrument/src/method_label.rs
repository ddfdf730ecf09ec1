//! HTTP methods as a bounded label: the eight methods of RFC 9110, PATCH, and one value for all others.

use http::Method;

/// The label's value for a method that is not on the list (the value that OpenTelemetry's conventions give it too).
pub(crate) const OTHER: &str = "_OTHER";

/// The value of a method label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MethodLabel {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Trace,
    Connect,
    Other,
}

impl MethodLabel {
    /// The number of values.
    pub(crate) const COUNT: usize = Self::Other as usize + 1;

    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::HEAD => Self::Head,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::OPTIONS => Self::Options,
            Method::TRACE => Self::Trace,
            Method::CONNECT => Self::Connect,
            _ => Self::Other,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Connect => "CONNECT",
            Self::Other => OTHER,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A method as a bounded label: the eight methods of RFC 9110 and PATCH as they are, `_OTHER` for any other.
#[must_use]
pub fn method_label(method: &Method) -> &'static str {
    MethodLabel::of(method).as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_method_is_recorded_as_other() {
        let invented = Method::from_bytes(b"BREW").unwrap();
        assert_eq!(method_label(&invented), "_OTHER");
        assert_eq!(method_label(&Method::PATCH), "PATCH");
    }
}
