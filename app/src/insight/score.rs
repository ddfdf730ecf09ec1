//! One number for the health of the service, 0 to 100, and the factors behind it. Pure.
//!
//! Each factor has a weight; all weights together are 100. A factor costs nothing up to half its threshold, half of its
//! weight at the threshold, and all of it at its worst value; in between in proportion. What is not known costs nothing
//! and says so.

use schemars::JsonSchema;
use serde::Serialize;

use super::signals::{HealthSignal, SignalReading};

/// The score and its factors.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Score {
    /// 100 is best.
    pub score: f64,
    /// `healthy` from 80, `degraded` from 50, else `unhealthy`.
    pub verdict: &'static str,
    /// The factors, each with what it takes off.
    pub factors: Vec<Factor>,
}

/// One factor of the score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Factor {
    /// The signal.
    pub name: HealthSignal,
    /// What it may cost at most.
    pub weight: f64,
    /// The figure; `null` if it is not known or there were too few requests.
    pub value: Option<f64>,
    /// Its threshold.
    pub threshold: Option<f64>,
    /// The value at which it costs its whole weight.
    pub worst: Option<f64>,
    /// What it costs.
    pub penalty: f64,
}

const fn weight(signal: HealthSignal) -> f64 {
    match signal {
        HealthSignal::ErrorRatio => 35.0,
        HealthSignal::LatencyP95Seconds => 25.0,
        HealthSignal::CpuPercent | HealthSignal::MemoryBytes => 15.0,
        HealthSignal::InFlight => 10.0,
    }
}

/// The score of these signals.
#[must_use]
pub fn score(signals: &[SignalReading]) -> Score {
    let factors: Vec<_> = signals.iter().map(factor).collect();
    let penalties: f64 = factors.iter().map(|factor| factor.penalty).sum();
    let score = (100.0 - penalties).clamp(0.0, 100.0);
    let verdict = if score >= 80.0 {
        "healthy"
    } else if score >= 50.0 {
        "degraded"
    } else {
        "unhealthy"
    };
    Score {
        score,
        verdict,
        factors,
    }
}

fn factor(reading: &SignalReading) -> Factor {
    let weight = weight(reading.signal);
    let share = match (reading.value, reading.threshold, reading.worst) {
        (Some(value), Some(threshold), Some(worst)) => share(value, threshold, worst),
        _ => 0.0,
    };
    Factor {
        name: reading.signal,
        weight,
        value: reading.value,
        threshold: reading.threshold,
        worst: reading.worst,
        penalty: weight * share,
    }
}

/// How much of its weight a value costs, 0 to 1.
fn share(value: f64, threshold: f64, worst: f64) -> f64 {
    let between = |from: f64, to: f64| ((value - from) / (to - from)).clamp(0.0, 1.0) / 2.0;
    if value <= threshold {
        // A threshold of zero has no half: anything above it is too much, zero itself is not.
        if threshold > 0.0 {
            between(threshold / 2.0, threshold)
        } else {
            0.0
        }
    } else if worst > threshold {
        0.5 + between(threshold, worst)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(signal: HealthSignal, value: Option<f64>) -> SignalReading {
        SignalReading {
            signal,
            value,
            threshold: Some(0.04),
            worst: Some(0.08),
        }
    }

    fn penalty(value: f64) -> f64 {
        score(&[reading(HealthSignal::ErrorRatio, Some(value))]).factors[0].penalty
    }

    #[test]
    fn a_factor_costs_nothing_to_half_its_threshold_half_at_it_and_all_at_its_worst() {
        for (value, expected) in [
            (0.0, 0.0),
            (0.02, 0.0),
            (0.03, 8.75),
            (0.04, 17.5),
            (0.06, 26.25),
            (0.08, 35.0),
            (0.9, 35.0),
        ] {
            assert!((penalty(value) - expected).abs() < 1e-9, "{value}: {}", penalty(value));
        }
    }

    #[test]
    fn the_weights_are_a_hundred_together() {
        let sum: f64 = HealthSignal::ALL.iter().map(|signal| weight(*signal)).sum();
        assert!((sum - 100.0).abs() < f64::EPSILON);
        let worst: Vec<_> = HealthSignal::ALL
            .iter()
            .map(|signal| reading(*signal, Some(1.0)))
            .collect();
        let score = score(&worst);
        assert!(score.score.abs() < f64::EPSILON);
        assert_eq!(score.verdict, "unhealthy");
    }

    #[test]
    fn an_unknown_signal_does_not_lower_the_score() {
        let score = score(&[reading(HealthSignal::ErrorRatio, None)]);
        assert!((score.score - 100.0).abs() < f64::EPSILON);
        assert_eq!(score.factors[0].value, None);
    }

    #[test]
    fn a_threshold_of_zero_is_exceeded_by_anything_and_met_by_nothing() {
        assert!(share(0.0, 0.0, 0.0).abs() < f64::EPSILON);
        assert!((share(0.1, 0.0, 0.0) - 1.0).abs() < f64::EPSILON);
    }
}
