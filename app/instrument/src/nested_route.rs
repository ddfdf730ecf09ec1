//! The route of a request to a service that is nested in an axum router (`Router::nest_service`).
//!
//! axum hides the matched path of such a request (axum#1441), because a router inside the service will match a path of
//! its own. But axum still keeps it in the request's extensions, and puts it in front of the path that an inner router
//! matches. So we call a router with the one route `/` with these extensions, and read the path that it reports.

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

/// The place of a request that has no matched path: at a nested service, or nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NestedRoute {
    /// The request is not for a nested service.
    NotNested,
    /// The request is for a service nested under this path, as are all requests of this service of the layer.
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "without axum nothing is nested"))]
    Fixed(String),
    /// The request is for a service in a router that is itself nested, maybe under several paths. `None` if that
    /// router has no route for the request.
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "without axum nothing is nested"))]
    Inner(Option<String>),
}

impl NestedRoute {
    /// Finds the place of a request that has no matched path.
    #[cfg(feature = "axum")]
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let path = nested_path(extensions);
        match extensions.get::<NestedPath>() {
            None => path.map_or(Self::NotNested, Self::Fixed),
            // If the path is that of the nested router itself, the router has no route for the request.
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

    /// Whether another request of the same service of the layer may have another path.
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
