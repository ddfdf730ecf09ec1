//! Makes every call that the five source systems document, as their clients make it, to the real program on both stores: the
//! same path and the same parameters get an answer of the same shape. One row for each call.
//!
//! A shape is compared with the answer: an object has at least these fields, the first element of an array has the one
//! shape that is given, and a text in angle brackets is a type. Where a system's documents leave something open, or two
//! systems differ, the contract of the reference API decides.

use anyhow::{Context, Result, ensure};
use integration_tests::{
    api::{self, Process},
    postgres::{Durability, Postgres},
};
use serde_json::{Value, json};

/// A call and its answer.
struct Row {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    status: u16,
    shape: Shape,
}

enum Shape {
    Json(Value),
    /// The answer contains this text.
    Text(&'static str),
    /// The answer has no body.
    Empty,
}

const fn row(id: &'static str, method: &'static str, path: &'static str, status: u16, shape: Shape) -> Row {
    Row {
        id,
        method,
        path,
        body: None,
        status,
        shape,
    }
}

fn get(id: &'static str, path: &'static str, shape: Value) -> Row {
    row(id, "GET", path, 200, Shape::Json(shape))
}

fn text(id: &'static str, path: &'static str, contains: &'static str) -> Row {
    row(id, "GET", path, 200, Shape::Text(contains))
}

fn problem(id: &'static str, method: &'static str, path: &'static str, status: u16) -> Row {
    let shape = json!({"type": "<string>", "title": "<string>", "status": status, "detail": "<string>"});
    row(id, method, path, status, Shape::Json(shape))
}

impl Row {
    fn with(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    fn try_on(&self, api: &Process) -> Result<()> {
        let body = self.body.as_ref().map(Value::to_string);
        let (status, answer) = api::send(api.address, self.method, self.path, body.as_deref())?;
        ensure!(
            status == self.status,
            "answered {status}, not {}: {answer}",
            self.status
        );
        match &self.shape {
            Shape::Empty => ensure!(answer.is_empty(), "answered with a body: {answer}"),
            Shape::Text(text) => ensure!(answer.contains(text), "{text:?} is not in the answer: {answer}"),
            Shape::Json(shape) => {
                let answer: Value = serde_json::from_str(&answer).with_context(|| format!("not JSON: {answer}"))?;
                if let Some(difference) = differs(shape, &answer, "answer") {
                    anyhow::bail!("{difference}; answered {answer}");
                }
            }
        }
        Ok(())
    }
}

/// The first place at which an answer does not have the shape.
fn differs(shape: &Value, answer: &Value, place: &str) -> Option<String> {
    let holds = match (shape, answer) {
        (Value::Object(fields), Value::Object(found)) => {
            return fields.iter().find_map(|(name, shape)| {
                let place = format!("{place}.{name}");
                match found.get(name) {
                    Some(value) => differs(shape, value, &place),
                    None => Some(format!("{place} is missing")),
                }
            });
        }
        (Value::Array(shapes), Value::Array(found)) => match (shapes.first(), found.first()) {
            (Some(shape), Some(first)) => return differs(shape, first, &format!("{place}[0]")),
            (Some(_), None) => false,
            (None, _) => true,
        },
        (Value::String(kind), value) if kind.starts_with('<') => match kind.as_str() {
            "<string>" => value.is_string(),
            "<number>" => value.is_number(),
            "<whole>" => value.is_i64() || value.is_u64(),
            "<bool>" => value.is_boolean(),
            "<object>" => value.is_object(),
            "<array>" => value.is_array(),
            _ => false,
        },
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (shape, value) => shape == value,
    };
    (!holds).then(|| format!("{place} is {answer}, not {shape}"))
}

/// Calls that all systems document.
fn health(id: &'static str) -> Row {
    let shape =
        json!({"status": "healthy", "timestamp": "<string>", "timestamp_unix": "<number>", "version": "<string>"});
    get(id, "/health", shape)
}

/// S0: the monitored API with its own analysis.
fn s0() -> Vec<Row> {
    let mut rows = s0_service();
    rows.extend(s0_data());
    rows.extend(s0_analysis());
    rows
}

fn s0_service() -> Vec<Row> {
    vec![
        get(
            "S0-01",
            "/",
            json!({"message": "<string>", "name": "<string>", "version": "<string>", "links": ["<string>"]}),
        ),
        health("S0-02"),
        get("S0-03", "/health/live", json!({"status": "ok"})),
        get("S0-04", "/health/ready", json!({"status": "ok"})),
        text("S0-05", "/metrics", "# TYPE http_requests_total counter"),
        text("S0-06", "/docs", "<!doctype html>"),
        get(
            "S0-07",
            "/openapi.json",
            json!({"openapi": "3.1.0", "paths": "<object>"}),
        ),
    ]
}

fn s0_data() -> Vec<Row> {
    let item = json!({"name": "Sensor 1", "description": "d", "category": "sensors", "value": 42.5, "active": true, "metadata": {"unit": "C"}});
    let stored = json!({
        "id": "<whole>", "name": "Sensor 1", "description": "d", "category": "sensors", "value": 42.5, "active": true,
        "metadata": {"unit": "C"}, "created_at": "<string>", "updated_at": "<string>",
    });
    let page = json!({"items": [stored], "total": 1, "limit": 20, "offset": 0});
    let summary = json!({"count": 2, "min": 1, "max": 2, "mean": 1.5, "sum": 3, "categories": [{"category": "bulk", "count": 2}]});
    let bulk = json!([{"name": "a", "category": "bulk", "value": 1}, {"name": "b", "category": "bulk", "value": 2}]);
    vec![
        row("S0-08", "POST", "/api/v1/data", 201, Shape::Json(stored.clone())).with(item.clone()),
        get("S0-09", "/api/v1/data", page.clone()),
        get(
            "S0-10",
            "/api/v1/data?limit=20&offset=0&category=sensors&active=true&sort=-value",
            page,
        ),
        get("S0-11", "/api/v1/data?min_value=100", json!({"items": [], "total": 0})),
        get("S0-12", "/api/v1/data/1", stored.clone()),
        row("S0-13", "PUT", "/api/v1/data/1", 200, Shape::Json(stored)).with(item),
        row("S0-14", "DELETE", "/api/v1/data/1", 204, Shape::Empty),
        problem("S0-15", "GET", "/api/v1/data/1", 404),
        row(
            "S0-16",
            "POST",
            "/api/v1/data/bulk",
            201,
            Shape::Json(json!({"count": 2, "items": [{"id": "<whole>", "name": "a"}]})),
        )
        .with(bulk),
        get("S0-17", "/api/v1/data/stats/summary", summary),
        problem("S0-18", "POST", "/api/v1/data", 422).with(json!({"name": ""})),
    ]
}

fn s0_analysis() -> Vec<Row> {
    vec![
        get(
            "S0-19",
            "/health/detailed",
            json!({"status": "<string>", "components": "<object>", "thresholds": "<array>", "system": "<object>"}),
        ),
        text("S0-20", "/metrics/summary", "p95"),
        get(
            "S0-21",
            "/metrics/prometheus-queries",
            json!({"dialect": "native", "queries": ["<object>"]}),
        ),
        get(
            "S0-22",
            "/metrics/health-score",
            json!({"score": "<number>", "verdict": "<string>", "factors": ["<object>"]}),
        ),
        get(
            "S0-23",
            "/metrics/alerts",
            json!({"alerts": [{"name": "<string>", "state": "<string>"}]}),
        ),
        get(
            "S0-24",
            "/metrics/trends",
            json!({"trends": "<array>", "recommendations": "<array>"}),
        ),
        get("S0-25", "/metrics/export", json!({"families": ["<object>"]})),
        get(
            "S0-26",
            "/metrics/export?format=json",
            json!({"families": ["<object>"]}),
        ),
        get(
            "S0-27",
            "/config/alerting",
            json!({"thresholds": "<object>", "prometheus": {"groups": "<array>"}, "grafana": "<object>"}),
        ),
    ]
}

/// S1: products.
fn s1() -> Vec<Row> {
    let laptop = json!({"id": 1, "name": "Laptop", "price": 999.99, "amount": 10});
    let cheaper = json!({"id": 1, "name": "Laptop", "price": 899.99, "amount": 9});
    vec![
        get("S1-01", "/", json!({"message": "<string>"})),
        health("S1-02"),
        row("S1-03", "POST", "/products", 201, Shape::Json(laptop.clone())).with(laptop.clone()),
        problem("S1-04", "POST", "/products", 409).with(laptop.clone()),
        get("S1-05", "/products", json!([laptop])),
        get("S1-06", "/products/1", laptop),
        row("S1-07", "PUT", "/products/1", 200, Shape::Json(cheaper.clone())).with(cheaper.clone()),
        problem("S1-08", "PUT", "/products/2", 422).with(cheaper),
        row("S1-09", "DELETE", "/products/1", 204, Shape::Empty),
        problem("S1-10", "GET", "/products/1", 404),
        text("S1-11", "/metrics", "process_cpu_seconds_total"),
    ]
}

/// S2: users, with cache, queue and business metrics.
fn s2() -> Vec<Row> {
    let done = |message: &str| Shape::Json(json!({"message": message, "user_id": "<whole>"}));
    let user = json!({"name": "Ada", "email": "ada@example.org", "plan": "free"});
    let business = json!({"active_connections": "<number>", "total_requests": "<whole>", "cache_hit_rate": "<number>"});
    vec![
        get("S2-01", "/", json!({"message": "<string>", "version": "<string>"})),
        health("S2-02"),
        row("S2-03", "POST", "/users", 200, done("User created")).with(user),
        row("S2-04", "POST", "/users/register", 200, done("User registered")),
        get(
            "S2-05",
            "/users/1",
            json!({"user_id": 1, "name": "Ada", "cached": "<bool>"}),
        ),
        get(
            "S2-06",
            "/users/1",
            json!({"user_id": 1, "name": "Ada", "cached": true}),
        ),
        problem("S2-07", "GET", "/users/99", 404),
        row(
            "S2-08",
            "DELETE",
            "/users/1",
            200,
            Shape::Json(json!({"message": "User 1 deleted"})),
        ),
        get("S2-09", "/items/7?q=lamp", json!({"item_id": 7, "q": "lamp"})),
        get("S2-10", "/items/7", json!({"item_id": 7, "q": null})),
        get("S2-11", "/metrics/custom", business),
        text("S2-12", "/metrics", "cache_operations_total"),
        text("S2-13", "/metrics", "background_tasks_total"),
    ]
}

/// S3: computations that keep a core busy.
fn s3() -> Vec<Row> {
    vec![
        health("S3-01"),
        get(
            "S3-02",
            "/compute/10",
            json!({"n": 10, "result": 55, "processing_time_ms": "<number>"}),
        ),
        problem("S3-03", "GET", "/compute/46", 422),
        text("S3-04", "/metrics", "http_request_duration_seconds_bucket"),
    ]
}

/// S4: users by query parameters, and metrics that a client sets.
fn s4() -> Vec<Row> {
    let john = json!({"id": "<whole>", "name": "John", "email": "john@example.com"});
    let doe = json!({"id": 1, "name": "John Doe", "email": "john@example.com"});
    let jane = json!({"name": "Jane", "email": "jane@example.com"});
    vec![
        health("S4-01"),
        row(
            "S4-02",
            "POST",
            "/api/users?name=John&email=john@example.com",
            201,
            Shape::Json(john.clone()),
        ),
        get("S4-03", "/api/users", json!({"users": [john], "count": 1})),
        get("S4-04", "/api/users/1", json!({"id": 1, "name": "John"})),
        row("S4-05", "PUT", "/api/users/1?name=John%20Doe", 200, Shape::Json(doe)),
        row("S4-06", "PUT", "/api/users/1", 200, Shape::Json(jane.clone())).with(jane),
        row("S4-07", "DELETE", "/api/users/1", 204, Shape::Empty),
        problem("S4-08", "GET", "/api/users/1", 404),
        get("S4-09", "/api/slow", json!({"message": "<string>"})),
        problem("S4-10", "GET", "/api/error", 500),
        text("S4-11", "/metrics", "api_errors_total{error_type=\"deliberate\"} 1"),
        get("S4-12", "/update?users=42", json!({"active_users": 42})),
        get("S4-13", "/cpu?value=75.5", json!({"cpu_usage_percent": 75.5})),
        text("S4-14", "/metrics", "app_active_users 42"),
        text("S4-15", "/metrics", "app_cpu_usage_percent 75.5"),
        problem("S4-16", "GET", "/update?users=-1", 422),
        problem("S4-17", "GET", "/cpu?value=101", 422),
    ]
}

/// A system's id and its documented calls.
type System = (&'static str, fn() -> Vec<Row>);

const SYSTEMS: [System; 5] = [("s0", s0), ("s1", s1), ("s2", s2), ("s3", s3), ("s4", s4)];

#[test]
fn every_documented_call_is_answered_on_sqlite() -> Result<()> {
    let directory = tempfile::tempdir()?;
    try_all(|system| Ok(format!("sqlite://{}/{system}.db", directory.path().display())))
}

#[test]
fn every_documented_call_is_answered_on_postgresql() -> Result<()> {
    let postgres = Postgres::start(Durability::None)?;
    try_all(|system| postgres.create_database(system))
}

/// Makes the calls of each system in their order, on a database of its own; the error names every row that failed.
fn try_all(database: impl Fn(&str) -> Result<String>) -> Result<()> {
    let mut failed = Vec::new();
    for (system, rows) in SYSTEMS {
        let api = Process::start(&database(system)?)?;
        api.wait_ready()?;
        for row in rows() {
            if let Err(error) = row.try_on(&api) {
                failed.push(format!("{} {} {}: {error:#}", row.id, row.method, row.path));
            }
        }
    }
    ensure!(
        failed.is_empty(),
        "{} calls failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
    Ok(())
}

#[test]
fn every_row_has_an_id_of_its_own_in_order() {
    for (system, rows) in SYSTEMS {
        for (number, row) in (1..).zip(rows()) {
            assert_eq!(row.id, format!("{}-{number:02}", system.to_uppercase()));
        }
    }
}

#[test]
fn different_shapes_are_distinguished() {
    let answer = json!({"n": 1, "list": [{"a": "x"}], "more": true});
    assert_eq!(
        differs(&json!({"n": "<whole>", "list": [{"a": "<string>"}]}), &answer, "answer"),
        None
    );
    for shape in [
        json!({"missing": "<number>"}),
        json!({"n": "<string>"}),
        json!({"n": 2}),
        json!({"list": [{"a": 1}]}),
        json!({"more": ["<bool>"]}),
        json!({"n": "<unknown>"}),
    ] {
        assert!(differs(&shape, &answer, "answer").is_some(), "{shape}");
    }
}
