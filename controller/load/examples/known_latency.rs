//! An HTTP/1.1 server that answers every request after a given time and keeps count of how long it really took: what the figures of
//! a load generator are compared with. `known_latency [MILLISECONDS]` prints its address, and `GET /known` what it knows.
#![expect(clippy::print_stdout, reason = "the address is read from there")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpSocket;

/// Connections that wait to be accepted while the server is stopped. Where there are more, the kernel of the client tries again after
/// a second, which is not known here.
const BACKLOG: u32 = 4_096;

/// Served times, ns.
type Known = Arc<Mutex<Histogram<u64>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let millis = std::env::args().nth(1).map_or(Ok(0), |text| text.parse())?;
    let latency = Duration::from_millis(millis);
    let known: Known = Arc::new(Mutex::new(Histogram::new_with_bounds(1_000, 600_000_000_000, 3)?));
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let listener = socket.listen(BACKLOG)?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let known = Arc::clone(&known);
        let service = service_fn(move |request| answer(request, latency, Arc::clone(&known)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    request: Request<Incoming>,
    latency: Duration,
    known: Known,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let begin = Instant::now();
    let times = || known.lock().unwrap_or_else(PoisonError::into_inner);
    if request.uri().path() == "/known" {
        // What was counted until now is told once: the next test begins anew.
        let mut times = times();
        let seconds = |quantile| times.value_at_quantile(quantile) as f64 / 1e9;
        let text = format!(
            r#"{{"requests": {}, "p50Seconds": {}, "p99Seconds": {}, "maxSeconds": {}}}"#,
            times.len(),
            seconds(0.5),
            seconds(0.99),
            seconds(1.0)
        );
        times.reset();
        return Ok(Response::new(text.into()));
    }
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let took = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    times().saturating_record(took);
    Ok(Response::new(Bytes::from_static(b"ok\n").into()))
}
