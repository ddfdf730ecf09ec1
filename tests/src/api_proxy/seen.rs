//! The verb and the object of a request to the API server, derived from its method and path.

use std::time::Instant;

use axum::http::{Method, Uri};

/// A request as the proxy understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// As in the audit log: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verb: &'static str,
    /// Plural of the kind.
    pub resource: String,
    /// Such as `status`; mostly empty.
    pub subresource: String,
    /// Namespace; empty for cluster-scoped kinds and for lists over all namespaces.
    pub namespace: String,
    /// Name of the object; empty for lists.
    pub name: String,
    /// When it arrived.
    pub at: Instant,
    /// The HTTP status that the API server (or the proxy, when it breaks) answered; `None` if it never did.
    pub code: Option<u16>,
}

impl Seen {
    /// Whether it is a write. Writes to a Lease do not count, because it is renewed at any time.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self.verb, "create" | "update" | "patch" | "delete") && self.resource != "leases"
    }
}

/// Verb and object from method and path.
pub(super) fn understand(method: &Method, uri: &Uri) -> Seen {
    let mut parts = uri.path().split('/').filter(|part| !part.is_empty());
    let grouped = parts.next() == Some("apis");
    let rest: Vec<_> = parts.skip(if grouped { 2 } else { 1 }).map(str::to_owned).collect();
    let part = |index: usize| rest.get(index).cloned().unwrap_or_default();
    // `namespaces/shop` is the Namespace itself, `namespaces/shop/pods` is what lives there.
    let (namespace, first) = if part(0) == "namespaces" && rest.len() > 2 {
        (part(1), 2)
    } else {
        (String::new(), 0)
    };
    let name = part(first + 1);
    let watch = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1")));
    let verb = match method.as_str() {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ if watch => "watch",
        _ if name.is_empty() => "list",
        _ => "get",
    };
    Seen {
        verb,
        resource: part(first),
        subresource: part(first + 2),
        namespace,
        name,
        at: Instant::now(),
        code: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(method: &str, path: &str) -> [String; 5] {
        let seen = understand(&method.parse().unwrap(), &path.parse().unwrap());
        [
            seen.verb.to_owned(),
            seen.resource,
            seen.subresource,
            seen.namespace,
            seen.name,
        ]
    }

    #[test]
    fn verb_and_object_follow_from_method_and_path() {
        let apis = "/apis/monitoredapi.io/v1alpha1";
        for (method, path, wanted) in [
            (
                "GET",
                "/api/v1/services?limit=500".to_owned(),
                ["list", "services", "", "", ""],
            ),
            (
                "GET",
                "/api/v1/services?watch=true&resourceVersion=1".to_owned(),
                ["watch", "services", "", "", ""],
            ),
            (
                "GET",
                "/api/v1/namespaces/shop".to_owned(),
                ["get", "namespaces", "", "", "shop"],
            ),
            (
                "POST",
                "/api/v1/namespaces/shop/events".to_owned(),
                ["create", "events", "", "shop", ""],
            ),
            (
                "PATCH",
                "/api/v1/namespaces/shop/services/orders".to_owned(),
                ["patch", "services", "", "shop", "orders"],
            ),
            (
                "PUT",
                format!("{apis}/namespaces/shop/monitoredapis/orders/status"),
                ["update", "monitoredapis", "status", "shop", "orders"],
            ),
        ] {
            assert_eq!(understood(method, &path), wanted.map(str::to_owned), "{method} {path}");
        }
    }
}
