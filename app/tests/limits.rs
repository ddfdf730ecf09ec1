//! Limits, phases, and requests that do not end well, in this process.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::{convert::Infallible, time::Duration};

use app::state::Phase;
use axum::{Router, body::Body, http::Request, routing::get};
use common::{App, eventually, flags};

const MIB: usize = 1 << 20;

fn in_progress(route: &str) -> String {
    format!("http_requests_in_progress{{method=\"GET\",route=\"{route}\"}}")
}

fn post(body: Body) -> Request<Body> {
    Request::post("/api/v1/data")
        .header("content-type", "application/json")
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
    let app = App::in_memory().await;
    let announced = Request::post("/api/v1/data")
        .header("content-type", "application/json")
        .header("content-length", MIB + 1);
    let announced = app.send(announced.body(Body::empty()).unwrap()).await;
    assert_eq!(announced.status, 413);
    assert_eq!(announced.json()["type"], "urn:problem:body-too-large");
    let chunks = futures::stream::iter((0..17).map(|_| Ok::<_, Infallible>(vec![b' '; MIB / 16])));
    assert_eq!(app.send(post(Body::from_stream(chunks))).await.status, 413);
    let exactly = format!("{}\"name\"", " ".repeat(MIB - 6));
    assert_eq!(
        app.send(post(Body::from(exactly))).await.status,
        422,
        "a body of the limit is read"
    );
}

#[tokio::test]
async fn a_body_of_many_small_values_is_refused_before_it_is_parsed() {
    let app = App::in_memory().await;
    let body = format!("{{\"a\":[{}]}}", vec![r#"{"":0}"#; 149_000].join(","));
    assert!(body.len() < MIB);
    for path in ["/users", "/api/users", "/api/v1/data", "/api/v1/data/bulk", "/products"] {
        let answer = app.call("POST", path, Some(&body)).await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.json()["type"], "urn:problem:body-too-large", "{path}");
        assert!(answer.text.contains("JSON values"), "{}", answer.text);
    }
    let limits = app.state.limits();
    assert_eq!(app.state.body_memory().available_permits(), limits.bodies_bytes());
}

#[tokio::test]
async fn the_parsed_form_of_a_body_takes_from_the_memory_for_bodies() {
    let app = App::in_memory().await;
    let body = format!("{{\"a\":[{}]}}", vec![r#"{"":0}"#; 20_000].join(","));
    let budget = app.state.limits().bodies_bytes();
    let most = u32::try_from(budget - 4 * MIB).unwrap();
    let others = app.state.body_memory().try_acquire_many_owned(most).unwrap();
    assert_eq!(app.call("POST", "/users", Some(&body)).await.status, 503);
    drop(others);
    assert_eq!(app.call("POST", "/users", Some(&body)).await.status, 200);
    assert_eq!(app.state.body_memory().available_permits(), budget);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let mut flags = flags("sqlite::memory:");
    flags.body_timeout = Some("50ms".into());
    let app = App::with(flags, Router::new()).await;
    let never = futures::stream::pending::<Result<Vec<u8>, Infallible>>();
    let answer = app.send(post(Body::from_stream(never))).await;
    assert_eq!(answer.status, 408);
    assert_eq!(answer.header("connection"), "close");
}

#[tokio::test]
async fn over_the_limit_of_requests_the_api_says_503_and_probes_and_metrics_go_on() {
    let mut flags = flags("sqlite::memory:");
    flags.max_concurrent_requests = Some("2".into());
    let app = App::with(flags, Router::new().route("/hold", get(std::future::pending::<()>))).await;
    let held: Vec<_> = (0..2)
        .map(|_| {
            let router = app.router.clone();
            tokio::spawn(async move {
                tower::ServiceExt::oneshot(router, Request::get("/hold").body(Body::empty()).unwrap()).await
            })
        })
        .collect();
    eventually("two requests are held", async || {
        app.sample(&in_progress("/hold")).await == Some(2.0)
    })
    .await;
    let refused = app.get("/api/v1/data").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["type"], "urn:problem:overloaded");
    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/health/startup",
        "/metrics",
    ] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    for request in held {
        request.abort();
    }
    eventually("room again", async || app.get("/api/v1/data").await.status == 200).await;
    assert_eq!(app.sample(&in_progress("/hold")).await, Some(0.0));
}

#[tokio::test]
async fn a_request_that_the_client_gives_up_is_no_longer_in_flight() {
    let app = App::in_memory().await;
    let router = app.router.clone();
    let slow = tokio::spawn(async move {
        tower::ServiceExt::oneshot(router, Request::get("/api/slow").body(Body::empty()).unwrap()).await
    });
    eventually("in flight", async || {
        app.sample(&in_progress("/api/slow")).await == Some(1.0)
    })
    .await;
    slow.abort();
    eventually("gone", async || {
        app.sample(&in_progress("/api/slow")).await == Some(0.0)
    })
    .await;
}

async fn fall() -> &'static str {
    #[expect(clippy::panic, reason = "what is tested")]
    {
        panic!("secret of the handler")
    }
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_500_counted_and_not_in_flight() {
    let app = App::with(flags("sqlite::memory:"), Router::new().route("/panic", get(fall))).await;
    for _ in 0..3 {
        let answer = app.get("/panic").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.json()["type"], "urn:problem:internal");
        assert!(!answer.text.contains("secret"));
    }
    assert_eq!(app.sample("http_panics_total").await, Some(3.0));
    assert_eq!(
        app.sample("http_requests_total{method=\"GET\",route=\"/panic\",status=\"500\"}")
            .await,
        Some(3.0)
    );
    assert_eq!(app.sample("api_errors_total{error_type=\"internal\"}").await, Some(3.0));
    assert_eq!(app.sample(&in_progress("/panic")).await, Some(0.0));
    assert_eq!(app.get("/api/v1/data").await.status, 200, "permits are given back");
}

#[tokio::test]
async fn before_migrations_are_done_the_api_waits_and_probes_say_so() {
    let app = App::starting(flags("sqlite::memory:"), Router::new());
    for (path, status) in [
        ("/api/v1/data", 503),
        ("/health/ready", 503),
        ("/health/startup", 503),
        ("/health/live", 200),
        ("/health", 200),
    ] {
        assert_eq!(app.get(path).await.status, status, "{path}");
    }
    app.state.store().migrate().await.unwrap();
    app.state.enter(Phase::Serving);
    for path in ["/api/v1/data", "/health/ready", "/health/startup"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn while_draining_readiness_says_no_and_everything_else_goes_on() {
    let app = App::in_memory().await;
    app.state.enter(Phase::Draining);
    app.state.enter(Phase::Serving);
    assert_eq!(app.state.phase(), Phase::Draining, "a drain is not undone");
    for (path, status) in [
        ("/health/ready", 503),
        ("/health/startup", 200),
        ("/health/live", 200),
        ("/api/v1/data", 200),
    ] {
        assert_eq!(app.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn large_responses_that_wait_for_their_clients_are_bounded() {
    let more = Router::new().route("/large", get(|| async { vec![b'x'; 3 * MIB] }));
    let app = App::with(flags("sqlite::memory:"), more).await;
    let most = app.state.limits().responses_bytes();
    let large = || Request::get("/large").body(Body::empty()).unwrap();
    let mut waiting = Vec::new();
    loop {
        let response = tower::ServiceExt::oneshot(app.router.clone(), large()).await.unwrap();
        if response.status() == 503 {
            break;
        }
        waiting.push(response);
    }
    assert_eq!(waiting.len(), most / (3 * MIB));
    assert_eq!(app.get("/products").await.status, 200, "small ones go on");
    assert_eq!(app.get("/metrics").await.status, 200);
    assert_eq!(app.get("/large").await.json()["type"], "urn:problem:overloaded");
    waiting.pop();
    assert_eq!(app.get("/large").await.status, 200);
    waiting.clear();
    assert_eq!(app.state.response_memory().available_permits(), most);
}

#[tokio::test]
async fn slow_requests_leave_room_for_others() {
    let mut flags = flags("sqlite::memory:");
    flags.max_concurrent_requests = Some("8".into());
    let app = App::with(flags, Router::new()).await;
    let slow = || {
        let router = app.router.clone();
        tokio::spawn(async move {
            let request = Request::get("/api/slow").body(Body::empty()).unwrap();
            tower::ServiceExt::oneshot(router, request).await.unwrap().status()
        })
    };
    let held: Vec<_> = (0..20).map(|_| slow()).collect();
    eventually("two wait, the others are refused", async || {
        app.sample(&in_progress("/api/slow")).await == Some(2.0)
    })
    .await;
    assert_eq!(app.get("/products").await.status, 200);
    held.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_process_that_is_stopped_while_it_starts_opens_nothing() {
    let app = App::starting(flags("sqlite::memory:"), Router::new());
    app.state.enter(Phase::Draining);
    for (path, status) in [
        ("/products", 503),
        ("/api/v1/data", 503),
        ("/health/ready", 503),
        ("/health/startup", 503),
        ("/health/live", 200),
    ] {
        assert_eq!(app.get(path).await.status, status, "{path}");
    }
    assert_eq!(app.get("/products").await.json()["type"], "urn:problem:starting");
    app.state.store().migrate().await.unwrap();
    app.state.enter(Phase::Serving);
    assert_eq!(app.get("/products").await.status, 200, "prepared after all");
    assert_eq!(app.get("/health/ready").await.status, 503, "and still draining");
}

#[tokio::test]
async fn a_writer_that_is_busy_for_longer_than_a_second_is_answered_503() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data.db");
    let app = App::with(flags(&common::url(&file)), Router::new()).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let mut other = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let item = r#"{"name":"a","category":"c","value":1}"#;
    let refused = tokio::time::timeout(Duration::from_secs(10), app.call("POST", "/api/v1/data", Some(item)))
        .await
        .unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(refused.json()["type"], "urn:problem:store-unavailable");
    assert_eq!(app.get("/api/v1/data").await.status, 200, "readers are not blocked");
    assert_eq!(
        app.sample("database_operations_total{operation=\"insert\",table=\"data\",status=\"error\"}")
            .await,
        Some(1.0)
    );
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(app.call("POST", "/api/v1/data", Some(item)).await.status, 201);
}

/// A service with a file, and another connection that holds the lock to write.
async fn with_a_lock() -> (App, tempfile::TempDir, sqlx::SqliteConnection) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("data.db");
    let app = App::with(flags(&common::url(&file)), Router::new()).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let other = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options)
        .await
        .unwrap();
    (app, directory, other)
}

#[tokio::test]
async fn a_write_whose_client_leaves_still_takes_the_user_out_of_the_cache() {
    let (app, _directory, mut other) = with_a_lock().await;
    assert_eq!(app.call("POST", "/users", Some(r#"{"name":"Ada"}"#)).await.status, 200);
    eventually("the user has been welcomed", async || {
        let welcomed = "background_tasks_total{task_type=\"user_welcome_email\",status=\"succeeded\"}";
        app.sample(welcomed).await == Some(1.0)
    })
    .await;
    assert_eq!(app.get("/users/1").await.status, 200);
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let router = app.router.clone();
    let removing = tokio::spawn(async move {
        tower::ServiceExt::oneshot(router, Request::delete("/users/1").body(Body::empty()).unwrap()).await
    });
    eventually("it waits for the lock", async || {
        app.sample("http_requests_in_progress{method=\"DELETE\",route=\"/users/{id}\"}")
            .await
            == Some(1.0)
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    removing.abort();
    eventually("the client is gone", async || {
        app.sample("http_requests_in_progress{method=\"DELETE\",route=\"/users/{id}\"}")
            .await
            == Some(0.0)
    })
    .await;
    assert_eq!(
        app.get("/users/1").await.status,
        200,
        "it is there until the lock is free"
    );
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    eventually("the user is gone, from the cache too", async || {
        app.get("/users/1").await.status == 404
    })
    .await;
    assert_eq!(
        app.sample("app_active_users").await,
        Some(0.0),
        "what follows a write is done"
    );
    let deleted = "database_operations_total{operation=\"delete\",table=\"users\",status=\"success\"}";
    assert_eq!(app.sample(deleted).await, Some(1.0));
    eventually("its place is free", async || {
        app.state.permits().available_permits() == app.state.limits().concurrent_requests
    })
    .await;
}

#[tokio::test]
async fn lists_that_take_all_their_connections_leave_one_to_other_requests() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::with(flags(&common::url(&directory.path().join("data.db"))), Router::new()).await;
    let item = r#"{"name":"a","category":"c","value":1}"#;
    assert_eq!(app.call("POST", "/api/v1/data", Some(item)).await.status, 201);
    let lists = (0..200).map(|_| app.get("/api/v1/data?q=a"));
    let one = async {
        for _ in 0..20 {
            assert_eq!(app.get("/api/v1/data/1").await.status, 200);
        }
    };
    let (lists, ()) = tokio::join!(futures::future::join_all(lists), one);
    assert!(lists.iter().any(|answer| answer.status == 200));
}

#[tokio::test]
async fn however_many_ask_for_readiness_they_share_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::with(flags(&common::url(&directory.path().join("data.db"))), Router::new()).await;
    let all = (0..3_000).map(|_| app.get("/health/ready"));
    let started = std::time::Instant::now();
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert!(started.elapsed() < Duration::from_secs(20));
}
