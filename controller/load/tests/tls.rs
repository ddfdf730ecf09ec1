//! Encrypted connections: whose certificates are accepted, and HTTP/2 by ALPN.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use controller_load::plan::Trust;
use controller_load::status::StatusSet;
use controller_load::{ClosedLoop, Limits, LoadError, Mode, Plan, Report};
use http::{HeaderMap, Method, Response, Version};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server with a certificate for localhost that nobody vouches for, and the certificate. It answers 200 to HTTP/2, 201 to HTTP/1.1.
fn serve(protocols: &[&str]) -> (SocketAddr, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(acceptor.clone(), stream));
            }
        });
    });
    (told.recv().unwrap(), cert.pem())
}

async fn answer(acceptor: TlsAcceptor, stream: tokio::net::TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = service_fn(|request: http::Request<Incoming>| async move {
        let status = if request.version() == Version::HTTP_2 { 200 } else { 201 };
        let response = Response::builder()
            .status(status)
            .body(Full::new(Bytes::from_static(b"ok")));
        Ok::<_, Infallible>(response.unwrap())
    });
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn run(address: SocketAddr, trust: Trust, http2: bool) -> Result<Report, LoadError> {
    let plan = Plan {
        targets: vec![format!("https://localhost:{}/", address.port()).parse().unwrap()],
        method: Method::GET,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        http2,
        connections: 4,
        timeout: Duration::from_secs(30),
        expected: StatusSet::below_500(),
        trust,
        mode: Mode::Closed(ClosedLoop {
            requests: 10,
            concurrency: 2,
            at_most: Duration::from_secs(60),
        }),
        limits: Limits::default(),
    };
    let (progress, _looks) = mpsc::channel();
    controller_load::run(plan, progress)
}

#[test]
fn a_certificate_is_accepted_only_where_somebody_vouches_for_it() {
    let (address, pem) = serve(&["h2", "http/1.1"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("root.pem");
    std::fs::write(&file, pem).unwrap();

    let refused = run(address, Trust::PublicRoots, false).unwrap_err();
    assert!(refused.to_string().contains("--cacert"), "{refused}");
    let vouched = run(address, Trust::File(file), false).unwrap();
    assert_eq!(vouched.steps[0].statuses, [(201, 10)].into());
    let anyone = run(address, Trust::Everyone, true).unwrap();
    assert_eq!(anyone.steps[0].statuses, [(200, 10)].into());
}

#[test]
fn a_server_without_http2_is_told_before_the_test() {
    let (address, _) = serve(&["http/1.1"]);
    let error = run(address, Trust::Everyone, true).unwrap_err();
    assert!(matches!(error, LoadError::NoHttp2 { .. }), "{error}");
}

#[test]
fn a_file_without_certificates_is_told_with_its_name() {
    let (address, _) = serve(&["http/1.1"]);
    for (content, named) in [
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nx", "root.pem"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("root.pem");
        std::fs::write(&file, content).unwrap();
        let error = run(address, Trust::File(file), false).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("use a PEM file"), "{error}");
    }
}
