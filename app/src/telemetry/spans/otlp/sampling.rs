//! Bounds the traces that callers can have recorded. The flag `sampled` and the trace's id are in a header that anybody can
//! write, so neither may decide alone how many spans are sent and stored.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use super::tally::Tally;
use crate::config::CallerSampler;

/// Records what callers ask for up to a number a second. Beyond it, and for requests without a caller, chance decides with
/// the ratio of the settings.
#[derive(Debug, Clone)]
pub(super) struct BoundedByCaller {
    settings: CallerSampler,
    ratio: Sampler,
    budget: Arc<Mutex<Budget>>,
}

impl BoundedByCaller {
    pub(super) fn new(settings: CallerSampler) -> Self {
        Self {
            settings,
            ratio: Sampler::TraceIdRatioBased(settings.ratio),
            budget: Arc::new(Mutex::new(Budget::new(Instant::now()))),
        }
    }

    /// Whether the budget of callers leaves room for one more. Logs now and then that it does not.
    fn take(&self) -> bool {
        let limit = self.settings.traces_per_second;
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if budget.take(limit, now) {
            return true;
        }
        let due = budget.refused.add(1, now);
        drop(budget);
        if let Some(requests) = due {
            tracing::warn!(
                requests,
                limit,
                "callers ask for more traces than MAX_CALLER_TRACES: raise it if you trust all callers"
            );
        }
        false
    }
}

impl ShouldSample for BoundedByCaller {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let by_ratio = |trace| self.ratio.should_sample(parent, trace, name, kind, attributes, links);
        let result = by_ratio(trace);
        let caller = parent.map(|parent| parent.span().span_context().clone());
        let Some(caller) = caller.filter(|caller| caller.is_valid()) else {
            return result;
        };
        let wants = match self.settings.follows_caller {
            true => caller.is_sampled(),
            false => result.decision == SamplingDecision::RecordAndSample,
        };
        let decision = match wants {
            false => SamplingDecision::Drop,
            true if self.take() => SamplingDecision::RecordAndSample,
            // Not by the trace's id: the caller has chosen that, too.
            true => by_ratio(TraceId::from(fastrand::u128(1..))).decision,
        };
        SamplingResult { decision, ..result }
    }
}

/// What callers have had recorded within the present second.
#[derive(Debug)]
struct Budget {
    second: Instant,
    taken: u32,
    refused: Tally,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self {
            second: now,
            taken: 0,
            refused: Tally::default(),
        }
    }

    /// Takes one of so many a second; `false` if there is none left.
    fn take(&mut self, limit: u32, now: Instant) -> bool {
        if now.duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.taken = 0;
        }
        let has_room = self.taken < limit;
        self.taken += u32::from(has_room);
        has_room
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceState};

    use super::*;

    fn sampler(ratio: f64, follows_caller: bool, traces_per_second: u32) -> BoundedByCaller {
        BoundedByCaller::new(CallerSampler {
            ratio,
            follows_caller,
            traces_per_second,
        })
    }

    /// How many of 1,000 requests with this caller are recorded.
    fn recorded(sampler: &BoundedByCaller, trace: u128, is_sampled: bool) -> usize {
        let caller = SpanContext::new(
            TraceId::from(trace),
            SpanId::from(7),
            TraceFlags::default().with_sampled(is_sampled),
            true,
            TraceState::from_key_value([("a", "1")]).unwrap(),
        );
        let parent = Context::new().with_remote_span_context(caller);
        let results = (0..1_000).map(|_| {
            let result = sampler.should_sample(Some(&parent), TraceId::from(trace), "", &SpanKind::Server, &[], &[]);
            assert_eq!(result.trace_state.header(), "a=1");
            result.decision
        });
        results
            .filter(|decision| *decision == SamplingDecision::RecordAndSample)
            .count()
    }

    #[test]
    fn a_second_has_room_for_so_many_and_the_next_one_again() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let later = start + Duration::from_secs(1);
        assert_eq!([start; 3].map(|now| budget.take(2, now)), [true, true, false]);
        assert_eq!([later; 3].map(|now| budget.take(2, now)), [true, true, false]);
        assert!(!budget.take(0, later + Duration::from_secs(1)));
    }

    #[test]
    fn callers_cannot_have_more_recorded_than_the_limit_and_the_ratio_whatever_id_they_choose() {
        // A second may pass within the loop.
        for follows_caller in [true, false] {
            let few = recorded(&sampler(0.1, follows_caller, 10), 1, true);
            assert!((50..=300).contains(&few), "{few}");
        }
        let none = recorded(&sampler(0.0, true, 0), 1, true);
        assert_eq!(none, 0);
        let bounded = recorded(&sampler(0.0, true, 10), 1, true);
        assert!((10..=30).contains(&bounded), "{bounded}");
        assert_eq!(recorded(&sampler(0.0, true, 10_000), 1, true), 1_000);
    }

    #[test]
    fn a_caller_that_does_not_record_is_followed() {
        assert_eq!(recorded(&sampler(0.9, true, 10), 1, false), 0);
        assert_eq!(recorded(&sampler(0.1, false, 10_000), u128::MAX, false), 0);
    }

    #[test]
    fn without_a_caller_the_ratio_decides() {
        let sampler = sampler(0.5, true, 0);
        let decisions = [1, u64::MAX].map(|low| {
            let trace = TraceId::from(u128::from(low));
            let result = sampler.should_sample(Some(&Context::new()), trace, "", &SpanKind::Server, &[], &[]);
            result.decision
        });
        assert_eq!(decisions, [SamplingDecision::RecordAndSample, SamplingDecision::Drop]);
    }
}
