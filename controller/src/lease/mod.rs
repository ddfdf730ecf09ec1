//! Leader election by a Lease: a pure state machine ([`Elector`]) and the loop that drives it.
//!
//! Writes are compare and swap by resource version. Whether another candidate's Lease has expired is measured by our own
//! clock, from the moment at which we saw the Lease change; clocks of two machines are never compared. A leader that cannot
//! renew in time stops writing.

mod elector;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::core::ObjectMeta;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::elector::{Elector, RENEW_DEADLINE, Record, Step};
use crate::cluster::{CallError, Cluster, ErrorClass, Resource};
use crate::work::backoff::jittered;

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
/// Whether this process leads, and until when at the latest. It is asked before each write: a process that was
/// stopped for a while thus notices at once that its time is over, before its election loop runs again.
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

/// How a term of leadership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The Lease has another candidate's name.
    Deposed,
    /// The API server could not be reached in time, so it is not known who leads.
    NotRenewed,
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
    complained: bool,
    /// A write was sent, and it is not known whether it was taken.
    in_doubt: bool,
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
            complained: false,
            in_doubt: false,
        }
    }

    /// Returns once this process leads, or after `stop`. A request under way is not dropped, so that it is known who leads.
    pub(crate) async fn acquire(&mut self, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            self.attempt().await;
            if self.elector.renewed.is_some() {
                tracing::info!(lease = %self.name, identity = %self.elector.me, "leading");
                return;
            }
            let pause = tokio::time::sleep(jittered(RETRY_PERIOD));
            let _ = stop.run_until_cancelled(pause).await;
        }
    }

    /// Renews the Lease until that fails, and returns how the term ended.
    pub(crate) async fn keep(&mut self) -> End {
        while let Some(renewed) = self.elector.renewed {
            let gives_up_at = self.zero + renewed + RENEW_DEADLINE;
            let round = async {
                tokio::time::sleep(RETRY_PERIOD).await;
                self.attempt().await;
            };
            // The deadline holds even if an attempt takes longer.
            let in_time = tokio::time::timeout_at(gives_up_at, round).await.is_ok();
            if !in_time || self.elector.evaluate(self.now()) == Step::Lost {
                break;
            }
        }
        self.leadership.set(None);
        let deposed = self.elector.is_deposed();
        self.elector.renewed = None;
        self.current = None;
        if deposed { End::Deposed } else { End::NotRenewed }
    }

    /// Gives the lease back, so that the next candidate need not wait for it to run out.
    pub(crate) async fn release(&mut self) {
        self.leadership.set(None);
        if self.elector.renewed.take().is_none() && !self.in_doubt {
            return;
        }
        match self.give_back().await {
            Ok(true) => tracing::info!(lease = %self.name, "lease released"),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "lease not released: it runs out by itself"),
        }
    }

    /// Takes our name off the Lease. `false`: it does not have it.
    async fn give_back(&mut self) -> Result<bool, CallError> {
        let mut again = true;
        loop {
            if self.in_doubt || self.current.is_none() {
                self.read().await?;
            }
            if self.elector.is_deposed() {
                return Ok(false);
            }
            let record = Record {
                holder: String::new(),
                duration: Duration::from_secs(1),
                ..self.elector.next_record(Timestamp::now())
            };
            match self.write(&record).await {
                Err(error) if error.class == ErrorClass::Conflict && std::mem::take(&mut again) => {}
                written => return written.map(|()| true),
            }
        }
    }

    fn now(&self) -> Duration {
        self.zero.elapsed()
    }

    /// Reads the Lease, decides, writes it. A failure is logged and does not change the state of the election.
    async fn attempt(&mut self) {
        let mut tried = self.swap().await;
        // Most likely our own last write was taken and its answer lost: read it and swap again, for a leader has no time to
        // lose.
        if matches!(&tried, Err(error) if error.class == ErrorClass::Conflict) {
            tried = self.swap().await;
        }
        match tried {
            Ok(()) => self.complained = false,
            Err(error) => self.complain(&error),
        }
    }

    async fn swap(&mut self) -> Result<(), CallError> {
        // A leader swaps against its own last write; only a candidate, or a leader that does not know whether that was taken,
        // must read first.
        if self.elector.renewed.is_none() || self.current.is_none() || self.in_doubt {
            self.read().await?;
        }
        match self.elector.evaluate(self.now()) {
            Step::Wait | Step::Lost => {}
            Step::Acquire | Step::Renew => {
                let sent = self.now();
                let record = self.elector.next_record(Timestamp::now());
                self.write(&record).await?;
                self.elector.wrote(record, sent);
                self.leadership.set(Some(self.zero + sent + RENEW_DEADLINE));
            }
        }
        Ok(())
    }

    /// Warns only about the first failure of a series, so that an outage does not fill the log.
    fn complain(&mut self, error: &CallError) {
        if std::mem::replace(&mut self.complained, true) {
            tracing::debug!(%error, "the lease is out of reach");
        } else {
            tracing::warn!(%error, "the lease is out of reach");
        }
    }

    async fn read(&mut self) -> Result<(), CallError> {
        let get = self.cluster.get::<Lease>(LEASE, Some(&self.namespace), &self.name);
        let lease = within(get).await?;
        let now = self.now();
        self.elector.observe(lease.as_ref().map(record_of), now);
        self.current = lease;
        self.in_doubt = false;
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
        // Also where this future is dropped before there is an answer.
        self.in_doubt = true;
        let written: Lease = if exists {
            within(self.cluster.replace(LEASE, &self.namespace, &self.name, &lease)).await?
        } else {
            within(self.cluster.create(LEASE, &self.namespace, &lease)).await?
        };
        self.in_doubt = false;
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

/// A name that no other candidate has, not even an earlier process of this pod.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "monitored-api".to_owned());
    let suffix = fastrand::u64(..1 << 48);
    format!("{host}_{}_{suffix:012x}", std::process::id())
}

#[cfg(test)]
mod tests;
