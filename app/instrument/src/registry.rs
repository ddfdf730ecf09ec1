//! What all layers of one [`HttpMetrics`](crate::HttpMetrics) share: the endpoints, the cap on series, the families.
//!
//! Finding an endpoint takes a lock and hashes the route, so a service of the layer caches what it found (`layer.rs`).

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError, RwLock, atomic::AtomicUsize},
};

use crate::{
    endpoint::Endpoint,
    families::Families,
    http_family::HttpFamily,
    method_label::MethodLabel,
    optional_metrics::ErrorName,
    pattern,
    recording::{Overflow, Recording},
    series::Index,
};

/// What the layers of one [`HttpMetrics`](crate::HttpMetrics) share. [`crate::Builder::build`] leaks it on purpose, so
/// that no request clones an `Arc`.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) recording: Recording,
    pub(crate) is_on: bool,
    /// The families of the dialect's rows that the layer records, in the same order.
    pub(crate) http: Box<[HttpFamily]>,
    pub(crate) metrics_path: Box<str>,
    pub(crate) excluded: Box<[Box<str>]>,
    pub(crate) ignores_unmatched: bool,
    /// Series of an endpoint before it has answered anything.
    pub(crate) endpoint_series: usize,
    pub(crate) endpoints: RwLock<Vec<&'static Endpoint>>,
    pub(crate) routes: RwLock<HashMap<Box<str>, Route>>,
    /// The endpoints of requests that match no route, one for each value of the extra label; made on first use.
    pub(crate) unmatched: Box<[OnceLock<&'static Endpoint>]>,
    /// Services that the layers have made so far.
    pub(crate) instances: AtomicUsize,
    pub(crate) index: Mutex<Index>,
    pub(crate) families: Families,
    /// The registry of users' own metrics.
    pub(crate) users: prometheus::Registry,
    /// Length of the last page, so that the next is allocated once.
    pub(crate) page_bytes: AtomicUsize,
}

/// The endpoints of a route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Indexed by extra label and method, see [`Registry::endpoint`].
    endpoints: Box<[Option<&'static Endpoint>]>,
    /// Whether the route's methods were declared. Then requests with another method count as matching no route.
    is_declared: bool,
}

/// Where a request is recorded, and whether that may be cached.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup {
    /// In this endpoint's series. May be cached.
    Recorded(&'static Endpoint),
    /// Nowhere, because the route is excluded. May be cached.
    Excluded,
    /// In the unmatched route's series, because the cap leaves no room for the route's own. Must not be cached: the
    /// next request may be recorded elsewhere.
    OverLimit(&'static Endpoint),
}

impl Registry {
    pub(crate) fn find(&'static self, method: MethodLabel, extra_label: u8, route: Option<&str>) -> Lookup {
        if !self.is_on {
            return Lookup::Excluded;
        }
        let Some(route) = route else {
            return self.outside(extra_label);
        };
        if self.excludes(route) {
            return Lookup::Excluded;
        }
        let Some(method) = self.counted_as(method, route) else {
            return self.outside(extra_label);
        };
        match self.endpoint(method, extra_label, route) {
            Some(endpoint) => Lookup::Recorded(endpoint),
            None => {
                self.recording.count_refused();
                Lookup::OverLimit(self.unmatched(extra_label))
            }
        }
    }

    /// The lookup of a request that matches no route, or no declared method of its route.
    fn outside(&'static self, extra_label: u8) -> Lookup {
        if self.ignores_unmatched {
            Lookup::Excluded
        } else {
            Lookup::Recorded(self.unmatched(extra_label))
        }
    }

    pub(crate) fn excludes(&self, route: &str) -> bool {
        self.excluded.iter().any(|pattern| pattern::fits(pattern, route))
    }

    /// The method under which a request to a route counts. `None` if the route's methods were declared and this is none
    /// of them.
    fn counted_as(&self, method: MethodLabel, route: &str) -> Option<MethodLabel> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = routes.get(route).filter(|known| known.is_declared) else {
            return Some(method);
        };
        let declares = |method: MethodLabel| known.endpoints.get(method.index()).copied().flatten().is_some();
        // A handler of GET also answers HEAD.
        let stands_for = if method == MethodLabel::Head {
            MethodLabel::Get
        } else {
            method
        };
        [method, stands_for].into_iter().find(|method| declares(*method))
    }

    /// Makes the series of a method on a route exist. After that, only declared methods count as the route's.
    pub(crate) fn declare(&'static self, method: MethodLabel, route: &str) -> Option<&'static Endpoint> {
        let endpoint = self.endpoint(method, 0, route)?;
        if let Some(known) = self
            .routes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(route)
        {
            known.is_declared = true;
        }
        if self.recording.counts_exceptions {
            endpoint.optional.expect_exception(&self.recording, ErrorName::PANIC);
        }
        Some(endpoint)
    }

    /// The endpoint, made on first use. `None` if the cap leaves no room for its series.
    fn endpoint(&'static self, method: MethodLabel, extra_label: u8, route: &str) -> Option<&'static Endpoint> {
        let place = usize::from(extra_label) * MethodLabel::COUNT + method.index();
        let held = |known: &Route| known.endpoints.get(place).copied().flatten();
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = routes.get(route).and_then(held) {
            return Some(endpoint);
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = self.recording.has_room(self.endpoint_series);
        if !has_room && !routes.contains_key(route) {
            return None;
        }
        let known = routes.entry(route.into()).or_insert_with(|| Route {
            endpoints: vec![None; self.recording.extra_label.count() * MethodLabel::COUNT].into_boxed_slice(),
            is_declared: false,
        });
        let slot = known.endpoints.get_mut(place)?;
        if slot.is_none() && has_room {
            self.recording.add_series(self.endpoint_series);
            *slot = Some(self.add_endpoint(method, extra_label, route, true));
        }
        *slot
    }

    /// The endpoint of requests that match no route. There is one for each value of the extra label, so clients cannot
    /// add series; the cap does not apply to it.
    pub(crate) fn unmatched(&'static self, extra_label: u8) -> &'static Endpoint {
        let make = || {
            self.add_endpoint(
                MethodLabel::Other,
                extra_label,
                self.recording.dialect.unmatched_route,
                false,
            )
        };
        match self.unmatched.get(usize::from(extra_label)) {
            Some(slot) => slot.get_or_init(make),
            // Cannot happen, because the index is always below the number of values.
            None => make(),
        }
    }

    fn add_endpoint(
        &'static self,
        method: MethodLabel,
        extra_label: u8,
        route: &str,
        capped: bool,
    ) -> &'static Endpoint {
        let endpoint: &'static Endpoint = Box::leak(Box::new(Endpoint::new(
            &self.recording,
            method,
            extra_label,
            route,
            capped,
        )));
        self.endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(endpoint);
        endpoint
    }
}

impl Overflow for Registry {
    fn record_overflow(&'static self, extra_label: u8, status: u16) {
        self.unmatched(extra_label).record_overflow(status);
    }
}
