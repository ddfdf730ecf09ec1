//! What all layers of one [`HttpMetrics`](crate::HttpMetrics) share: the endpoints, the cap on series, the families.
//!
//! Finding an endpoint takes a lock and hashes a route; a layer does it once for each endpoint and remembers (`layer.rs`).

use std::{
    collections::HashMap,
    sync::{
        Mutex, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use metric_contract::{Dialect, DialectRow};

use crate::{
    details::{ErrorName, StatusPlaces},
    endpoint::{Endpoint, Places},
    exchange::Function,
    families::Families,
    pattern,
    scale::Bounds,
    series::Index,
    spelling::HttpFamily,
    variant::Variants,
    verb::Verb,
};

/// Shared state; leaked on purpose by [`crate::Builder::build`], so that the request path counts no references.
#[derive(Debug)]
pub(crate) struct Shared {
    // What the request path reads stands together.
    pub(crate) duration_bounds: Bounds,
    pub(crate) size_bounds: Bounds,
    pub(crate) places: Places,
    pub(crate) slow_nanoseconds: u64,
    /// Durations are rounded to a multiple of this.
    pub(crate) rounding_nanoseconds: u64,
    pub(crate) body_sizes: bool,
    pub(crate) empty_bodies: bool,
    /// Requests carry something to their end: a trace, or what functions read.
    pub(crate) carries: bool,
    /// Some family tells durations or sizes by status.
    pub(crate) by_status: Option<StatusPlaces>,
    pub(crate) variants: Variants,

    pub(crate) is_on: bool,
    pub(crate) dialect: &'static Dialect,
    /// The dialect's rows that are exported.
    pub(crate) rows: Box<[DialectRow]>,
    /// Those of them that the layer records, in their order.
    pub(crate) http: Box<[HttpFamily]>,
    pub(crate) counts_exceptions: bool,
    pub(crate) exemplars: bool,
    pub(crate) functions: Box<[Function]>,
    pub(crate) metrics_path: Box<str>,
    pub(crate) excluded: Box<[Box<str>]>,
    pub(crate) ignores_unmatched: bool,
    pub(crate) max_series: usize,
    /// Series of an endpoint before it has answered anything.
    pub(crate) endpoint_series: usize,
    /// Series that a status adds to an endpoint.
    pub(crate) status_series: usize,
    pub(crate) started: Instant,

    pub(crate) series: AtomicUsize,
    pub(crate) refused: AtomicU64,
    pub(crate) endpoints: RwLock<Vec<&'static Endpoint>>,
    pub(crate) routes: RwLock<HashMap<Box<str>, Route>>,
    /// One for each variant.
    pub(crate) unmatched: Box<[OnceLock<&'static Endpoint>]>,
    pub(crate) instances: AtomicUsize,
    pub(crate) index: Mutex<Index>,
    pub(crate) families: Families,
    pub(crate) users: prometheus::Registry,
    /// Length of the last page, so that the next is allocated once.
    pub(crate) page_bytes: AtomicUsize,
}

/// The endpoints of a route.
#[derive(Debug)]
pub(crate) struct Route {
    /// By verb and variant.
    endpoints: Box<[Option<&'static Endpoint>]>,
    /// Its methods are known beforehand; whatever else a client asks for is not among them.
    is_declared: bool,
}

/// Where a request is recorded, and whether the answer may be remembered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found {
    /// Into these series.
    Recorded(&'static Endpoint),
    /// Nowhere: the route is excluded.
    Excluded,
    /// Into the unmatched route's, because the cap leaves no room. May change, so ask again.
    Refused(&'static Endpoint),
}

impl Shared {
    pub(crate) fn find(&'static self, verb: Verb, variant: u8, route: Option<&str>) -> Found {
        if !self.is_on {
            return Found::Excluded;
        }
        let Some(route) = route else {
            return self.outside(variant);
        };
        if self.excludes(route) {
            return Found::Excluded;
        }
        let Some(verb) = self.counted_as(verb, route) else {
            return self.outside(variant);
        };
        match self.endpoint(verb, variant, route) {
            Some(endpoint) => Found::Recorded(endpoint),
            None => {
                self.count_refused();
                Found::Refused(self.unmatched(variant))
            }
        }
    }

    /// A request that no route and method is for.
    fn outside(&'static self, variant: u8) -> Found {
        if self.ignores_unmatched {
            Found::Excluded
        } else {
            Found::Recorded(self.unmatched(variant))
        }
    }

    pub(crate) fn excludes(&self, route: &str) -> bool {
        self.excluded.iter().any(|pattern| pattern::fits(pattern, route))
    }

    /// The method under which a request to a route counts. `None`: the route's methods were declared, and it is none of them.
    fn counted_as(&self, verb: Verb, route: &str) -> Option<Verb> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = routes.get(route).filter(|known| known.is_declared) else {
            return Some(verb);
        };
        let declares = |verb: Verb| known.endpoints.get(verb.index()).copied().flatten().is_some();
        // What answers GET answers HEAD.
        let stands_for = if verb == Verb::Head { Verb::Get } else { verb };
        [verb, stands_for].into_iter().find(|verb| declares(*verb))
    }

    /// Makes the series of a route's method exist; from now on the route has the methods that are declared, and no other.
    pub(crate) fn declare(&'static self, verb: Verb, route: &str) -> Option<&'static Endpoint> {
        let endpoint = self.endpoint(verb, 0, route)?;
        if let Some(known) = self
            .routes
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(route)
        {
            known.is_declared = true;
        }
        if self.counts_exceptions {
            endpoint.expect_exception(ErrorName::PANIC);
        }
        Some(endpoint)
    }

    /// The endpoint's series, made on first use. `None`: the cap leaves no room.
    fn endpoint(&'static self, verb: Verb, variant: u8, route: &str) -> Option<&'static Endpoint> {
        let place = usize::from(variant) * Verb::COUNT + verb.index();
        let held = |known: &Route| known.endpoints.get(place).copied().flatten();
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(endpoint) = routes.get(route).and_then(held) {
            return Some(endpoint);
        }
        drop(routes);
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = self.room_for(self.endpoint_series);
        if !has_room && !routes.contains_key(route) {
            return None;
        }
        let known = routes.entry(route.into()).or_insert_with(|| Route {
            endpoints: vec![None; self.variants.count() * Verb::COUNT].into_boxed_slice(),
            is_declared: false,
        });
        let slot = known.endpoints.get_mut(place)?;
        if slot.is_none() && has_room {
            self.take_room(self.endpoint_series);
            *slot = Some(self.add_endpoint(verb, variant, route, true));
        }
        *slot
    }

    /// The series of what no route and method is for: one set, whatever clients invent. The cap does not apply.
    pub(crate) fn unmatched(&'static self, variant: u8) -> &'static Endpoint {
        let make = || self.add_endpoint(Verb::Other, variant, self.dialect.unmatched_route, false);
        match self.unmatched.get(usize::from(variant)) {
            Some(slot) => slot.get_or_init(make),
            // A variant is below their count; were it not, a fresh set of series is the harmless answer.
            None => make(),
        }
    }

    fn add_endpoint(&'static self, verb: Verb, variant: u8, route: &str, capped: bool) -> &'static Endpoint {
        let endpoint: &'static Endpoint = Box::leak(Box::new(Endpoint::new(self, verb, variant, route, capped)));
        self.endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(endpoint);
        endpoint
    }

    pub(crate) fn room_for(&self, series: usize) -> bool {
        self.series.load(Ordering::Relaxed).saturating_add(series) <= self.max_series
    }

    pub(crate) fn take_room(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request whose own series has no room for its status.
    #[cold]
    pub(crate) fn record_refused(&'static self, endpoint: &Endpoint, status: u16) {
        self.count_refused();
        self.unmatched(endpoint.variant).record_overflow(status);
    }

    /// A duration as it is recorded.
    #[inline]
    pub(crate) fn rounded(&self, nanoseconds: u64) -> u64 {
        match self.rounding_nanoseconds {
            0 | 1 => nanoseconds,
            step => (nanoseconds.saturating_add(step / 2) / step).saturating_mul(step),
        }
    }

    /// Minutes since the metrics were built, from 1.
    pub(crate) fn minute(&self) -> u64 {
        1 + self.started.elapsed().as_secs() / 60
    }
}
