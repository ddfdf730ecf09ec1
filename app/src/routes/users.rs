//! `/users`: users as source system S2 has them. The same users as those of `/api/users`.

use axum::{Json, extract::State, http::StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    body::{JsonBody, OptionalBody},
    endpoint::Endpoint,
    fields::FieldReader,
    params::Id,
    schemas::named,
};
use crate::{
    background::TaskType,
    error::{Problem, Slug},
    state::AppState,
    store::{NewUser, User},
};

pub(super) const MAX_NAME: usize = 200;
/// The longest address that mail knows.
pub(super) const MAX_EMAIL: usize = 254;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::post("/users", "addUser", "Store a user from any object", create)
            .about("`name` and `email` are taken out of it, the rest is kept as it is.")
            .body(any_object, example())
            .response::<CreatedUser>(StatusCode::OK, "The user is stored, and will be welcomed")
            .uses_store(),
        Endpoint::post("/users/register", "registerUser", "Register a user", register)
            .about("Without a body, an anonymous one.")
            .optional_body(any_object, example())
            .response::<CreatedUser>(StatusCode::OK, "The user is stored, and will be welcomed")
            .uses_store(),
        Endpoint::get(
            "/users/{id}",
            "findUser",
            "Read a user, from the cache if it is there",
            read,
        )
        .stored_id("The user's id")
        .response::<FoundUser>(StatusCode::OK, "The user"),
        Endpoint::delete("/users/{id}", "removeUser", "Delete a user", remove)
            .stored_id("The user's id")
            .response::<RemovedUser>(StatusCode::OK, "It is gone"),
    ]
}

/// A user as a client may send it.
pub(super) fn example() -> Value {
    json!({"name": "Ada Lovelace", "email": "ada@example.com"})
}

fn any_object(generator: &mut SchemaGenerator) -> Schema {
    named(
        generator,
        "AnyUser",
        json!({
            "type": "object",
            "description": "Any object",
            "properties": {
                "name": {"description": format!("Taken out if it is a text of at most {MAX_NAME} characters")},
                "email": {"description": format!("Taken out if it is a text of at most {MAX_EMAIL} characters")},
            },
            "additionalProperties": true,
        }),
    )
}

/// A user, and where it came from.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Found")]
struct FoundUser {
    /// The user's id.
    user_id: i64,
    /// Null for an anonymous user.
    name: Option<String>,
    /// Whether it was kept from an earlier request, and not read now.
    cached: bool,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Created")]
struct CreatedUser {
    /// What was done.
    message: &'static str,
    /// The new user's id.
    user_id: i64,
}

/// What was done.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Removed")]
struct RemovedUser {
    /// What was done.
    message: String,
}

async fn create(State(state): State<AppState>, JsonBody(body): JsonBody) -> Result<Json<CreatedUser>, Problem> {
    let user = store(&state, lift(body)?).await?;
    Ok(Json(CreatedUser {
        message: "User created",
        user_id: user.id,
    }))
}

async fn register(
    State(state): State<AppState>,
    OptionalBody(body): OptionalBody,
) -> Result<Json<CreatedUser>, Problem> {
    let user = match body {
        Some(body) => lift(body)?,
        None => NewUser::default(),
    };
    let user = store(&state, user).await?;
    state.metrics().registrations().increment();
    Ok(Json(CreatedUser {
        message: "User registered",
        user_id: user.id,
    }))
}

async fn read(State(state): State<AppState>, Id(id): Id) -> Result<Json<FoundUser>, Problem> {
    let found = state.users().get(id, state.store().get_user(id)).await?;
    let (user, cached) = found.ok_or_else(no_such_user)?;
    Ok(Json(FoundUser {
        user_id: user.id,
        name: user.name,
        cached,
    }))
}

async fn remove(State(state): State<AppState>, Id(id): Id) -> Result<Json<RemovedUser>, Problem> {
    delete(&state, id).await?;
    Ok(Json(RemovedUser {
        message: format!("User {id} deleted"),
    }))
}

/// Stores a user, counts it, and has it welcomed when there is time.
pub(super) async fn store(state: &AppState, user: NewUser) -> Result<User, Problem> {
    let user = state.store().insert_user(user).await?;
    state.metrics().active_users().add(1);
    let (store, id) = (state.store().clone(), user.id);
    state.background().submit(TaskType::UserWelcomeEmail, async move {
        // If the user has been deleted meanwhile, there is nothing to do.
        store.welcome_user(id).await?;
        Ok(())
    });
    Ok(user)
}

/// Deletes a user and counts it.
pub(super) async fn delete(state: &AppState, id: i64) -> Result<(), Problem> {
    let _invalidation = state.users().invalidate(id);
    if !state.store().delete_user(id).await? {
        return Err(no_such_user());
    }
    state.metrics().active_users().remove(1);
    Ok(())
}

pub(super) fn no_such_user() -> Problem {
    Problem::new(Slug::NotFound, "There is no user with this id")
}

/// Takes name and email out of an object if they are valid, and keeps the rest as it is.
fn lift(body: Value) -> Result<NewUser, Problem> {
    let Value::Object(mut rest) = body else {
        let mut reader = FieldReader::default();
        reader.complain("body", "not a valid object: use a JSON object");
        return reader.finish(None);
    };
    Ok(NewUser {
        name: take(&mut rest, "name", MAX_NAME),
        email: take(&mut rest, "email", MAX_EMAIL),
        rest,
    })
}

fn take(rest: &mut Map<String, Value>, name: &str, max: usize) -> Option<String> {
    let text = rest.get(name)?.as_str()?;
    if text.contains('\0') || text.chars().count() > max {
        return None;
    }
    match rest.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_email_are_lifted_out_and_nothing_is_lost() {
        let user = lift(json!({"name": "Ada", "email": "a@b", "age": 36})).unwrap();
        assert_eq!(
            (user.name.as_deref(), user.email.as_deref()),
            (Some("Ada"), Some("a@b"))
        );
        assert_eq!(Value::Object(user.rest), json!({"age": 36}));
        let odd = json!({"name": 7, "email": "x".repeat(255), "nul": "\0"});
        let user = lift(odd.clone()).unwrap();
        assert_eq!((user.name, user.email), (None, None));
        assert_eq!(Value::Object(user.rest), odd);
        assert!(lift(json!([])).is_err());
    }
}
