//! The route of a request to a service that is nested in an axum router (`Router::nest_service`).
//!
//! axum hides the matched path of such a request (axum#1441), because a router inside is to find its own. It still knows
//! the path: a router that is asked with the request's extensions puts it before its own. So a router of one route is
//! asked.

#[cfg(feature = "axum")]
use std::{
    sync::LazyLock,
    task::{Context, Poll, Waker},
};

#[cfg(feature = "axum")]
use axum::{
    Extension, Router,
    body::Body,
    extract::{MatchedPath, NestedPath},
    routing::any,
};
use http::Extensions;
#[cfg(feature = "axum")]
use http::Request;
#[cfg(feature = "axum")]
use tower::Service as _;

/// Where a request is, for which no route of the router itself is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NestedRoute {
    /// No service is nested there.
    NotNested,
    /// At a nested service, whose path this is. All requests of this instance of the layer are.
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "without axum nothing is nested"))]
    Fixed(String),
    /// The same in a router that is itself nested. Its instances may be nested under several paths.
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "without axum nothing is nested"))]
    Inner(Option<String>),
}

impl NestedRoute {
    /// Looks where a request is that has no matched path.
    #[cfg(feature = "axum")]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let path = nested_path(extensions);
        match extensions.get::<NestedPath>() {
            None => path.map_or(Self::NotNested, Self::Fixed),
            // The service that the layer is in is the one that is nested: whatever it answers, it has no route for it.
            Some(own) => Self::Inner(path.filter(|path| path != own.as_str().trim_end_matches('/'))),
        }
    }

    #[cfg(not(feature = "axum"))]
    pub(crate) fn of(_extensions: &Extensions) -> Self {
        Self::NotNested
    }

    /// The path under which the service is nested.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::NotNested => None,
            Self::Fixed(path) => Some(path),
            Self::Inner(path) => path.as_deref(),
        }
    }

    /// Whether another request of the same instance may have another path.
    pub(crate) fn may_change(&self) -> bool {
        match self {
            Self::NotNested | Self::Fixed(_) => false,
            Self::Inner(_) => true,
        }
    }
}

/// The path under which the request's service is nested, as axum knows it.
#[cfg(feature = "axum")]
fn nested_path(extensions: &Extensions) -> Option<String> {
    static ROUTER: LazyLock<Router> =
        LazyLock::new(|| Router::new().route("/", any(|path: MatchedPath| async { Extension(path) })));
    let mut request = Request::new(Body::empty());
    *request.extensions_mut() = extensions.clone();
    let answer = std::pin::pin!(ROUTER.clone().call(request));
    let Poll::Ready(Ok(response)) = answer.poll(&mut Context::from_waker(Waker::noop())) else {
        return None;
    };
    let path = response.extensions().get::<MatchedPath>()?.as_str();
    let path = path.strip_suffix('/').unwrap_or(path);
    (!path.is_empty()).then(|| path.to_owned())
}
