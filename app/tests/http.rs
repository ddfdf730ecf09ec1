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
};
use common::{App, flags, url};
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

#[tokio::test]
async fn each_call_is_answered_with_its_status() {
    const BULK: &str = r#"[{"name":"a","category":"c","value":1},{"name":"b","category":"c","value":2}]"#;
    let rows: &[(&str, &str, Option<&str>, u16, &str)] = &[
        ("GET", "/", None, 200, ""),
        ("HEAD", "/", None, 200, ""),
        ("GET", "/health", None, 200, ""),
        ("GET", "/health/live", None, 200, ""),
        ("GET", "/health/ready", None, 200, ""),
        ("GET", "/health/startup", None, 200, ""),
        ("GET", "/metrics", None, 200, ""),
        ("GET", "/api/error", None, 500, "deliberate"),
        ("GET", "/api/v1/data", None, 200, ""),
        ("POST", "/api/v1/data", Some(ITEM), 201, ""),
        ("GET", "/api/v1/data/1", None, 200, ""),
        ("PUT", "/api/v1/data/1", Some(ITEM), 200, ""),
        ("POST", "/api/v1/data/bulk", Some(BULK), 201, ""),
        ("GET", "/api/v1/data/stats/summary", None, 200, ""),
        ("DELETE", "/api/v1/data/1", None, 204, ""),
        ("DELETE", "/api/v1/data/1", None, 404, "not-found"),
        ("GET", "/api/v1/data/1", None, 404, "not-found"),
        ("PUT", "/api/v1/data/1", Some(ITEM), 404, "not-found"),
        ("GET", "/api/v1/data/one", None, 422, "invalid-request"),
        ("GET", "/api/v1/data/99999999999999999999", None, 422, "invalid-request"),
        ("GET", "/nowhere", None, 404, "not-found"),
        ("GET", "/api/v1/data/1/2", None, 404, "not-found"),
        ("DELETE", "/api/v1/data", None, 405, "method-not-allowed"),
        ("POST", "/health", None, 405, "method-not-allowed"),
        ("POST", "/api/v1/data", Some("{"), 400, "malformed-body"),
        ("POST", "/api/v1/data", Some(""), 400, "malformed-body"),
        ("POST", "/api/v1/data", Some("[]"), 422, "invalid-request"),
        ("POST", "/api/v1/data", None, 415, "unsupported-media-type"),
        ("POST", "/api/v1/data/bulk", Some("[]"), 422, "invalid-request"),
    ];
    on_both(async |app| {
        for (method, path, body, status, slug) in rows {
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
async fn what_is_stored_is_what_comes_back() {
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

        // Query, how many in all, values of the items.
        let rows: &[(&str, u32, &[u32])] = &[
            ("limit=3", 30, &[0, 1, 2]),
            ("limit=2&offset=29", 30, &[29]),
            ("offset=100", 30, &[]),
            ("sort=-value&limit=2", 30, &[29, 28]),
            ("sort=category&limit=2", 30, &[0, 3]),
            ("sort=-category&limit=2", 30, &[1, 2]),
            ("category=a&limit=3", 10, &[0, 3, 6]),
            ("category=A", 0, &[]),
            ("q=ITEM%200&limit=2", 10, &[0, 1]),
            ("q=%25", 0, &[]),
            ("min_value=5&max_value=6", 2, &[5, 6]),
            ("active=false&limit=2", 15, &[1, 3]),
            ("created_after=2000-01-01T00:00:00Z&limit=1", 30, &[0]),
            ("created_before=2000-01-01T00:00:00Z", 0, &[]),
            ("category=b&active=true&min_value=10&sort=-value&limit=2", 7, &[28, 26]),
        ];
        for (query, total, values) in rows {
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
            json!([{"index": 1, "field": "name", "detail": "must be a text of 1 to 200 characters"}])
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
async fn a_wrong_method_is_told_the_right_ones() {
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
