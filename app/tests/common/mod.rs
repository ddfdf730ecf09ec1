//! Shared by the tests of the API: the service in this process, or the program in a process of its own.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program includes this file and uses a part"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

pub mod client;
#[cfg(feature = "otlp")]
pub mod collector;
pub mod document;
pub mod load;
pub mod page;
pub mod process;

use std::{path::Path, time::Duration};

use app::{
    config::{Config, Flags, Surroundings},
    routes,
    state::{AppState, Phase},
    store::Store,
    telemetry::{Metrics, Tracer},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value;
use tower::ServiceExt as _;

/// The service in this process.
pub struct App {
    pub state: AppState,
    pub router: Router,
}

/// Its response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub fn flags(database: &str) -> Flags {
    Flags {
        database_url: Some(database.to_owned()),
        ..Flags::default()
    }
}

pub fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

impl App {
    pub async fn in_memory() -> Self {
        Self::with(flags("sqlite::memory:"), Router::new()).await
    }

    /// A service that has started.
    pub async fn with(flags: Flags, more: Router<AppState>) -> Self {
        let app = Self::starting(flags, more);
        app.state.store().migrate().await.unwrap();
        app.state.enter(Phase::Serving);
        app
    }

    /// A service whose migrations have not run.
    pub fn starting(flags: Flags, more: Router<AppState>) -> Self {
        let surroundings = Surroundings {
            is_terminal: false,
            has_data_directory: false,
        };
        let config = Config::from_flags(&flags, surroundings).unwrap();
        Self::traced(&config, Tracer::default(), more)
    }

    /// A service whose migrations have not run, with spans.
    pub fn traced(config: &Config, tracer: Tracer, more: Router<AppState>) -> Self {
        let metrics = Metrics::new(config, routes::unmeasured()).unwrap();
        let store = Store::open(&config.database, metrics.store()).unwrap();
        let state = AppState::new(config, store, metrics, tracer);
        let router = routes::service_with(state.clone(), more);
        Self { state, router }
    }

    /// The JSON under a path, which answers with 200.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        answer.json()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        };
        document::expect(
            self.state.metrics().enabled(),
            &method,
            &path,
            answer.status,
            answer.header("content-type"),
        );
        answer
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    /// A call with a JSON body, if there is one.
    pub async fn call(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        self.send(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap())
            .await
    }

    /// The value of one sample of the metrics page.
    pub async fn sample(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics").await.text;
        page.lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }
}

/// Waits until something holds; fails after ten seconds.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within ten seconds");
}

/// Whether the abuse campaign runs with its full numbers (`ABUSE=full`), which take minutes and want a quiet machine.
pub fn is_full_campaign() -> bool {
    std::env::var("ABUSE").is_ok_and(|value| value == "full")
}
