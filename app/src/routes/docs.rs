//! `GET /docs`: the page that shows `/openapi.json`, and the style and script of all pages. Everything is embedded in the
//! program: a page loads nothing from other addresses, and a policy header makes the browser hold it to that.

use axum::{
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};

use serde_json::json;

use super::{endpoint::Endpoint, schemas::any_text};
use crate::error::{Problem, Slug};

const PAGE: &str = include_str!("../../assets/docs.html");

/// Files that pages load: name, media type, content.
const FILES: [(&str, &str, &str); 2] = [
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!("../../assets/style.css"),
    ),
    (
        "docs.js",
        "text/javascript; charset=utf-8",
        include_str!("../../assets/docs.js"),
    ),
];

/// Lets a page load files of this service and call this service, nothing else. The icon is in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browsers ask again each time, so that a page never meets the files of another version.
const CACHING: &str = "no-cache";

pub(super) fn endpoints() -> Vec<Endpoint> {
    let files: Vec<_> = FILES.iter().map(|(name, ..)| *name).collect();
    vec![
        Endpoint::get("/docs", "docs", "A page to read and try the API", || async {
            page(PAGE)
        })
        .response_as(StatusCode::OK, "The page", "text/html", any_text),
        Endpoint::get("/docs/{file}", "docsFile", "Script and style of the pages", file)
            .path(
                "file",
                "Its name",
                json!({"type": "string", "enum": files}),
                "style.css",
            )
            .response_as(StatusCode::OK, "The file", "text/css", any_text)
            .response_as(StatusCode::OK, "", "text/javascript", any_text)
            .problem(Slug::NotFound),
    ]
}

/// A response with a page.
pub(super) fn page(text: impl IntoResponse) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, CACHING),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
        ],
        text,
    )
        .into_response()
}

async fn file(Path(wanted): Path<String>) -> Result<impl IntoResponse, Problem> {
    let found = FILES.iter().find(|(name, ..)| *name == wanted);
    let (_, media_type, text) = found.ok_or_else(|| Problem::new(Slug::NotFound, "There is no file of this name"))?;
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, CACHING),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, *text))
}
