//! Properties of `increase`, `rate` and `quantile`: what must hold of any readings, not only of those that we thought of.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::time::Duration;

use http_instrument::history::{Bucket, Reading, increase, quantile, rate};
use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};

/// Growths of a counter, and before which of them it is reset.
fn growths() -> impl Strategy<Value = Vec<(u32, bool)>> {
    prop::collection::vec((0_u32..1_000_000, prop::bool::weighted(0.1)), 1..200)
}

/// Readings of a counter, 5 s apart, and its true growth. What a reset takes away unseen is nobody's to know: it happens
/// right at a reading.
fn readings(growths: &[(u32, bool)]) -> (Vec<Reading>, f64) {
    let mut value = 17.0;
    let mut truth = 0.0;
    let mut readings = vec![Reading {
        at: Duration::ZERO,
        value,
    }];
    for (n, (growth, reset)) in growths.iter().enumerate() {
        // A counter that has more after its reset than before it hides the reset; Prometheus is fooled as well.
        if *reset && f64::from(*growth) < value {
            value = 0.0;
        }
        value += f64::from(*growth);
        truth += f64::from(*growth);
        readings.push(Reading {
            at: Duration::from_secs(5 * (n as u64 + 1)),
            value,
        });
    }
    (readings, truth)
}

fn histogram() -> impl Strategy<Value = Vec<Bucket>> {
    prop::collection::vec((1_u32..1_000, 0_u32..1_000), 1..30).prop_map(|steps| {
        let (mut upper, mut cumulative) = (0.0, 0.0);
        let mut buckets = Vec::new();
        for (width, count) in steps {
            upper += f64::from(width) / 1_000.0;
            cumulative += f64::from(count);
            buckets.push(Bucket { upper, cumulative });
        }
        let cumulative = cumulative + 1.0;
        buckets.push(Bucket {
            upper: f64::INFINITY,
            cumulative,
        });
        buckets
    })
}

proptest! {
    #[test]
    fn an_increase_is_the_true_growth_whatever_resets(growths in growths()) {
        let (readings, truth) = readings(&growths);
        prop_assert_eq!(increase(readings), Some(truth));
    }

    #[test]
    fn an_increase_is_the_sum_over_any_two_parts(growths in growths(), at in 0.0..1.0) {
        let (readings, truth) = readings(&growths);
        let at = ((readings.len() - 1) as f64 * at) as usize;
        let part = |part: &[Reading]| increase(part.iter().copied()).unwrap_or(0.0);
        prop_assert_eq!(part(&readings[..=at]) + part(&readings[at..]), truth);
    }

    #[test]
    fn a_rate_is_the_increase_per_second_and_never_negative(growths in growths()) {
        let (readings, truth) = readings(&growths);
        let seconds = 5.0 * growths.len() as f64;
        let rate = rate(readings).unwrap();
        prop_assert!(rate >= 0.0);
        prop_assert!((rate * seconds - truth).abs() <= truth.abs() * 1e-12);
    }

    #[test]
    fn a_quantile_lies_within_its_bucket_and_never_falls(buckets in histogram(), a in 0.0..=1.0, b in 0.0..=1.0) {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        let at = |q: f64| quantile(q, &buckets).unwrap();
        prop_assert!(at(low) <= at(high));
        let rank = high * buckets.last().unwrap().cumulative;
        let holds = buckets.iter().position(|bucket| bucket.cumulative >= rank).unwrap();
        let finite = buckets.len() - 1;
        let lower = if holds == 0 { 0.0 } else { buckets[holds - 1].upper };
        let upper = buckets[holds.min(finite - 1)].upper;
        prop_assert!(at(high) <= upper && (at(high) >= lower || holds == finite), "{} in {lower}..{upper}", at(high));
    }

    #[test]
    fn a_quantile_depends_on_shares_and_not_on_numbers(buckets in histogram(), q in 0.0..=1.0, factor in 1_u8..9) {
        let scaled: Vec<_> = buckets
            .iter()
            .map(|bucket| Bucket { cumulative: bucket.cumulative * f64::from(factor), ..*bucket })
            .collect();
        let (one, other) = (quantile(q, &buckets).unwrap(), quantile(q, &scaled).unwrap());
        prop_assert!((one - other).abs() <= 1e-9, "{one} {other}");
    }
}
