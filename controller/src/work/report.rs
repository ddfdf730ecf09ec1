//! Writes the status, if it changed, by compare and swap, and publishes its transitions as events. No other file writes a
//! status.

use std::time::Duration;

use controller_api::MonitoredApiStatus;
use controller_core::events::{EventSpec, events};
use controller_core::pod_figures::PodFigures;
use controller_core::watched::WatchedKind;
use controller_core::{FoldInput, fold, status::internal_error};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use metric_contract::platform;
use serde_json::json;

use crate::admin::telemetry::{ApiSeries, ConditionStatus, SUMMARY};
use crate::cache::interner;
use crate::cache::versioned_map::Source;
use crate::cluster::kinds;
use crate::cluster::{CallError, ErrorClass};
use crate::watch::observe::ApiItem;
use crate::watch::watcher::is_ahead;
use crate::work::context::Context;
use crate::work::gather::{self, Target};

/// Shortest time between two status writes of one MonitoredApi for changes that need no write to children, so that a
/// rollout of a hundred pods causes a few writes and not hundreds.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// How often a status is computed again because another client changed the object in between.
const ATTEMPTS: usize = 3;

/// Computes a status and writes it if it changed. If another client changed the object in between, the status is computed
/// again from the newer one; what was applied stays true.
pub(crate) async fn report(context: &Context, target: &Target, input: &FoldInput<'_>) -> Result<(), CallError> {
    let mut newer: Option<Target> = None;
    for _ in 0..ATTEMPTS {
        let target = newer.as_ref().unwrap_or(target);
        let status = fold(&FoldInput {
            previous: &target.status,
            now: Timestamp::now(),
            ..*input
        });
        update_series(context, target, &status, input);
        if status == target.status || !context.contests.may_write_status(&target.key, &status) {
            return Ok(());
        }
        match replace(context, target, &status).await {
            Ok(()) => {
                context.contests.wrote_status(&target.key, &target.status, &status);
                publish_events(context, target, &status).await;
                return Ok(());
            }
            Err(error) if error.class == ErrorClass::NotFound => return Ok(()),
            Err(error) if error.class == ErrorClass::Conflict => {}
            Err(error) => return Err(error),
        }
        match gather::live(context, target).await? {
            Some(live) if live.owner.uid != target.owner.uid => return Ok(()),
            // An etcd that was restored to an earlier state: what was applied is not true of it.
            Some(live) if is_ahead(&target.resource_version, &live.resource_version) => {
                context.queue.add(&live.key);
                return Ok(());
            }
            Some(live) => newer = Some(live),
            None => return Ok(()),
        }
    }
    Err(CallError {
        verb: "replace status of",
        kind: kinds::MONITORED_API.kind,
        object: target.key.to_string(),
        class: ErrorClass::Conflict,
        message: "another client keeps writing this status".to_owned(),
    })
}

/// Reports after a panic that the operator failed on this MonitoredApi.
pub(crate) async fn report_panic(context: &Context, target: &Target) -> Result<(), CallError> {
    match internal_error(&target.status, target.generation, Timestamp::now()) {
        Some(status) => replace(context, target, &status).await,
        None => Ok(()),
    }
}

async fn replace(context: &Context, target: &Target, status: &MonitoredApiStatus) -> Result<(), CallError> {
    let key = &target.key;
    // Only the status is replaced here, but the API server needs the object's name, uid and version.
    let body = json!({
        "apiVersion": format!("{}/{}", kinds::MONITORED_API.group, kinds::MONITORED_API.version),
        "kind": kinds::MONITORED_API.kind,
        "metadata": {
            "name": &*key.name,
            "namespace": &*key.namespace,
            "uid": target.owner.uid,
            "resourceVersion": target.resource_version,
        },
        "status": status,
    });
    context.must_lead("replace status of", kinds::MONITORED_API.kind, &target.key.to_string())?;
    let known = context.store.version_of::<ApiItem>(key, &());
    let write = context
        .cluster
        .replace_status::<_, ApiItem>(kinds::MONITORED_API, &key.namespace, &key.name, &body);
    let result = write.await;
    let label = result.as_ref().map_or_else(|error| error.class.as_str(), |_| "written");
    context.telemetry.count(platform::STATUS_WRITES, &[label]);
    context
        .store
        .upsert(WatchedKind::MonitoredApi, result?, Source::Answer(known));
    context.queue.hold_status(key, STATUS_INTERVAL);
    Ok(())
}

/// Publishes the events for the step from the previous status to this one.
async fn publish_events(context: &Context, target: &Target, status: &MonitoredApiStatus) {
    for event in events(&target.status, status) {
        if let Err(error) = publish(context, target, &event).await {
            tracing::warn!(namespace = %target.key.namespace, name = %target.key.name, %error, "event not published");
        }
    }
}

async fn publish(context: &Context, target: &Target, event: &EventSpec) -> Result<(), CallError> {
    let key = &target.key;
    let now = Timestamp::now();
    let nanoseconds = now.as_nanosecond();
    let body = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{nanoseconds:x}.{}", key.name, event.action.as_str().to_lowercase()),
            "namespace": &*key.namespace,
        },
        "eventTime": MicroTime(now),
        "reportingController": "monitoredapi.io/monitored-api",
        "reportingInstance": context.instance,
        "regarding": {
            "apiVersion": format!("{}/{}", kinds::MONITORED_API.group, kinds::MONITORED_API.version),
            "kind": kinds::MONITORED_API.kind,
            "name": &*key.name,
            "namespace": &*key.namespace,
            "uid": target.owner.uid,
            "resourceVersion": target.resource_version,
        },
        "type": event.type_.as_str(),
        "reason": event.reason,
        "note": event.note,
        "action": event.action.as_str(),
    });
    context.must_lead("create", kinds::EVENT.kind, &key.name)?;
    context
        .cluster
        .create::<_, serde::de::IgnoredAny>(kinds::EVENT, &key.namespace, &body)
        .await
        .map(|_| ())
}

/// Brings the MonitoredApi's metric series up to date.
fn update_series(context: &Context, target: &Target, status: &MonitoredApiStatus, input: &FoldInput<'_>) {
    let conditions = SUMMARY.map(|condition| {
        let known = status.conditions.iter().find(|c| c.type_ == condition.as_str())?;
        Some(ConditionStatus::new(&known.status))
    });
    let deployment = input.workload.deployment.as_ref();
    let autoscaling = input.validated.ok().and_then(|api| api.autoscaling.as_ref());
    context.telemetry.set_series(
        &target.key,
        ApiSeries {
            wanted: deployment.map(|d| d.wanted),
            ready: input.workload.ready_replicas(),
            autoscaler_max: autoscaling.map(|autoscaling| autoscaling.max_replicas),
            pods: PodFigures::of(&input.workload.pods),
            dialect: status
                .metrics
                .as_ref()
                .and_then(|metrics| metrics.dialect.as_deref())
                .map(interner::text),
            conditions,
        },
        &input.workload.pods,
    );
}

#[cfg(test)]
mod tests;
