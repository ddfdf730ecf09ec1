//! The families that the layer records, with the names, labels and buckets that the dialect gives them.

use metric_contract::{Attribute, DialectRow, MetricId, MetricKind, StatusStyle};

use crate::{
    endpoint::Endpoint,
    scale::{Bounds, Selection},
    text,
};

/// What a part of a family's series is: a whole endpoint, or one of its statuses or exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeriesLevel {
    /// A whole endpoint.
    Endpoint,
    /// One status of an endpoint.
    Status,
    /// One exception of an endpoint.
    Exception,
}

/// What label values are taken from, beside the endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LabelSource {
    Endpoint,
    Status(u16),
    Exception(&'static str),
}

/// A family of the layer.
#[derive(Debug)]
pub(crate) struct HttpFamily {
    pub(crate) row: DialectRow,
    pub(crate) level: SeriesLevel,
    /// The recorded bounds that the family prints; none unless it is a histogram.
    pub(crate) selection: Selection,
    status_style: StatusStyle,
}

impl HttpFamily {
    /// `durations`, `sizes`: the bounds in which values are recorded.
    pub(crate) fn new(row: DialectRow, status_style: StatusStyle, [durations, sizes]: [&Bounds; 2]) -> Self {
        let recorded = match row.metric {
            MetricId::RequestSize | MetricId::ResponseSize => sizes,
            _ => durations,
        };
        Self {
            row,
            level: level(&row),
            selection: recorded.select(row.buckets),
            status_style,
        }
    }

    /// Whether it is a family of counters, which needs no histogram.
    pub(crate) fn only_counts(&self) -> bool {
        self.row.family.kind == MetricKind::Counter
    }

    /// Whether its series belong to one endpoint each, so that every endpoint adds some.
    pub(crate) fn grows_with_endpoints(&self) -> bool {
        let of_endpoint = |attribute: &Attribute| {
            matches!(
                attribute,
                Attribute::Method
                    | Attribute::Route
                    | Attribute::Handler
                    | Attribute::ProtocolVersion
                    | Attribute::ApiVersion
            )
        };
        self.row.attributes.iter().any(of_endpoint)
    }

    /// Whether requests with this status count in the family.
    pub(crate) fn counts_status(&self, status: u16) -> bool {
        self.row.metric != MetricId::RequestErrors || status >= 400
    }

    /// The number of sample lines of one of its series.
    pub(crate) fn lines(&self) -> usize {
        match self.row.family.kind {
            MetricKind::Counter | MetricKind::Gauge => 1,
            MetricKind::Histogram => self.selection.len() + 3,
            MetricKind::Summary => 2,
        }
    }

    /// The label pairs as they are printed.
    pub(crate) fn labels(&self, endpoint: &Endpoint, of: LabelSource) -> Box<str> {
        let mut out = String::new();
        for (label, attribute) in self.row.labels() {
            self.push(&mut out, label, attribute, endpoint, of);
        }
        out.into_boxed_str()
    }

    fn push(&self, out: &mut String, label: &str, attribute: Attribute, endpoint: &Endpoint, of: LabelSource) {
        let status = match of {
            LabelSource::Status(status) => Some(status),
            LabelSource::Endpoint | LabelSource::Exception(_) => None,
        };
        match attribute {
            Attribute::Method => text::push_label(out, label, endpoint.method.as_str()),
            // OpenTelemetry's dialect has no route label for a request that matched no route.
            Attribute::Route if endpoint.route.is_empty() => {}
            Attribute::Route => text::push_label(out, label, &endpoint.route),
            Attribute::Handler => text::push_label(out, label, &handler(endpoint)),
            Attribute::ProtocolVersion | Attribute::ApiVersion => {
                text::push_label(out, label, endpoint.recording.extra_label.label(endpoint.extra_label));
            }
            Attribute::Constant(value) => text::push_label(out, label, value),
            Attribute::Status => push_status(out, label, self.status_style, status),
            Attribute::StatusClass => push_status(out, label, StatusStyle::Class, status),
            Attribute::Outcome => text::push_label(out, label, outcome(status)),
            Attribute::Fault => text::push_label(out, label, fault(status)),
            Attribute::StatusOfError => {
                push_status(out, label, StatusStyle::Exact, status.filter(|status| *status >= 500));
            }
            Attribute::Exception => {
                if let LabelSource::Exception(name) = of {
                    text::push_label(out, label, name);
                }
            }
            // Only handles have these labels; a test of the contract checks that no family of the layer does.
            Attribute::ErrorType
            | Attribute::Operation
            | Attribute::Table
            | Attribute::OperationResult
            | Attribute::State
            | Attribute::TaskType
            | Attribute::TaskStatus
            | Attribute::Event
            | Attribute::Service
            | Attribute::ServiceStatus
            | Attribute::OrderStatus
            | Attribute::Currency
            | Attribute::Version
            | Attribute::Commit
            | Attribute::Compiler
            | Attribute::DialectName
            | Attribute::RawPath
            | Attribute::ClientText
            | Attribute::Other => {}
        }
    }
}

/// The level of a row, from its metric and its labels.
fn level(row: &DialectRow) -> SeriesLevel {
    if matches!(row.metric, MetricId::Exceptions | MetricId::ExceptionsOverall) {
        return SeriesLevel::Exception;
    }
    let of_status = |attribute: &Attribute| {
        matches!(
            attribute,
            Attribute::Status
                | Attribute::StatusClass
                | Attribute::Outcome
                | Attribute::Fault
                | Attribute::StatusOfError
        )
    };
    let is_of_status = row.metric == MetricId::RequestErrors || row.attributes.iter().any(of_status);
    if is_of_status {
        SeriesLevel::Status
    } else {
        SeriesLevel::Endpoint
    }
}

fn push_status(out: &mut String, label: &str, style: StatusStyle, status: Option<u16>) {
    let Some(status) = status else { return };
    let mut buffer = itoa::Buffer::new();
    match style {
        StatusStyle::Exact => text::push_label(out, label, buffer.format(status)),
        StatusStyle::Class => text::push_label(out, label, &format!("{}xx", status / 100)),
        StatusStyle::ClassDigit => text::push_label(out, label, buffer.format(status / 100)),
    }
}

/// The value of Micrometer's label `outcome`.
fn outcome(status: Option<u16>) -> &'static str {
    match status.map_or(0, |status| status / 100) {
        1 => "INFORMATIONAL",
        2 => "SUCCESS",
        3 => "REDIRECTION",
        4 => "CLIENT_ERROR",
        5 => "SERVER_ERROR",
        _ => "UNKNOWN",
    }
}

fn fault(status: Option<u16>) -> &'static str {
    match status {
        Some(500..) => "server_error",
        Some(400..) => "client_error",
        Some(_) | None => "none",
    }
}

/// The name of a handler, made of method and route, as a framework that names handlers would have it: `get_users_id`
/// for GET on `/users/{id}`.
fn handler(endpoint: &Endpoint) -> String {
    let mut name = endpoint.method.as_str().trim_start_matches('_').to_ascii_lowercase();
    for word in endpoint
        .route
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        name.push('_');
        name.push_str(word);
    }
    name
}
