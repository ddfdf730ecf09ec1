//! What happened when, by the intended start of the requests, in intervals that grow with the length of the test: its memory is
//! bounded.

use std::time::Duration;

use crate::histogram::Times;

/// Intervals at most: as many as a chart can show.
const MOST_INTERVALS: usize = 240;
/// The width at the start. It doubles when there would be too many intervals.
const FIRST_WIDTH: Duration = Duration::from_millis(125);

/// Intervals of equal width from the start of what is counted.
#[derive(Debug)]
pub(crate) struct Timeline {
    width: Duration,
    intervals: Vec<Interval>,
}

/// The requests that were to start in an interval.
#[derive(Debug, Clone)]
pub(crate) struct Interval {
    pub(crate) scheduled: u64,
    pub(crate) errors: u64,
    /// Of the answered requests and those that took too long.
    pub(crate) latencies: Times,
}

impl Interval {
    fn empty() -> Self {
        Self {
            scheduled: 0,
            errors: 0,
            latencies: Times::coarse(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.errors += other.errors;
        self.latencies.merge(&other.latencies);
    }
}

impl Timeline {
    pub(crate) const fn new() -> Self {
        Self {
            width: FIRST_WIDTH,
            intervals: Vec::new(),
        }
    }

    pub(crate) const fn width(&self) -> Duration {
        self.width
    }

    pub(crate) fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The interval of a time after the start.
    pub(crate) fn at(&mut self, time: Duration) -> Option<&mut Interval> {
        while self.index(time) >= MOST_INTERVALS {
            self.double();
        }
        let index = self.index(time);
        if index >= self.intervals.len() {
            self.intervals.resize_with(index + 1, Interval::empty);
        }
        self.intervals.get_mut(index)
    }

    fn index(&self, time: Duration) -> usize {
        usize::try_from(time.as_nanos() / self.width.as_nanos()).unwrap_or(usize::MAX)
    }

    fn double(&mut self) {
        self.width *= 2;
        let pairs = self.intervals.chunks(2).filter_map(|pair| {
            let (first, second) = pair.split_first()?;
            let mut merged = first.clone();
            second.iter().for_each(|second| merged.merge(second));
            Some(merged)
        });
        self.intervals = pairs.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_test_has_wider_intervals_and_loses_no_request() {
        let mut timeline = Timeline::new();
        for second in 0..3_600 {
            let interval = timeline.at(Duration::from_secs(second)).unwrap();
            interval.scheduled += 1;
            interval.latencies.add(Duration::from_millis(second));
        }
        let intervals = timeline.intervals();
        assert!(intervals.len() <= MOST_INTERVALS && intervals.len() > MOST_INTERVALS / 2 - 1);
        assert_eq!(timeline.width(), Duration::from_secs(16));
        assert_eq!(intervals[1].scheduled, 16);
        assert_eq!(intervals.iter().map(|interval| interval.scheduled).sum::<u64>(), 3_600);
        assert_eq!(
            intervals.iter().map(|interval| interval.latencies.count()).sum::<u64>(),
            3_600
        );
        let last = intervals.last().unwrap().latencies.max().unwrap().as_secs_f64();
        assert!((last / 3.599 - 1.0).abs() < 0.01, "{last}");
    }

    #[test]
    fn an_interval_before_others_may_be_filled_later() {
        let mut timeline = Timeline::new();
        timeline.at(Duration::from_secs(1)).unwrap().errors += 1;
        timeline.at(Duration::ZERO).unwrap().errors += 2;
        let errors: Vec<_> = timeline.intervals().iter().map(|interval| interval.errors).collect();
        assert_eq!((errors[0], errors[8], errors.len()), (2, 1, 9));
    }
}
