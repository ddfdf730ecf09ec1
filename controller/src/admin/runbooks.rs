//! `/runbooks` and `/runbooks/<Alert>`: the runbooks that are compiled into the operator, as plain Markdown. Read-only.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use controller_cli::runbooks;

/// The routes.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/runbooks", get(list))
        .route("/runbooks/{name}", get(runbook))
}

async fn list() -> Response {
    page(StatusCode::OK, names())
}

/// The page of an alert, with or without the ending `.md`. Its name is compared and never part of a path.
async fn runbook(Path(name): Path<String>) -> Response {
    let name = name.strip_suffix(".md").unwrap_or(&name);
    match runbooks::runbook(name) {
        Some(text) => page(StatusCode::OK, text.to_owned()),
        None => page(
            StatusCode::NOT_FOUND,
            format!("There is no runbook of this name. These are there:\n\n{}", names()),
        ),
    }
}

fn names() -> String {
    let names = runbooks::RUNBOOKS.iter();
    names.map(|(name, _)| format!("/runbooks/{name}\n")).collect()
}

/// As plain text, which a browser shows and does not download.
fn page(status: StatusCode, text: String) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let answer = routes::<()>().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_alert_has_a_page_that_the_list_names() {
        let (status, list) = get("/runbooks").await;
        assert_eq!(status, StatusCode::OK);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/runbooks");
        let pages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let alerts: Vec<_> = pages
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert!(alerts.len() >= 7, "{alerts:?}");
        for alert in alerts {
            assert!(list.contains(&format!("/runbooks/{alert}\n")), "{alert}");
            for path in [format!("/runbooks/{alert}"), format!("/runbooks/{alert}.md")] {
                let (status, text) = get(&path).await;
                assert_eq!(status, StatusCode::OK);
                assert!(text.starts_with(&format!("# {alert}\n")), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn another_name_is_told_what_is_there_and_reads_no_file() {
        for path in [
            "/runbooks/Nothing",
            "/runbooks/..%2F..%2FREADME",
            "/runbooks/%3Cscript%3E",
        ] {
            let (status, text) = get(path).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert!(
                text.contains("/runbooks/ApiDown") && !text.contains("<script"),
                "{text}"
            );
        }
    }
}
