//! What all layers of one [`HttpMetrics`](crate::HttpMetrics) share: the endpoints, the cap on series, the families.
//!
//! Finding an endpoint takes a lock and hashes a route; a layer does it once for each endpoint and remembers (`layer.rs`).

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError, RwLock, atomic::AtomicUsize},
};

use metric_contract::DialectRow;

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

/// What the layers of one [`HttpMetrics`](crate::HttpMetrics) share; leaked on purpose by [`crate::Builder::build`], so
/// that the request path counts no references.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) recording: Recording,
    pub(crate) is_on: bool,
    /// The dialect's rows that are exported.
    pub(crate) rows: Box<[DialectRow]>,
    /// Those of them that the layer records, in their order.
    pub(crate) http: Box<[HttpFamily]>,
    pub(crate) metrics_path: Box<str>,
    pub(crate) excluded: Box<[Box<str>]>,
    pub(crate) ignores_unmatched: bool,
    /// Series of an endpoint before it has answered anything.
    pub(crate) endpoint_series: usize,
    pub(crate) endpoints: RwLock<Vec<&'static Endpoint>>,
    pub(crate) routes: RwLock<HashMap<Box<str>, Route>>,
    /// One for each value of the extra label.
    pub(crate) unmatched: Box<[OnceLock<&'static Endpoint>]>,
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
    /// By method and extra_label.
    endpoints: Box<[Option<&'static Endpoint>]>,
    /// Its methods are known beforehand; whatever else a client asks for is not among them.
    is_declared: bool,
}

/// Where a request is recorded, and whether the answer may be remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lookup {
    /// Into these series.
    Recorded(&'static Endpoint),
    /// Nowhere: the route is excluded.
    Excluded,
    /// Into the unmatched route's, because the cap leaves no room. May change, so ask again.
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

    /// A request that no route and method is for.
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

    /// The method under which a request to a route counts. `None`: the route's methods were declared, and it is none of them.
    fn counted_as(&self, method: MethodLabel, route: &str) -> Option<MethodLabel> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = routes.get(route).filter(|known| known.is_declared) else {
            return Some(method);
        };
        let declares = |method: MethodLabel| known.endpoints.get(method.index()).copied().flatten().is_some();
        // What answers GET answers HEAD.
        let stands_for = if method == MethodLabel::Head {
            MethodLabel::Get
        } else {
            method
        };
        [method, stands_for].into_iter().find(|method| declares(*method))
    }

    /// Makes the series of a route's method exist; from now on the route has the methods that are declared, and no other.
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

    /// The endpoint's series, made on first use. `None`: the cap leaves no room.
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

    /// The series of what no route and method is for: one set, whatever clients invent. The cap does not apply.
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
            // The number is always below their count; were it not, a fresh set of series would do no harm.
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
