//! Whether the rules of an API read what its targets count over all routes, by what Prometheus says of these targets.
//!
//! The series of routes are always right, those over all routes are cheaper. So the way to the latter needs proof that lasts,
//! and the way back a single answer: a rule that reads what is not there is silent, which is worse than its cost.

use std::time::Duration;

use super::{answer::Row, asked::Answer};

/// What Prometheus has of the targets of one API. The numbers are the values of the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverallEvidence {
    /// 0: a target exports something by route and not over all routes.
    Lacking,
    /// 1: all export it now, but of a scrape within the last five minutes it is missing. Rates over five minutes would miss
    /// what happened then.
    TooShort,
    /// 2: every scrape of the last five minutes has it.
    Complete,
}

impl OverallEvidence {
    /// What a row of the answer says. `None`: something else than the query gives.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let all = [(0.0, Self::Lacking), (1.0, Self::TooShort), (2.0, Self::Complete)];
        let (_, evidence) = all.into_iter().find(|(value, _)| *value == row.value)?;
        Some(evidence)
    }
}

/// Answers that must agree before the rules change.
const ANSWERS: u8 = 3;
/// The time over which they must agree.
const AGREED_FOR: Duration = Duration::from_secs(2 * 60);
/// How often that time is doubled at most, once for each way back: targets of two builds that come and go must not make the
/// rules change again and again.
const MAX_DOUBLINGS: u8 = 6;

/// Whether the rules of one API read what is counted over all routes. There is one for each API, so it is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverallUse {
    in_use: bool,
    /// Ways back so far, as far as they count.
    returns: u8,
    /// Answers in a row by which it may be used.
    answers: u8,
    /// When the first of them came, in seconds.
    since: u32,
}

impl OverallUse {
    /// As the status has it.
    #[must_use]
    pub const fn new(in_use: bool) -> Self {
        Self {
            in_use,
            returns: 0,
            answers: 0,
            since: 0,
        }
    }

    /// Whether it is used.
    #[must_use]
    pub const fn in_use(&self) -> bool {
        self.in_use
    }

    /// Forgets the answers so far, which another Prometheus gave. What is used stays.
    pub const fn forget_answers(&mut self) {
        self.answers = 0;
    }

    /// Takes an answer, at `now` since any fixed moment. Returns whether the use changed. What is not an answer proves nothing
    /// and changes nothing.
    pub fn take(&mut self, answer: &Answer<OverallEvidence>, now: Duration) -> bool {
        match answer {
            Answer::Known(OverallEvidence::Lacking) => {
                self.answers = 0;
                let changed = self.in_use;
                self.in_use = false;
                self.returns = (self.returns + u8::from(changed)).min(MAX_DOUBLINGS);
                changed
            }
            Answer::Known(OverallEvidence::TooShort) => {
                self.answers = 0;
                false
            }
            Answer::Known(OverallEvidence::Complete) if !self.in_use => {
                self.in_use = self.agree(now);
                self.in_use
            }
            Answer::Known(OverallEvidence::Complete) | Answer::NotYet | Answer::NoAddress | Answer::Failed(_) => false,
        }
    }

    /// Counts an answer. Returns whether there are enough.
    fn agree(&mut self, now: Duration) -> bool {
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        // A clock that began anew is behind the first answer.
        if self.answers == 0 || seconds < self.since {
            self.answers = 0;
            self.since = seconds;
        }
        self.answers = self.answers.saturating_add(1);
        let agreed = Duration::from_secs(u64::from(seconds - self.since));
        self.answers >= ANSWERS && agreed >= AGREED_FOR * (1 << self.returns)
    }
}

#[cfg(test)]
mod tests {
    use OverallEvidence::{Complete, Lacking, TooShort};

    use super::*;
    use crate::prometheus::AskError;

    const UNREACHABLE: Answer<OverallEvidence> = Answer::Failed(AskError::Unreachable);
    const NO_TARGET: Answer<OverallEvidence> = Answer::NotYet;

    /// One answer a minute. Returns in which minutes the use changed, and to what.
    fn changes(mut using: OverallUse, answers: impl IntoIterator<Item = Answer<OverallEvidence>>) -> Vec<(u64, bool)> {
        let mut changes = Vec::new();
        for (minute, answer) in (0..).zip(answers) {
            let before = using.in_use();
            let changed = using.take(&answer, Duration::from_secs(60 * minute));
            assert_eq!(changed, using.in_use() != before, "minute {minute}");
            if changed {
                changes.push((minute, using.in_use()));
            }
        }
        changes
    }

    fn known(evidence: impl IntoIterator<Item = OverallEvidence>) -> Vec<Answer<OverallEvidence>> {
        evidence.into_iter().map(Answer::Known).collect()
    }

    const BY_ROUTE: OverallUse = OverallUse::new(false);
    const OVERALL: OverallUse = OverallUse::new(true);

    #[test]
    fn three_equal_answers_over_two_minutes_are_needed() {
        assert_eq!(changes(BY_ROUTE, known([Complete; 10])), [(2, true)]);
        let mut hurried = BY_ROUTE;
        for second in 0..120 {
            assert!(
                !hurried.take(&Answer::Known(Complete), Duration::from_secs(second)),
                "{second} s"
            );
        }
        assert!(hurried.take(&Answer::Known(Complete), AGREED_FOR));
        let mut rare = BY_ROUTE;
        assert!(!rare.take(&Answer::Known(Complete), Duration::ZERO));
        assert!(!rare.take(&Answer::Known(Complete), AGREED_FOR * 10));
        assert!(rare.take(&Answer::Known(Complete), AGREED_FOR * 20));
    }

    #[test]
    fn an_answer_that_differs_makes_the_count_begin_anew() {
        for other in [TooShort, Lacking] {
            let answers = known([Complete, Complete, other, Complete, Complete, Complete]);
            assert_eq!(changes(BY_ROUTE, answers), [(5, true)], "{other:?}");
        }
    }

    #[test]
    fn one_target_that_lacks_it_brings_the_series_of_routes_back_at_once() {
        assert_eq!(changes(OVERALL, known([Complete, Lacking, Lacking])), [(1, false)]);
        assert_eq!(changes(OVERALL, known([Lacking])), [(0, false)]);
    }

    #[test]
    fn a_history_that_is_too_short_is_no_reason_to_go_back() {
        assert_eq!(changes(OVERALL, known([TooShort; 20])), []);
        assert_eq!(changes(BY_ROUTE, known([TooShort; 20])), []);
    }

    #[test]
    fn no_answer_and_no_target_prove_and_change_nothing() {
        for nothing in [UNREACHABLE, NO_TARGET, Answer::NoAddress] {
            for begun in [BY_ROUTE, OVERALL] {
                assert_eq!(changes(begun, vec![nothing.clone(); 20]), []);
            }
            let complete = Answer::Known(Complete);
            let with_gap = [complete.clone(), complete.clone(), nothing, complete];
            assert_eq!(changes(BY_ROUTE, with_gap), [(3, true)]);
        }
    }

    #[test]
    fn targets_of_two_builds_that_come_and_go_change_the_rules_ever_more_rarely() {
        // Half an hour without the old build, then a minute with it, for a day.
        let minutes = (0..24 * 60).map(|minute| if minute % 30 == 29 { Lacking } else { Complete });
        let changes = changes(BY_ROUTE, known(minutes));
        assert!(changes.len() <= 8, "{changes:?}");
    }

    #[test]
    fn answers_of_another_prometheus_do_not_count() {
        let mut using = BY_ROUTE;
        for minute in 0..2 {
            assert!(!using.take(&Answer::Known(Complete), Duration::from_secs(60 * minute)));
        }
        using.forget_answers();
        assert!(!using.take(&Answer::Known(Complete), Duration::from_secs(120)));
        assert!(!using.take(&Answer::Known(Complete), Duration::from_secs(180)));
        assert!(using.take(&Answer::Known(Complete), Duration::from_secs(240)));
        let mut kept = OVERALL;
        kept.forget_answers();
        assert!(kept.in_use());
    }

    #[test]
    fn a_clock_that_begins_anew_counts_anew() {
        let mut using = BY_ROUTE;
        for seconds in [1_000, 1_060, 5, 65] {
            assert!(
                !using.take(&Answer::Known(Complete), Duration::from_secs(seconds)),
                "{seconds}"
            );
        }
        assert!(using.take(&Answer::Known(Complete), Duration::from_secs(125)));
    }

    #[test]
    fn it_takes_eight_bytes() {
        assert_eq!(size_of::<OverallUse>(), 8);
    }
}
