//! The HTTP client: kube's own parts, put together as kube does, but without Nagle's algorithm. With it, the first request of
//! every connection waits for the API server's delayed acknowledgement of the TLS handshake, 40 ms; a start opens a
//! connection for each watch.

use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::Config;
use kube::client::ConfigExt;
use tower::{BoxError, ServiceBuilder};

/// A client for this configuration. It connects when a request is made.
///
/// # Errors
/// The configuration names a proxy, which is not supported, or its certificates or credentials cannot be used.
pub(super) fn connect(config: Config) -> kube::Result<kube::Client> {
    if config.proxy_url.is_some() {
        // Says that proxies are not supported.
        return kube::Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Client::builder(TokioExecutor::new()).build(connector));
    Ok(kube::Client::new(service, config.default_namespace))
}
