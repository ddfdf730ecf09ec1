//! When the requests of an open loop are to start: known before the first is sent, so that no answer can change it.

use std::time::Duration;

use fastrand::Rng;

use crate::plan::{Arrivals, OpenLoop};

/// The intended start of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Time after the start of the test, its warm-up included.
    pub at: Duration,
    /// Index of the step; `None` in the warm-up.
    pub step: Option<usize>,
}

/// All arrivals of an open loop, in their order.
#[derive(Debug)]
pub struct Schedule {
    phases: Vec<Phase>,
    phase: usize,
    arrivals: Arrivals,
    rng: Rng,
    /// How many arrivals the phase has had.
    index: u64,
    /// Seconds from the start of the phase to its last arrival; only where arrivals are random.
    last: f64,
}

/// The warm-up, or a step.
#[derive(Debug, Clone, Copy)]
struct Phase {
    begin: Duration,
    duration: Duration,
    rate: f64,
    step: Option<usize>,
}

impl Schedule {
    /// The arrivals of an open loop. `seed`: of arrivals that are random.
    #[must_use]
    pub fn new(open_loop: &OpenLoop, seed: u64) -> Self {
        let OpenLoop {
            steps,
            warm_up,
            arrivals,
        } = open_loop;
        let first = steps.first().map(|step| (None, step.rate, *warm_up));
        let counted = steps
            .iter()
            .enumerate()
            .map(|(index, step)| (Some(index), step.rate, step.duration));
        let mut begin = Duration::ZERO;
        let phases = first.into_iter().chain(counted).map(|(step, rate, duration)| {
            let phase = Phase {
                begin,
                duration,
                rate,
                step,
            };
            begin += duration;
            phase
        });
        Self {
            phases: phases.collect(),
            phase: 0,
            arrivals: *arrivals,
            rng: Rng::with_seed(seed),
            index: 0,
            last: 0.0,
        }
    }

    /// How long the whole test takes, its warm-up included.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.phases.iter().map(|phase| phase.duration).sum()
    }

    /// Start and end of a step, after the start of the test.
    #[must_use]
    pub fn window(&self, step: usize) -> Option<(Duration, Duration)> {
        let phase = self.phases.iter().find(|phase| phase.step == Some(step))?;
        Some((phase.begin, phase.begin + phase.duration))
    }

    /// Seconds from the start of the phase to its next arrival.
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 2^53 arrivals, more than a test can have"
    )]
    fn next_offset(&mut self, rate: f64) -> f64 {
        let offset = match self.arrivals {
            // Not a sum of gaps, whose rounding errors would add up.
            Arrivals::Constant => self.index as f64 / rate,
            // 1 - x, because x may be zero and has then no logarithm.
            Arrivals::Poisson => self.last - (1.0 - self.rng.f64()).ln() / rate,
        };
        self.index += 1;
        self.last = offset;
        offset
    }
}

impl Iterator for Schedule {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let phase = *self.phases.get(self.phase)?;
            let offset = Duration::try_from_secs_f64(self.next_offset(phase.rate)).unwrap_or(Duration::MAX);
            if offset < phase.duration {
                return Some(Arrival {
                    at: phase.begin + offset,
                    step: phase.step,
                });
            }
            (self.phase, self.index, self.last) = (self.phase + 1, 0, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Step;

    use super::*;

    fn schedule(steps: &[(f64, u64)], warm_up: u64, arrivals: Arrivals) -> Schedule {
        let steps = steps.iter().map(|(rate, seconds)| Step {
            rate: *rate,
            duration: Duration::from_secs(*seconds),
        });
        let open_loop = OpenLoop {
            steps: steps.collect(),
            warm_up: Duration::from_secs(warm_up),
            arrivals,
        };
        Schedule::new(&open_loop, 7)
    }

    #[test]
    fn constant_arrivals_have_the_same_time_between_them() {
        let at: Vec<_> = schedule(&[(4.0, 1)], 0, Arrivals::Constant)
            .map(|arrival| arrival.at.as_millis())
            .collect();
        assert_eq!(at, [0, 250, 500, 750]);
    }

    #[test]
    fn steps_follow_each_other_after_a_warm_up_at_the_first_rate() {
        let schedule = schedule(&[(2.0, 1), (3.0, 1)], 1, Arrivals::Constant);
        assert_eq!(schedule.duration(), Duration::from_secs(3));
        assert_eq!(
            schedule.window(1),
            Some((Duration::from_secs(2), Duration::from_secs(3)))
        );
        let all: Vec<_> = schedule.map(|arrival| (arrival.at.as_millis(), arrival.step)).collect();
        let expected = [
            (0, None),
            (500, None),
            (1000, Some(0)),
            (1500, Some(0)),
            (2000, Some(1)),
            (2333, Some(1)),
            (2666, Some(1)),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn a_long_schedule_does_not_drift() {
        let arrivals = schedule(&[(3_000.0, 100)], 0, Arrivals::Constant);
        let last = arrivals.enumerate().last().unwrap();
        assert_eq!(last.0, 299_999);
        assert_eq!(last.1.at.as_nanos(), 99_999_666_667);
    }

    #[test]
    fn a_rate_below_one_a_second_sends_its_first_request_at_once() {
        let at: Vec<_> = schedule(&[(0.5, 5)], 0, Arrivals::Constant)
            .map(|arrival| arrival.at.as_secs())
            .collect();
        assert_eq!(at, [0, 2, 4]);
    }

    #[test]
    fn random_arrivals_keep_the_rate_and_vary_as_those_of_many_users() {
        let at: Vec<_> = schedule(&[(1_000.0, 100)], 0, Arrivals::Poisson)
            .map(|arrival| arrival.at.as_secs_f64())
            .collect();
        assert!(at.is_sorted());
        let count = at.len() as f64;
        // The number of arrivals varies by its square root.
        assert!((count - 100_000.0).abs() < 5.0 * 100_000_f64.sqrt(), "{count}");
        let gaps: Vec<_> = at.windows(2).map(|two| two[1] - two[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Of an exponential distribution the standard deviation is the mean.
        assert!(
            (variance.sqrt() / mean - 1.0).abs() < 0.02,
            "{}",
            variance.sqrt() / mean
        );
    }
}
