//! What a label stands for, whatever a dialect calls it.

/// The metric of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// The HTTP method.
    Method,
    /// The matched route template.
    Route,
    /// A name of the method on the route, made of both: `get_users_id`.
    Handler,
    /// The response's status, as the dialect writes it ([`crate::StatusStyle`]).
    Status,
    /// The response's status class: `2xx`.
    StatusClass,
    /// Micrometer's class of the answer: `SUCCESS`, `CLIENT_ERROR`.
    Outcome,
    /// Whose fault an error is: `client_error` or `server_error`.
    Fault,
    /// OpenTelemetry's `error.type`: the status of a server's error; no label else.
    StatusOfError,
    /// The version of HTTP: `1.1`, `2`.
    ProtocolVersion,
    /// The version of the API that the client asks for, from a bounded set.
    ApiVersion,
    /// What was thrown, or went wrong in its place.
    Exception,
    /// What an error was, in the dialect's words ([`crate::ErrorNames`]).
    ErrorType,
    /// The same value on every series.
    Constant(
        /// The value.
        &'static str,
    ),
    /// What was done.
    Operation,
    /// To which table it was done.
    Table,
    /// How an operation ended: `success`, `error`; `hit`, `miss`; `granted`, `denied`.
    OperationResult,
    /// Which resource of a pool: `idle`, `used`.
    State,
    /// Which kind of task.
    TaskType,
    /// Where a task is in its life: `queued`, `started`, `succeeded`, `failed`, `dropped`.
    TaskStatus,
    /// What happened.
    Event,
    /// Which other service.
    Service,
    /// The status that another service answered with, or why it did not.
    ServiceStatus,
    /// Where an order is in its life.
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
}
