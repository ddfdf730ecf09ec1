//! `/compute/{n}` takes a core for long, and nothing else notices.

mod common;

use std::time::{Duration, Instant};

use common::{App, eventually, process::Program};

#[tokio::test]
async fn the_answer_has_the_number_and_the_time() {
    let app = App::in_memory().await;
    let answer = app.get("/compute/20").await.json();
    assert_eq!(answer["n"], 20);
    assert_eq!(answer["result"], 6_765);
    assert!(answer["processing_time_ms"].as_f64().unwrap() > 0.0);
    for n in ["46", "-1", "1.5", "x", "4294967296"] {
        let problem = app.get(&format!("/compute/{n}")).await;
        assert_eq!(problem.status, 422, "{n}");
        assert_eq!(problem.json()["errors"][0]["field"], "n");
    }
}

#[tokio::test]
async fn more_than_the_queue_takes_is_answered_503_and_the_api_keeps_answering() {
    let app = std::sync::Arc::new(App::in_memory().await);
    // More than wait (32) and run on any machine that this runs on, fewer than requests that are admitted (256).
    let asked = (0..200).map(|_| {
        let app = app.clone();
        tokio::spawn(async move { app.get("/compute/45").await })
    });
    let mut asked: Vec<_> = asked.collect();
    eventually("one is refused", async || asked.iter().any(|task| task.is_finished())).await;
    let refused = asked.iter().position(|task| task.is_finished()).unwrap();
    let refused = asked.swap_remove(refused).await.unwrap();
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.json()["type"], "urn:problem:overloaded");
    for path in ["/health/live", "/health/ready", "/metrics", "/api/v1/data"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    // As clients that leave: nothing that is still queued is computed, or this test would not end.
    asked.iter().for_each(tokio::task::JoinHandle::abort);
    drop(asked);
    eventually("there is room again", async || {
        app.get("/compute/1").await.status == 200
    })
    .await;
}

#[test]
fn a_client_that_leaves_frees_the_thread_that_computes_for_it() {
    let program = Program::ready(&[]);
    let clients: Vec<_> = (0..30)
        .map(|_| {
            let mut stream = program.connect();
            std::io::Write::write_all(&mut stream, b"GET /compute/45 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    program.wait_until("they are in flight", |program| {
        let page = program.get("/metrics").unwrap().body;
        page.contains("http_requests_in_progress{method=\"GET\",route=\"/compute/{n}\"} 30")
    });
    let live = Instant::now();
    assert_eq!(program.get("/health/live").unwrap().status, 200);
    assert!(live.elapsed() < Duration::from_secs(2), "{:?}", live.elapsed());
    drop(clients);
    let started = Instant::now();
    assert_eq!(program.get("/compute/10").unwrap().status, 200);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
