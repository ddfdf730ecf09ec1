//! One row of the document: what an operation takes and every answer that it can give. Reads no route, calls no handler.

use axum::http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::error::{Slug, problem_schema};

/// Makes a schema; named types go into the generator's definitions.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a request of the API may meet before its handler, and what any handler may meet; see `routes/admission.rs`.
const ALWAYS: &[Slug] = &[Slug::BodyTooLarge, Slug::Overloaded, Slug::Starting, Slug::Internal];
/// What can be wrong with a JSON body; see `routes/body.rs`.
const BODY: &[Slug] = &[
    Slug::MalformedBody,
    Slug::UnsupportedMediaType,
    Slug::BodyTimeout,
    Slug::InvalidRequest,
];

/// An operation: a method of a route.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    id: &'static str,
    summary: &'static str,
    description: Option<&'static str>,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
    problems: Vec<Slug>,
}

#[derive(Debug)]
struct Parameter {
    place: &'static str,
    name: &'static str,
    required: bool,
    description: &'static str,
    schema: Value,
    example: Option<Value>,
}

#[derive(Debug)]
struct Body {
    required: bool,
    schema: SchemaOf,
    example: Value,
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    description: &'static str,
    headers: &'static [(&'static str, &'static str)],
    content: Vec<(&'static str, SchemaOf)>,
}

impl Operation {
    /// An operation of the API, which has to be admitted and can therefore be refused.
    ///
    /// `id` names it to generated clients, for ever; `summary` is a phrase without a full stop.
    pub(super) fn new(method: Method, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            description: None,
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            problems: ALWAYS.to_vec(),
        }
    }

    /// A `GET` that is never refused: a probe, metrics, a page.
    pub(super) fn open(path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self {
            problems: vec![Slug::Internal],
            ..Self::new(Method::GET, path, id, summary)
        }
    }

    /// What there is to say beyond the summary.
    pub(super) fn about(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// A part of the path. A value that it may not have is answered 422.
    pub(super) fn path(
        mut self,
        name: &'static str,
        description: &'static str,
        schema: Value,
        example: impl Into<Value>,
    ) -> Self {
        self.parameters.push(Parameter {
            place: "path",
            name,
            required: true,
            description,
            schema,
            example: Some(example.into()),
        });
        self.problem(Slug::InvalidRequest)
    }

    /// A query parameter that may be left out. A value that it may not have is answered 422.
    pub(super) fn query(mut self, name: &'static str, description: &'static str, schema: Value) -> Self {
        self.parameters.push(Parameter {
            place: "query",
            name,
            required: false,
            description,
            schema,
            example: None,
        });
        self.problem(Slug::InvalidRequest)
    }

    /// The query parameter that was named last has to be given; and what to try.
    pub(super) fn required(mut self, example: impl Into<Value>) -> Self {
        if let Some(last) = self.parameters.last_mut() {
            last.required = true;
            last.example = Some(example.into());
        }
        self
    }

    /// A JSON body, and what to try.
    pub(super) fn body(mut self, schema: SchemaOf, example: Value) -> Self {
        self.body = Some(Body {
            required: true,
            schema,
            example,
        });
        self.problems.extend(BODY);
        self
    }

    /// A JSON body that may be left out.
    pub(super) fn optional_body(mut self, schema: SchemaOf, example: Value) -> Self {
        self = self.body(schema, example);
        if let Some(body) = &mut self.body {
            body.required = false;
        }
        self
    }

    /// An answer with a JSON body.
    pub(super) fn answers<T: JsonSchema>(self, status: StatusCode, description: &'static str) -> Self {
        self.answers_as(status, description, "application/json", |generator| {
            generator.subschema_for::<T>()
        })
    }

    /// An answer with a body of some type; again for another type of the same answer.
    pub(super) fn answers_as(
        mut self,
        status: StatusCode,
        description: &'static str,
        media_type: &'static str,
        schema: SchemaOf,
    ) -> Self {
        match self.answers.iter_mut().find(|answer| answer.status == status) {
            Some(answer) => answer.content.push((media_type, schema)),
            None => self.answers.push(Answer {
                status,
                description,
                headers: &[],
                content: vec![(media_type, schema)],
            }),
        }
        self
    }

    /// An answer without a body.
    pub(super) fn answers_empty(mut self, status: StatusCode, description: &'static str) -> Self {
        self.answers.push(Answer {
            status,
            description,
            headers: &[],
            content: Vec::new(),
        });
        self
    }

    /// Headers of the answer that was named last, with what each one tells.
    pub(super) fn with_headers(mut self, headers: &'static [(&'static str, &'static str)]) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.headers = headers;
        }
        self
    }

    /// A problem that this operation can meet beyond those that follow from its parameters and body.
    pub(super) fn problem(mut self, slug: Slug) -> Self {
        self.problems.push(slug);
        self
    }

    /// It reads or writes the store.
    pub(super) fn uses_store(self) -> Self {
        self.problem(Slug::StoreUnavailable)
    }

    /// The summary, for lists of routes.
    pub(super) fn summary(&self) -> &'static str {
        self.summary
    }

    /// Whether a link to it works: a `GET` that needs nothing but its path.
    pub(super) fn is_link(&self) -> bool {
        self.method == Method::GET && self.parameters.iter().all(|parameter| !parameter.required)
    }

    /// Its query parameters, and whether they have to be given.
    pub(super) fn query_parameters(&self) -> impl Iterator<Item = (&'static str, bool)> {
        let query = self.parameters.iter().filter(|parameter| parameter.place == "query");
        query.map(|parameter| (parameter.name, parameter.required))
    }

    /// Statuses that are no problems.
    pub(super) fn statuses(&self) -> impl Iterator<Item = StatusCode> {
        self.answers.iter().map(|answer| answer.status)
    }

    /// The problems that not every operation has.
    pub(super) fn own_problems(&self) -> impl Iterator<Item = Slug> {
        let own = |slug: &Slug| self.problems.contains(slug) && !ALWAYS.contains(slug);
        Slug::ALL.iter().copied().filter(own)
    }

    /// The operation object.
    pub(super) fn render(&self, tag: &str, generator: &mut SchemaGenerator) -> Value {
        let mut operation = Map::new();
        operation.insert("tags".to_owned(), json!([tag]));
        operation.insert("operationId".to_owned(), json!(self.id));
        operation.insert("summary".to_owned(), json!(self.summary));
        if let Some(description) = self.description {
            operation.insert("description".to_owned(), json!(description));
        }
        if !self.parameters.is_empty() {
            let parameters: Vec<_> = self.parameters.iter().map(Parameter::render).collect();
            operation.insert("parameters".to_owned(), json!(parameters));
        }
        if let Some(body) = &self.body {
            let schema = (body.schema)(generator);
            operation.insert(
                "requestBody".to_owned(),
                json!({
                    "required": body.required,
                    "content": {"application/json": {"schema": schema, "example": body.example}},
                }),
            );
        }
        operation.insert("responses".to_owned(), self.responses(generator));
        Value::Object(operation)
    }

    fn responses(&self, generator: &mut SchemaGenerator) -> Value {
        let mut responses = Map::new();
        for answer in &self.answers {
            responses.insert(answer.status.as_str().to_owned(), answer.render(generator));
        }
        // In the order of `Slug::ALL`, so that the document does not depend on the order of the row.
        for slug in Slug::ALL.iter().filter(|slug| self.problems.contains(slug)) {
            let response = responses
                .entry(slug.status().as_str().to_owned())
                .or_insert_with(|| json!({"description": "", "content": {}}));
            add_problem(response, *slug, generator);
        }
        responses.sort_keys();
        Value::Object(responses)
    }
}

/// Adds a kind of problem to what a status means.
fn add_problem(response: &mut Value, slug: Slug, generator: &mut SchemaGenerator) {
    let schema = problem_schema(generator);
    let Some(response) = response.as_object_mut() else {
        return;
    };
    let said = response.get("description").and_then(Value::as_str).unwrap_or_default();
    let separator = if said.is_empty() { "" } else { "; " };
    let description = format!("{said}{separator}`{}`: {}", slug.as_str(), slug.title());
    response.insert("description".to_owned(), json!(description));
    if slug.status() == StatusCode::SERVICE_UNAVAILABLE {
        let header = json!({"description": "Seconds after which to try again", "schema": {"type": "integer"}});
        response.insert("headers".to_owned(), json!({"Retry-After": header}));
    }
    if let Some(content) = response.entry("content").or_insert_with(|| json!({})).as_object_mut() {
        content.insert("application/problem+json".to_owned(), json!({"schema": schema}));
    }
}

impl Parameter {
    fn render(&self) -> Value {
        let mut parameter = json!({
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "description": self.description,
            "schema": self.schema,
        });
        if let (Some(parameter), Some(example)) = (parameter.as_object_mut(), &self.example) {
            parameter.insert("example".to_owned(), example.clone());
        }
        parameter
    }
}

impl Answer {
    fn render(&self, generator: &mut SchemaGenerator) -> Value {
        let mut answer = Map::new();
        answer.insert("description".to_owned(), json!(self.description));
        if !self.headers.is_empty() {
            let headers = self.headers.iter().map(|(name, description)| {
                let header = json!({"description": description, "schema": {"type": "string"}});
                ((*name).to_owned(), header)
            });
            answer.insert("headers".to_owned(), Value::Object(headers.collect()));
        }
        if !self.content.is_empty() {
            let content = self.content.iter().map(|(media_type, schema)| {
                let schema = schema(generator);
                ((*media_type).to_owned(), json!({ "schema": schema }))
            });
            answer.insert("content".to_owned(), Value::Object(content.collect()));
        }
        Value::Object(answer)
    }
}
