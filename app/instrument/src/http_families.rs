//! The families that the layer records, as the dialect spells them.

use metric_contract::{Attribute, Dialect, Meaning, Row, StatusStyle};

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

    const fn meaning(self) -> Meaning {
        match self {
            Self::Requests => Meaning::Requests,
            Self::Duration => Meaning::Duration,
            Self::InFlight => Meaning::InFlight,
            Self::RequestSize => Meaning::RequestSize,
            Self::ResponseSize => Meaning::ResponseSize,
        }
    }

    /// The dialect's row for it.
    pub(crate) fn row(self, dialect: &Dialect) -> Option<&'static Row> {
        dialect.row(self.meaning())
    }

    /// The text of an endpoint's labels in this family, the status left out: it is appended when printed.
    pub(crate) fn labels(self, dialect: &Dialect, verb: Verb, route: &str) -> Box<str> {
        let mut out = String::new();
        for (label, attribute) in self.row(dialect).into_iter().flat_map(Row::labels) {
            if attribute == Attribute::Method {
                text::push_label(&mut out, label, verb.as_str());
            } else if attribute == Attribute::Route {
                text::push_label(&mut out, label, route);
            }
        }
        out.into_boxed_str()
    }
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
