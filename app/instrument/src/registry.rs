//! What all layers of one [`HttpMetrics`](crate::HttpMetrics) share: the endpoints, the cap on series, the families.
//!
//! Finding an endpoint takes a lock and hashes a route; a layer does it once for each endpoint and remembers (`layer.rs`).

use std::{
    collections::{HashMap, HashSet},
    sync::{
        OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use metric_contract::{Dialect, StatusStyle};

use crate::{
    endpoint::{Endpoint, Places},
    families::Families,
    http_families::{Http, status_key},
    scale::Bounds,
    verb::Verb,
};

type ByVerb = [Option<&'static Endpoint>; Verb::COUNT];

/// Shared state; leaked on purpose by [`crate::Builder::build`], so that the request path counts no references.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dialect: &'static Dialect,
    pub(crate) status_style: StatusStyle,
    pub(crate) duration_bounds: Bounds,
    pub(crate) size_bounds: Bounds,
    pub(crate) places: Places,
    pub(crate) in_flight: bool,
    pub(crate) body_sizes: bool,
    pub(crate) excluded: HashSet<Box<str>>,
    pub(crate) max_series: usize,
    pub(crate) series: AtomicUsize,
    pub(crate) refused: AtomicU64,
    pub(crate) endpoints: RwLock<Vec<&'static Endpoint>>,
    pub(crate) index: RwLock<HashMap<Box<str>, ByVerb>>,
    pub(crate) unmatched: [OnceLock<&'static Endpoint>; Verb::COUNT],
    pub(crate) instances: AtomicUsize,
    pub(crate) families: Families,
    pub(crate) users: prometheus::Registry,
    /// Length of the last page, so that the next is allocated once.
    pub(crate) page_bytes: AtomicUsize,
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
    pub(crate) fn find(&'static self, verb: Verb, route: Option<&str>) -> Found {
        let Some(route) = route else {
            return Found::Recorded(self.unmatched(verb));
        };
        if self.excluded.contains(route) {
            return Found::Excluded;
        }
        match self.endpoint(verb, route) {
            Some(endpoint) => Found::Recorded(endpoint),
            None => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                Found::Refused(self.unmatched(verb))
            }
        }
    }

    /// The endpoint's series, made on first use. `None`: the cap leaves no room.
    pub(crate) fn endpoint(&'static self, verb: Verb, route: &str) -> Option<&'static Endpoint> {
        let known = self
            .index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(route)
            .copied();
        if let Some(endpoint) = known.and_then(|verbs| verbs.get(verb.index()).copied().flatten()) {
            return Some(endpoint);
        }
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = self.room_for(self.endpoint_series());
        if !has_room && !index.contains_key(route) {
            return None;
        }
        let slot = index.entry(route.into()).or_default().get_mut(verb.index())?;
        if slot.is_none() && has_room {
            self.take_room(self.endpoint_series());
            *slot = Some(self.add_endpoint(verb, route, true));
        }
        *slot
    }

    /// The unmatched route's series. There are at most [`Verb::COUNT`] of them, so the cap does not apply.
    pub(crate) fn unmatched(&'static self, verb: Verb) -> &'static Endpoint {
        match self.unmatched.get(verb.index()) {
            Some(slot) => slot.get_or_init(|| self.add_endpoint(verb, self.dialect.unmatched_route, false)),
            // `index` is below `COUNT`; were it not, a fresh set of series is the harmless answer.
            None => self.add_endpoint(verb, self.dialect.unmatched_route, false),
        }
    }

    fn add_endpoint(&'static self, verb: Verb, route: &str, capped: bool) -> &'static Endpoint {
        let labels = Http::ALL.map(|http| http.labels(self.dialect, verb, route));
        let endpoint: &'static Endpoint = Box::leak(Box::new(Endpoint::new(self, verb, route, capped, labels)));
        self.endpoints
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(endpoint);
        endpoint
    }

    /// Series of a new endpoint before it has answered anything.
    fn endpoint_series(&self) -> usize {
        let sizes = if self.body_sizes {
            2 * self.size_bounds.series()
        } else {
            0
        };
        self.duration_bounds.series() + sizes + usize::from(self.in_flight)
    }

    pub(crate) fn room_for(&self, series: usize) -> bool {
        self.series.load(Ordering::Relaxed).saturating_add(series) <= self.max_series
    }

    pub(crate) fn take_room(&self, series: usize) {
        self.series.fetch_add(series, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn status_key(&self, status: u16) -> u16 {
        status_key(self.status_style, status)
    }

    /// Counts a request whose own series has no room for its status.
    #[cold]
    pub(crate) fn record_refused(&'static self, verb: Verb, status: u16) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.unmatched(verb).record_overflow(status);
    }
}
