//! The meaning of each label, the same in every dialect. The label's name is the dialect's.

/// The meaning of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The HTTP method.
    Method,
    /// The matched route template.
    Route,
    /// The path as the client wrote it: `/users/123`. It selects series; nothing is grouped by it, because clients choose how many
    /// values it has.
    RawPath,
    /// Another text that the client wrote, such as the host that it asked for. Nothing is grouped by it.
    ClientText,
    /// A name of the method on the route, made of both: `get_users_id`.
    Handler,
    /// The response's status, as the dialect writes it ([`crate::StatusStyle`]).
    Status,
    /// The response's status class: `2xx`.
    StatusClass,
    /// Micrometer's class of the answer: `SUCCESS`, `CLIENT_ERROR`.
    Outcome,
    /// Whether an error is the client's or the server's: `client_error` or `server_error`; else `none`.
    Fault,
    /// OpenTelemetry's `error.type`: the status, if it is 5xx. Other requests do not have the label.
    StatusOfError,
    /// The version of HTTP: `1.1`, `2`.
    ProtocolVersion,
    /// The version of the API that the client asks for, from a bounded set.
    ApiVersion,
    /// The exception, or the error that stands for one in a service without exceptions.
    Exception,
    /// The type of an error, named as the dialect does ([`crate::ErrorNames`]).
    ErrorType,
    /// The same value on every series.
    Constant(
        /// The value.
        &'static str,
    ),
    /// The operation on a database or a cache.
    Operation,
    /// The database table of an operation.
    Table,
    /// How an operation ended: `success`, `error`; `hit`, `miss`; `granted`, `denied`.
    OperationResult,
    /// The state of a connection in a pool: `idle`, `used`.
    State,
    /// The type of a background task.
    TaskType,
    /// The status of a background task: `queued`, `started`, `succeeded`, `failed`, `dropped`.
    TaskStatus,
    /// The event, for example `login`.
    Event,
    /// The name of another service.
    Service,
    /// The status that another service answered with, or why it did not.
    ServiceStatus,
    /// The status of an order.
    OrderStatus,
    /// A currency's ISO 4217 code.
    Currency,
    /// The version of the program.
    Version,
    /// The commit of the program.
    Commit,
    /// The compiler of the program.
    Compiler,
    /// The dialect in use.
    DialectName,
    /// Anything else: nothing reads it, and the reference API never writes it.
    Other,
}

impl Attribute {
    /// Whether it says which endpoint was asked: a metric over all routes lacks such labels.
    #[must_use]
    pub const fn is_of_endpoint(self) -> bool {
        matches!(self, Self::Method | Self::Route | Self::RawPath | Self::Handler)
    }

    /// Whether its values are what clients wrote, so that there are as many series as they like.
    #[must_use]
    pub const fn is_of_client(self) -> bool {
        matches!(self, Self::RawPath | Self::ClientText)
    }
}
