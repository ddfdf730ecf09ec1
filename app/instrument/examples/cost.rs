//! What the layer costs: sends requests through a router of twenty routes, bare, under an empty layer, or metered.
//!
//! Made to be counted, not timed. Instructions and allocations of one request are the difference of two runs, so that
//! start-up cancels out:
//!
//! ```text
//! export RUSTFLAGS="-C target-feature=-crt-static"   # valgrind counts allocations of a dynamic libc
//! cargo build --release -p http-instrument --example cost
//! cost=target/$(rustc --print host-tuple)/release/examples/cost
//! for n in 1000 11000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null $cost metered $n; done
//! for n in 1000 11000; do valgrind $cost metered $n; done   # "total heap usage"
//! ```
//!
//! `encode` renders a page of about as many series as the number says, a hundred times, and does tell the time.

use std::{env, process::ExitCode, time::Instant};

use axum::{Json, Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt as _;
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;
use tower::{Layer, Service, ServiceExt as _};

const ROUTES: usize = 20;

/// A layer that does nothing: what axum charges for any.
#[derive(Clone)]
struct Empty;

#[derive(Clone)]
struct Through<S>(S);

impl<S> Layer<S> for Empty {
    type Service = Through<S>;

    fn layer(&self, inner: S) -> Through<S> {
        Through(inner)
    }
}

impl<R, S: Service<R>> Service<R> for Through<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

fn router() -> Router {
    (0..ROUTES).fold(Router::new(), |router, route| {
        let path = format!("/api/v1/resource{route}/{{id}}");
        router.route(&path, get(|| async { Json([1, 2, 3]) }))
    })
}

async fn send(app: Router, requests: usize) {
    for n in 0..requests {
        let path = format!("/api/v1/resource{}/{n}", n % ROUTES);
        let Ok(request) = Request::get(path).body(Body::empty()) else {
            continue;
        };
        let Ok(response) = app.clone().oneshot(request).await;
        drop(response.into_body().collect().await);
    }
}

fn encode(series: usize) {
    let metrics = HttpMetrics::builder(DialectId::Native)
        .max_series(2 * series + 100)
        .build();
    // 14 of the duration, 16 of the sizes, one in flight, two statuses.
    for route in 0..series.div_ceil(33) {
        metrics.expect(
            &axum::http::Method::GET,
            &format!("/api/v1/resource{route}/{{id}}"),
            &[200],
        );
    }
    let page = metrics.render(Format::Text);
    let lines = page.lines().filter(|line| !line.starts_with('#')).count();
    let mut shortest = f64::INFINITY;
    for _ in 0..100 {
        let start = Instant::now();
        std::hint::black_box(metrics.render(Format::Text));
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    println!(
        "{lines} series, {} bytes, {:.1} ns a series at best",
        page.len(),
        shortest * 1e9 / lines as f64
    );
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [what, number] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    let Ok(number) = number.parse() else {
        return ExitCode::from(2);
    };
    // Built once, as a server does: axum builds the layers of a router without `with_state` again for each request.
    let app = match what.as_str() {
        "bare" => router(),
        "empty" => router().layer(Empty),
        "metered" => router().layer(HttpMetrics::default().layer()),
        "encode" => {
            encode(number);
            return ExitCode::SUCCESS;
        }
        _ => return ExitCode::from(2),
    };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else {
        return ExitCode::FAILURE;
    };
    runtime.block_on(send(app.with_state(()), number));
    ExitCode::SUCCESS
}
