//! A status in a sixth of its size. Statuses of MonitoredApis in the same state differ in names, times, uids and hashes only:
//! the rest is kept once for all of them. Fields that are not known here stay as JSON, so that none is ever lost.

use std::sync::{Arc, LazyLock};

use controller_api::{ChildRecord, MetricsStatus, MonitoredApiStatus};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::cache::child::{Sha, Uid};
use crate::cache::child_id::ChildName;
use crate::cache::interner::{self, Interner};
use crate::cache::namespaced_name::NamespacedName;

/// What conditions have in common across MonitoredApis.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ConditionText {
    type_: String,
    status: String,
    reason: String,
    message: Message,
}

/// A message, which may have the MonitoredApi's names in it.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Message {
    /// As it is.
    Plain(String),
    /// With [`OWN_NAME`] and [`OWN_NAMESPACE`] in their place.
    Named(Box<str>),
}

impl Message {
    fn new(text: String, owner: &NamespacedName) -> Self {
        let has_names = text.contains(&*owner.name) || text.contains(&*owner.namespace);
        if has_names && !text.contains([OWN_NAME, OWN_NAMESPACE]) {
            Self::Named(without_names(&text, owner))
        } else {
            Self::Plain(text)
        }
    }

    fn text(&self, owner: &NamespacedName) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Named(text) => with_names(text, owner),
        }
    }
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

/// What whole statuses have in common across MonitoredApis.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Shape {
    /// JSON of the status without metrics, conditions and children; with [`OWN_NAME`] and [`OWN_NAMESPACE`].
    rest: Box<str>,
    metrics: Option<Arc<SharedMetrics>>,
    /// With the generation that each is about.
    conditions: Box<[(Arc<ConditionText>, Option<i64>)]>,
    records: Box<[RecordShape]>,
}

impl AsRef<Self> for Shape {
    fn as_ref(&self) -> &Self {
        self
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RecordShape {
    kind: Arc<str>,
    name: ChildName,
    applied: Arc<str>,
    version: Option<Arc<str>>,
    state: Arc<str>,
}

static METRICS: LazyLock<Interner<SharedMetrics>> = LazyLock::new(Interner::new);
static CONDITION_TEXTS: LazyLock<Interner<ConditionText>> = LazyLock::new(Interner::new);
static SHAPES: LazyLock<Interner<Shape>> = LazyLock::new(Interner::new);

/// Stand for the MonitoredApi's own name and namespace. JSON never has these characters as they are, so each JSON comes back
/// as it was.
const OWN_NAME: char = '\u{1}';
const OWN_NAMESPACE: char = '\u{2}';

fn without_names(text: &str, owner: &NamespacedName) -> Box<str> {
    let mut name = [0; 4];
    let mut namespace = [0; 4];
    text.replace(&*owner.name, OWN_NAME.encode_utf8(&mut name))
        .replace(&*owner.namespace, OWN_NAMESPACE.encode_utf8(&mut namespace))
        .into()
}

fn with_names(text: &str, owner: &NamespacedName) -> String {
    text.replace(OWN_NAMESPACE, &owner.namespace)
        .replace(OWN_NAME, &owner.name)
}

/// When each condition changed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Times {
    /// Seconds since 1970: the API server gives no fractions.
    Seconds(Box<[u32]>),
    Exact(Box<[Timestamp]>),
}

impl Times {
    fn new(times: &[Timestamp]) -> Self {
        let seconds = |time: &Timestamp| {
            let whole = time.subsec_nanosecond() == 0;
            u32::try_from(time.as_second()).ok().filter(|_| whole)
        };
        let all: Option<_> = times.iter().map(seconds).collect();
        all.map_or_else(|| Self::Exact(times.into()), Self::Seconds)
    }

    fn all(&self) -> Vec<Timestamp> {
        match self {
            Self::Seconds(seconds) => seconds
                .iter()
                // Every such number is the second of a time.
                .map(|second| Timestamp::from_second(i64::from(*second)).unwrap_or_default())
                .collect(),
            Self::Exact(times) => times.to_vec(),
        }
    }
}

/// A status as it is cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CachedStatus {
    shape: Arc<Shape>,
    /// In the order of the shape's conditions.
    times: Times,
    /// uid and desired hash, in the order of the shape's records.
    records: Box<[(Uid, Sha)]>,
    /// `metrics.podTemplateHash`.
    template_hash: Option<Box<str>>,
}

impl CachedStatus {
    /// Packs the status of the MonitoredApi `owner`.
    pub(crate) fn pack(mut status: MonitoredApiStatus, owner: &NamespacedName) -> Self {
        let conditions = std::mem::take(&mut status.conditions);
        let children = std::mem::take(&mut status.children);
        let mut metrics = status.metrics.take();
        let template_hash = metrics.as_mut().and_then(|metrics| metrics.pod_template_hash.take());
        // Serialising plain data can't fail. An empty text would read as a status that was never written.
        let rest = serde_json::to_string(&status).unwrap_or_default();
        let (conditions, times): (Vec<_>, Vec<_>) = conditions
            .into_iter()
            .map(|condition| pack_condition(condition, owner))
            .unzip();
        let (shapes, records): (Vec<_>, Vec<_>) = children
            .into_iter()
            .map(|record| pack_record(record, &owner.name))
            .unzip();
        Self {
            shape: SHAPES.get(Shape {
                rest: without_names(&rest, owner),
                metrics: metrics.map(|metrics| METRICS.get(SharedMetrics(metrics))),
                conditions: conditions.into(),
                records: shapes.into(),
            }),
            times: Times::new(&times),
            records: records.into(),
            template_hash: template_hash.map(Into::into),
        }
    }

    /// The status as it was packed. `None` only if it was none.
    pub(crate) fn unpack(&self, owner: &NamespacedName) -> Option<MonitoredApiStatus> {
        let shape = &self.shape;
        let mut status: MonitoredApiStatus = serde_json::from_str(&with_names(&shape.rest, owner)).ok()?;
        status.metrics = shape.metrics.as_ref().map(|metrics| MetricsStatus {
            pod_template_hash: self.template_hash.as_deref().map(str::to_owned),
            ..metrics.0.clone()
        });
        let conditions = shape.conditions.iter().zip(self.times.all());
        status.conditions = conditions
            .map(|((text, generation), time)| unpack_condition(text, *generation, time, owner))
            .collect();
        let records = shape.records.iter().zip(&self.records);
        status.children = records
            .map(|(shape, (uid, desired))| unpack_record(shape, uid, desired, &owner.name))
            .collect();
        Some(status)
    }
}

fn pack_condition(condition: Condition, owner: &NamespacedName) -> ((Arc<ConditionText>, Option<i64>), Timestamp) {
    // Destructured without `..`, so that the compiler asks for a new field here.
    let Condition {
        last_transition_time,
        message,
        observed_generation,
        reason,
        status,
        type_,
    } = condition;
    let text = CONDITION_TEXTS.get(ConditionText {
        type_,
        status,
        reason,
        message: Message::new(message, owner),
    });
    ((text, observed_generation), last_transition_time.0)
}

fn unpack_condition(
    text: &ConditionText,
    observed_generation: Option<i64>,
    time: Timestamp,
    owner: &NamespacedName,
) -> Condition {
    Condition {
        type_: text.type_.clone(),
        status: text.status.clone(),
        reason: text.reason.clone(),
        message: text.message.text(owner),
        observed_generation,
        last_transition_time: Time(time),
    }
}

fn pack_record(record: ChildRecord, owner: &str) -> (RecordShape, (Uid, Sha)) {
    let ChildRecord {
        kind,
        name,
        uid,
        desired_hash,
        applied_fields_hash,
        version,
        state,
    } = record;
    let shape = RecordShape {
        kind: interner::text(&kind),
        name: ChildName::new(&name, owner),
        applied: interner::text(&applied_fields_hash),
        version: version.as_deref().map(interner::text),
        state: interner::text(&state),
    };
    (shape, (Uid::new(&uid), Sha::new(&desired_hash)))
}

fn unpack_record(shape: &RecordShape, uid: &Uid, desired: &Sha, owner: &str) -> ChildRecord {
    ChildRecord {
        kind: shape.kind.to_string(),
        name: shape.name.text(owner),
        uid: uid.text(),
        desired_hash: desired.text(),
        applied_fields_hash: shape.applied.to_string(),
        version: shape.version.as_deref().map(str::to_owned),
        state: shape.state.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use controller_api::FamilyStatus;

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

    /// A status of the MonitoredApi of this name in the namespace `shop`.
    fn status(name: &str, changed: Timestamp) -> MonitoredApiStatus {
        MonitoredApiStatus {
            observed_generation: 4,
            replicas: Some(3),
            url: Some(format!("http://{name}.shop.svc")),
            metrics: Some(MetricsStatus {
                dialect: None,
                missing: vec!["ApiHighErrorRatio: requests".to_owned()],
                overall: true,
                pod_template_hash: Some(format!("hash of {name}")),
                families: vec![FamilyStatus {
                    metric: "Requests".to_owned(),
                    name: "http_requests_total".to_owned(),
                    ..FamilyStatus::default()
                }],
                ..MetricsStatus::default()
            }),
            children: vec![
                record(name, &"ab".repeat(32)),
                record(&format!("{name}-metrics"), "no hash"),
            ],
            conditions: vec![Condition {
                type_: "Ready".to_owned(),
                status: "True".to_owned(),
                reason: "Ready".to_owned(),
                message: format!("all pods of {name} are ready"),
                observed_generation: Some(4),
                last_transition_time: Time(changed),
            }],
            ..MonitoredApiStatus::default()
        }
    }

    fn packed(name: &str) -> CachedStatus {
        let changed = Timestamp::from_second(1_790_000_000).unwrap();
        CachedStatus::pack(status(name, changed), &NamespacedName::new("shop", name))
    }

    #[test]
    fn a_status_comes_back_as_it_was_packed() {
        let seconds = [i64::MIN >> 30, 1_790_000_000, 5_000_000_000];
        let mut times: Vec<_> = seconds.map(|second| Timestamp::from_second(second).unwrap()).into();
        times.push(Timestamp::from_nanosecond(1_790_000_000_123_456_789).unwrap());
        // Names that are in the JSON's own words too, and one that it has to escape.
        let owners = [
            ("shop", "orders"),
            ("e", "a"),
            ("re", "replicas"),
            ("orders", "orders"),
            ("", ""),
            ("\u{1}", "\"\u{2}"),
        ];
        for (namespace, name) in owners {
            for time in &times {
                let mut before = status("orders", *time);
                before.conditions.push(Condition {
                    message: format!("\u{1} is not {name}"),
                    ..before.conditions[0].clone()
                });
                before.last_handled_reconcile_at = Some(format!("{name} \u{1}\u{2} {namespace}"));
                let owner = NamespacedName::new(namespace, name);
                let packed = CachedStatus::pack(before.clone(), &owner);
                assert_eq!(packed.unpack(&owner), Some(before), "{owner}");
            }
        }
    }

    #[test]
    fn statuses_that_say_the_same_are_kept_once() {
        let (orders, users) = (packed("orders"), packed("users"));
        assert!(Arc::ptr_eq(&orders.shape, &users.shape));
        assert!(size_of::<CachedStatus>() <= 64, "{}", size_of::<CachedStatus>());
    }
}
