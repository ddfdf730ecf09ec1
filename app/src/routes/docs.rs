//! `GET /docs`: the page that shows `/openapi.json`, and what pages look like. Everything is in the program: no address
//! but our own is asked, and the browser is told so.

use axum::{
    extract::Path,
    http::{HeaderName, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Resource;
use crate::error::{Problem, Slug};

const PAGE: &str = include_str!("../../assets/docs.html");

/// What pages load: name, type, content.
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

/// What a page of ours may do: load our files, ask this service, nothing else. The icon is in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Browsers ask again each time, so that a page never meets the files of another version.
const CACHING: &str = "no-cache";

pub(super) fn resource() -> Resource {
    const GET: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK)];
    Resource::default()
        .at("/docs", GET, get(|| async { page(PAGE) }))
        .at("/docs/{file}", GET, get(file))
}

/// Names of the files that pages load.
pub(super) fn files() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
}

/// A page of ours.
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
