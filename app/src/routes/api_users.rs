//! `/api/users`: users as source system S4 has them, by query parameters or by JSON. The same users as those of `/users`.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    body::{OptionalBody, created},
    endpoint::Endpoint,
    fields::FieldReader,
    params::{Id, Params},
    schemas::{named, required_text},
    users::{MAX_EMAIL, MAX_NAME, delete, example, no_such_user, store},
};
use crate::{
    error::Problem,
    state::AppState,
    store::{NewUser, User, UserChange},
};

/// Users of one list.
const MAX_LIMIT: u32 = 1_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/users", "listUsers", "Users by id", list)
            .page(MAX_LIMIT, MAX_LIMIT)
            .response::<Users>(StatusCode::OK, "The users, and how many there are in all")
            .uses_store(),
        by_query_or_body(Endpoint::post("/api/users", "createUser", "Store a user", create))
            .about("By query parameters or, if there is one, by the body. Both fields are needed.")
            .response::<User>(StatusCode::CREATED, "The user as it is stored")
            .with_headers(&[("Location", "Path of the new user")])
            .uses_store(),
        Endpoint::get("/api/users/{id}", "getUser", "Read a user", read)
            .stored_id("The user's id")
            .response::<User>(StatusCode::OK, "The user"),
        by_query_or_body(
            Endpoint::put("/api/users/{id}", "changeUser", "Change a user", change).stored_id("The user's id"),
        )
        .about("By query parameters, where what is left out stays; or by a body, which has both fields.")
        .response::<User>(StatusCode::OK, "The user as it is stored now"),
        Endpoint::delete("/api/users/{id}", "deleteUser", "Delete a user", remove)
            .stored_id("The user's id")
            .empty_response(StatusCode::NO_CONTENT, "It is gone"),
    ]
}

fn by_query_or_body(endpoint: Endpoint) -> Endpoint {
    endpoint
        .query("name", "The name, if there is no body", required_text(MAX_NAME))
        .query("email", "The email address, if there is no body", email())
        .optional_body(name_and_email, example())
}

fn email() -> Value {
    // Neither white space nor control characters.
    const PART: &str = r"[^@\s\x00-\x1f\x7f-\x9f]+";
    json!({"type": "string", "maxLength": MAX_EMAIL, "pattern": format!("^{PART}@{PART}$")})
}

fn name_and_email(generator: &mut SchemaGenerator) -> Schema {
    let schema = json!({
        "type": "object",
        "required": ["name", "email"],
        "properties": {"name": required_text(MAX_NAME), "email": email()},
    });
    named(generator, "NewUser", schema)
}

/// Users.
#[derive(Debug, Serialize, JsonSchema)]
struct Users {
    /// The users, by id.
    users: Vec<User>,
    /// How many there are in all.
    count: i64,
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Json<Users>, Problem> {
    let (limit, offset) = params.page(MAX_LIMIT, MAX_LIMIT);
    params.finish()?;
    let page = state.store().list_users(limit, offset).await?;
    Ok(Json(Users {
        users: page.users,
        count: page.total,
    }))
}

async fn create(
    State(state): State<AppState>,
    params: Params,
    OptionalBody(body): OptionalBody,
) -> Result<Response, Problem> {
    let (name, email) = either(params, body.as_ref(), RequiredFields::All)?;
    let user = NewUser {
        name,
        email,
        rest: Map::new(),
    };
    let user = store(&state, user).await?;
    Ok(created(&format!("/api/users/{}", user.id), &user))
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<User>, Problem> {
    let user = state.store().get_user(id).await?;
    user.map(Json).ok_or_else(no_such_user)
}

async fn change(
    State(state): State<AppState>,
    Id(id): Id,
    params: Params,
    OptionalBody(body): OptionalBody,
) -> Result<Json<User>, Problem> {
    let (name, email) = either(params, body.as_ref(), RequiredFields::Any)?;
    let _invalidation = state.users().invalidate(id);
    let user = state.store().update_user(id, &UserChange { name, email }).await?;
    user.map(Json).ok_or_else(no_such_user)
}

async fn remove(State(state): State<AppState>, Id(id): Id) -> Result<StatusCode, Problem> {
    delete(&state, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which of the parameters have to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequiredFields {
    All,
    Any,
}

type NameAndEmail = (Option<String>, Option<String>);

/// Reads name and email from the body if there is one, else from the query, which must then have the required fields. The
/// query is checked in any case.
fn either(params: Params, body: Option<&Value>, wanted: RequiredFields) -> Result<NameAndEmail, Problem> {
    match body {
        Some(body) => by_query(params, RequiredFields::Any).and_then(|_| by_body(body)),
        None => by_query(params, wanted),
    }
}

fn by_query(mut params: Params, wanted: RequiredFields) -> Result<NameAndEmail, Problem> {
    for name in ["name", "email"] {
        if wanted == RequiredFields::All && params.verbatim(name).is_none() {
            params.complain(name, "missing: give it in the query or in a JSON body");
        }
    }
    let must = format!("not a valid text: use 1 to {MAX_NAME} characters");
    let name = params.read("name", must, |text| {
        let fits = !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.contains('\0');
        fits.then(|| text.to_owned())
    });
    let email = params.read("email", EMAIL, |text| is_email(text).then(|| text.to_owned()));
    params.finish()?;
    Ok((name, email))
}

fn by_body(body: &Value) -> Result<NameAndEmail, Problem> {
    let mut reader = FieldReader::default();
    let user = reader.object(body).map(|fields| {
        let name = reader.required_text(fields, "name", MAX_NAME);
        let email = fields.get("email").and_then(Value::as_str);
        let email = email.filter(|email| is_email(email));
        if email.is_none() {
            reader.complain("email", EMAIL);
        }
        (Some(name), email.map(str::to_owned))
    });
    reader.finish(user)
}

const EMAIL: &str =
    "not a valid email address: use one @, no spaces and at most 254 characters, for example ada@example.com";

/// Whether the text has the form of an address. Only sending mail shows whether the address exists.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'))
        && text.chars().count() <= MAX_EMAIL
        && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_at_sign_with_something_on_both_sides() {
        for good in ["a@b", "john.doe+x@example.com", "é@ü.de"] {
            assert!(is_email(good), "{good}");
        }
        let long = format!("{}@b", "a".repeat(253));
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\0", &long] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
