//! The lines of a histogram or a summary.

use std::ops::RangeInclusive;

use crate::{
    exemplar::Exemplar,
    scale::{Scale, Selection},
    text,
};

/// A function that returns the exemplar of a range of recorded buckets.
pub(crate) type ExemplarOf<'a> = &'a dyn Fn(RangeInclusive<usize>) -> Option<Exemplar>;

/// One series of a histogram or a summary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Distribution<'a> {
    pub(crate) name: &'a str,
    pub(crate) labels: &'a str,
    pub(crate) scale: Scale,
    pub(crate) selection: &'a Selection,
}

impl Distribution<'_> {
    /// Prints buckets, sum and count. The count is the sum of the buckets, so that the two always agree.
    pub(crate) fn write_histogram(
        self,
        out: &mut String,
        counts: impl Iterator<Item = u64>,
        steps: u64,
        exemplar: Option<ExemplarOf<'_>>,
    ) {
        let mut total = 0_u64;
        let mut first = 0;
        let mut bounds = self.selection.iter();
        let mut next = bounds.next();
        let mut last = 0;
        for (place, count) in counts.enumerate() {
            total = total.wrapping_add(count);
            last = place;
            if let Some((le, _)) = next.filter(|(_, end)| *end == place) {
                self.bucket(out, le, total, exemplar.and_then(|of| of(first..=place)));
                first = place + 1;
                next = bounds.next();
            }
        }
        self.bucket(out, "+Inf", total, exemplar.and_then(|of| of(first..=last)));
        self.sum_and_count(out, steps, total);
    }

    /// Prints sum and count.
    pub(crate) fn write_summary(self, out: &mut String, counts: impl Iterator<Item = u64>, steps: u64) {
        self.sum_and_count(out, steps, counts.fold(0, u64::wrapping_add));
    }

    fn bucket(self, out: &mut String, le: &str, count: u64, exemplar: Option<Exemplar>) {
        text::push_series(out, self.name, "_bucket", self.labels, Some(("le", le)));
        text::push_integer(out, count);
        if let Some(exemplar) = exemplar {
            text::push_exemplar(out, &exemplar);
        }
    }

    fn sum_and_count(self, out: &mut String, steps: u64, count: u64) {
        text::push_series(out, self.name, "_sum", self.labels, None);
        text::push_steps(out, self.scale, steps);
        text::push_series(out, self.name, "_count", self.labels, None);
        text::push_integer(out, count);
    }
}
