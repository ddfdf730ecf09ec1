//! The pages work without any other address than the service's own.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod common;

use axum::{body::Body, http::Request};
use common::{Answer, App};

async fn as_browser(app: &App, path: &str) -> Answer {
    let request = Request::get(path).header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    app.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn pages_may_load_nothing_but_files_of_this_service_and_those_exist() {
    let app = App::in_memory().await;
    for path in ["/", "/docs"] {
        let page = as_browser(&app, path).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{path}: {policy}"
        );
        assert!(
            !page.text.contains("<style") && !page.text.contains(" onclick"),
            "{path}: the policy forbids it"
        );
        for attribute in ["src=\"", "rel=\"stylesheet\" href=\""] {
            for rest in page.text.split(attribute).skip(1) {
                let file = rest.split('"').next().unwrap();
                let answer = app.get(file).await;
                assert_eq!(answer.status, 200, "{path} loads {file}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff", "{file}");
                assert!(!answer.text.contains("://"), "{file} names another address");
            }
        }
    }
    assert_eq!(app.get("/docs/other.js").await.status, 404);
}

#[tokio::test]
async fn the_index_page_links_to_what_the_json_links_to() {
    let app = App::in_memory().await;
    let page = as_browser(&app, "/").await;
    for link in app.get("/").await.json()["links"].as_array().unwrap() {
        let link = link.as_str().unwrap();
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(
        !page.text.contains(['{', '}']),
        "nothing is left to be filled in: {}",
        page.text
    );
    assert_eq!(page.header("vary"), "accept");
}
