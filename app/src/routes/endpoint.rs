//! One endpoint: a method of a path, the handler that serves it, and what the OpenAPI document says about it.
//!
//! Responses take their schema from the type that the handler returns (`#[derive(JsonSchema)]` beside `Serialize`;
//! comments on its fields become descriptions). A body that is read field by field gets its schema by hand, from the
//! constants that the check uses. Problems that follow from admission, parameters and bodies are added here; name those
//! that only the handler knows (`.problem(Slug::NotFound)`, `.uses_store()`).

use axum::{
    handler::Handler,
    http::{Method, StatusCode},
    routing::{self, MethodRouter},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use super::schemas;
use crate::{error::Slug, state::AppState};

/// Makes a schema; named types go into the generator's definitions.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What every API request can be answered with: by admission before its handler (see `admission.rs`), or because the
/// handler failed.
const ALWAYS: &[Slug] = &[Slug::BodyTooLarge, Slug::Overloaded, Slug::Starting, Slug::Internal];
/// What can be wrong with a JSON body; see `body.rs`.
const BODY: &[Slug] = &[
    Slug::MalformedBody,
    Slug::UnsupportedMediaType,
    Slug::BodyTimeout,
    Slug::InvalidRequest,
];

/// How requests of an endpoint are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// Admitted or refused, and measured.
    Api,
    /// An analysis of the metrics: not admitted but bounded (see `analysis.rs`), not measured, logged and traced.
    Analysis,
    /// A probe or a scrape: never refused, not measured, not traced, and logged only if it fails.
    Probe,
}

/// An endpoint.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The operation's id: what generated clients call it, so it never changes.
    pub(super) id: &'static str,
    /// A phrase without a full stop.
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) responses: Vec<DocumentedResponse>,
    pub(super) problems: Vec<Slug>,
    pub(super) treatment: Treatment,
    pub(super) handler: MethodRouter<AppState>,
}

/// A parameter of the path or of the query.
#[derive(Debug)]
pub(super) struct Parameter {
    /// `path` or `query`.
    pub(super) location: &'static str,
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) description: &'static str,
    pub(super) schema: Value,
    pub(super) example: Option<Value>,
}

/// A JSON body.
#[derive(Debug)]
pub(super) struct RequestBody {
    pub(super) required: bool,
    pub(super) schema: SchemaOf,
    pub(super) example: Value,
}

/// A response that is not a problem.
#[derive(Debug)]
pub(super) struct DocumentedResponse {
    pub(super) status: StatusCode,
    pub(super) description: &'static str,
    /// Names of headers, and what each one says.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Media types and the schema of each.
    pub(super) content: Vec<(&'static str, SchemaOf)>,
}

/// Constructors of API endpoints, one a method.
macro_rules! methods {
    ($($function:ident $method:ident)+) => {$(
        #[doc = concat!("An API endpoint for `", stringify!($method), "`; it has to be admitted and can be refused.")]
        pub(super) fn $function<H, T>(path: &'static str, id: &'static str, summary: &'static str, handler: H) -> Self
        where
            H: Handler<T, AppState>,
            T: 'static,
        {
            Self::new(Method::$method, path, id, summary, routing::$function(handler))
        }
    )+};
}

impl Endpoint {
    methods! { get GET post POST put PUT delete DELETE }

    fn new(
        method: Method,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        handler: MethodRouter<AppState>,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            description: None,
            parameters: Vec::new(),
            body: None,
            responses: Vec::new(),
            problems: ALWAYS.to_vec(),
            treatment: Treatment::Api,
            handler,
        }
    }

    /// Requests ask for an analysis of the metrics.
    pub(super) fn analysis(self) -> Self {
        Self {
            treatment: Treatment::Analysis,
            problems: vec![Slug::Internal, Slug::Overloaded],
            ..self
        }
    }

    /// Requests are a probe's or a scrape's.
    pub(super) fn probe(self) -> Self {
        Self {
            treatment: Treatment::Probe,
            problems: vec![Slug::Internal],
            ..self
        }
    }

    /// Adds what there is to say beyond the summary.
    pub(super) fn about(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// Adds a part of the path. A value that it may not have is answered 422.
    pub(super) fn path(
        mut self,
        name: &'static str,
        description: &'static str,
        schema: Value,
        example: impl Into<Value>,
    ) -> Self {
        self.parameters.push(Parameter {
            location: "path",
            name,
            required: true,
            description,
            schema,
            example: Some(example.into()),
        });
        self.problem(Slug::InvalidRequest)
    }

    /// Adds the `{id}` of something in the store, which may not be there.
    pub(super) fn stored_id(self, description: &'static str) -> Self {
        self.path("id", description, schemas::id(), 1)
            .problem(Slug::NotFound)
            .uses_store()
    }

    /// Adds a query parameter that may be left out. A value that it may not have is answered 422.
    pub(super) fn query(mut self, name: &'static str, description: &'static str, schema: Value) -> Self {
        self.parameters.push(Parameter {
            location: "query",
            name,
            required: false,
            description,
            schema,
            example: None,
        });
        self.problem(Slug::InvalidRequest)
    }

    /// Adds the query parameters of a list; see `Params::page`.
    pub(super) fn page(self, default_limit: u32, max_limit: u32) -> Self {
        let limit = schemas::whole_number(1, max_limit.into(), Some(default_limit.into()));
        let offset = schemas::whole_number(0, u32::MAX.into(), Some(0));
        self.query("limit", "How many at most", limit)
            .query("offset", "How many to leave out", offset)
    }

    /// Makes the query parameter that was added last a required one, with an example.
    pub(super) fn required(mut self, example: impl Into<Value>) -> Self {
        if let Some(last) = self.parameters.last_mut() {
            last.required = true;
            last.example = Some(example.into());
        }
        self
    }

    /// Adds a JSON body, with an example.
    pub(super) fn body(mut self, schema: SchemaOf, example: Value) -> Self {
        self.body = Some(RequestBody {
            required: true,
            schema,
            example,
        });
        self.problems.extend(BODY);
        self
    }

    /// Adds a JSON body that may be left out.
    pub(super) fn optional_body(mut self, schema: SchemaOf, example: Value) -> Self {
        self = self.body(schema, example);
        if let Some(body) = &mut self.body {
            body.required = false;
        }
        self
    }

    /// Adds a response with a JSON body.
    pub(super) fn response<T: JsonSchema>(self, status: StatusCode, description: &'static str) -> Self {
        self.response_as(status, description, "application/json", |generator| {
            generator.subschema_for::<T>()
        })
    }

    /// Adds a response with a body of some media type; called again for the same status, another media type of it.
    pub(super) fn response_as(
        mut self,
        status: StatusCode,
        description: &'static str,
        media_type: &'static str,
        schema: SchemaOf,
    ) -> Self {
        match self.responses.iter_mut().find(|response| response.status == status) {
            Some(response) => response.content.push((media_type, schema)),
            None => self.responses.push(DocumentedResponse {
                status,
                description,
                headers: &[],
                content: vec![(media_type, schema)],
            }),
        }
        self
    }

    /// Adds a response without a body.
    pub(super) fn empty_response(mut self, status: StatusCode, description: &'static str) -> Self {
        self.responses.push(DocumentedResponse {
            status,
            description,
            headers: &[],
            content: Vec::new(),
        });
        self
    }

    /// Adds headers to the response that was added last, each with what it says.
    pub(super) fn with_headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        if let Some(last) = self.responses.last_mut() {
            last.headers = headers;
        }
        self
    }

    /// Adds a problem that does not follow from parameters, body and admission.
    pub(super) fn problem(mut self, slug: Slug) -> Self {
        self.problems.push(slug);
        self
    }

    /// Says that the handler reads or writes the store.
    pub(super) fn uses_store(self) -> Self {
        self.problem(Slug::StoreUnavailable)
    }

    /// Whether a link to it works: a `GET` that needs nothing but its path.
    pub(super) fn is_link(&self) -> bool {
        self.method == Method::GET && self.parameters.iter().all(|parameter| !parameter.required)
    }

    /// The status of a request that went well: the first response, or the problem that an endpoint exists to show.
    pub(super) fn success(&self) -> StatusCode {
        let response = self.responses.first().map(|response| response.status);
        let problem = || self.problems.last().map(|slug| slug.status());
        response.or_else(problem).unwrap_or(StatusCode::OK)
    }

    /// Problems that not every API endpoint has, in the order of [`Slug::ALL`].
    pub(super) fn own_problems(&self) -> impl Iterator<Item = Slug> {
        let own = |slug: &Slug| self.problems.contains(slug) && !ALWAYS.contains(slug);
        Slug::ALL.iter().copied().filter(own)
    }
}
