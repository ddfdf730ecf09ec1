//! The last minutes in memory: counters, sampled at regular times. Pure; the time is an argument.
//!
//! Bounded by number, not by time: at most [`MAX_SAMPLES`] samples of about 250 bytes, of which the latest
//! [`ROUTE_SAMPLES`] also tell up to [`MAX_ENDPOINTS`] endpoints apart, in about 190 bytes each. An endpoint without
//! requests is stored once, however many samples there are. For this service (about 40 endpoints) that is 0.5 MiB if all
//! of them are busy, and for any other 1.5 MiB at most.

use std::{collections::VecDeque, iter, sync::Arc, time::Duration};

/// How far back the history goes.
pub const KEPT: Duration = Duration::from_secs(15 * 60);
/// The most samples that are kept, even if they are taken in quick succession.
pub const MAX_SAMPLES: usize = 900;
/// Samples that count each endpoint on its own: five minutes' worth, at one sample every 5 s.
pub const ROUTE_SAMPLES: usize = 61;
/// Endpoints that are counted on their own; further ones count in the totals only.
pub const MAX_ENDPOINTS: usize = 128;

/// Counters of requests: from the start to some moment, or between two moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests answered.
    pub requests: u64,
    /// Those answered 5xx.
    pub server_errors: u64,
    /// Time that they took together.
    pub nanoseconds: u64,
    /// Requests by duration; the last bucket has those that took longer than every bound.
    pub buckets: Box<[u64]>,
}

impl RequestCounts {
    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.server_errors += other.server_errors;
        self.nanoseconds += other.nanoseconds;
        if self.buckets.len() < other.buckets.len() {
            self.buckets = iter::repeat_n(0, other.buckets.len()).collect();
        }
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
    }

    /// The difference to an earlier moment. A counter that is lower than before was reset to zero in between.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let began_again = self.requests < earlier.requests
            || self
                .buckets
                .iter()
                .zip(&earlier.buckets)
                .any(|(now, before)| now < before);
        if began_again {
            return self.clone();
        }
        let before = earlier.buckets.iter().copied().chain(iter::repeat(0));
        Self {
            requests: self.requests - earlier.requests,
            server_errors: self.server_errors.saturating_sub(earlier.server_errors),
            nanoseconds: self.nanoseconds.saturating_sub(earlier.nanoseconds),
            buckets: self
                .buckets
                .iter()
                .zip(before)
                .map(|(now, before)| now.saturating_sub(before))
                .collect(),
        }
    }
}

/// One method on one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSample {
    /// The method.
    pub method: &'static str,
    /// The route's template.
    pub route: &'static str,
    /// Its counters at that moment.
    pub counts: RequestCounts,
    /// Requests being served then.
    pub in_flight: u64,
}

/// The state of all counters at one moment.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When, since the process started.
    pub at: Duration,
    /// The sum of all endpoints' counters.
    pub total: RequestCounts,
    /// Requests being served then.
    pub in_flight: u64,
    /// CPU use of the process, percent of what it may use.
    pub cpu_percent: Option<f64>,
    /// Resident memory of the process.
    pub memory_bytes: Option<u64>,
    /// Endpoints, in an order that never changes. Empty in old samples.
    pub endpoints: Box<[Arc<EndpointSample>]>,
}

/// The change of all counters between two moments.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its real length: shorter than the requested one while the process is young.
    pub length: Duration,
    /// Requests of all endpoints.
    pub total: RequestCounts,
    /// Time that the figures of the endpoints cover: less than `length` if older samples do not tell endpoints apart.
    pub endpoints_length: Duration,
    /// Requests of each endpoint that has series.
    pub endpoints: Vec<EndpointSample>,
}

/// The samples.
#[derive(Debug)]
pub struct History {
    samples: VecDeque<Sample>,
    kept: usize,
}

impl History {
    /// Makes an empty history for samples that are taken at this interval.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        let wanted = KEPT.as_nanos() / interval.as_nanos().max(1) + 1;
        let kept = usize::try_from(wanted).unwrap_or(MAX_SAMPLES).clamp(2, MAX_SAMPLES);
        Self {
            // One more than is kept, because a new sample is added before the oldest is removed.
            samples: VecDeque::with_capacity(kept + 1),
            kept,
        }
    }

    /// Adds a sample, and removes the oldest if there are too many.
    pub fn push(&mut self, mut sample: Sample) {
        if let Some(last) = self.samples.back() {
            for (endpoint, before) in sample.endpoints.iter_mut().zip(&last.endpoints) {
                if endpoint == before {
                    *endpoint = Arc::clone(before);
                }
            }
        }
        self.samples.push_back(sample);
        while self.samples.len() > self.kept {
            self.samples.pop_front();
        }
        let old = self.samples.len().checked_sub(ROUTE_SAMPLES + 1);
        if let Some(sample) = old.and_then(|old| self.samples.get_mut(old)) {
            sample.endpoints = Box::default();
        }
    }

    /// The samples, oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The window that ends at `now`, a sample that is not part of the history itself. It begins at the latest sample that
    /// is at least `length` old, or at the oldest one.
    #[must_use]
    pub fn window(&self, length: Duration, now: &Sample) -> Window {
        let begin = now.at.saturating_sub(length);
        let total = self.within(begin, now, |_| true);
        let with_endpoints = self.within(begin, now, |sample| !sample.endpoints.is_empty());
        let mut endpoints: Vec<_> = now
            .endpoints
            .iter()
            .map(|endpoint| EndpointSample {
                counts: RequestCounts::default(),
                ..**endpoint
            })
            .collect();
        for pair in with_endpoints.windows(2) {
            let [earlier, later] = pair else { continue };
            for (place, endpoint) in endpoints.iter_mut().enumerate() {
                let Some(counted) = later.endpoints.get(place) else {
                    continue;
                };
                match earlier.endpoints.get(place) {
                    Some(before) if Arc::ptr_eq(before, counted) => {}
                    Some(before) => endpoint.counts.add(&counted.counts.since(&before.counts)),
                    // It had no series then: all that it counted is new.
                    None => endpoint.counts.add(&counted.counts),
                }
            }
        }
        let mut counted = RequestCounts::default();
        for pair in total.windows(2) {
            let [earlier, later] = pair else { continue };
            counted.add(&later.total.since(&earlier.total));
        }
        let length = |samples: &[&Sample]| now.at.saturating_sub(samples.first().map_or(now.at, |first| first.at));
        Window {
            length: length(&total),
            total: counted,
            endpoints_length: length(&with_endpoints),
            endpoints,
        }
    }

    /// The samples of a window, its end among them.
    fn within<'a>(&'a self, begin: Duration, now: &'a Sample, usable: impl Fn(&Sample) -> bool) -> Vec<&'a Sample> {
        let usable: Vec<_> = self
            .samples
            .iter()
            .filter(|sample| sample.at < now.at && usable(sample))
            .collect();
        let first = usable.iter().rposition(|sample| sample.at <= begin).unwrap_or(0);
        usable.into_iter().skip(first).chain([now]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(requests: u64) -> RequestCounts {
        RequestCounts {
            requests,
            server_errors: requests / 10,
            nanoseconds: requests * 1_000,
            buckets: [requests, 0].into(),
        }
    }

    fn sample(second: u64, requests: &[u64]) -> Sample {
        let endpoint = |requests: &u64| {
            Arc::new(EndpointSample {
                method: "GET",
                route: "/",
                counts: counts(*requests),
                in_flight: 0,
            })
        };
        Sample {
            at: Duration::from_secs(second),
            total: counts(requests.iter().sum()),
            in_flight: 0,
            cpu_percent: None,
            memory_bytes: None,
            endpoints: requests.iter().map(endpoint).collect(),
        }
    }

    fn history(samples: &[(u64, &[u64])]) -> History {
        let mut history = History::new(Duration::from_secs(5));
        for (second, requests) in samples {
            history.push(sample(*second, requests));
        }
        history
    }

    #[test]
    fn a_window_begins_at_the_latest_sample_that_is_old_enough() {
        let history = history(&[(0, &[0]), (5, &[50]), (10, &[60])]);
        let window = history.window(Duration::from_secs(7), &sample(12, &[100]));
        assert_eq!(window.length, Duration::from_secs(7));
        assert_eq!(window.total, counts(50));
        assert_eq!(window.endpoints[0].counts, counts(50));
    }

    #[test]
    fn a_young_process_has_a_shorter_window_and_says_so() {
        let history = history(&[(3, &[10])]);
        let window = history.window(Duration::from_secs(300), &sample(5, &[30]));
        assert_eq!(window.length, Duration::from_secs(2));
        assert_eq!(window.total.requests, 20);
        let nothing = History::new(Duration::from_secs(5)).window(Duration::from_secs(300), &sample(5, &[30]));
        assert_eq!(nothing.length, Duration::ZERO);
        assert_eq!(nothing.total, RequestCounts::default());
    }

    #[test]
    fn a_counter_that_began_again_counts_from_zero() {
        let history = history(&[(0, &[100]), (5, &[200]), (10, &[20])]);
        let window = history.window(Duration::from_secs(60), &sample(15, &[50]));
        assert_eq!(window.total.requests, 100 + 20 + 30);
        assert_eq!(window.total.buckets[0], 150);
    }

    #[test]
    fn an_endpoint_that_came_later_counts_from_its_beginning() {
        let history = history(&[(0, &[10]), (5, &[20])]);
        let window = history.window(Duration::from_secs(60), &sample(10, &[30, 7]));
        let counted: Vec<_> = window.endpoints.iter().map(|e| e.counts.requests).collect();
        assert_eq!(counted, [20, 7]);
        assert_eq!(window.total.requests, 27);
    }

    #[test]
    fn figures_of_endpoints_come_with_the_time_that_they_cover() {
        let mut history = History::new(Duration::from_secs(5));
        for step in 0..181 {
            history.push(sample(step * 5, &[step * 50]));
        }
        let window = history.window(Duration::from_secs(900), &sample(905, &[181 * 50]));
        let rate = |requests: u64, length: Duration| requests as f64 / length.as_secs_f64();
        assert_eq!(window.length, Duration::from_secs(900));
        assert_eq!(rate(window.total.requests, window.length), 10.0);
        assert_eq!(window.endpoints_length, Duration::from_secs(305));
        assert_eq!(rate(window.endpoints[0].counts.requests, window.endpoints_length), 10.0);
    }

    #[test]
    fn the_history_is_bounded_whatever_the_interval() {
        let mut fast = History::new(Duration::from_millis(1));
        for second in 0..2_000 {
            fast.push(sample(second, &[second]));
        }
        assert_eq!(fast.samples().len(), MAX_SAMPLES);
        let with_endpoints = fast.samples().filter(|sample| !sample.endpoints.is_empty());
        assert_eq!(with_endpoints.count(), ROUTE_SAMPLES);
        let mut usual = History::new(Duration::from_secs(5));
        for second in 0..2_000 {
            usual.push(sample(second * 5, &[second]));
        }
        assert_eq!(usual.samples().len(), 181);
        let span = usual.samples().last().unwrap().at - usual.samples().next().unwrap().at;
        assert_eq!(span, KEPT);
    }

    #[test]
    fn the_sample_of_an_endpoint_without_new_requests_is_shared() {
        let history = history(&[(0, &[5, 1]), (5, &[5, 2]), (10, &[6, 2])]);
        let [first, second, third] = history.samples().collect::<Vec<_>>()[..] else {
            panic!()
        };
        let shared = |a: &Sample, b: &Sample| [0, 1].map(|place| Arc::ptr_eq(&a.endpoints[place], &b.endpoints[place]));
        assert_eq!(shared(first, second), [true, false]);
        assert_eq!(shared(second, third), [false, true]);
    }
}
