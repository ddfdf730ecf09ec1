//! HTTP for the exporter. The SDK's thread has no runtime, so requests run on ours; they are bounded by the exporter's
//! timeout. Over TLS the public authorities are trusted, which are built in: an image may have no files of them.

use std::{error::Error, path::Path};

use async_trait::async_trait;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, hyper::HyperClient};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::runtime::Handle;

use super::ExportError;
use crate::config::Collector;

#[derive(Debug)]
pub(super) struct OnRuntime {
    client: HyperClient<HttpsConnector<HttpConnector>>,
    runtime: Handle,
}

impl OnRuntime {
    /// Makes a client whose requests run on the current tokio runtime.
    pub(super) fn new(collector: &Collector) -> Result<Self, ExportError> {
        let connector = HttpsConnectorBuilder::new();
        let connector = match &collector.certificate {
            Some(path) => connector.with_tls_config(trusting(path)?),
            None => connector.with_provider_and_webpki_roots(ring::default_provider())?,
        };
        let connector = connector.https_or_http().enable_http1().build();
        Ok(Self {
            client: HyperClient::new(connector, collector.timeout, None),
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move { client.send_bytes(request).await });
        // The exporter's own error would say only that the request failed.
        answer
            .await?
            .inspect_err(|error| tracing::debug!(?error, "a request to the collector failed"))
    }
}

/// TLS that trusts the authorities of a PEM file and no others.
fn trusting(path: &Path) -> Result<ClientConfig, ExportError> {
    let roots = read_roots(path).map_err(|source| ExportError::Certificate {
        path: path.to_owned(),
        source,
    })?;
    Ok(ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn read_roots(path: &Path) -> Result<RootCertStore, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    if roots.is_empty() {
        return Err("it has none".into());
    }
    Ok(roots)
}
