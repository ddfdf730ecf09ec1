//! Every row of the contract, against a database in memory and one in a file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use axum::{
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use common::{App, flags, url};
use http_instrument::{TraceContext, TraceState};
use serde_json::{Value, json};

const ITEM: &str = r#"{"name":"Ada","category":"people","value":1.5,"metadata":{"k":[1]}}"#;

/// Runs a check on both kinds of database.
async fn on_both(check: impl AsyncFn(&App)) {
    check(&App::in_memory().await).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("new directory/data.db");
    let app = App::with(flags(&url(&file)), axum::Router::new()).await;
    check(&app).await;
    app.state.store().close().await;
}

/// A list's query, the number of all items that it selects, and the values of those that it returns.
struct Listing {
    query: &'static str,
    total: u32,
    values: &'static [u32],
}

/// A call, and how it is answered.
struct Call {
    method: &'static str,
    path: &'static str,
    body: Option<&'static str>,
    status: u16,
    /// The kind of problem, or empty.
    slug: &'static str,
}

/// A call without a body that goes well.
fn call(method: &'static str, path: &'static str, status: u16) -> Call {
    Call {
        method,
        path,
        body: None,
        status,
        slug: "",
    }
}

impl Call {
    fn with_body(self, body: &'static str) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    fn with_problem(self, slug: &'static str) -> Self {
        Self { slug, ..self }
    }
}

fn listing(query: &'static str, total: u32, values: &'static [u32]) -> Listing {
    Listing { query, total, values }
}

#[tokio::test]
async fn each_call_is_answered_with_its_status() {
    const BULK: &str = r#"[{"name":"a","category":"c","value":1},{"name":"b","category":"c","value":2}]"#;
    let calls = [
        call("GET", "/", 200),
        call("HEAD", "/", 200),
        call("GET", "/health", 200),
        call("GET", "/health/live", 200),
        call("GET", "/health/ready", 200),
        call("GET", "/health/startup", 200),
        call("GET", "/metrics", 200),
        call("GET", "/api/error", 500).with_problem("deliberate"),
        call("GET", "/api/v1/data", 200),
        call("POST", "/api/v1/data", 201).with_body(ITEM),
        call("GET", "/api/v1/data/1", 200),
        call("PUT", "/api/v1/data/1", 200).with_body(ITEM),
        call("POST", "/api/v1/data/bulk", 201).with_body(BULK),
        call("GET", "/api/v1/data/stats/summary", 200),
        call("DELETE", "/api/v1/data/1", 204),
        call("DELETE", "/api/v1/data/1", 404).with_problem("not-found"),
        call("GET", "/api/v1/data/1", 404).with_problem("not-found"),
        call("PUT", "/api/v1/data/1", 404)
            .with_body(ITEM)
            .with_problem("not-found"),
        call("GET", "/api/v1/data/one", 422).with_problem("invalid-request"),
        call("GET", "/api/v1/data/99999999999999999999", 422).with_problem("invalid-request"),
        call("GET", "/nowhere", 404).with_problem("not-found"),
        call("GET", "/api/v1/data/1/2", 404).with_problem("not-found"),
        call("DELETE", "/api/v1/data", 405).with_problem("method-not-allowed"),
        call("POST", "/health", 405).with_problem("method-not-allowed"),
        call("POST", "/api/v1/data", 400)
            .with_body("{")
            .with_problem("malformed-body"),
        call("POST", "/api/v1/data", 400)
            .with_body("")
            .with_problem("malformed-body"),
        call("POST", "/api/v1/data", 422)
            .with_body("[]")
            .with_problem("invalid-request"),
        call("POST", "/api/v1/data", 415).with_problem("unsupported-media-type"),
        call("POST", "/api/v1/data/bulk", 422)
            .with_body("[]")
            .with_problem("invalid-request"),
    ];
    on_both(async |app| {
        for Call {
            method,
            path,
            body,
            status,
            slug,
        } in &calls
        {
            let answer = app.call(method, path, *body).await;
            assert_eq!(answer.status.as_u16(), *status, "{method} {path}: {}", answer.text);
            assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
            if !slug.is_empty() {
                assert_eq!(
                    answer.header("content-type"),
                    "application/problem+json",
                    "{method} {path}"
                );
                let problem = answer.json();
                assert_eq!(problem["type"], format!("urn:problem:{slug}"), "{method} {path}");
                assert_eq!(problem["status"], *status);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_index_is_a_page_for_browsers_and_json_for_others() {
    let app = App::in_memory().await;
    let json = app.get("/").await.json();
    for field in ["message", "name", "version", "commit", "uptime_seconds", "links"] {
        assert!(!json[field].is_null(), "{field}");
    }
    for link in json["links"].as_array().unwrap() {
        let link = link.as_str().unwrap();
        if link != "/api/slow" {
            assert_ne!(app.get(link).await.status, StatusCode::NOT_FOUND, "{link}");
        }
    }
    let browser = Request::get("/").header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = app.send(browser.body(Body::empty()).unwrap()).await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("href=\"/metrics\">"));
}

#[tokio::test]
async fn health_tells_the_time_twice_and_the_version() {
    let health = App::in_memory().await.get("/health").await.json();
    assert_eq!(health["status"], "healthy");
    let text: jiff::Timestamp = health["timestamp"].as_str().unwrap().parse().unwrap();
    let number = health["timestamp_unix"].as_f64().unwrap();
    assert!((text.as_microsecond() as f64 / 1e6 - number).abs() < 1e-3);
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn an_item_is_returned_as_it_was_stored() {
    on_both(async |app| {
        let created = app.call("POST", "/api/v1/data", Some(ITEM)).await;
        let item = created.json();
        let location = created.header("location").to_owned();
        assert_eq!(location, format!("/api/v1/data/{}", item["id"]));
        assert_eq!(item["description"], Value::Null);
        assert_eq!(item["active"], true);
        assert_eq!(item["metadata"], json!({"k": [1]}));
        assert_eq!(app.get(&location).await.json(), item);

        let changed = r#"{"name":"Bob","category":"c","value":-1e300,"active":false,"description":"d\"\\é"}"#;
        let changed = app.call("PUT", &location, Some(changed)).await.json();
        assert_eq!(changed["id"], item["id"]);
        assert_eq!(changed["created_at"], item["created_at"]);
        assert_eq!(changed["metadata"], Value::Null, "PUT replaces the whole item");
        assert_eq!(changed["value"], -1e300);
        assert_eq!(app.get(&location).await.json(), changed);

        assert_eq!(app.call("DELETE", &location, None).await.text, "");
        let next = app.call("POST", "/api/v1/data", Some(ITEM)).await.json();
        assert_ne!(next["id"], item["id"], "an id is never given twice");
    })
    .await;
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_cut() {
    on_both(async |app| {
        let items: Vec<_> = (0..30)
            .map(|n| json!({"name": format!("Item {n:02}"), "category": if n % 3 == 0 { "a" } else { "b" }, "value": n, "active": n % 2 == 0}))
            .collect();
        let created = app.call("POST", "/api/v1/data/bulk", Some(&json!(items).to_string())).await.json();
        assert_eq!(created["count"], 30);
        let names: Vec<_> = created["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert!(names.is_sorted_by_key(|name| name.as_str().unwrap()), "items come back in the order they were given");

        let listings = [
            listing("limit=3", 30, &[0, 1, 2]),
            listing("limit=2&offset=29", 30, &[29]),
            listing("offset=100", 30, &[]),
            listing("sort=-value&limit=2", 30, &[29, 28]),
            listing("sort=category&limit=2", 30, &[0, 3]),
            listing("sort=-category&limit=2", 30, &[1, 2]),
            listing("category=a&limit=3", 10, &[0, 3, 6]),
            listing("category=A", 0, &[]),
            listing("q=ITEM%200&limit=2", 10, &[0, 1]),
            listing("q=%25", 0, &[]),
            listing("min_value=5&max_value=6", 2, &[5, 6]),
            listing("active=false&limit=2", 15, &[1, 3]),
            listing("created_after=2000-01-01T00:00:00Z&limit=1", 30, &[0]),
            listing("created_before=2000-01-01T00:00:00Z", 0, &[]),
            listing("category=b&active=true&min_value=10&sort=-value&limit=2", 7, &[28, 26]),
        ];
        for Listing { query, total, values } in &listings {
            let page = app.get(&format!("/api/v1/data?{query}")).await.json();
            assert_eq!(page["total"], *total, "{query}");
            let found: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| item["value"].as_f64().unwrap()).collect();
            assert_eq!(found, values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>(), "{query}");
        }
        assert_eq!(app.get("/api/v1/data").await.json()["items"].as_array().unwrap().len(), 20);
    })
    .await;
}

#[tokio::test]
async fn parameters_that_are_not_allowed_are_all_named() {
    let app = App::in_memory().await;
    let query = "limit=0&offset=-1&sort=secret&min_value=x&max_value=NaN&active=2&created_after=today&created_before=1";
    let answer = app.get(&format!("/api/v1/data?{query}")).await;
    assert_eq!(answer.status, 422);
    let problem = answer.json();
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    let wanted = [
        "limit",
        "offset",
        "sort",
        "min_value",
        "max_value",
        "active",
        "created_after",
        "created_before",
    ];
    assert_eq!(fields, wanted);
    for query in ["limit=201", "limit=abc", "sort=name;drop%20table%20data", "sort=--name"] {
        assert_eq!(app.get(&format!("/api/v1/data?{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn a_bulk_request_stores_all_or_nothing() {
    on_both(async |app| {
        let body = format!(r#"[{ITEM},{{"name":"","category":"c","value":1}},{ITEM}]"#);
        let answer = app.call("POST", "/api/v1/data/bulk", Some(&body)).await;
        assert_eq!(answer.status, 422);
        assert_eq!(
            answer.json()["errors"],
            json!([{"index": 1, "field": "name", "detail": "not a valid text: use 1 to 200 characters"}])
        );
        assert_eq!(app.get("/api/v1/data").await.json()["total"], 0);
        let thousand = format!("[{}]", vec![ITEM; 1_000].join(","));
        assert_eq!(app.call("POST", "/api/v1/data/bulk", Some(&thousand)).await.status, 201);
        let more = format!("[{}]", vec![ITEM; 1_001].join(","));
        assert_eq!(app.call("POST", "/api/v1/data/bulk", Some(&more)).await.status, 422);
        assert_eq!(app.get("/api/v1/data").await.json()["total"], 1_000);
    })
    .await;
}

#[tokio::test]
async fn the_summary_is_over_all_items_and_by_category() {
    on_both(async |app| {
        let empty = app.get("/api/v1/data/stats/summary").await.json();
        assert_eq!(
            empty,
            json!({"count": 0, "min": null, "max": null, "mean": null, "sum": 0.0, "categories": []})
        );
        let items = json!([
            {"name": "a", "category": "x", "value": 1}, {"name": "b", "category": "x", "value": 2},
            {"name": "c", "category": "y", "value": -4}
        ]);
        app.call("POST", "/api/v1/data/bulk", Some(&items.to_string())).await;
        let summary = app.get("/api/v1/data/stats/summary").await.json();
        assert_eq!(summary["count"], 3);
        assert_eq!(summary["sum"], -1.0);
        assert_eq!(
            summary["categories"],
            json!([
                {"category": "x", "count": 2, "min": 1.0, "max": 2.0, "mean": 1.5, "sum": 3.0},
                {"category": "y", "count": 1, "min": -4.0, "max": -4.0, "mean": -4.0, "sum": -4.0}
            ])
        );
    })
    .await;
}

#[tokio::test]
async fn the_answer_to_a_wrong_method_names_the_allowed_ones() {
    let app = App::in_memory().await;
    for (path, allowed) in [
        ("/api/v1/data", "GET,HEAD,POST"),
        ("/api/v1/data/bulk", "POST"),
        ("/health", "GET,HEAD"),
    ] {
        let answer = app.call("PATCH", path, None).await;
        assert_eq!(answer.status, 405, "{path}");
        assert_eq!(answer.header("allow"), allowed, "{path}");
    }
}

#[tokio::test]
async fn a_request_id_is_taken_over_if_it_is_plain_and_made_if_not() {
    let app = App::in_memory().await;
    let with = |id: &str| {
        Request::get("/health")
            .header("x-request-id", id)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(app.send(with("abc-1")).await.header("x-request-id"), "abc-1");
    let made = app.send(with("a b{}")).await.header("x-request-id").to_owned();
    assert_ne!(made, "a b{}");
    assert_ne!(app.get("/health").await.header("x-request-id"), made);
}

#[tokio::test]
async fn handlers_find_what_calls_to_other_services_need_to_continue_the_trace() {
    async fn show(request: Request<Body>) -> String {
        let context = request.extensions().get::<TraceContext>().unwrap();
        let state = request.extensions().get::<TraceState>();
        format!("{context} {}", state.map(ToString::to_string).unwrap_or_default())
    }
    let app = App::with(flags("sqlite::memory:"), axum::Router::new().route("/show", get(show))).await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c";
    for (parent, states, wanted) in [
        (trace, &["congo=1", "rojo=2"][..], "congo=1,rojo=2"),
        (trace, &["congo=1", "Rojo=2"], ""),
        ("00-0", &["congo=1"], ""),
    ] {
        let mut request = Request::get("/show").header("traceparent", format!("{parent}-b7ad6b7169203331-01"));
        for state in states {
            request = request.header("tracestate", *state);
        }
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        let (context, state) = answer.text.split_once(' ').unwrap();
        assert_eq!(
            (context.starts_with(trace), state),
            (parent == trace, wanted),
            "{states:?}"
        );
        assert_eq!((answer.header("tracestate"), answer.header("traceparent")), ("", ""));
    }
}

#[tokio::test]
async fn a_broken_store_answers_without_telling_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("canary.db");
    let app = App::with(flags(&url(&file)), axum::Router::new()).await;
    app.state.store().close().await;
    for (method, path, body) in [
        ("GET", "/api/v1/data", None),
        ("GET", "/api/v1/data/1", None),
        ("GET", "/api/v1/data/stats/summary", None),
        ("POST", "/api/v1/data", Some(ITEM)),
        ("DELETE", "/api/v1/data/1", None),
    ] {
        let answer = app.call(method, path, body).await;
        assert_eq!(answer.status, 503, "{method} {path}");
        assert_eq!(answer.header("retry-after"), "1");
        for secret in ["canary", "SELECT", "INSERT", "sqlite", "pool", "/tmp"] {
            assert!(
                !answer.text.to_lowercase().contains(&secret.to_lowercase()),
                "{secret} in {}",
                answer.text
            );
        }
    }
    let ready = app.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["reasons"], json!(["the store does not answer"]));
    assert_eq!(app.get("/health/live").await.status, 200, "a restart heals no database");
}
