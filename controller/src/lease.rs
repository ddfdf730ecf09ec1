//! Leader election by a Lease: a pure state machine ([`Elector`]) and the loop that drives it.
//!
//! Compare and swap by resource version; a foreign lease runs out by our own clock from the moment in which we saw it
//! change, never by comparing clocks; who can't renew in time is no leader any more and the process ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::core::ObjectMeta;
use tokio::time::Instant;

use crate::backoff::{jittered, random};
use crate::cluster::{CallError, Cluster, ErrorClass, Resource};

/// Whoever has not renewed for this long may be replaced (client-go's default).
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that has not renewed for this long gives up, well before anybody may replace it (client-go's default).
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Time between two attempts (client-go's default).
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// Longest wait for one answer, so that a leader has two attempts within its deadline.
const ATTEMPT_DEADLINE: Duration = Duration::from_secs(4);

const LEASE: Resource = Resource {
    group: "coordination.k8s.io",
    version: "v1",
    kind: "Lease",
    plural: "leases",
};

/// What a Lease says, as far as the election cares. Times in it are opaque: only a change matters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Record {
    holder: String,
    renewed: Option<Timestamp>,
    transitions: i32,
    duration: Duration,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Write the Lease with our name on it.
    Acquire,
    /// We lead: write it again.
    Renew,
    /// Somebody else leads.
    Wait,
    /// We led and don't any more.
    Lost,
}

/// The election as one candidate sees it. Time is an argument: a span on this process's monotonic clock.
#[derive(Debug)]
struct Elector {
    me: String,
    /// The last record seen, and when it was first seen like that.
    seen: Option<(Record, Duration)>,
    /// When the request that last renewed our own lease was *sent*; `None` while we don't lead.
    renewed: Option<Duration>,
}

impl Elector {
    const fn new(me: String) -> Self {
        Self {
            me,
            seen: None,
            renewed: None,
        }
    }

    /// Notes what the API server has; `None` if there is no Lease.
    fn observe(&mut self, record: Option<Record>, now: Duration) {
        match record {
            None => self.seen = None,
            Some(record) => {
                if self.seen.as_ref().is_none_or(|(known, _)| *known != record) {
                    self.seen = Some((record, now));
                }
            }
        }
    }

    /// Notes that a write of ours, sent at `sent`, was taken.
    fn wrote(&mut self, record: Record, sent: Duration) {
        self.seen = Some((record, sent));
        self.renewed = Some(sent);
    }

    fn evaluate(&self, now: Duration) -> Step {
        if let Some(renewed) = self.renewed {
            let deposed = self.seen.as_ref().is_none_or(|(record, _)| record.holder != self.me);
            return if deposed || now.saturating_sub(renewed) >= RENEW_DEADLINE {
                Step::Lost
            } else {
                Step::Renew
            };
        }
        match &self.seen {
            Some((record, since))
                // Our own name without leadership: a claim whose answer was lost.
                if !record.holder.is_empty()
                    && record.holder != self.me
                    && now.saturating_sub(*since) < record.duration.max(LEASE_DURATION) =>
            {
                Step::Wait
            }
            Some(_) | None => Step::Acquire,
        }
    }

    /// The record to write.
    fn claim(&self, now: Timestamp) -> Record {
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

/// Whether this process leads, and until when at the latest. Cheap to ask before each write: a process that was
/// stopped for a while knows on waking that its time is over, before its election loop does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leadership(Arc<Mutex<Option<Instant>>>);

impl Leadership {
    /// Leadership without an election (one replica, `--leader-elect=false`).
    pub(crate) fn granted() -> Self {
        let ten_years = Duration::from_secs(10 * 365 * 24 * 3600);
        Self(Arc::new(Mutex::new(Some(Instant::now() + ten_years))))
    }

    pub(crate) fn is_held(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// A candidate with its connection.
pub(crate) struct Candidate {
    cluster: Cluster,
    namespace: String,
    name: String,
    elector: Elector,
    /// The Lease as last read or written: its resource version is what we swap against.
    current: Option<Lease>,
    /// Zero of this process's clock.
    zero: Instant,
    leadership: Leadership,
}

impl Candidate {
    pub(crate) fn new(cluster: Cluster, namespace: String, name: String, leadership: Leadership) -> Self {
        Self {
            cluster,
            namespace,
            name,
            elector: Elector::new(identity()),
            current: None,
            zero: Instant::now(),
            leadership,
        }
    }

    /// Returns once this process leads.
    pub(crate) async fn acquire(&mut self) {
        loop {
            self.attempt().await;
            if self.elector.renewed.is_some() {
                tracing::info!(lease = %self.name, identity = %self.elector.me, "leading");
                return;
            }
            tokio::time::sleep(jittered(RETRY_PERIOD)).await;
        }
    }

    /// Renews until leadership is lost; returns then, and the process must end.
    pub(crate) async fn keep(&mut self) {
        while let Some(renewed) = self.elector.renewed {
            let gives_up_at = self.zero + renewed + RENEW_DEADLINE;
            let round = async {
                tokio::time::sleep(RETRY_PERIOD).await;
                self.attempt().await;
            };
            // However long an attempt takes: the deadline is not negotiable.
            let in_time = tokio::time::timeout_at(gives_up_at, round).await.is_ok();
            if !in_time || self.elector.evaluate(self.now()) == Step::Lost {
                break;
            }
        }
        self.leadership.set(None);
    }

    /// Gives the lease back, so that the next candidate need not wait for it to run out.
    pub(crate) async fn release(&mut self) {
        self.leadership.set(None);
        if self.elector.renewed.take().is_none() {
            return;
        }
        let record = Record {
            holder: String::new(),
            duration: Duration::from_secs(1),
            ..self.elector.claim(Timestamp::now())
        };
        match self.write(&record).await {
            Ok(()) => tracing::info!(lease = %self.name, "lease released"),
            Err(error) => tracing::warn!(%error, "lease not released: it runs out by itself"),
        }
    }

    fn now(&self) -> Duration {
        self.zero.elapsed()
    }

    /// Looks, decides, writes; a failure is logged and leaves the machine as it was.
    async fn attempt(&mut self) {
        // A leader swaps against its own last write; only a candidate, or a leader that lost a race, must look first.
        if self.elector.renewed.is_none() || self.current.is_none() {
            match self.read().await {
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(%error, "can't read the lease");
                    return;
                }
            }
        }
        match self.elector.evaluate(self.now()) {
            Step::Wait | Step::Lost => {}
            Step::Acquire | Step::Renew => {
                let sent = self.now();
                let record = self.elector.claim(Timestamp::now());
                match self.write(&record).await {
                    Ok(()) => {
                        self.elector.wrote(record, sent);
                        self.leadership.set(Some(self.zero + sent + RENEW_DEADLINE));
                    }
                    Err(error) => {
                        if error.class == ErrorClass::Conflict || error.class == ErrorClass::NotFound {
                            self.current = None;
                        }
                        tracing::warn!(%error, "can't write the lease");
                    }
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), CallError> {
        let get = self.cluster.get::<Lease>(LEASE, Some(&self.namespace), &self.name);
        let lease = within(get).await?;
        let now = self.now();
        self.elector.observe(lease.as_ref().map(record_of), now);
        self.current = lease;
        Ok(())
    }

    async fn write(&mut self, record: &Record) -> Result<(), CallError> {
        let mut lease = self.current.clone().unwrap_or_else(|| Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                namespace: Some(self.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        let exists = lease.metadata.resource_version.is_some();
        let acquired = lease
            .spec
            .as_ref()
            .filter(|spec| spec.holder_identity.as_deref() == Some(&record.holder))
            .and_then(|spec| spec.acquire_time.clone());
        lease.metadata.managed_fields = None;
        lease.spec = Some(LeaseSpec {
            holder_identity: Some(record.holder.clone()),
            lease_duration_seconds: i32::try_from(record.duration.as_secs()).ok(),
            renew_time: record.renewed.map(MicroTime),
            acquire_time: acquired.or_else(|| record.renewed.map(MicroTime)),
            lease_transitions: Some(record.transitions),
            ..LeaseSpec::default()
        });
        let written: Lease = if exists {
            within(self.cluster.replace(LEASE, &self.namespace, &self.name, &lease)).await?
        } else {
            within(self.cluster.create(LEASE, &self.namespace, &lease)).await?
        };
        self.current = Some(written);
        Ok(())
    }
}

async fn within<T>(call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    tokio::time::timeout(ATTEMPT_DEADLINE, call).await.unwrap_or_else(|_| {
        Err(CallError {
            verb: "reach",
            kind: LEASE.kind,
            object: String::new(),
            class: ErrorClass::Timeout,
            message: format!("no answer within {ATTEMPT_DEADLINE:?}"),
        })
    })
}

fn record_of(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        renewed: spec.renew_time.map(|time| time.0),
        transitions: spec.lease_transitions.unwrap_or(0),
        duration: Duration::from_secs(u64::try_from(spec.lease_duration_seconds.unwrap_or(0)).unwrap_or(0)),
    }
}

/// A name that no other candidate has, not even an earlier life of this pod.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "monitored-api".to_owned());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "any 48 random bits will do"
    )]
    let suffix = (random() * (1_u64 << 48) as f64) as u64;
    format!("{host}_{}_{suffix:012x}", std::process::id())
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
        let claim = elector.claim(Timestamp::UNIX_EPOCH);
        elector.wrote(claim, secs(0));
        assert_eq!(elector.evaluate(secs(9)), Step::Renew);
        assert_eq!(elector.evaluate(secs(10)), Step::Lost);
    }

    #[test]
    fn a_leader_that_sees_another_name_on_the_lease_gives_up_at_once() {
        let mut elector = Elector::new("a".to_owned());
        let claim = elector.claim(Timestamp::UNIX_EPOCH);
        elector.wrote(claim, secs(0));
        elector.observe(Some(held_by("b", 5)), secs(1));
        assert_eq!(elector.evaluate(secs(1)), Step::Lost);
    }

    #[test]
    fn transitions_count_changes_of_holder_only() {
        let mut elector = Elector::new("a".to_owned());
        elector.observe(Some(held_by("b", 1)), secs(0));
        let claim = elector.claim(Timestamp::UNIX_EPOCH);
        assert_eq!(claim.transitions, 4);
        elector.wrote(claim, secs(20));
        assert_eq!(elector.claim(Timestamp::UNIX_EPOCH).transitions, 4);
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
                            let claim = electors[who].claim(stamp);
                            // Another candidate may have been in between.
                            let against = if dice.roll(10) == 0 {
                                version.wrapping_sub(1)
                            } else {
                                version
                            };
                            let taken = world.swap(against, claim.clone());
                            // The answer may be lost though the write was taken.
                            if taken && dice.roll(10) != 0 {
                                electors[who].wrote(claim, now);
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
