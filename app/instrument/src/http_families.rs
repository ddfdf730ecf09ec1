//! The families that the layer records, as the dialect spells them.

use metric_contract::{Dialect, Family, StatusStyle};

use crate::{text, verb::Verb};

/// Number of families in [`HttpFamilies`].
pub(crate) const COUNT: usize = 5;

/// Index of a family and of its label text in an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Http {
    Requests,
    Duration,
    InFlight,
    RequestSize,
    ResponseSize,
}

impl Http {
    pub(crate) const ALL: [Self; COUNT] = [
        Self::Requests,
        Self::Duration,
        Self::InFlight,
        Self::RequestSize,
        Self::ResponseSize,
    ];

    /// The dialect's family for it.
    pub(crate) fn family(self, dialect: &Dialect) -> Option<&'static Family> {
        match self {
            Self::Requests => dialect.requests.map(|spelling| spelling.family),
            Self::Duration => dialect.duration.map(|spelling| spelling.family),
            Self::InFlight => dialect.in_flight.map(|spelling| spelling.family),
            Self::RequestSize => dialect.request_size.map(|spelling| spelling.family),
            Self::ResponseSize => dialect.response_size.map(|spelling| spelling.family),
        }
    }

    /// The text of an endpoint's labels in this family, the status left out: it is appended when printed.
    pub(crate) fn labels(self, dialect: &Dialect, verb: Verb, route: &str) -> Box<str> {
        let mut out = String::new();
        for label in self.family(dialect).map_or(&[][..], |family| family.labels) {
            if is_method(dialect, label) {
                text::push_label(&mut out, label, verb.as_str());
            } else if is_route(dialect, label) {
                text::push_label(&mut out, label, route);
            }
        }
        out.into_boxed_str()
    }
}

fn is_method(dialect: &Dialect, label: &str) -> bool {
    dialect.requests.is_some_and(|spelling| spelling.method == label)
        || dialect.duration.is_some_and(|spelling| spelling.method == label)
}

fn is_route(dialect: &Dialect, label: &str) -> bool {
    dialect.requests.is_some_and(|spelling| spelling.route == label)
        || dialect.duration.is_some_and(|spelling| spelling.route == label)
}

/// The key under which a status is counted.
pub(crate) const fn status_key(style: StatusStyle, status: u16) -> u16 {
    match style {
        StatusStyle::Exact => status,
        StatusStyle::Class => status / 100,
    }
}

/// Whether a key stands for failures of the service itself.
pub(crate) const fn is_server_error(style: StatusStyle, key: u16) -> bool {
    match style {
        StatusStyle::Exact => key / 100 == 5,
        StatusStyle::Class => key == 5,
    }
}

/// Appends the status label's value.
pub(crate) fn push_status(out: &mut String, style: StatusStyle, key: u16) {
    out.push_str(itoa::Buffer::new().format(key));
    match style {
        StatusStyle::Exact => {}
        StatusStyle::Class => out.push_str("xx"),
    }
}
