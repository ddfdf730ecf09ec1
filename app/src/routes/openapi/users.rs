//! Rows of `/users` and `/api/users`.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::{
    operation::Operation,
    schemas::{NOT_BLANK, id, named, whole_number},
};
use crate::{
    error::Slug,
    routes::{
        api_users::{MAX_LIMIT, Users},
        users::{Created, Found, MAX_EMAIL, MAX_NAME, Removed},
    },
    store::User,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut operations = of_any_object();
    operations.extend(of_name_and_email());
    operations
}

fn of_any_object() -> Vec<Operation> {
    vec![
        Operation::new(Method::POST, "/users", "addUser", "Store a user from any object")
            .about("`name` and `email` are taken out of it, the rest is kept as it is.")
            .body(any_object, example())
            .answers::<Created>(StatusCode::OK, "The user is stored, and will be welcomed")
            .uses_store(),
        Operation::new(Method::POST, "/users/register", "registerUser", "Register a user")
            .about("Without a body, an anonymous one.")
            .optional_body(any_object, example())
            .answers::<Created>(StatusCode::OK, "The user is stored, and will be welcomed")
            .uses_store(),
        with_id(Operation::new(
            Method::GET,
            "/users/{id}",
            "findUser",
            "Read a user, from the cache if it is there",
        ))
        .answers::<Found>(StatusCode::OK, "The user"),
        with_id(Operation::new(
            Method::DELETE,
            "/users/{id}",
            "removeUser",
            "Delete a user",
        ))
        .answers::<Removed>(StatusCode::OK, "It is gone"),
    ]
}

fn of_name_and_email() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/api/users", "listUsers", "Users by id")
            .query(
                "limit",
                "How many at most",
                whole_number(1, MAX_LIMIT.into(), Some(MAX_LIMIT.into())),
            )
            .query(
                "offset",
                "How many to leave out",
                whole_number(0, u32::MAX.into(), Some(0)),
            )
            .answers::<Users>(StatusCode::OK, "The users, and how many there are in all")
            .uses_store(),
        by_query_or_body(Operation::new(Method::POST, "/api/users", "createUser", "Store a user"))
            .about("By query parameters or, if there is one, by the body. Both fields are needed.")
            .answers::<User>(StatusCode::CREATED, "The user as it is stored")
            .with_headers(&[("Location", "Path of the new user")])
            .uses_store(),
        with_id(Operation::new(Method::GET, "/api/users/{id}", "getUser", "Read a user"))
            .answers::<User>(StatusCode::OK, "The user"),
        by_query_or_body(with_id(Operation::new(
            Method::PUT,
            "/api/users/{id}",
            "changeUser",
            "Change a user",
        )))
        .about("By query parameters, where what is left out stays; or by a body, which has both fields.")
        .answers::<User>(StatusCode::OK, "The user as it is stored now"),
        with_id(Operation::new(
            Method::DELETE,
            "/api/users/{id}",
            "deleteUser",
            "Delete a user",
        ))
        .answers_empty(StatusCode::NO_CONTENT, "It is gone"),
    ]
}

fn with_id(operation: Operation) -> Operation {
    operation
        .path("id", "The user's id", id(), 1)
        .problem(Slug::NotFound)
        .uses_store()
}

fn by_query_or_body(operation: Operation) -> Operation {
    operation
        .query("name", "The name, if there is no body", name())
        .query("email", "The email address, if there is no body", email())
        .optional_body(name_and_email, example())
}

fn example() -> Value {
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

fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "pattern": NOT_BLANK})
}

fn email() -> Value {
    // Neither white space nor control characters.
    const PART: &str = r"[^@\s\x00-\x1f\x7f-\x9f]+";
    json!({"type": "string", "maxLength": MAX_EMAIL, "pattern": format!("^{PART}@{PART}$")})
}

fn name_and_email(generator: &mut SchemaGenerator) -> Schema {
    named(
        generator,
        "NewUser",
        json!({
            "type": "object",
            "required": ["name", "email"],
            "properties": {
                "name": name(),
                "email": email(),
            },
        }),
    )
}
