//! An OpenTelemetry collector that keeps what it gets.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use super::process::PATIENCE;

/// Serves as long as the test runs.
pub struct Collector {
    pub address: SocketAddr,
    exports: Exports,
}

/// What a request had.
struct Export {
    headers: HeaderMap,
    request: ExportTraceServiceRequest,
}

type Exports = Arc<Mutex<Vec<Export>>>;

impl Collector {
    pub fn start() -> Self {
        Self::serving(None)
    }

    /// One that speaks TLS; the certificate that it has is put into a file.
    pub fn with_tls(certificate: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(certificate, made.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self::serving(Some(Arc::new(config).into()))
    }

    fn serving(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let exports = Exports::default();
        let router = Router::new()
            .route("/v1/traces", post(keep))
            .with_state(Arc::clone(&exports));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        thread::spawn(move || runtime.block_on(serve(listener, router, tls)));
        Self { address, exports }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn spans(&self) -> Vec<Span> {
        let exports = self.exports.lock().unwrap();
        exports
            .iter()
            .flat_map(|export| &export.request.resource_spans)
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| scope.spans.clone())
            .collect()
    }

    /// Waits for a span with this name.
    pub fn span(&self, name: &str) -> Span {
        let start = Instant::now();
        loop {
            let spans = self.spans();
            if let Some(span) = spans.iter().find(|span| span.name == name) {
                return span.clone();
            }
            let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
            assert!(start.elapsed() < PATIENCE, "no span {name:?} among {names:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// An attribute of the service that sent the last spans.
    pub fn resource(&self, key: &str) -> Option<String> {
        let exports = self.exports.lock().unwrap();
        let resource = exports.last()?.request.resource_spans.first()?.resource.as_ref()?;
        text(&resource.attributes, key)
    }

    /// A header of the last request.
    pub fn header(&self, name: &str) -> Option<String> {
        let exports = self.exports.lock().unwrap();
        let value = exports.last()?.headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }
}

/// An attribute's value as text.
pub fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => panic!("{key} is {other:?}"),
    })
}

async fn keep(State(exports): State<Exports>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    exports.lock().unwrap().push(Export { headers, request });
    StatusCode::OK
}

async fn serve(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let Some(tls) = tls else {
        return axum::serve(listener, router).await.unwrap();
    };
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            // A client that does not trust it breaks off here.
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = TowerToHyperService::new(router);
            let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            drop(served.await);
        });
    }
}
