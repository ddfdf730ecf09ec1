//! `/api/users`: users as source system S4 has them, by query parameters or by JSON. The same users as those of `/users`.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Resource,
    body::OptionalBody,
    fields::Reader,
    params::{Id, Params},
    users::{MAX_EMAIL, MAX_NAME, delete, no_such_user, store},
};
use crate::{
    error::Problem,
    state::AppState,
    store::{NewUser, User, UserChange},
};

/// Users of one list.
pub(super) const MAX_LIMIT: u32 = 1_000;

pub(super) fn resource() -> Resource {
    const COLLECTION: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK), (Method::POST, StatusCode::CREATED)];
    const USER: &[(Method, StatusCode)] = &[
        (Method::GET, StatusCode::OK),
        (Method::PUT, StatusCode::OK),
        (Method::DELETE, StatusCode::NO_CONTENT),
    ];
    Resource::default()
        .at("/api/users", COLLECTION, get(list).post(create))
        .at("/api/users/{id}", USER, get(read).put(change).delete(remove))
}

/// Users.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Users {
    /// The users, by id.
    users: Vec<User>,
    /// How many there are in all.
    count: i64,
}

async fn list(State(state): State<AppState>, mut params: Params) -> Result<Json<Users>, Problem> {
    let limit = params.number("limit", MAX_LIMIT, 1, MAX_LIMIT);
    let offset = params.number("offset", 0, 0, u32::MAX);
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
    let (name, email) = either(params, body.as_ref(), Wanted::All)?;
    let user = NewUser {
        name,
        email,
        rest: Map::new(),
    };
    let user = store(&state, &user).await?;
    let mut response = (StatusCode::CREATED, Json(&user)).into_response();
    if let Ok(location) = HeaderValue::try_from(format!("/api/users/{}", user.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
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
    let (name, email) = either(params, body.as_ref(), Wanted::Any)?;
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
enum Wanted {
    All,
    Any,
}

type NameAndEmail = (Option<String>, Option<String>);

/// The body's if there is one, else the query's, of which so much is wanted then. The query is checked in any case.
fn either(params: Params, body: Option<&Value>, wanted: Wanted) -> Result<NameAndEmail, Problem> {
    match body {
        Some(body) => by_query(params, Wanted::Any).and_then(|_| by_body(body)),
        None => by_query(params, wanted),
    }
}

fn by_query(mut params: Params, wanted: Wanted) -> Result<NameAndEmail, Problem> {
    for name in ["name", "email"] {
        if wanted == Wanted::All && params.verbatim(name).is_none() {
            params.complain(name, "must be given, in the query or in a JSON body");
        }
    }
    let must = format!("must be a text of 1 to {MAX_NAME} characters");
    let name = params.read("name", must, |text| {
        let fits = !text.trim().is_empty() && text.chars().count() <= MAX_NAME && !text.contains('\0');
        fits.then(|| text.to_owned())
    });
    let email = params.read("email", EMAIL, |text| is_email(text).then(|| text.to_owned()));
    params.finish()?;
    Ok((name, email))
}

fn by_body(body: &Value) -> Result<NameAndEmail, Problem> {
    let mut reader = Reader::default();
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

const EMAIL: &str = "must be an address with one @, without spaces, of at most 254 characters";

/// Whether it could be an address; only mail itself can tell whether it is one.
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
