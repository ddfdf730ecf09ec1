//! A status in about a third of its size: messages are kept once for all MonitoredApis that have the same, hashes and
//! uids as bytes. Fields that are not known here stay as JSON, so that none is ever lost.

use std::sync::{Arc, LazyLock};

use controller_api::{ChildRecord, MetricsStatus, MonitoredApiStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::cache::child::{Sha, Uid};
use crate::cache::interner::{self, Interner};

/// What conditions have in common across MonitoredApis.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ConditionText {
    type_: String,
    status: String,
    reason: String,
    message: String,
}

impl AsRef<Self> for ConditionText {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What is known of the metrics: the same for all of one dialect.
#[derive(Debug, PartialEq, Eq, Hash)]
struct SharedMetrics(MetricsStatus);

impl AsRef<Self> for SharedMetrics {
    fn as_ref(&self) -> &Self {
        self
    }
}

static METRICS: LazyLock<Interner<SharedMetrics>> = LazyLock::new(Interner::new);
static CONDITION_TEXTS: LazyLock<Interner<ConditionText>> = LazyLock::new(Interner::new);

#[derive(Debug, Clone, PartialEq, Eq)]
struct CachedCondition {
    text: Arc<ConditionText>,
    observed_generation: Option<i64>,
    last_transition: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CachedRecord {
    kind: Arc<str>,
    /// `None`: the MonitoredApi's own name.
    name: Option<Box<str>>,
    uid: Uid,
    desired: Sha,
    applied: Arc<str>,
    version: Option<Arc<str>>,
    state: Arc<str>,
}

/// A status as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedStatus {
    /// JSON of the status without metrics, conditions and children.
    rest: Box<str>,
    metrics: Option<Arc<SharedMetrics>>,
    conditions: Box<[CachedCondition]>,
    children: Box<[CachedRecord]>,
}

impl CachedStatus {
    /// Packs the status of the MonitoredApi `owner`.
    pub(crate) fn pack(mut status: MonitoredApiStatus, owner: &str) -> Self {
        let conditions = std::mem::take(&mut status.conditions);
        let children = std::mem::take(&mut status.children);
        let metrics = status.metrics.take();
        Self {
            // Serialising plain data can't fail. An empty text would read as a status that was never written.
            rest: serde_json::to_string(&status).unwrap_or_default().into(),
            metrics: metrics.map(|metrics| METRICS.get(SharedMetrics(metrics))),
            conditions: conditions.into_iter().map(pack_condition).collect(),
            children: children.into_iter().map(|record| pack_record(record, owner)).collect(),
        }
    }

    /// The status as it was packed. `None` only if it was none.
    pub(crate) fn unpack(&self, owner: &str) -> Option<MonitoredApiStatus> {
        let mut status: MonitoredApiStatus = serde_json::from_str(&self.rest).ok()?;
        status.metrics = self.metrics.as_ref().map(|metrics| metrics.0.clone());
        status.conditions = self.conditions.iter().map(unpack_condition).collect();
        status.children = self
            .children
            .iter()
            .map(|record| unpack_record(record, owner))
            .collect();
        Some(status)
    }
}

fn pack_condition(condition: Condition) -> CachedCondition {
    // Destructured without `..`, so that the compiler asks for a new field here.
    let Condition {
        last_transition_time,
        message,
        observed_generation,
        reason,
        status,
        type_,
    } = condition;
    CachedCondition {
        text: CONDITION_TEXTS.get(ConditionText {
            type_,
            status,
            reason,
            message,
        }),
        observed_generation,
        last_transition: last_transition_time.0,
    }
}

fn unpack_condition(packed: &CachedCondition) -> Condition {
    Condition {
        type_: packed.text.type_.clone(),
        status: packed.text.status.clone(),
        reason: packed.text.reason.clone(),
        message: packed.text.message.clone(),
        observed_generation: packed.observed_generation,
        last_transition_time: Time(packed.last_transition),
    }
}

fn pack_record(record: ChildRecord, owner: &str) -> CachedRecord {
    let ChildRecord {
        kind,
        name,
        uid,
        desired_hash,
        applied_fields_hash,
        version,
        state,
    } = record;
    CachedRecord {
        kind: interner::text(&kind),
        name: (name != owner).then(|| name.into()),
        uid: Uid::new(&uid),
        desired: Sha::new(&desired_hash),
        applied: interner::text(&applied_fields_hash),
        version: version.as_deref().map(interner::text),
        state: interner::text(&state),
    }
}

fn unpack_record(packed: &CachedRecord, owner: &str) -> ChildRecord {
    ChildRecord {
        kind: packed.kind.to_string(),
        name: packed.name.as_deref().unwrap_or(owner).to_owned(),
        uid: packed.uid.text(),
        desired_hash: packed.desired.text(),
        applied_fields_hash: packed.applied.to_string(),
        version: packed.version.as_deref().map(str::to_owned),
        state: packed.state.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, hash: &str) -> ChildRecord {
        ChildRecord {
            kind: "Service".to_owned(),
            name: name.to_owned(),
            uid: "9f8e7d6c-1111-4222-8333-aabbccddeeff".to_owned(),
            desired_hash: hash.to_owned(),
            applied_fields_hash: "cd".repeat(32),
            version: Some("3".to_owned()),
            state: "Ready".to_owned(),
        }
    }

    #[test]
    fn a_status_comes_back_as_it_was_packed() {
        let status = MonitoredApiStatus {
            observed_generation: 4,
            replicas: Some(3),
            url: Some("http://orders.shop.svc".to_owned()),
            metrics: Some(MetricsStatus {
                dialect: None,
                missing: vec!["ApiHighErrorRatio: requests".to_owned()],
            }),
            children: vec![record("orders", &"ab".repeat(32)), record("orders-metrics", "no hash")],
            conditions: vec![Condition {
                type_: "Ready".to_owned(),
                status: "True".to_owned(),
                reason: "Ready".to_owned(),
                message: "all pods are ready".to_owned(),
                observed_generation: Some(4),
                last_transition_time: Time(Timestamp::from_second(1_790_000_000).unwrap()),
            }],
            ..MonitoredApiStatus::default()
        };
        let packed = CachedStatus::pack(status.clone(), "orders");
        assert_eq!(packed.unpack("orders"), Some(status));
    }

    #[test]
    fn a_packed_record_and_condition_stay_small() {
        assert!(size_of::<CachedRecord>() <= 152, "{}", size_of::<CachedRecord>());
        assert!(size_of::<CachedCondition>() <= 40, "{}", size_of::<CachedCondition>());
    }
}
