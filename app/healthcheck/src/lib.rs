//! Asks a service for its health, for containers that have no shell and no curl: the subcommand `healthcheck` of both
//! binaries. Plain HTTP, no TLS, no redirects, no proxy.

use std::time::Duration;

use ureq::Agent;

/// How long the whole exchange may take. Docker's and Kubernetes' usual timeouts are longer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Bytes of an answer that are shown at most: the reason why a service is not healthy is a line.
const MAX_ANSWER: u64 = 4096;

/// Why a service does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// Not a URL that can be asked.
    #[error("{url} is not a valid URL: use http://HOST:PORT/PATH, for example http://127.0.0.1:8080/healthz")]
    Url {
        /// What was given.
        url: String,
    },
    /// No answer.
    #[error("{url} does not answer: {source}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        source: ureq::Error,
    },
    /// An answer that is not 2xx.
    #[error("{url} answered {status}: {text}")]
    Unhealthy {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The text of the answer.
        text: String,
    },
}

/// Asks a URL. The service is healthy if the answer is 2xx.
///
/// # Errors
///
/// The URL cannot be asked, nothing answers in time, or the answer is not 2xx.
pub fn check(url: &str) -> Result<(), HealthcheckError> {
    let refused = || HealthcheckError::Url { url: url.to_owned() };
    if !url.starts_with("http://") {
        return Err(refused());
    }
    let config = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build();
    let mut answer = Agent::new_with_config(config)
        .get(url)
        .call()
        .map_err(|source| match source {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => refused(),
            source => HealthcheckError::Unreachable {
                url: url.to_owned(),
                source,
            },
        })?;
    if answer.status().is_success() {
        return Ok(());
    }
    let text = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_string();
    Err(HealthcheckError::Unhealthy {
        url: url.to_owned(),
        status: answer.status().as_u16(),
        text: text.unwrap_or_default().trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn server(answer: &'static str) -> String {
        server_on("127.0.0.1", answer)
    }

    fn server_on(host: &str, answer: &'static str) -> String {
        let listener = TcpListener::bind(format!("{host}:0")).unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        });
        url
    }

    #[test]
    fn a_healthy_service_passes() {
        check(&server("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok\n")).unwrap();
        check(&server("HTTP/1.1 204 No Content\r\n\r\n")).unwrap();
    }

    #[test]
    fn an_address_of_either_kind_is_asked_with_and_without_a_port() {
        for host in ["127.0.0.1", "[::1]"] {
            let url = server_on(host, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok\n");
            assert!(url.starts_with(&format!("http://{host}:")), "{url}");
            check(&url).unwrap();
            // Whatever is on port 80 here: the URL is a valid one.
            let other = check(&format!("http://{host}/"));
            assert!(!matches!(other, Err(HealthcheckError::Url { .. })), "{other:?}");
        }
    }

    #[test]
    fn an_unhealthy_one_fails_with_its_own_words() {
        let answer = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\nthe event loop hangs\n";
        let error = check(&server(answer)).unwrap_err();
        assert!(
            error.to_string().contains("answered 503: the event loop hangs"),
            "{error}"
        );
    }

    #[test]
    fn a_redirect_is_not_followed_and_not_healthy() {
        let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        let error = check(&server(answer)).unwrap_err();
        assert!(error.to_string().contains("answered 302"), "{error}");
    }

    #[test]
    fn only_plain_http_urls_are_asked() {
        for url in [
            "https://127.0.0.1/",
            "http:///x",
            "127.0.0.1:80",
            "http://a/ HTTP/1.1\r\nx:",
        ] {
            let error = check(url).unwrap_err();
            assert!(
                error.to_string().contains("use http://HOST:PORT/PATH"),
                "{url}: {error}"
            );
        }
    }

    #[test]
    fn a_service_that_does_not_listen_is_unreachable() {
        let error = check("http://127.0.0.1:1/health").unwrap_err();
        assert!(matches!(error, HealthcheckError::Unreachable { .. }), "{error}");
    }
}
