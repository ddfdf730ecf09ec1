//! Errors as clients see them: RFC 9457 problem documents. All texts are our own, so they hold no SQL, path or secret.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_instrument::ErrorName;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::store::StoreError;

/// The kinds of problem, a bounded set: the slug is `error_type` of `api_errors_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slug {
    /// No such route or item.
    NotFound,
    /// The route has no such method.
    MethodNotAllowed,
    /// The body is not JSON.
    MalformedBody,
    /// A field or parameter has a value that is not allowed.
    InvalidRequest,
    /// Something else has this name already.
    Conflict,
    /// The body is too large.
    BodyTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body did not arrive in time.
    BodyTimeout,
    /// Too many requests at the same time.
    Overloaded,
    /// The store cannot be reached now.
    StoreUnavailable,
    /// The service is not ready yet.
    Starting,
    /// A fault of the service.
    Internal,
    /// The error of the route that always fails.
    Deliberate,
}

impl Slug {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::MalformedBody,
        Self::InvalidRequest,
        Self::Conflict,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::BodyTimeout,
        Self::Overloaded,
        Self::StoreUnavailable,
        Self::Starting,
        Self::Internal,
        Self::Deliberate,
    ];

    /// The slug, its status and its title: one row a kind.
    const fn row(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "Not found"),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "Method not allowed",
            ),
            Self::MalformedBody => ("malformed-body", StatusCode::BAD_REQUEST, "The body is not JSON"),
            Self::InvalidRequest => (
                "invalid-request",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Values are not allowed",
            ),
            Self::Conflict => ("conflict", StatusCode::CONFLICT, "Already taken"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not declared as JSON",
            ),
            Self::BodyTimeout => (
                "body-timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not arrive in time",
            ),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too many requests"),
            Self::StoreUnavailable => (
                "store-unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The store is not available",
            ),
            Self::Starting => ("starting", StatusCode::SERVICE_UNAVAILABLE, "The service is starting"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
            Self::Deliberate => (
                "deliberate",
                StatusCode::INTERNAL_SERVER_ERROR,
                "This route always fails",
            ),
        }
    }

    /// The slug, as in `type` and `error_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The exception that the source systems' framework raises in this case.
    #[must_use]
    pub const fn exception(self) -> &'static str {
        if matches!(self, Self::MalformedBody | Self::InvalidRequest) {
            "RequestValidationError"
        } else if matches!(self, Self::Internal) {
            "Exception"
        } else {
            "HTTPException"
        }
    }

    /// Its names, as metrics spell them.
    #[must_use]
    pub const fn error_name(self) -> ErrorName {
        ErrorName {
            slug: self.as_str(),
            exception: self.exception(),
        }
    }

    /// The status that it is answered with.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// What it is called in the problem document.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }
}

/// A value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Violation {
    /// The item's place in a bulk request, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The field or parameter.
    pub field: &'static str,
    /// What is wrong with it, and what to use instead.
    pub detail: String,
}

/// A problem, to be answered as `application/problem+json`.
#[derive(Debug)]
pub struct Problem {
    slug: Slug,
    detail: Cow<'static, str>,
    errors: Vec<Violation>,
}

/// A problem document, as in RFC 9457.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
struct ProblemDocument<'a> {
    /// `urn:problem:` and the kind of problem, which does not change between versions.
    r#type: String,
    /// What this kind of problem is called.
    title: &'static str,
    /// The status of the answer.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What is wrong with this request.
    detail: &'a str,
    /// Every field and parameter whose value is not allowed.
    #[serde(skip_serializing_if = "<[Violation]>::is_empty")]
    errors: &'a [Violation],
}

/// The schema of every problem document.
pub(crate) fn problem_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<ProblemDocument<'static>>()
}

impl Problem {
    /// A problem with a sentence for the client.
    pub fn new(slug: Slug, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            slug,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// Values that are not allowed.
    #[must_use]
    pub fn invalid(errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.detail),
            many => format!("{} values are not allowed", many.len()),
        };
        Self {
            slug: Slug::InvalidRequest,
            detail: detail.into(),
            errors,
        }
    }

    /// A fault of the service; what happened is for the log only.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            Slug::Internal,
            "The service failed to answer; its log has the details under the request id",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (slug, status, title) = self.slug.row();
        let document = ProblemDocument {
            r#type: format!("urn:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let mut response = (status, Json(&document)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self.slug, Slug::BodyTooLarge | Slug::BodyTimeout) {
            // The rest of the body is not read, so the connection cannot be used again.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self.slug);
        response.extensions_mut().insert(self.slug.error_name());
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } => {
                tracing::warn!(error = %error, "the store is not available");
                Self::new(Slug::StoreUnavailable, "The store did not answer in time; try again")
            }
            StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Failed { .. } => {
                tracing::error!(error = %error, "the store failed");
                Self::internal()
            }
        }
    }
}
