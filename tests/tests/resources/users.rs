//! Calls of `/users`, `/items` and `/api/users`: two interfaces to the same users, of which the first has a cache.

use serde_json::{Value, json};

use crate::case::{Case, delete, get, invalid, patch, post, problem, put};

/// Registers users 1 and 2, creates users 3 and 4, and deletes user 1.
pub(crate) fn users() -> Vec<Case> {
    let any = json!({"name": "Ada", "email": "ada@x", "age": 36, "nul": "\0"});
    let odd = json!({"name": {"first": "x"}});
    vec![
        post("/users/register").answers(200, json!({"message": "User registered", "user_id": 1})),
        get("/users/1").answers(200, json!({"user_id": 1, "name": null, "cached": false})),
        get("/users/1").answers(200, json!({"user_id": 1, "name": null, "cached": true})),
        get("/users/99").answers(404, problem("not-found")),
        get("/users/x").answers(422, invalid(&["id"])),
        post("/users/register")
            .sends(json!({"name": "Reg"}))
            .answers(200, json!({"user_id": 2})),
        post("/users/register")
            .sends(json!([]))
            .answers(422, invalid(&["body"])),
        post("/users")
            .sends(any)
            .answers(200, json!({"message": "User created", "user_id": 3})),
        get("/users/3").answers(200, json!({"user_id": 3, "name": "Ada", "cached": false})),
        post("/users").sends(odd).answers(200, json!({"user_id": 4})),
        post("/users").sends(json!("x")).answers(422, invalid(&["body"])),
        post("/users").answers(415, problem("unsupported-media-type")),
        delete("/users/1").answers(200, json!({"message": "User 1 deleted"})),
        get("/users/1").answers(404, problem("not-found")),
        delete("/users/1").answers(404, problem("not-found")),
        put("/users/1")
            .answers(405, problem("method-not-allowed"))
            .with_header("allow", "GET,HEAD,DELETE"),
        get("/items/5?q=some%20thing").answers(200, json!({"item_id": 5, "q": "some thing"})),
        get("/items/5").answers(200, json!({"item_id": 5, "q": null})),
        get("/items/five").answers(422, invalid(&["item_id"])),
    ]
}

/// Creates users 5 and 6, and changes and deletes user 5, which the other interface has in its cache.
pub(crate) fn api_users() -> Vec<Case> {
    let john = json!({"name": "John Doe", "email": "john@example.com"});
    vec![
        post("/api/users?name=John%20Doe&email=john@example.com")
            .answers(201, john.clone())
            .with_header("location", "/api/users/5"),
        post("/api/users")
            .sends(john.clone())
            .answers(201, json!({"id": 6, "name": "John Doe"})),
        post("/api/users").answers(422, invalid(&["name", "email"])),
        post("/api/users?name=x&email=x").answers(422, invalid(&["email"])),
        post("/api/users")
            .sends(json!({"name": 1, "email": "a b@c"}))
            .answers(422, invalid(&["name", "email"])),
        get("/api/users").answers(200, json!({"count": 5})),
        get("/api/users?limit=1&offset=1").answers(200, json!({"count": 5, "users": [{"id": 3, "email": "ada@x"}]})),
        get("/api/users/5").answers(200, john),
        // `/users` puts the user into the cache; a change through `/api/users` takes it out.
        get("/users/5").answers(200, json!({"name": "John Doe", "cached": false})),
        put("/api/users/5?name=Johnny").answers(200, json!({"name": "Johnny", "email": "john@example.com"})),
        get("/users/5").answers(200, json!({"name": "Johnny", "cached": false})),
        put("/api/users/5").answers(200, json!({"name": "Johnny", "email": "john@example.com"})),
        put("/api/users/5")
            .sends(json!({"name": "J", "email": "j@e"}))
            .answers(200, json!({"name": "J", "email": "j@e"})),
        put("/api/users/5")
            .sends(json!({"name": "J"}))
            .answers(422, invalid(&["email"])),
        put("/api/users/99?name=x").answers(404, problem("not-found")),
        put("/api/users/5?name=%00").answers(422, invalid(&["name"])),
        delete("/api/users/5").answers(204, Value::Null),
        delete("/api/users/5").answers(404, problem("not-found")),
        get("/api/users/5").answers(404, problem("not-found")),
        patch("/api/users/5")
            .answers(405, problem("method-not-allowed"))
            .with_header("allow", "GET,HEAD,PUT,DELETE"),
        get("/api/nowhere").answers(404, problem("not-found")),
    ]
}
