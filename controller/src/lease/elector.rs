//! The election as one candidate sees it: a pure state machine. Time is an argument.

use std::time::Duration;

use jiff::Timestamp;

/// A leader that has not renewed for this long may be replaced (client-go's default).
pub(super) const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that has not renewed for this long gives up, well before another candidate may replace it (client-go's default).
pub(super) const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// The fields of a Lease that the election reads. Its times are never compared with a clock: only a change matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Record {
    pub(super) holder: String,
    pub(super) renewed: Option<Timestamp>,
    pub(super) transitions: i32,
    pub(super) duration: Duration,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Write the Lease with our name on it.
    Acquire,
    /// We lead: write it again.
    Renew,
    /// Another candidate leads.
    Wait,
    /// We led and no longer do.
    Lost,
}

/// The election as one candidate sees it. Time is an argument: a span on this process's monotonic clock.
#[derive(Debug)]
pub(super) struct Elector {
    pub(super) me: String,
    /// The last record seen, and when it was first seen like that.
    pub(super) seen: Option<(Record, Duration)>,
    /// When the request that last renewed our own lease was *sent*; `None` while we don't lead.
    pub(super) renewed: Option<Duration>,
}

impl Elector {
    pub(super) const fn new(me: String) -> Self {
        Self {
            me,
            seen: None,
            renewed: None,
        }
    }

    /// Records the Lease as read from the API server; `None` if there is none.
    pub(super) fn observe(&mut self, record: Option<Record>, now: Duration) {
        match record {
            None => self.seen = None,
            Some(record) => {
                if self.seen.as_ref().is_none_or(|(known, _)| *known != record) {
                    self.seen = Some((record, now));
                }
            }
        }
    }

    /// Records that our write, sent at `sent`, was accepted.
    pub(super) fn wrote(&mut self, record: Record, sent: Duration) {
        self.seen = Some((record, sent));
        self.renewed = Some(sent);
    }

    /// Whether the Lease that we held names another candidate, or is gone.
    pub(super) fn is_deposed(&self) -> bool {
        self.seen.as_ref().is_none_or(|(record, _)| record.holder != self.me)
    }

    pub(super) fn evaluate(&self, now: Duration) -> Step {
        if let Some(renewed) = self.renewed {
            return if self.is_deposed() || now.saturating_sub(renewed) >= RENEW_DEADLINE {
                Step::Lost
            } else {
                Step::Renew
            };
        }
        match &self.seen {
            Some((record, since))
                // The Lease has our name although we don't lead: the answer to our write was lost.
                if !record.holder.is_empty()
                    && record.holder != self.me
                    && now.saturating_sub(*since) < record.duration.max(LEASE_DURATION) =>
            {
                Step::Wait
            }
            Some(_) | None => Step::Acquire,
        }
    }

    /// The record of the Lease with which this candidate acquires or renews it.
    pub(super) fn next_record(&self, now: Timestamp) -> Record {
        let before = self.seen.as_ref().map(|(record, _)| record);
        let same_holder = before.is_some_and(|record| record.holder == self.me);
        let transitions = before.map_or(0, |record| record.transitions);
        Record {
            holder: self.me.clone(),
            renewed: Some(now),
            transitions: if same_holder || before.is_none() {
                transitions
            } else {
                transitions.saturating_add(1)
            },
            duration: LEASE_DURATION,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An API server with one Lease and compare-and-swap, and candidates with clocks of their own.
    struct World {
        record: Option<Record>,
        version: u64,
    }

    impl World {
        fn swap(&mut self, against: u64, record: Record) -> bool {
            let fresh = against == self.version;
            if fresh {
                self.record = Some(record);
                self.version += 1;
            }
            fresh
        }
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn held_by(holder: &str, renewed: i64) -> Record {
        Record {
            holder: holder.to_owned(),
            renewed: Some(Timestamp::from_second(renewed).unwrap()),
            transitions: 3,
            duration: LEASE_DURATION,
        }
    }

    #[test]
    fn a_free_lease_is_taken() {
        let mut elector = Elector::new("a".to_owned());
        elector.observe(None, secs(0));
        assert_eq!(elector.evaluate(secs(0)), Step::Acquire);
        elector.observe(Some(held_by("", 1)), secs(1));
        assert_eq!(elector.evaluate(secs(1)), Step::Acquire);
    }

    #[test]
    fn a_lease_whose_clock_is_years_behind_is_respected_for_its_full_duration() {
        let mut elector = Elector::new("a".to_owned());
        elector.observe(Some(held_by("b", 1)), secs(100));
        assert_eq!(elector.evaluate(secs(114)), Step::Wait);
        assert_eq!(elector.evaluate(secs(115)), Step::Acquire);
    }

    #[test]
    fn a_renewal_starts_the_wait_anew() {
        let mut elector = Elector::new("a".to_owned());
        elector.observe(Some(held_by("b", 1)), secs(100));
        elector.observe(Some(held_by("b", 2)), secs(114));
        assert_eq!(elector.evaluate(secs(128)), Step::Wait);
    }

    #[test]
    fn a_leader_that_can_not_renew_gives_up_before_anybody_may_take_over() {
        let mut elector = Elector::new("a".to_owned());
        let record = elector.next_record(Timestamp::UNIX_EPOCH);
        elector.wrote(record, secs(0));
        assert_eq!(elector.evaluate(secs(9)), Step::Renew);
        assert_eq!(elector.evaluate(secs(10)), Step::Lost);
    }

    #[test]
    fn a_leader_that_sees_another_name_on_the_lease_gives_up_at_once() {
        let mut elector = Elector::new("a".to_owned());
        let record = elector.next_record(Timestamp::UNIX_EPOCH);
        elector.wrote(record, secs(0));
        elector.observe(Some(held_by("b", 5)), secs(1));
        assert_eq!(elector.evaluate(secs(1)), Step::Lost);
    }

    #[test]
    fn transitions_count_changes_of_holder_only() {
        let mut elector = Elector::new("a".to_owned());
        elector.observe(Some(held_by("b", 1)), secs(0));
        let record = elector.next_record(Timestamp::UNIX_EPOCH);
        assert_eq!(record.transitions, 4);
        elector.wrote(record, secs(20));
        assert_eq!(elector.next_record(Timestamp::UNIX_EPOCH).transitions, 4);
    }

    /// A small reproducible generator, so that a failure can be repeated by its seed.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % sides
        }
    }

    #[test]
    fn two_candidates_never_both_lead_however_messages_are_lost_and_delayed() {
        for seed in 0..300 {
            let mut dice = Dice(seed);
            let mut world = World {
                record: None,
                version: 0,
            };
            // Offsets of the two clocks; the rates are equal.
            let zero = [dice.roll(1000), dice.roll(1_000_000)];
            let mut electors = [Elector::new("a".to_owned()), Elector::new("b".to_owned())];
            let mut leading = [false, false];
            let mut led = 0;
            for tick in 0..4000_u64 {
                for who in 0..2 {
                    let now = Duration::from_millis(zero[who] * 1000 + tick * 250);
                    // The watchdog runs on each tick, requests only now and then, and many are lost.
                    if leading[who] && electors[who].evaluate(now) == Step::Lost {
                        leading[who] = false;
                        electors[who] = Elector::new(format!("{who}-{tick}"));
                    }
                    if dice.roll(8) != 0 || dice.roll(100) < 40 {
                        continue;
                    }
                    let version = world.version;
                    electors[who].observe(world.record.clone(), now);
                    match electors[who].evaluate(now) {
                        Step::Wait => {}
                        Step::Lost => {
                            leading[who] = false;
                            electors[who] = Elector::new(format!("{who}-{tick}"));
                        }
                        Step::Acquire | Step::Renew => {
                            let stamp = Timestamp::from_millisecond(i64::try_from(tick).unwrap()).unwrap();
                            let record = electors[who].next_record(stamp);
                            // Another candidate may have been in between.
                            let against = if dice.roll(10) == 0 {
                                version.wrapping_sub(1)
                            } else {
                                version
                            };
                            let taken = world.swap(against, record.clone());
                            // The answer may be lost although the write was accepted.
                            if taken && dice.roll(10) != 0 {
                                electors[who].wrote(record, now);
                                led += u32::from(!leading[who]);
                                leading[who] = true;
                            }
                        }
                    }
                }
                assert!(!(leading[0] && leading[1]), "seed {seed}, tick {tick}: two leaders");
            }
            assert!(
                led > 1,
                "seed {seed}: leadership never changed hands, the test tests nothing"
            );
        }
    }
}
