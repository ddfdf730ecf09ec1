//! Every resource of the reference API against SQLite and PostgreSQL: one table of cases, the same answers.

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::Service,
    postgres::{Durability, PASSWORD, Postgres},
};
use serde_json::{Value, json};

/// Where a case comes from, the call, and what it is answered: status, a part of the body (objects are compared by the
/// keys that are given), and a header. `@` in a path is the id of the user that was registered first.
struct Case(
    &'static str,
    &'static str,
    &'static str,
    Option<Value>,
    u16,
    Value,
    (&'static str, &'static str),
);

const NO_HEADER: (&str, &str) = ("", "");

fn case(source: &'static str, method: &'static str, path: &'static str, status: u16, body: Value) -> Case {
    Case(source, method, path, None, status, body, NO_HEADER)
}

impl Case {
    fn with(mut self, body: Value) -> Self {
        self.3 = Some(body);
        self
    }

    fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.6 = (name, value);
        self
    }
}

/// The answer to a value that is not allowed, by the fields that are named.
fn invalid(fields: &[&str]) -> Value {
    let errors: Vec<_> = fields.iter().map(|field| json!({ "field": field })).collect();
    json!({"type": "urn:problem:invalid-request", "errors": errors})
}

fn problem(slug: &str) -> Value {
    json!({ "type": format!("urn:problem:{slug}") })
}

fn data() -> Vec<Case> {
    let item = json!({"name": "Ada", "category": "people", "value": 1.5, "metadata": {"k": ["\0", "é"]}});
    let sum = json!({"count": 0, "min": null, "max": null, "mean": null, "sum": 0.0, "categories": []});
    vec![
        case("S0", "GET", "/api/v1/data/stats/summary", 200, sum),
        case(
            "S0",
            "POST",
            "/api/v1/data",
            201,
            json!({"id": 1, "description": null, "active": true}),
        )
        .with(item.clone())
        .header("location", "/api/v1/data/1"),
        case("S0", "GET", "/api/v1/data/1", 200, item.clone()),
        case(
            "S0",
            "PUT",
            "/api/v1/data/1",
            200,
            json!({"name": "Bob", "metadata": null, "active": false, "value": 0.1}),
        )
        .with(json!({"name": "Bob", "category": "people", "value": 0.1, "active": false})),
        case("S0", "PUT", "/api/v1/data/99", 404, problem("not-found")).with(item.clone()),
        case(
            "S0",
            "POST",
            "/api/v1/data",
            422,
            invalid(&["name", "category", "value"]),
        )
        .with(json!({"name": "\0"})),
        case("S0", "POST", "/api/v1/data", 422, invalid(&["value"]))
            .with(json!({"name": "a", "category": "c", "value": 1.7e308})),
        case("S0", "POST", "/api/v1/data/bulk", 201, json!({"count": 3})).with(json!([
            {"name": "Zoë 100%", "category": "b", "value": -1e300},
            {"name": "aSCII_x", "category": "B", "value": 2},
            {"name": "ÉCLAIR", "category": "a", "value": 5e-324},
        ])),
        case(
            "S0",
            "POST",
            "/api/v1/data/bulk",
            422,
            json!({"errors": [{"index": 1, "field": "name"}]}),
        )
        .with(json!([item, {"category": "c", "value": 1}])),
        case(
            "S0",
            "GET",
            "/api/v1/data",
            200,
            json!({"total": 4, "limit": 20, "offset": 0}),
        ),
        // Bytes, not words: capitals come first, whatever the server's locale.
        case(
            "S0",
            "GET",
            "/api/v1/data?sort=name",
            200,
            names(&["Bob", "Zoë 100%", "aSCII_x", "ÉCLAIR"]),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data?sort=-name&limit=2",
            200,
            names(&["ÉCLAIR", "aSCII_x"]),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data?sort=category",
            200,
            names(&["aSCII_x", "ÉCLAIR", "Zoë 100%", "Bob"]),
        ),
        case("S0", "GET", "/api/v1/data?sort=active&limit=1", 200, names(&["Bob"])),
        case(
            "S0",
            "GET",
            "/api/v1/data?sort=-value&limit=1&offset=1",
            200,
            names(&["Bob"]),
        ),
        case("S0", "GET", "/api/v1/data?q=ascii", 200, names(&["aSCII_x"])),
        case("S0", "GET", "/api/v1/data?q=%25", 200, names(&["Zoë 100%"])),
        case("S0", "GET", "/api/v1/data?q=_", 200, names(&["aSCII_x"])),
        // Beyond ASCII, case counts.
        case("S0", "GET", "/api/v1/data?q=%C3%A9clair", 200, names(&[])),
        case("S0", "GET", "/api/v1/data?q=%C3%89clair", 200, names(&["ÉCLAIR"])),
        case("S0", "GET", "/api/v1/data?category=b", 200, names(&["Zoë 100%"])),
        case(
            "S0",
            "GET",
            "/api/v1/data?min_value=0.1&max_value=2&sort=value",
            200,
            names(&["Bob", "aSCII_x"]),
        ),
        case("S0", "GET", "/api/v1/data?active=false", 200, names(&["Bob"])),
        case(
            "S0",
            "GET",
            "/api/v1/data?created_after=2000-01-01T00:00:00Z",
            200,
            json!({"total": 4}),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data?created_before=2000-01-01T00:00:00Z",
            200,
            json!({"total": 0}),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data?q=%00&category=%00&sort=nil",
            422,
            invalid(&["sort", "category", "q"]),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data/stats/summary",
            200,
            json!({"count": 4, "min": -1e300, "max": 2.0}),
        ),
        case(
            "S0",
            "GET",
            "/api/v1/data/stats/summary",
            200,
            json!({"categories": [
                {"category": "B", "mean": 2.0}, {"category": "a", "sum": 5e-324}, {"category": "b"}, {"category": "people"},
            ]}),
        ),
        case("S0", "DELETE", "/api/v1/data/1", 204, Value::Null),
        case("S0", "DELETE", "/api/v1/data/1", 404, problem("not-found")),
        case("S0", "PATCH", "/api/v1/data/1", 405, problem("method-not-allowed"))
            .header("allow", "GET,HEAD,PUT,DELETE"),
    ]
}

fn names(names: &[&str]) -> Value {
    let items: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
    json!({ "items": items })
}

fn products() -> Vec<Case> {
    let laptop = json!({"id": 7, "name": "Laptop", "price": 999.99, "amount": 10});
    let dear = json!({"id": 3, "name": "b", "price": 9_999_999_999_999.99_f64, "amount": 9_007_199_254_740_991_i64});
    let changed = json!({"id": 7, "name": "Laptop", "price": 0.29, "amount": 0});
    vec![
        case("S1", "GET", "/products", 200, json!([])).header("x-total-count", "0"),
        case("S1", "POST", "/products", 201, laptop.clone())
            .with(laptop.clone())
            .header("location", "/products/7"),
        case("S1", "POST", "/products", 409, problem("conflict")).with(laptop.clone()),
        case("S1", "POST", "/products", 201, dear.clone()).with(dear.clone()),
        case("S1", "GET", "/products", 200, json!([dear, laptop])).header("x-total-count", "2"),
        case("S1", "GET", "/products?limit=1&offset=1", 200, json!([laptop])).header("x-total-count", "2"),
        case(
            "S1",
            "GET",
            "/products?limit=0&offset=x",
            422,
            invalid(&["limit", "offset"]),
        ),
        case("S1", "GET", "/products/7", 200, laptop.clone()),
        case("S1", "GET", "/products/8", 404, problem("not-found")),
        case("S1", "GET", "/products/x", 422, invalid(&["id"])),
        case("S1", "PUT", "/products/7", 200, changed.clone()).with(changed.clone()),
        case("S1", "GET", "/products/7", 200, changed.clone()),
        case("S1", "PUT", "/products/7", 200, changed).with(json!({"name": "Laptop", "price": 0.29, "amount": 0})),
        case("S1", "PUT", "/products/7", 422, invalid(&["id"]))
            .with(json!({"id": 8, "name": "a", "price": 1, "amount": 1})),
        case("S1", "PUT", "/products/8", 404, problem("not-found")).with(json!({"name": "a", "price": 1, "amount": 1})),
        case(
            "S1",
            "POST",
            "/products",
            422,
            invalid(&["id", "name", "price", "amount"]),
        )
        .with(json!({"id": -1, "name": "", "price": 1.005, "amount": 1.5})),
        case("S1", "POST", "/products", 422, invalid(&["price"]))
            .with(json!({"id": 9, "name": "a", "price": 1e15, "amount": 1})),
        case("S1", "POST", "/products", 422, invalid(&["body"])).with(json!([1])),
        case("S1", "DELETE", "/products/7", 204, Value::Null),
        case("S1", "DELETE", "/products/7", 404, problem("not-found")),
        case("S1", "DELETE", "/products", 405, problem("method-not-allowed")).header("allow", "GET,HEAD,POST"),
    ]
}

fn users() -> Vec<Case> {
    let any = json!({"name": "Ada", "email": "ada@x", "age": 36, "nul": "\0"});
    let odd = json!({"name": {"first": "x"}});
    let john = json!({"name": "John Doe", "email": "john@example.com"});
    vec![
        case(
            "S2",
            "POST",
            "/users/register",
            200,
            json!({"message": "User registered", "user_id": 1}),
        ),
        case(
            "S2",
            "GET",
            "/users/1",
            200,
            json!({"user_id": 1, "name": null, "cached": false}),
        ),
        case(
            "S2",
            "GET",
            "/users/1",
            200,
            json!({"user_id": 1, "name": null, "cached": true}),
        ),
        case("S2", "GET", "/users/99", 404, problem("not-found")),
        case("S2", "GET", "/users/x", 422, invalid(&["id"])),
        case("S2", "POST", "/users/register", 200, json!({"user_id": 2})).with(json!({"name": "Reg"})),
        case("S2", "POST", "/users/register", 422, invalid(&["body"])).with(json!([])),
        case(
            "S2",
            "POST",
            "/users",
            200,
            json!({"message": "User created", "user_id": 3}),
        )
        .with(any),
        case(
            "S2",
            "GET",
            "/users/3",
            200,
            json!({"user_id": 3, "name": "Ada", "cached": false}),
        ),
        case("S2", "POST", "/users", 200, json!({"user_id": 4})).with(odd),
        case("S2", "POST", "/users", 422, invalid(&["body"])).with(json!("x")),
        case("S2", "POST", "/users", 415, problem("unsupported-media-type")),
        case("S2", "DELETE", "/users/1", 200, json!({"message": "User 1 deleted"})),
        case("S2", "GET", "/users/1", 404, problem("not-found")),
        case("S2", "DELETE", "/users/1", 404, problem("not-found")),
        case("S2", "PUT", "/users/1", 405, problem("method-not-allowed")).header("allow", "GET,HEAD,DELETE"),
        case(
            "S2",
            "GET",
            "/items/5?q=some%20thing",
            200,
            json!({"item_id": 5, "q": "some thing"}),
        ),
        case("S2", "GET", "/items/5", 200, json!({"item_id": 5, "q": null})),
        case("S2", "GET", "/items/five", 422, invalid(&["item_id"])),
        case(
            "S4",
            "POST",
            "/api/users?name=John%20Doe&email=john@example.com",
            201,
            john.clone(),
        )
        .header("location", "/api/users/5"),
        case("S4", "POST", "/api/users", 201, json!({"id": 6, "name": "John Doe"})).with(john.clone()),
        case("S4", "POST", "/api/users", 422, invalid(&["name", "email"])),
        case("S4", "POST", "/api/users?name=x&email=x", 422, invalid(&["email"])),
        case("S4", "POST", "/api/users", 422, invalid(&["name", "email"])).with(json!({"name": 1, "email": "a b@c"})),
        case("S4", "GET", "/api/users", 200, json!({"count": 5})),
        case(
            "S4",
            "GET",
            "/api/users?limit=1&offset=1",
            200,
            json!({"count": 5, "users": [{"id": 3, "email": "ada@x"}]}),
        ),
        case("S4", "GET", "/api/users/5", 200, john),
        // Through one interface into the cache, through the other a change.
        case(
            "S2",
            "GET",
            "/users/5",
            200,
            json!({"name": "John Doe", "cached": false}),
        ),
        case(
            "S4",
            "PUT",
            "/api/users/5?name=Johnny",
            200,
            json!({"name": "Johnny", "email": "john@example.com"}),
        ),
        case("S2", "GET", "/users/5", 200, json!({"name": "Johnny", "cached": false})),
        case(
            "S4",
            "PUT",
            "/api/users/5",
            200,
            json!({"name": "Johnny", "email": "john@example.com"}),
        ),
        case("S4", "PUT", "/api/users/5", 200, json!({"name": "J", "email": "j@e"}))
            .with(json!({"name": "J", "email": "j@e"})),
        case("S4", "PUT", "/api/users/5", 422, invalid(&["email"])).with(json!({"name": "J"})),
        case("S4", "PUT", "/api/users/99?name=x", 404, problem("not-found")),
        case("S4", "PUT", "/api/users/5?name=%00", 422, invalid(&["name"])),
        case("S4", "DELETE", "/api/users/5", 204, Value::Null),
        case("S4", "DELETE", "/api/users/5", 404, problem("not-found")),
        case("S4", "GET", "/api/users/5", 404, problem("not-found")),
        case("S4", "PATCH", "/api/users/5", 405, problem("method-not-allowed")).header("allow", "GET,HEAD,PUT,DELETE"),
        case("S4", "GET", "/api/nowhere", 404, problem("not-found")),
    ]
}

/// Whether all that is wanted is there: of objects the keys that are named, of arrays everything, numbers by value.
fn holds(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| holds(value, found))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| holds(wanted, found))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (wanted, found) => wanted == found,
    }
}

async fn run(service: &Service, cases: Vec<Case>) -> Result<()> {
    for Case(source, method, path, body, status, wanted, (name, value)) in cases {
        let body = body.map(|body| body.to_string());
        let answer = service.call(method, path, body.as_deref()).await?;
        let told = format!("{source} {method} {path} {body:?}: {} {}", answer.status, answer.text);
        ensure!(answer.status.as_u16() == status, "{told}; wanted {status}");
        ensure!(holds(&wanted, &answer.json()), "{told}; wanted {wanted}");
        if !name.is_empty() {
            ensure!(
                answer.header(name) == value,
                "{told}: {name} is {:?}, wanted {value:?}",
                answer.header(name)
            );
        }
        if status >= 400 {
            ensure!(answer.header("content-type") == "application/problem+json", "{told}");
        }
    }
    Ok(())
}

/// What the calls above left in the metrics.
async fn check_metrics(service: &Service) -> Result<()> {
    // Drained, so that every task has ended.
    service
        .state
        .background()
        .drain(std::time::Duration::from_secs(10))
        .await;
    for (series, wanted) in [
        ("app_active_users", 4.0),
        ("user_registrations_total", 2.0),
        ("cache_operations_total{operation=\"get\",result=\"hit\"}", 1.0),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"queued\"}",
            6.0,
        ),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"succeeded\"}",
            6.0,
        ),
        (
            "background_tasks_total{task_type=\"user_welcome_email\",status=\"failed\"}",
            0.0,
        ),
        (
            "background_task_duration_seconds_count{task_type=\"user_welcome_email\"}",
            6.0,
        ),
        ("background_queue_length", 0.0),
        (
            "database_operations_total{operation=\"insert\",table=\"users\",status=\"success\"}",
            6.0,
        ),
        (
            "database_operations_total{operation=\"insert\",table=\"products\",status=\"error\"}",
            0.0,
        ),
    ] {
        let found = service.sample(series).await?;
        ensure!(found == Some(wanted), "{series} is {found:?}, wanted {wanted}");
    }
    Ok(())
}

async fn all(database: &str) -> Result<()> {
    let service = Service::start(database).await?;
    for cases in [data(), products(), users()] {
        run(&service, cases).await?;
    }
    check_metrics(&service).await?;
    service.state.store().close().await;
    Ok(())
}

#[tokio::test]
async fn sqlite_in_memory_and_in_a_file_answers_as_the_table_says() -> Result<()> {
    all("sqlite::memory:").await.context("in memory")?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("data.db");
    all(&format!("sqlite://{}", file.display())).await.context("in a file")
}

#[tokio::test]
async fn postgres_answers_as_the_table_says() -> Result<()> {
    let postgres = Postgres::start(Durability::None)?;
    all(&postgres.create_database("resources")?).await?;
    let rest = postgres.query("resources", "SELECT rest FROM users WHERE id IN (3, 4) ORDER BY id")?;
    let rest: Vec<Value> = rest.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!(rest, [json!({"age": 36, "nul": "\0"}), json!({"name": {"first": "x"}})]);

    // Two starts at the same time on an empty database: one migrates, the other waits.
    let url = postgres.create_database("twice")?;
    let (first, second) = tokio::join!(Service::start(&url), Service::start(&url));
    assert_eq!(first?.call("GET", "/products", None).await?.status, 200);
    assert_eq!(second?.call("GET", "/products", None).await?.status, 200);

    // Wrong credentials and a missing database end the start, and nobody learns the password.
    for url in [url.replace(PASSWORD, "wrong-password"), postgres.url("nowhere")] {
        let error = format!("{:?}", Service::start(&url).await.err().context("it started")?);
        ensure!(!error.contains("password") && !error.contains("monitored"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn eight_starts_at_once_on_one_sqlite_file_all_succeed() -> Result<()> {
    for _ in 0..5 {
        let directory = tempfile::tempdir()?;
        let url = format!("sqlite://{}", directory.path().join("data.db").display());
        let starts: Vec<_> = (0..8)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Service::start(&url).await.map(drop) })
            })
            .collect();
        for start in starts {
            start.await??;
        }
    }
    Ok(())
}
